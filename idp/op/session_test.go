package op_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// subject is the sub of the ID token that a code is worth.
func subject(t *testing.T, rp *idptest.RP, code string, r idptest.Request) string {
	t.Helper()
	sub, ok := rp.Claims(rp.Exchange(code, r), r)["sub"].(string)
	if !ok || len(sub) < 32 {
		t.Fatalf("the subject is %q", sub)
	}
	return sub
}

func TestSubjectsArePairwise(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		of := func(rp *idptest.RP, persona string) string {
			r := rp.Request()
			return subject(t, rp, w.Login(w.NewBrowser(), r, persona).Get("code"), r)
		}
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		sister := w.Register(clients.Metadata{ClientID: "sister", RedirectURIs: []string{"https://shop.example/other"}})
		rival := w.Register(clients.Metadata{ClientID: "rival"})
		first := of(shop, "taro")
		if of(shop, "taro") != first {
			t.Error("the same person has two subjects at one site")
		}
		if of(sister, "taro") != first {
			t.Error("two clients of one sector see two people")
		}
		if of(rival, "taro") == first {
			t.Error("two sites can compare their customers")
		}
		if of(shop, "jiro17") == first {
			t.Error("two people share a subject")
		}
	})
}

func TestPromptNone(t *testing.T) {
	w := open(t)
	shop, other := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_18 gender"}), w.Register(clients.Metadata{ClientID: "other"})
	b := w.NewBrowser()
	r := shop.Request("scope=openid age_over_18")
	first := subject(t, shop, w.Login(b, r, "taro").Get("code"), r)
	r = shop.Request("scope=openid age_over_18", "prompt=none")
	if sub := subject(t, shop, w.Answered(b.Get(r.URL()), r).Get("code"), r); sub != first {
		t.Error("the session is another person's")
	}
	for _, tc := range []struct {
		name, want string
		browser    *idptest.Browser
		request    idptest.Request
	}{
		{"without a session", "login_required", w.NewBrowser(), shop.Request("prompt=none")},
		{"with an item that was never agreed to", "consent_required", b, shop.Request("prompt=none")},
		{"at a client that was never met", "consent_required", b, other.Request("prompt=none")},
		{"when the card was used too long ago", "login_required", b, shop.Request("prompt=none", "max_age=0", "scope=openid age_over_18")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.Town.Clock.Advance(time.Second)
			if got := w.Answered(tc.browser.Get(tc.request.URL()), tc.request); got.Get("error") != tc.want {
				t.Errorf("answered %v, want %s", got, tc.want)
			}
		})
	}
}

func TestPromptsThatAskThePerson(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, shop)
	for _, tc := range []struct{ prompt, form string }{
		{"login", "/start"}, {"select_account", "/start"}, {"consent", "/consent"}, {"login consent", "/start"},
	} {
		r := shop.Request("prompt=" + tc.prompt)
		if p := b.Get(r.URL()); p.Form(tc.form).Action == "" {
			t.Errorf("prompt=%s: no form %s at %s, away %v", tc.prompt, tc.form, p.URL, p.Away)
		}
	}
	r := shop.Request("prompt=login consent")
	if p := w.Present(b, r, "taro"); p.Form("/consent").Action == "" {
		t.Errorf("prompt=login consent did not ask after the card: away %v", p.Away)
	}
}

func TestMaxAgeAndAuthTime(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	began := w.Town.Clock.Now()
	w.Login(b, shop.Request(), "taro")
	w.Town.Clock.Advance(10 * time.Minute)
	r := shop.Request("max_age=900")
	said := shop.Claims(shop.Exchange(again(t, w, b, r), r), r)
	at, ok := said["auth_time"].(float64)
	if !ok || at < float64(began.Unix()) || at > float64(began.Unix()+60) {
		t.Errorf("auth_time is %v for a card used at %d", said["auth_time"], began.Unix())
	}
	if p := b.Get(shop.Request("max_age=300").URL()); p.Form("/start").Action == "" {
		t.Errorf("a login of ten minutes ago passed for one of five: away %v", p.Away)
	}
	r = shop.Request("max_age=300")
	answer := w.Login(b, r, "taro")
	fresh := shop.Claims(shop.Exchange(answer.Get("code"), r), r)
	if now, ok := fresh["auth_time"].(float64); !ok || now <= at {
		t.Errorf("auth_time did not move: %v", fresh["auth_time"])
	}
}

