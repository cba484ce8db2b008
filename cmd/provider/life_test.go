package provider_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/cmd/provider/providertest"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage/storagetest"
)

const period = 30 * time.Minute // shorter than a session may idle

// town is a world whose provider the test can reach into.
type town struct {
	*providertest.Stage
	opened atomic.Int32 // circuits that opened
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, w *town)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, storagetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, storagetest.Postgres(t))) })
}

func open(t *testing.T, url string, changes ...func(*provider.Options)) *town {
	t.Helper()
	w := &town{}
	w.Stage = providertest.Open(t, url, append([]func(*provider.Options){func(o *provider.Options) {
		o.StatusPeriod = period
		o.Revocation = &revocation.Breaker{Next: o.Revocation, Now: o.Now, Changed: func(_ string, open bool) {
			if open {
				w.opened.Add(1)
			}
		}}
	}}, changes...)...)
	return w
}

// person settles somebody with a name of her own.
func (w *town) person(t *testing.T) string {
	t.Helper()
	name := "life-" + strings.ToLower(rand.Text()[:8])
	w.Town.Settle(t, name, []byte(`{"name": "手形　試", "address": "東京都千代田区手形町一丁目２番３号", "birthdate": "1990-04-01", "gender": "female"}`))
	w.Town.Material(t, name)
	return name
}

func (w *town) happen(t *testing.T, name string, event jpkitest.Event) {
	t.Helper()
	if err := w.Town.Authority.Happen(name, event, ""); err != nil {
		t.Fatal(err)
	}
}

func (w *town) askStatus(t *testing.T) {
	t.Helper()
	if err := w.Provider.AskStatus(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *town) shop(id string) *idptest.RP {
	return w.Register(clients.Metadata{ClientID: id, Scope: "openid offline_access age_over_18", GrantTypes: []string{"authorization_code", "refresh_token"}})
}

// login is a whole login, with its tokens and its sub.
func (w *town) login(t *testing.T, b *idptest.Browser, rp *idptest.RP, name string) (idptest.Answer, string) {
	t.Helper()
	r := rp.Request("prompt=login consent")
	a := rp.Exchange(w.Login(b, r, name).Get("code"), r)
	sub, _ := rp.Claims(a, r)["sub"].(string)
	if a.Status != http.StatusOK || sub == "" {
		t.Fatalf("%s did not log in: %s", name, a.Body)
	}
	return a, sub
}

func TestASuspendedCardClosesWhatItOpened(t *testing.T) {
	for _, event := range []jpkitest.Event{jpkitest.Suspend, jpkitest.Revoke} {
		t.Run(string(event), func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *town) {
				shop, name, other := w.shop("shop"), w.person(t), w.person(t)
				b := w.NewBrowser()
				tokens, sub := w.login(t, b, shop, name)
				others, _ := w.login(t, w.NewBrowser(), shop, other)
				w.happen(t, name, event)
				w.Town.Clock.Advance(period - 2*time.Minute)
				w.askStatus(t) // not due
				tokens = shop.Refresh(tokens.RefreshToken)
				if tokens.Status != http.StatusOK || shop.UserInfo(tokens.AccessToken).Status != http.StatusOK {
					t.Fatal("it is not due")
				}
				w.Town.Clock.Advance(time.Minute)
				w.askStatus(t)
				refused := shop.Refresh(tokens.RefreshToken)
				if refused.Error != "invalid_grant" || shop.UserInfo(tokens.AccessToken).Status != http.StatusUnauthorized {
					t.Errorf("tokens live on: %s", refused.Body)
				}
				if got := w.Answered(b.Get(shop.Request("prompt=none").URL()), shop.Request()).Get("error"); got != "login_required" {
					t.Errorf("the session lives on: %q", got)
				}
				if a := shop.Refresh(others.RefreshToken); a.Status != http.StatusOK {
					t.Errorf("somebody else is logged out: %s", a.Body)
				}
				if event != jpkitest.Suspend {
					return
				}
				w.happen(t, name, jpkitest.Lift)
				if _, again := w.login(t, b, shop, name); again != sub {
					t.Error("who comes back is somebody else")
				}
				if log := w.Log.String(); strings.Contains(log, "suspended") || strings.Contains(log, "revoked") {
					t.Error("the log says why")
				}
			})
		})
	}
}

