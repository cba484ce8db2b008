package op_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
)

// listener is a relying party's server that hears of logouts and checks them with go-oidc.
type listener struct {
	*idptest.RP
	w      *idptest.World
	t      *testing.T
	mu     sync.Mutex
	status int
	raw    []string
	tokens []*oidc.LogoutToken
}

// listens registers a relying party with a server of its own.
func listens(t *testing.T, w *idptest.World, m clients.Metadata) *listener {
	t.Helper()
	l := &listener{w: w, t: t, status: http.StatusOK}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	m.BackLogoutURI = server.URL + "/back?rp=" + m.ClientID
	l.RP = w.Register(m)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	raw := r.PostFormValue("logout_token")
	provider, err := oidc.NewProvider(r.Context(), l.w.Issuer)
	if err != nil {
		l.t.Error(err)
		return
	}
	alg := l.IDTokenAlg
	if alg == "" {
		alg = "ES256"
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: l.ClientID, Now: l.w.Town.Clock.Now, SupportedSigningAlgs: []string{alg}}).VerifyLogout(r.Context(), raw)
	if err != nil || r.Method != http.MethodPost || r.URL.Query().Get("rp") != l.ClientID || len(r.PostForm) != 1 {
		l.t.Errorf("%s %s: %v %v", r.Method, r.URL, r.PostForm, err)
	}
	l.raw, l.tokens = append(l.raw, raw), append(l.tokens, token)
	w.WriteHeader(l.status)
}

// heard takes what has been heard so far.
func (l *listener) heard() []*oidc.LogoutToken {
	l.mu.Lock()
	defer l.mu.Unlock()
	tokens := l.tokens
	l.tokens = nil
	return tokens
}

func (l *listener) answers(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

// visit logs a browser in, or goes on with its session, and returns the ID token's subject and sid.
func (l *listener) visit(b *idptest.Browser, persona string, changes ...string) (sub, sid, idToken string) {
	l.t.Helper()
	r := l.Request(changes...)
	var code string
	if b.Cookie("ss") == "" || len(changes) > 0 {
		code = l.w.Login(b, r, persona).Get("code")
	} else {
		code = l.w.Answer(b, r).Get("code")
	}
	tokens := l.Exchange(code, r)
	c := l.Claims(tokens, r)
	sub, _ = c["sub"].(string)
	sid, _ = c["sid"].(string)
	return sub, sid, tokens.IDToken
}

func deliver(t *testing.T, w *idptest.World, want int) {
	t.Helper()
	n, err := w.Site.Deliver(t.Context())
	if err != nil || n != want {
		t.Fatalf("%d messages were due, want %d: %v", n, want, err)
	}
}

func TestEveryRelyingPartyOfASessionHearsOfItsEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop, bank := listens(t, w, clients.Metadata{ClientID: "shop"}), listens(t, w, clients.Metadata{ClientID: "bank", IDTokenAlg: "RS256"})
		quiet, idle := w.Register(clients.Metadata{ClientID: "quiet"}), listens(t, w, clients.Metadata{ClientID: "idle"})
		b := w.NewBrowser()
		shopSub, shopSID, hint := shop.visit(b, "taro")
		_, again, _ := shop.visit(b, "taro")
		bankSub, bankSID, _ := bank.visit(b, "taro")
		r := quiet.Request()
		if said := quiet.Claims(quiet.Exchange(w.Answer(b, r).Get("code"), r), r); said["sid"] != nil {
			t.Errorf("a client that never hears of logouts has a name for the session: %v", said["sid"])
		}
		r = idle.Request()
		w.Answer(b, r) // the code is never redeemed
		if shopSID == "" || shopSID != again || bankSID == "" || bankSID == shopSID {
			t.Fatalf("the session is called %q, %q and %q", shopSID, again, bankSID)
		}
		other := w.NewBrowser()
		_, elsewhere, _ := shop.visit(other, "taro")
		if elsewhere == shopSID {
			t.Error("two sessions have one name")
		}
		if p := b.Get(bye("id_token_hint", hint)); p.Status != http.StatusOK || p.Form("/signout").Action != "" {
			t.Fatalf("%d %s", p.Status, p.Code)
		}
		deliver(t, w, 2)
		for _, l := range []struct {
			*listener
			sub, sid string
		}{{shop, shopSub, shopSID}, {bank, bankSub, bankSID}} {
			got := l.heard()
			if len(got) != 1 || got[0].Subject != l.sub || got[0].SessionID != l.sid || got[0].TokenID == "" {
				t.Fatalf("%s heard %+v, want %s %s", l.ClientID, got, l.sub, l.sid)
			}
			now := w.Town.Clock.Now()
			if got[0].IssuedAt.Unix() != now.Unix() || got[0].Expiry.Unix() != now.Add(2*time.Minute).Unix() {
				t.Errorf("good from %v to %v", got[0].IssuedAt, got[0].Expiry)
			}
		}
		if len(idle.heard()) > 0 {
			t.Error("a client that never got a token was told")
		}
		deliver(t, w, 0)
	})
}