func TestASessionEndsIdleAndAbsolutely(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		alive := func(b *idptest.Browser) bool {
			r := shop.Request("prompt=none")
			return w.Answered(b.Get(r.URL()), r).Get("error") == ""
		}
		idle := signedIn(t, w, shop)
		w.Town.Clock.Advance(59 * time.Minute)
		if !alive(idle) {
			t.Error("ended after 59 minutes")
		}
		w.Town.Clock.Advance(59 * time.Minute)
		if !alive(idle) {
			t.Error("use did not keep it alive")
		}
		w.Town.Clock.Advance(61 * time.Minute)
		if alive(idle) {
			t.Error("lives after an hour without use")
		}
		busy := signedIn(t, w, shop)
		for range 26 {
			w.Town.Clock.Advance(55 * time.Minute)
			if !alive(busy) {
				t.Fatal("a busy session ended within 24 hours")
			}
		}
		w.Town.Clock.Advance(15 * time.Minute) // 24 h 5 min, 15 minutes after its last use
		if alive(busy) {
			t.Error("lives after 24 hours")
		}
	})
}

func TestTheSessionCookieChangesAtEveryLoginAndTheOldOneIsDead(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	planted := strings.Repeat("A", 43)
	b.SetCookie("ss", planted)
	w.Login(b, shop.Request(), "taro")
	first := b.Cookie("ss")
	if first == planted || first == "" {
		t.Fatal("the session has the cookie that was planted before the login")
	}
	w.Login(b, shop.Request("prompt=login"), "taro")
	second := b.Cookie("ss")
	if second == first {
		t.Error("the cookie did not change at the second login")
	}
	r := shop.Request("prompt=none")
	for cookie, want := range map[string]string{planted: "login_required", first: "login_required", second: ""} {
		copied := w.NewBrowser()
		copied.SetCookie("ss", cookie)
		if got := w.Answered(copied.Get(r.URL()), r).Get("error"); got != want {
			t.Errorf("a copied cookie: %q, want %q", got, want)
		}
	}
}

func TestAnotherPersonAtTheSameBrowser(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	r := shop.Request()
	taro := subject(t, shop, w.Login(b, r, "taro").Get("code"), r)
	r = shop.Request("prompt=select_account")
	if jiro := subject(t, shop, w.Login(b, r, "jiro17").Get("code"), r); jiro == taro {
		t.Fatal("the second person got the first one's subject")
	}
	r = shop.Request("prompt=none")
	said := shop.Claims(shop.Exchange(w.Answered(b.Get(r.URL()), r).Get("code"), r), r)
	if said["sub"] == taro || said["age_over_18"] != false {
		t.Errorf("the session still speaks for the first person: %v", said)
	}
}

func TestAnIDTokenHintOfAnotherPerson(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	token := func(persona string) (*idptest.Browser, string) {
		b, r := w.NewBrowser(), shop.Request()
		return b, shop.Exchange(w.Login(b, r, persona).Get("code"), r).IDToken
	}
	_, jiros := token("jiro17")
	b, taros := token("taro")
	r := shop.Request("prompt=none", "id_token_hint="+taros)
	if got := w.Answered(b.Get(r.URL()), r); got.Get("code") == "" {
		t.Errorf("the person's own hint: %v", got)
	}
	r = shop.Request("prompt=none", "id_token_hint="+jiros)
	if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "login_required" {
		t.Errorf("another person's hint: %v", got)
	}
	r = shop.Request("id_token_hint=" + jiros)
	if p := b.Get(r.URL()); p.Form("/start").Action == "" {
		t.Errorf("another person's hint did not lead to a login: away %v", p.Away)
	}
}

func TestAHintIsKeptToUntilTheEndOfTheLogin(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	r := shop.Request()
	jiros := shop.Exchange(w.Login(w.NewBrowser(), r, "jiro17").Get("code"), r).IDToken
	r = shop.Request("id_token_hint=" + jiros)
	b := w.NewBrowser()
	p := w.Present(b, r, "taro")
	if answer := w.Answered(p, r); answer.Get("error") != "login_required" || answer.Has("code") || answer.Get("state") != r.State {
		t.Errorf("the relying party asked for one person and heard of another: %v", answer)
	}
	r = shop.Request("id_token_hint=" + jiros)
	if answer := w.Login(b, r, "jiro17"); !answer.Has("code") {
		t.Errorf("the person who was asked for: %v", answer)
	}
}