// Acceptance 48.
func TestAnOutageOfTheAuthorityLogsNobodyOut(t *testing.T) {
	onBoth(t, func(t *testing.T, w *town) {
		shop, name := w.shop("shop"), w.person(t)
		b := w.NewBrowser()
		tokens, _ := w.login(t, b, shop, name)
		w.Town.Clock.Advance(period)
		w.Town.Break(t, jpkitest.FaultOffline)
		for minute := range 10 {
			w.Town.Clock.Advance(time.Minute)
			w.askStatus(t)
			wait := w.Approach(w.NewBrowser(), shop.Request())
			if _, err := w.UseCard(wait.Launch, name); err == nil || !strings.Contains(err.Error(), "revocation_unavailable") {
				t.Fatalf("minute %d: %v", minute, err)
			}
			if tokens = shop.Refresh(tokens.RefreshToken); tokens.Status != http.StatusOK {
				t.Fatalf("minute %d: %s", minute, tokens.Body)
			}
		}
		if w.opened.Load() == 0 {
			t.Error("no circuit opened")
		}
		if got := w.Answered(b.Get(shop.Request("prompt=none").URL()), shop.Request()); got.Get("code") == "" {
			t.Errorf("the session does not answer: %v", got)
		}
		w.Town.Break(t, jpkitest.FaultNone)
		w.Town.Clock.Advance(time.Minute)
		w.askStatus(t)
		w.login(t, w.NewBrowser(), shop, name)
		if tokens = shop.Refresh(tokens.RefreshToken); tokens.Status != http.StatusOK {
			t.Error(tokens.Body)
		}
	})
}

// page walks to the consent page.
func (w *town) page(t *testing.T, b *idptest.Browser, rp *idptest.RP, name string) (idptest.Page, idptest.Request) {
	t.Helper()
	r := rp.Request("prompt=login consent")
	p := w.Present(b, r, name)
	if p.Form("/consent").Action == "" {
		t.Fatalf("no consent page: %d %s %v", p.Status, p.Code, p.Away)
	}
	return p, r
}

func offered(p idptest.Page) bool { return strings.Contains(p.Body, `name="renewed"`) }

func TestARenewedCardStaysTheSamePerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *town) {
		shop, bank, name := w.shop("shop"), w.shop("bank"), w.person(t)
		b := w.NewBrowser()
		first, _ := w.page(t, b, shop, name)
		if !offered(first) {
			t.Error("a new account is not asked whether it is a renewed card's")
		}
		_, atShop := w.login(t, b, shop, name)
		_, atBank := w.login(t, b, bank, name)
		if p, _ := w.page(t, b, shop, name); offered(p) {
			t.Error("a known person is asked")
		}
		for range 2 { // and once more, from there
			w.happen(t, name, jpkitest.Renew)
			b = w.NewBrowser()
			p, r := w.page(t, b, shop, name)
			if !offered(p) || strings.Contains(p.Body, `name="renewed" value="yes" checked`) {
				t.Fatal("the box is missing, or ticked")
			}
			p = b.Submit(p.Form("/consent"), "decision=allow", "renewed=yes")
			a := shop.Exchange(w.Answered(p, r).Get("code"), r)
			if sub := shop.Claims(a, r)["sub"]; sub != atShop {
				t.Fatalf("sub %v, was %v", sub, atShop)
			}
			if _, sub := w.login(t, w.NewBrowser(), bank, name); sub != atBank {
				t.Fatal("the other site sees somebody else")
			}
		}
		if !strings.Contains(w.Log.String(), "card_renewed") {
			t.Error("the audit does not know")
		}
	})
}

func TestWithoutTheBoxARenewedCardIsSomebodyNew(t *testing.T) {
	onBoth(t, func(t *testing.T, w *town) {
		shop, name := w.shop("shop"), w.person(t)
		_, sub := w.login(t, w.NewBrowser(), shop, name)
		w.happen(t, name, jpkitest.Renew)
		if _, other := w.login(t, w.NewBrowser(), shop, name); other == sub {
			t.Error("nobody agreed to the question")
		}
	})
}

func TestNoEarlierRecordIsNoEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, w *town) {
		shop := w.shop("shop")
		for _, tc := range []struct {
			name  string
			fault jpkitest.Fault
			want  string
		}{
			{"a first card", jpkitest.FaultNone, "renewal_unknown"},
			{"an outage", jpkitest.FaultOffline, "renewal_unavailable"},
			{"an answer of somebody else", jpkitest.FaultWrongKey, "renewal_unavailable"},
		} {
			t.Run(tc.name, func(t *testing.T) {
				b := w.NewBrowser()
				p, r := w.page(t, b, shop, w.person(t))
				w.Town.Break(t, tc.fault)
				refused := b.Submit(p.Form("/consent"), "decision=allow", "renewed=yes")
				if refused.Code != tc.want || !strings.Contains(refused.Body, `href="`+p.URL.Path) {
					t.Fatalf("%s without a way back: %s", refused.Code, refused.Body)
				}
				w.Town.Break(t, jpkitest.FaultNone)
				if again := b.Get(p.URL.String()); w.Answered(b.Submit(again.Form("/consent"), "decision=allow"), r).Get("code") == "" {
					t.Error("the login cannot go on")
				}
			})
		}
	})
}

func TestTheBoxOfAKnownPersonIsForged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *town) {
		shop, name := w.shop("shop"), w.person(t)
		w.login(t, w.NewBrowser(), shop, name)
		b := w.NewBrowser()
		p, _ := w.page(t, b, shop, name)
		if refused := b.Submit(p.Form("/consent"), "decision=allow", "renewed=yes"); refused.Code != "bad_input" {
			t.Errorf("%d %s", refused.Status, refused.Code)
		}
	})
}
