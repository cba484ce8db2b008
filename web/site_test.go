package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/web"
)

// site is one without a database behind it.
func site(t *testing.T, issuer string, ready error, log io.Writer) http.Handler {
	t.Helper()
	p, err := idp.New(idp.Config{Issuer: issuer, SubjectKey: bytes.Repeat([]byte("k"), 32), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	h, err := web.New(web.Config{
		IDP: p, LaunchTemplate: "tegata:{ticket}", Ready: func(context.Context) error { return ready }, Now: time.Now, Rand: rand.Reader,
		Log: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAddressesThatAreNotThere(t *testing.T) {
	h := site(t, "https://login.example", nil, io.Discard)
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200}, {"GET", "/nowhere", 404}, {"GET", "/login", 404}, {"GET", "/login/", 404}, {"POST", "/", 405},
		{"GET", "/agent/v1/claim", 405}, {"DELETE", "/login/x", 405}, {"GET", "/../../etc/passwd", 404}, {"GET", "/healthz", 200}, {"GET", "/readyz", 200},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(tc.method, "https://login.example"+tc.path, nil))
		if w.Code != tc.status && !(strings.Contains(tc.path, "..") && w.Code < 400 && strings.HasPrefix(w.Header().Get("Location"), "/")) {
			t.Errorf("%s %s: %d, want %d", tc.method, tc.path, w.Code, tc.status)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Strict-Transport-Security"), "max-age=") {
			t.Errorf("%s %s: headers %v", tc.method, tc.path, w.Header())
		}
	}
	w := httptest.NewRecorder()
	site(t, "http://127.0.0.1:9000", nil, io.Discard).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("a sandbox locks 127.0.0.1 to https")
	}
}

func TestReadinessIsTheDatabases(t *testing.T) {
	w := httptest.NewRecorder()
	site(t, "https://login.example", errors.New("password=hunter2 refused"), io.Discard).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A nil store panics on the first use; the panic's text and the request stay inside.
func TestAPanicIsAnErrorPageAndALogLine(t *testing.T) {
	var log bytes.Buffer
	w := httptest.NewRecorder()
	site(t, "https://login.example", nil, &log).ServeHTTP(w, httptest.NewRequest("GET", "/authorize?client_id=hunter2", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `content="internal"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), `"panic"`) || !strings.Contains(log.String(), `"request"`) || strings.Contains(log.String()+w.Body.String(), "hunter2") {
		t.Errorf("the log: %s", log.String())
	}
}

// event is one server-sent event.
type event struct {
	name string
	data map[string]string
}

func events(t *testing.T, body io.Reader) <-chan event {
	out := make(chan event, 16)
	go func() {
		defer close(out)
		var e event
		for lines := bufio.NewScanner(body); lines.Scan(); {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
			case "event":
				e.name = value
			case "data":
				if err := json.Unmarshal([]byte(value), &e.data); err != nil {
					t.Error(err)
				}
			case "":
				out <- e
				e = event{}
			}
		}
	}()
	return out
}

func TestTheWaitingPageHearsWhatTheAgentDoes(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	page := w.Approach(b, shop.Request("ui_locales=en"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Issuer+page.URL.Path+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "bs", Value: b.Cookie("bs")})
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if kind := stream.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") || stream.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, Cache-Control %q", kind, stream.Header.Get("Cache-Control"))
	}
	heard := events(t, stream.Body)
	first := <-heard
	if first.name != "progress" || first.data["code"] != "waiting_agent" || first.data["number"] == "" || first.data["text"] == "" {
		t.Errorf("first %+v", first)
	}
	a := w.Claim(page.Launch)
	if a.Context.Number != first.data["number"] {
		t.Errorf("the page shows %s and the agent %s", first.data["number"], a.Context.Number)
	}
	if e := <-heard; e.data["code"] != "reading" {
		t.Errorf("after the claim: %+v", e)
	}
	two := 2
	a.Call(agent.ProgressPath, agent.ProgressRequest{Login: a.Context.Login, Code: "pin_wrong", Tries: &two})
	if e := <-heard; e.data["code"] != "pin_wrong" || !strings.Contains(e.data["text"], "2") {
		t.Errorf("after a wrong PIN: %+v", e)
	}
	code, refusal := a.Result(a.Honest("taro"))
	if refusal != "" {
		t.Fatal(refusal)
	}
	if e := <-heard; e.name != "go" || e.data["url"] != idptest.Loopback {
		t.Errorf("after the result: %+v", e)
	}
	if _, more := <-heard; more {
		t.Error("the stream goes on")
	}
	if p := b.Get("/login/return/" + code); p.Form("/consent").Action == "" {
		t.Errorf("%d %s", p.Status, p.Code)
	}
}

func TestAProofIsOfOneCall(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	a := w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch)
	body, err := json.Marshal(agent.ProgressRequest{Login: a.Context.Login, Code: "signing"})
	if err != nil {
		t.Fatal(err)
	}
	now := w.Town.Clock.Now()
	prove := func(method, path string, body []byte, at time.Time) string {
		proof, err := a.Key.Prove(method, w.Issuer+path, body, false, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	for name, proof := range map[string]string{
		"none":               "",
		"of another path":    prove("POST", agent.CancelPath, body, now),
		"of another method":  prove("GET", agent.ProgressPath, body, now),
		"of another body":    prove("POST", agent.ProgressPath, []byte("{}"), now),
		"of an hour ago":     prove("POST", agent.ProgressPath, body, now.Add(-time.Hour)),
		"of the next hour":   prove("POST", agent.ProgressPath, body, now.Add(time.Hour)),
		"of another issuer":  strings.Replace(prove("POST", agent.ProgressPath, body, now), ".", ".x", 1),
		"that is no proof":   "a.b.c",
		"with two good ones": prove("POST", agent.ProgressPath, body, now) + "," + prove("POST", agent.ProgressPath, body, now),
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+agent.ProgressPath, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(agent.ProofHeader, proof)
		if answer := idptest.Do(t, r); answer.Status != http.StatusUnauthorized || idptest.Code(answer.Body) != "proof_invalid" {
			t.Errorf("a proof %s: %d %s", name, answer.Status, answer.Body)
		}
	}
	// A form of another site can be sent as text/plain, and a browser asks nobody before.
	plain, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+agent.ProgressPath, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain.Header.Set("Content-Type", "text/plain")
	plain.Header.Set(agent.ProofHeader, prove("POST", agent.ProgressPath, body, now))
	if answer := idptest.Do(t, plain); answer.Status != http.StatusBadRequest || idptest.Code(answer.Body) != "bad_input" {
		t.Errorf("as text/plain: %d %s", answer.Status, answer.Body)
	}
	if l := stored(t, w, a.Context.Login); l.Progress != "reading" {
		t.Errorf("the page says %s", l.Progress)
	}
}
