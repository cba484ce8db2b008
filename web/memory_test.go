package web_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/authn/jpkitest"
	"tegata/authn/statement"
	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// remembering is a browser in which somebody shared something with the shop, and let it be remembered.
func remembering(t *testing.T, w *idptest.World, shop *idptest.RP, persona string) *idptest.Browser {
	t.Helper()
	b := w.NewBrowser()
	r := shop.Request()
	p := w.Present(b, r, persona)
	if !strings.Contains(p.Body, `name="remember" value="yes"`) || strings.Contains(p.Body, `name="remember" value="yes" checked`) {
		t.Fatalf("remembering is no free choice: %d %s", p.Status, p.Code)
	}
	if got := w.Answered(b.Submit(p.Form("/consent"), "decision=allow", "remember=yes"), r); got.Get("code") == "" {
		t.Fatal(got)
	}
	if b.Cookie("rm") == "" {
		t.Fatal("the browser has no hint")
	}
	return b
}

// once is a browser with the hint of another one and nothing else.
func once(w *idptest.World, hint string) *idptest.Browser {
	b := w.NewBrowser()
	b.SetCookie("rm", hint)
	return b
}

// hears is what userinfo tells the holder of a token.
func hears(t *testing.T, rp *idptest.RP, a idptest.Answer) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(rp.UserInfo(a.AccessToken).Body), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func remembers(p idptest.Page) bool { return strings.Contains(p.Body, `id="remembered"`) }

// operations are what the card is asked to do in a login that waits at its first page.
func operations(w *idptest.World, b *idptest.Browser, p idptest.Page) ([]string, *idptest.Agent) {
	a := w.Claim(b.Submit(p.Form("/start")).Launch)
	return a.Context.Operations, a
}