func TestALogoutTokenIsNothingElse(t *testing.T) {
	w := open(t)
	shop := listens(t, w, clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	_, _, hint := shop.visit(b, "taro")
	b.Get(bye("id_token_hint", hint))
	deliver(t, w, 1)
	header, _, _ := strings.Cut(shop.raw[0], ".")
	if got := unbase64(t, header); !strings.Contains(got, `"typ":"logout+jwt"`) {
		t.Errorf("the header is %s", got)
	}
	if p := b.Get(bye("id_token_hint", shop.raw[0])); p.Code != "logout_invalid" {
		t.Errorf("it passes as a hint: %d %s", p.Status, p.Code)
	}
}

func TestALogoutIsToldUntilItIsHeard(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := listens(t, w, clients.Metadata{ClientID: "shop"})
		b := w.NewBrowser()
		_, _, hint := shop.visit(b, "taro")
		b.Get(bye("id_token_hint", hint))
		shop.answers(http.StatusServiceUnavailable)
		deliver(t, w, 1)
		deliver(t, w, 0) // not at once
		w.Town.Clock.Advance(10 * time.Second)
		deliver(t, w, 1)
		w.Town.Clock.Advance(20 * time.Hour)
		shop.answers(http.StatusNoContent)
		deliver(t, w, 1)
		if got := shop.heard(); len(got) != 3 || got[0].TokenID == got[2].TokenID || got[0].SessionID != got[2].SessionID {
			t.Errorf("heard %+v", got)
		}
		deliver(t, w, 0)

		b = w.NewBrowser()
		_, _, hint = shop.visit(b, "taro")
		b.Get(bye("id_token_hint", hint))
		shop.answers(http.StatusBadRequest)
		deliver(t, w, 1)
		w.Town.Clock.Advance(time.Hour)
		deliver(t, w, 0) // no is an answer
	})
}

func TestALogoutOfAClientThatHasGoneIsForgotten(t *testing.T) {
	w := open(t)
	shop := listens(t, w, clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	_, _, hint := shop.visit(b, "taro")
	b.Get(bye("id_token_hint", hint))
	if err := w.Site.Store.DisableClient(t.Context(), "shop", true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.Town.Clock.Advance(time.Minute) // past the cache of clients
	deliver(t, w, 1)
	deliver(t, w, 0)
	if len(shop.heard()) > 0 {
		t.Error("told all the same")
	}
}

// Who logs in again in the same browser is still logged in elsewhere; who comes after somebody else is not.
func TestANewLoginInTheSameBrowser(t *testing.T) {
	w := open(t)
	shop, bank := listens(t, w, clients.Metadata{ClientID: "shop"}), listens(t, w, clients.Metadata{ClientID: "bank"})
	b := w.NewBrowser()
	_, shopSID, _ := shop.visit(b, "taro")
	bank.visit(b, "taro", "prompt=login")
	deliver(t, w, 0)
	_, _, hint := bank.visit(b, "jiro17", "prompt=login")
	deliver(t, w, 2)
	if got := shop.heard(); len(got) != 1 || got[0].SessionID != shopSID {
		t.Errorf("the shop of the first person heard %+v", got)
	}
	bank.heard()
	b.Get(bye("id_token_hint", hint))
	deliver(t, w, 1)
	if len(shop.heard()) != 0 || len(bank.heard()) != 1 {
		t.Error("the second person's logout was told to the wrong ones")
	}
}

func TestSessionsEndFromOutside(t *testing.T) {
	w := open(t)
	shop := listens(t, w, clients.Metadata{ClientID: "shop"})
	var sids []string
	var sub string
	for range 3 {
		s, sid, _ := shop.visit(w.NewBrowser(), "taro")
		sub, sids = s, append(sids, sid)
	}
	shop.visit(w.NewBrowser(), "jiro17")
	account, err := w.Site.Store.AccountBySubject(t.Context(), "shop.example", sub)
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.Site.IDP.Sessions(t.Context(), account)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d sessions, %v", len(list), err)
	}
	end := func(e storage.Ending, want int) {
		t.Helper()
		if n, err := w.Site.IDP.EndSessions(context.Background(), e); err != nil || n != want {
			t.Fatalf("%d sessions ended, %v", n, err)
		}
	}
	end(storage.Ending{AccountID: "somebody", SessionID: list[0].ID}, 0)
	end(storage.Ending{AccountID: account, Except: list[0].ID}, 2)
	deliver(t, w, 2)
	end(storage.Ending{AccountID: account}, 1)
	deliver(t, w, 1)
	told := map[string]bool{}
	for _, token := range shop.heard() {
		told[token.SessionID] = token.Subject == sub
	}
	for _, sid := range sids {
		if !told[sid] {
			t.Errorf("the end of %s was not told: %v", sid, told)
		}
	}
	if list, err := w.Site.IDP.Sessions(t.Context(), account); err != nil || len(list) != 0 {
		t.Errorf("%d sessions are left, %v", len(list), err)
	}
}