func TestConsent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name gender age_over_18 age_over_20"})
		b := w.NewBrowser()
		r := bank.Request("scope=openid name age_over_18")
		page := w.Present(b, r, "taro")
		form := page.Form("/consent")
		if slices.Sort(form.Boxes); !slices.Equal(form.Boxes, []string{"age_over_18", "name"}) {
			t.Fatalf("the boxes are %v", form.Boxes)
		}
		if p := b.Submit(form, "decision=allow", "item=gender"); p.Code != "bad_input" || p.Away != nil {
			t.Errorf("an item outside the request: %d %s", p.Status, p.Code)
		}
		if p := b.Submit(form, "decision=perhaps"); p.Code != "bad_input" || p.Away != nil {
			t.Errorf("no decision: %d %s", p.Status, p.Code)
		}
		tokens := bank.Exchange(w.Answered(b.Submit(form.Without("name"), "decision=allow"), r).Get("code"), r)
		checkOnly(t, members(t, bank.UserInfo(tokens.AccessToken).Body), "sub", "age_over_18")

		r = bank.Request("scope=openid age_over_18", "prompt=none")
		if got := w.Answered(b.Get(r.URL()), r); got.Get("code") == "" {
			t.Errorf("what was agreed to is asked again: %v", got)
		}
		r = bank.Request("scope=openid name age_over_18")
		p := b.Get(r.URL())
		if p.Form("/consent").Action == "" {
			t.Fatalf("the item that was left out is sent without a question: away %v", p.Away)
		}
		tokens = bank.Exchange(w.Answered(b.Submit(p.Form("/consent"), "decision=allow"), r).Get("code"), r)
		checkOnly(t, members(t, bank.UserInfo(tokens.AccessToken).Body), "sub", "age_over_18", "name")

		if p := b.Get(bank.Request("scope=openid age_over_20").URL()); p.Form("/consent").Action == "" {
			t.Errorf("a new item is sent without a question: away %v", p.Away)
		}
		r = bank.Request("scope=openid age_over_20")
		got := w.Answered(b.Submit(b.Get(r.URL()).Form("/consent"), "decision=deny"), r)
		if got.Get("error") != "access_denied" || got.Get("state") != r.State || got.Get("iss") != w.Issuer || got.Has("code") {
			t.Errorf("after a no: %v", got)
		}
	})
}

func TestAConsentFormWorksOnce(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, r := w.NewBrowser(), shop.Request()
	form := w.Present(b, r, "taro").Form("/consent")
	if answer := w.Answered(b.Submit(form, "decision=allow"), r); answer.Get("code") == "" {
		t.Fatalf("answered %v", answer)
	}
	if p := b.Submit(form, "decision=allow"); p.Code != "already_used" || p.Away != nil {
		t.Errorf("the second time: %d %s, away %v", p.Status, p.Code, p.Away)
	}
}

func TestCancellingAnswersAccessDenied(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, r := w.NewBrowser(), shop.Request()
	wait := w.Approach(b, r)
	answer := w.Answered(b.Submit(wait.Form("/cancel")), r)
	if answer.Get("error") != "access_denied" || answer.Get("state") != r.State {
		t.Errorf("answered %v", answer)
	}
	if code, err := w.UseCard(wait.Launch, "taro"); err == nil {
		t.Errorf("the ticket outlives the login: %q", code)
	}
}

// OpenID Connect Registration section 2: what a client registers about time holds for requests that say nothing.
func TestHowRecentALoginIsMayBeRegistered(t *testing.T) {
	w := open(t)
	minute := int64(60)
	bank := w.Register(clients.Metadata{ClientID: "bank", DefaultMaxAge: &minute})
	clerk := w.Register(clients.Metadata{ClientID: "clerk", RequireAuthTime: true, Scope: "openid age_over_18"})
	b, r := w.NewBrowser(), bank.Request()
	first := bank.Claims(bank.Exchange(w.Login(b, r, "taro").Get("code"), r), r)
	w.Answer(b, clerk.Request())
	w.Town.Clock.Advance(30 * time.Second)
	if r = bank.Request(); bank.Claims(bank.Exchange(again(t, w, b, r), r), r)["auth_time"] != first["auth_time"] || first["auth_time"] == nil {
		t.Errorf("after half a minute auth_time is not %v", first["auth_time"])
	}
	for _, request := range [][]string{nil, {`claims={"id_token":{"auth_time":null}}`}} {
		r = clerk.Request(request...)
		if got := clerk.Claims(clerk.Exchange(again(t, w, b, r), r), r); got["auth_time"] != first["auth_time"] {
			t.Errorf("auth_time is %v where it is always wanted", got["auth_time"])
		}
	}
	w.Town.Clock.Advance(31 * time.Second)
	if p := b.Get(bank.Request().URL()); p.Away != nil || p.Form("/start").Action == "" {
		t.Errorf("after more than a minute: %d %v", p.Status, p.Away)
	}
	if r = bank.Request("prompt=none"); w.Answered(b.Get(r.URL()), r).Get("error") != "login_required" {
		t.Error("after more than a minute, silently")
	}
	r = bank.Request("max_age=600")
	if again(t, w, b, r) == "" {
		t.Error("the request's own max_age does not count")
	}
}