func TestWhatIsRememberedNeedsOnlyTheShortPIN(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	b := once(w, remembering(t, w, shop, "taro").Cookie("rm"))
	r := shop.Request()
	p := b.Get(r.URL())
	if !remembers(p) || strings.Contains(p.Body, "6–16") || strings.Contains(p.Body, "6〜16文字の暗証番号を使います") {
		t.Errorf("the login page does not say that four digits are enough: %s", p.Body)
	}
	asked, a := operations(w, b, p)
	if !slices.Equal(asked, []string{statement.Authenticate}) || len(a.Context.Sources) > 0 {
		t.Fatalf("the card shall do %v from %v", asked, a.Context.Sources)
	}
	code, refusal := a.Result(a.Honest("taro"))
	if refusal != "" {
		t.Fatal(refusal)
	}
	got := shop.Exchange(w.Answered(b.Get("/login/return/"+code), r).Get("code"), r)
	first, said := shop.Claims(got, r), hears(t, shop, got)
	if first["age_over_18"] != true || said["name"] == nil || first["acr"] != "aal3" {
		t.Errorf("the shop hears %v %v", first, said)
	}
	// To the shop, it is the answer that the whole card gives.
	plain := shop.Request()
	whole := shop.Claims(shop.Exchange(w.Login(w.NewBrowser(), plain, "taro").Get("code"), plain), plain)
	for name := range whole {
		if _, ok := first[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if len(first) != len(whole) || first["sub"] != whole["sub"] {
		t.Errorf("the shop can tell: %v, %v", first, whole)
	}
}

func TestSomebodyElsesCardNeverTellsWhoIsRemembered(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	b := once(w, remembering(t, w, shop, "taro").Cookie("rm"))
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name"})
	remembering(t, w, bank, "hanako") // in a browser of her own: here, it is not she who is remembered
	r := shop.Request()
	p := b.Get(r.URL())
	_, a := operations(w, b, p)
	code, refusal := a.Result(a.Honest("hanako"))
	if refusal != "" {
		t.Fatal(refusal)
	}
	p = b.Get("/login/return/" + code)
	if p.Away != nil || p.Status != http.StatusOK || !strings.Contains(p.Body, `id="again"`) || remembers(p) {
		t.Fatalf("%d %s away %v", p.Status, p.Code, p.Away)
	}
	for _, hop := range b.Hops {
		if strings.Contains(hop.Body, w.Town.Persona(t, "taro").Name) {
			t.Fatal("a page has the name of the person who is remembered")
		}
	}
	asked, a := operations(w, b, p)
	if len(asked) != 2 {
		t.Fatalf("the card shall do %v", asked)
	}
	if code, refusal = a.Result(a.Honest("hanako")); refusal != "" {
		t.Fatal(refusal)
	}
	p = b.Get("/login/return/" + code)
	if !strings.Contains(p.Body, w.Town.Persona(t, "hanako").Name) {
		t.Error("hanako is not shown her own name")
	}
	got := shop.Exchange(w.Answered(b.Submit(p.Form("/consent"), "decision=allow"), r).Get("code"), r)
	if said := hears(t, shop, got); said["name"] != w.Town.Persona(t, "hanako").Name {
		t.Errorf("the shop hears %v", said["name"])
	}
}

func TestAStolenHintOpensNothing(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	thief := once(w, remembering(t, w, shop, "taro").Cookie("rm"))
	if got := silently(w, thief, shop); got.Get("error") != "login_required" {
		t.Errorf("without a page: %v", got)
	}
	if p := thief.Get("/me"); p.Form("/me/login").Action == "" {
		t.Error("the hint opens the person's own pages")
	}
	// Neither does the page tell whether a value is the person's: it is the same for the right one and a wrong one.
	for _, value := range []string{w.Town.Persona(t, "taro").Name, "nobody"} {
		p := thief.Get(shop.Request(`claims={"userinfo":{"name":{"value":"` + value + `"}}}`).URL())
		if !remembers(p) {
			t.Errorf("asked for %q, the page is another one", value)
		}
	}
}

func TestWhatIsForgottenIsNotUsed(t *testing.T) {
	for name, forget := range map[string]func(t *testing.T, w *idptest.World, b *idptest.Browser){
		"on her own page": func(t *testing.T, w *idptest.World, b *idptest.Browser) {
			p := decide(t, b, "/me/ask/forget", "forget")
			if len(asked(p, "forget")) > 0 {
				t.Error("the page still offers to forget")
			}
		},
		"in her browser": func(t *testing.T, w *idptest.World, b *idptest.Browser) {
			decide(t, b, "/me/ask/forget-here", "forget-here")
			if b.Cookie("rm") != "" {
				t.Error("the hint stays")
			}
		},
		"by leaving": func(t *testing.T, w *idptest.World, b *idptest.Browser) { decide(t, b, "/me/ask/delete", "delete") },
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
			b := remembering(t, w, shop, "taro")
			hint := b.Cookie("rm")
			if p := b.Get("/me"); len(asked(p, "forget")) != 1 || len(asked(p, "forget-here")) != 1 {
				t.Fatal("her page does not offer to forget")
			}
			forget(t, w, b)
			if p := once(w, hint).Get(shop.Request().URL()); remembers(p) || p.Form("/start").Action == "" {
				t.Errorf("it is remembered: %d %s", p.Status, p.Code)
			}
		})
	}
}

// settle brings somebody into town whose card nothing has happened to.
func settle(t *testing.T, w *idptest.World) string {
	t.Helper()
	name := "settler " + rand.Text()
	w.Town.Settle(t, name, []byte(`{"name": "手形　移", "address": "東京都千代田区手形町一丁目２番３号", "birthdate": "1990-04-01", "gender": "female"}`))
	return name
}

