package agent

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

func TestClaimBringsTheContext(t *testing.T) {
	p := newProvider(t).wants(statement.CardInfo)
	s, err := p.client().Claim(t.Context(), Ticket{goodLogin, goodSecret}, "http://127.0.0.1:50000/r/"+goodLogin)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s.Context(), p.context) {
		t.Errorf("context %+v", s.Context())
	}
	want := ClaimRequest{goodTicket, s.key.Public(), "1.10.0", "http://127.0.0.1:50000/r/" + goodLogin}
	if p.claim != want {
		t.Errorf("claim %+v", p.claim)
	}
	if again := p.session(); again.key.Public() == s.key.Public() {
		t.Error("two logins share a key")
	}
}

func TestAContextThatDoesNotFitIsRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Context)
		want   error
	}{
		{"another issuer", func(c *Context) { c.Issuer = "https://evil.example" }, ErrForeignProvider},
		{"the issuer with a slash", func(c *Context) { c.Issuer += "/" }, ErrForeignProvider},
		{"another login", func(c *Context) { c.Login = goodLogin[1:] + "A" }, ErrForeignProvider},
		{"a newer agent is wanted", func(c *Context) { c.MinVersion = "1.11" }, fail.AgentOutdated},
		{"a version that is none is wanted", func(c *Context) { c.MinVersion = "latest" }, fail.AgentOutdated},
		{"no operations", func(c *Context) { c.Operations = nil }, fail.AgentOutdated},
		{"an operation we do not know", func(c *Context) { c.Operations = append(c.Operations, "transfer") }, fail.AgentOutdated},
		{"attributes without a login", func(c *Context) { c.Operations = []string{statement.ReadAttributes} }, fail.AgentOutdated},
		{"a source we do not know", func(c *Context) {
			c.Operations = []string{statement.Authenticate, statement.ReadAttributes}
			c.Sources = []string{"my_number"}
		}, fail.AgentOutdated},
		{"a sentence we cannot show", func(c *Context) {
			c.Operations = []string{statement.Authenticate, statement.ReadAttributes}
			c.Sources, c.Declaration = []string{statement.SignatureCertificate}, "sell_house.1"
		}, fail.AgentOutdated},
		{"a nonce of 128 bit", func(c *Context) { c.Nonce = c.Nonce[:22] }, fail.Internal},
		{"a nonce that is not base64url", func(c *Context) { c.Nonce = "*" }, fail.Internal},
		{"no client", func(c *Context) { c.Client.ID = "" }, fail.Internal},
		{"no number", func(c *Context) { c.Number = "" }, fail.Internal},
		{"a number with words", func(c *Context) { c.Number = "42 is wrong" }, fail.Internal},
		{"over already", func(c *Context) { c.Expires = now }, fail.LoginExpired},
		{"no end", func(c *Context) { c.Expires = time.Time{} }, fail.LoginExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newProvider(t)
			tt.change(&p.context)
			if s, err := p.client().Claim(t.Context(), Ticket{goodLogin, goodSecret}, ""); !errors.Is(err, tt.want) || s != nil {
				t.Errorf("Claim = %v, %v", s, err)
			}
		})
	}
}

func TestClaimSendsNothingToAnUntrustworthyIssuer(t *testing.T) {
	c := &Client{Issuer: "http://id.example"} // no HTTP: a call would panic
	if _, err := c.Claim(t.Context(), Ticket{goodLogin, goodSecret}, ""); !errors.Is(err, fail.Internal) {
		t.Error(err)
	}
}

func TestVersionsAreComparedNumberByNumber(t *testing.T) {
	for _, c := range []struct {
		have, least string
		want        bool
	}{
		{"1.2.3", "", false}, {"1.2.3", "1.2.3", false}, {"1.2.4", "1.2.3", false}, {"1.10", "1.9", false}, {"2", "1.9.9", false}, {"1.2.0", "1.2", false},
		{"1.2.2", "1.2.3", true}, {"1.9", "1.10", true}, {"1.2", "1.2.1", true}, {"devel", "1", true}, {"", "1", true}, {"1", "new", true}, {"-1", "0", true}, {"1.+2", "1", true},
	} {
		if got := Older(c.have, c.least); got != c.want {
			t.Errorf("Older(%q, %q) = %v", c.have, c.least, got)
		}
	}
}

