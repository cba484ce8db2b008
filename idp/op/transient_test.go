package op_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// kiosk is a client that shall not recognise anybody.
func kiosk(w *idptest.World, change func(*clients.Metadata)) *idptest.RP {
	m := clients.Metadata{ClientID: "kiosk", SubjectType: clients.SubjectTransient}
	if change != nil {
		change(&m)
	}
	return w.Register(m)
}

// asked logs a person in who has a session already; she has to be asked.
func asked(t *testing.T, w *idptest.World, b *idptest.Browser, r idptest.Request) string {
	t.Helper()
	p := b.Get(r.URL())
	f := p.Form("/consent")
	if f.Action == "" {
		t.Fatalf("the person was not asked: %d %s, away %v", p.Status, p.Code, p.Away)
	}
	return w.Answered(b.Submit(f, "decision=allow"), r).Get("code")
}

func TestAdvertisedSubjectTypesWork(t *testing.T) {
	w := open(t)
	b := w.NewBrowser()
	for _, kind := range texts(t, members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)["subject_types_supported"]) {
		rp := w.Register(clients.Metadata{ClientID: kind, SubjectType: kind})
		subjects := map[string]bool{}
		for range 2 {
			r := rp.Request("prompt=login")
			subjects[subject(t, rp, w.Login(b, r, "taro").Get("code"), r)] = true
		}
		if stays := len(subjects) == 1; stays != (kind == clients.SubjectPairwise) {
			t.Errorf("%s: %v", kind, subjects)
		}
	}
}

func TestTransientSubjectsChangeEveryTime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		rp := kiosk(w, nil)
		b, r := w.NewBrowser(), rp.Request()
		seen := map[string]string{}
		meet := func(when, sub string) {
			t.Helper()
			if before := seen[sub]; before != "" {
				t.Errorf("%s has the subject of %s", when, before)
			}
			seen[sub] = when
		}
		meet("a first login", subject(t, rp, w.Login(b, r, "taro").Get("code"), r))
		r = rp.Request()
		meet("one from the session", subject(t, rp, asked(t, w, b, r), r))
		r = rp.Request()
		meet("one in another browser", subject(t, rp, w.Login(w.NewBrowser(), r, "taro").Get("code"), r))
		shop := w.Register(clients.Metadata{ClientID: "sister", RedirectURIs: []string{"https://kiosk.example/other"}})
		r = shop.Request()
		pairwise := subject(t, shop, w.Answer(b, r).Get("code"), r)
		meet("the pairwise one of the sector", pairwise)
		r = rp.Request()
		meet("one after that", subject(t, rp, asked(t, w, b, r), r))
		r = shop.Request()
		if sub := subject(t, shop, again(t, w, b, r), r); sub != pairwise {
			t.Error("the pairwise subject of the sector changed")
		}
	})
}

// A transient subject is one grant's: everything that speaks of the grant says the same.
func TestATransientSubjectIsTheSameWithinItsGrant(t *testing.T) {
	w := open(t)
	rp := kiosk(w, func(m *clients.Metadata) {
		m.Scope, m.GrantTypes = "openid age_over_18 offline_access", []string{"authorization_code", "refresh_token"}
	})
	b, r := w.NewBrowser(), rp.Request()
	tokens := rp.Exchange(w.Login(b, r, "taro").Get("code"), r)
	sub := rp.Claims(tokens, r)["sub"]
	if got := members(t, rp.UserInfo(tokens.AccessToken).Body)["sub"]; got != sub {
		t.Errorf("userinfo: %v, not %v", got, sub)
	}
	next := rp.Refresh(tokens.RefreshToken)
	if got := members(t, rp.UserInfo(next.AccessToken).Body)["sub"]; got != sub {
		t.Errorf("userinfo after a refresh: %v, not %v", got, sub)
	}
	if got := members(t, rp.Back("/oauth/introspect", url.Values{"token": {next.AccessToken}}, nil).Body)["sub"]; got != sub {
		t.Errorf("introspection: %v, not %v", got, sub)
	}
	p := b.Get(bye("id_token_hint", tokens.IDToken))
	if p.Form("/signout").Action == "" { // the hint is nobody's, so the person decides
		t.Errorf("logout with the hint: %d %s %s", p.Status, p.URL.Path, p.Code)
	}
}

// What a transient client hears without asking the person is the same for everybody.
func TestATransientClientHearsNothingOfTheSession(t *testing.T) {
	w := open(t)
	rp := kiosk(w, nil)
	known, stranger := w.NewBrowser(), w.NewBrowser()
	r := rp.Request()
	tokens := rp.Exchange(w.Login(known, r, "taro").Get("code"), r)
	for _, tc := range []struct {
		name, want string
		changes    []string
	}{
		{"without a page", "consent_required", []string{"prompt=none"}},
		{"for the person of a token", "login_required", []string{"id_token_hint=" + tokens.IDToken}},
		{"for the person of a token, without a page", "login_required", []string{"id_token_hint=" + tokens.IDToken, "prompt=none"}},
		{"fresh, without a page", "consent_required", []string{"prompt=none", "max_age=10"}},
	} {
		for who, b := range map[string]*idptest.Browser{"with a session": known, "without": stranger} {
			r := rp.Request(tc.changes...)
			if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != tc.want {
				t.Errorf("%s, %s: %v", tc.name, who, got)
			}
		}
	}
	w.Town.Clock.Advance(time.Second)
	if p := known.Get(rp.Request("max_age=3600").URL()); p.Form("/start").Action == "" {
		t.Errorf("auth_time would be that of the last answer: %d %s", p.Status, p.URL.Path)
	}
	if strings.Contains(w.Log.String(), tokens.AccessToken) {
		t.Error("the log has a token")
	}
}