func TestWhatIsNoGoodAnyMoreAsksTheCardAgain(t *testing.T) {
	const stays, gone = true, false
	for name, c := range map[string]struct {
		happen func(t *testing.T, w *idptest.World, who string, owner *idptest.Browser)
		after  bool
	}{
		"forgotten meanwhile": {func(t *testing.T, _ *idptest.World, _ string, owner *idptest.Browser) {
			decide(t, owner, "/me/ask/forget", "forget")
		}, gone},
		"she moved house": {func(t *testing.T, w *idptest.World, who string, _ *idptest.Browser) {
			if err := w.Town.Authority.Happen(who, jpkitest.Move, "東京都千代田区霞が関二丁目１番"); err != nil {
				t.Fatal(err)
			}
		}, gone},
		"nothing happened": {func(*testing.T, *idptest.World, string, *idptest.Browser) {}, stays},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
			who := settle(t, w)
			owner := remembering(t, w, shop, who)
			b := once(w, owner.Cookie("rm"))
			_, a := operations(w, b, b.Get(shop.Request().URL()))
			c.happen(t, w, who, owner)
			code, refusal := a.Result(a.Honest(who))
			if refusal != "" {
				t.Fatal(refusal)
			}
			p := b.Get("/login/return/" + code)
			if again := strings.Contains(p.Body, `id="again"`); again == c.after {
				t.Fatalf("again: %v, %d %s, away %v", again, p.Status, p.Code, p.Away)
			}
			if p := once(w, owner.Cookie("rm")).Get(shop.Request().URL()); remembers(p) != c.after {
				t.Errorf("remembered afterwards: %v", remembers(p))
			}
		})
	}
}

func TestAPersonWhoDoesNotTickIsNotRemembered(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	b := w.NewBrowser()
	w.Login(b, shop.Request(), "taro")
	if b.Cookie("rm") != "" {
		t.Error("there is a hint")
	}
	if p := b.Get("/me"); len(asked(p, "forget")) > 0 {
		t.Error("something is remembered")
	}
	// A login that only asks who she is has nothing to remember.
	door := w.Register(clients.Metadata{ClientID: "door", Scope: "openid"})
	if p := w.Present(w.NewBrowser(), door.Request(), "hanako"); strings.Contains(p.Body, `name="remember"`) {
		t.Error("a login without facts offers to remember some")
	}
}

func TestAPersonReadsTheCardInsteadOfTheMemory(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	b := once(w, remembering(t, w, shop, "taro").Cookie("rm"))
	p := b.Get(shop.Request().URL())
	if p = b.Submit(p.Form("/forget")); p.Status != http.StatusOK || remembers(p) || b.Cookie("rm") != "" {
		t.Fatalf("%d %s, hint %q", p.Status, p.Code, b.Cookie("rm"))
	}
	if asked, _ := operations(w, b, p); len(asked) != 2 {
		t.Errorf("the card shall do %v", asked)
	}
}

func TestTheVerificationIsDatedWhenTheCardWasRead(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name age_over_18"})
	b := once(w, remembering(t, w, bank, "taro").Cookie("rm"))
	read := w.Town.Clock.Now().UTC()
	w.Town.Clock.Advance(72 * time.Hour)
	const verified = `claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"time":null},"claims":{"name":null}}}}`
	r := bank.Request(verified)
	p := b.Get(r.URL())
	if !remembers(p) {
		t.Fatal("a verification without a condition needs no new reading")
	}
	_, a := operations(w, b, p)
	code, refusal := a.Result(a.Honest("taro"))
	if refusal != "" {
		t.Fatal(refusal)
	}
	if p = b.Get("/login/return/" + code); p.Away == nil {
		p = b.Submit(p.Form("/consent"), "decision=allow")
	}
	got := bank.Exchange(w.Answered(p, r).Get("code"), r)
	said, _ := hears(t, bank, got)["verified_claims"].(map[string]any)
	verification, _ := said["verification"].(map[string]any)
	if at, _ := verification["time"].(string); !strings.HasPrefix(at, read.Format(time.DateOnly)) {
		t.Errorf("read on %s, said to be %v", read.Format(time.DateOnly), said)
	}
	// Who wants a verification of today gets one of today: with the whole card.
	fresh := strings.Replace(verified, `"time":null`, `"time":{"max_age":3600}`, 1)
	if p := once(w, b.Cookie("rm")).Get(bank.Request(fresh).URL()); remembers(p) {
		t.Error("an old reading passes for a new one")
	}
}