func TestProgressAndCancelReachTheProvider(t *testing.T) {
	p := newProvider(t)
	s := p.session()
	two, none := 2, 0
	for _, err := range []error{
		s.Progress(t.Context(), "pin_wrong", 2), s.Progress(t.Context(), "pin_locked", 0), s.Progress(t.Context(), "reading", fail.NoTries),
		s.Cancel(t.Context(), fail.UserCancelled.Code),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []ProgressRequest{{goodLogin, "pin_wrong", &two}, {goodLogin, "pin_locked", &none}, {goodLogin, "reading", nil}}
	if !reflect.DeepEqual(p.progress, want) || !reflect.DeepEqual(p.cancels, []CancelRequest{{goodLogin, "user_cancelled"}}) {
		t.Errorf("progress %+v, cancels %+v", p.progress, p.cancels)
	}
}

func TestAnswersOfAllKindsBecomeCodes(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	three := 3
	raw := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	tests := []struct {
		name     string
		answer   http.HandlerFunc
		want     *fail.Error
		tries    int
		incident string
	}{
		{"a code", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 403, ErrorResponse{Code: "certificate_revoked", Incident: "A-1"})
		}, fail.CertificateRevoked, -1, "A-1"},
		{"a code with tries", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 403, ErrorResponse{Code: "pin_wrong", Tries: &three})
		}, fail.PINWrong, 3, ""},
		{"a code we do not know", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 403, ErrorResponse{Code: "new_thing", Incident: "B"})
		}, fail.Internal, -1, "B"},
		{"an incident with markup", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 403, ErrorResponse{Code: "rate_limited", Incident: "<b>"})
		}, fail.RateLimited, -1, ""},
		{"a gateway's page", raw(502, "text/html", "<h1>Bad gateway</h1>"), fail.Unavailable, -1, ""},
		{"a server's page", raw(500, "text/html", "<h1>Oops</h1>"), fail.Internal, -1, ""},
		{"a code in the wrong type of body", raw(403, "text/plain", `{"code":"pin_wrong"}`), fail.Internal, -1, ""},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, fail.Internal, -1, ""},
		{"a redirect after POST", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusSeeOther) }, fail.Internal, -1, ""},
		{"success with a page", raw(200, "text/html", `{"code":"`+goodCode+`"}`), fail.Internal, -1, ""},
		{"success without a type", raw(200, "", `{"code":"`+goodCode+`"}`), fail.Internal, -1, ""},
		{"success with broken JSON", raw(200, "application/json", `{"code":`), fail.Internal, -1, ""},
		{"success with a longer body than we read", raw(200, "application/json", `{"code":"`+goodCode+`"}`+strings.Repeat(" ", MaxBody)), fail.Internal, -1, ""},
		{"another success", raw(202, "application/json", `{"code":"`+goodCode+`"}`), fail.Internal, -1, ""},
		{"no content", raw(204, "", ""), fail.Internal, -1, ""},
		{"a code that is none", raw(200, "application/json", `{"code":"../admin"}`), fail.Internal, -1, ""},
		{"an empty object", raw(200, "application/json", `{}`), fail.Internal, -1, ""},
		{"a closed connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fail.Unavailable, -1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newProvider(t)
			s := p.session()
			p.answer = tt.answer
			_, err := s.Perform(t.Context(), &fake{}, Secrets{PIN: []byte("1234")})
			got := fail.From(err)
			if err == nil || got.Code != tt.want.Code || got.Tries != tt.tries {
				t.Errorf("%v, tries %d", got, got.Tries)
			}
			var cause *ProviderError
			if errors.As(err, &cause) && cause.Incident != tt.incident || cause == nil && tt.incident != "" {
				t.Errorf("cause %+v", cause)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	p := newProvider(t)
	s := p.session()
	arrived := make(chan struct{})
	p.answer = func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client left
		close(arrived)
		<-r.Context().Done()
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := s.Progress(ctx, "reading", fail.NoTries); !errors.Is(err, fail.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
