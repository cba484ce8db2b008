package op_test

import (
	"net/url"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// ruled is a claims parameter with rules of abort and omit.
func ruled(asked, idToken, userInfo string) string {
	return `claims={` + asked + `,"_asc":{"sao":{"id_token":[` + idToken + `],"userinfo":[` + userInfo + `]}}}`
}

const adultOrNothing = `{"loc":"/age_over_18","method":"simple","value":true,"else":"abort"}`

// Whatever the cause, the relying party hears the same: nobody can tell a no from a no thanks.
func TestEveryAbortIsARefusal(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_18 gender address_prefecture"})
		asked := ruled(`"id_token":{"age_over_18":null,"gender":null}`, adultOrNothing, ``)
		request := func(claims string) idptest.Request { return shop.Request("scope=openid", claims, "state=one") }
		heard := map[string]string{}
		var pages []string
		for _, tc := range []struct{ cause, persona, claims, decision, without string }{
			{"she says no", "taro", asked, "deny", ""},
			{"she leaves it out", "taro", asked, "allow", "age_over_18"},
			{"the answer is no", "jiro17", asked, "allow", ""},
			{"the card does not say", "overseas", ruled(`"id_token":{"address_prefecture":null,"gender":null}`, `{"loc":"/address_prefecture","else":"abort"}`, ``), "allow", ""},
			{"no card says it", "taro", ruled(`"userinfo":{"age_over_18":null}`, ``, `{"loc":"/email","else":"abort"}`), "allow", ""},
		} {
			b, r := w.NewBrowser(), request(tc.claims)
			p := w.Present(b, r, tc.persona)
			pages = append(pages, scrubbed(p.Body))
			form := p.Form("/consent")
			if tc.without != "" {
				form = form.Without(tc.without)
			}
			answer := b.Submit(form, "decision="+tc.decision)
			if answer.Away == nil {
				t.Fatalf("%s: %d %s", tc.cause, answer.Status, answer.Code)
			}
			heard[tc.cause] = answer.Away.String()
			if silent := request(asked); w.Answered(b.Get(silent.URL()+"&prompt=none"), silent).Get("error") != "login_required" {
				t.Errorf("%s: afterwards she is signed in", tc.cause)
			}
		}
		for cause, answer := range heard {
			if answer != heard["she says no"] || !strings.Contains(answer, "error=access_denied") {
				t.Errorf("%s: %s", cause, answer)
			}
		}
		b, r := w.NewBrowser(), request(ruled(`"id_token":{"age_over_18":null,"gender":null}`, ``, ``))
		if page := w.Present(b, r, "taro"); scrubbed(page.Body) != pages[0] {
			t.Error("the page depends on the rules")
		}
		if w.Log.String() == "" || strings.Contains(w.Log.String(), "age_over_18\":") {
			t.Error("the log tells an answer")
		}
	})
}

func TestRulesOmit(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: everyScope})
	b := w.NewBrowser()
	w.Login(b, bank.Request(), "taro")
	w.Answered(b.Submit(b.Get(bank.Request("scope=openid", "claims="+verifiedAge(`null`)).URL()).Form("/consent"), "decision=allow"), bank.Request())
	const name = `"userinfo":{"name":null,"gender":null}`
	for _, tc := range []struct{ name, claims, id, info string }{
		{"nothing, where all is as wanted", ruled(name, ``, `{"loc":"/gender","method":"simple","value":"male","else":"omit","what":["/name"]}`), `{}`, `{"gender":"male","name":"手形　太郎"}`},
		{"the name of a man", ruled(name, ``, `{"loc":"/gender","method":"simple","value":"female","else":"omit","what":["/name"]}`), `{}`, `{"gender":"male"}`},
		{"other conditions are void", ruled(`"userinfo":{"gender":{"value":"female"}}`, ``, ``), `{}`, `{"gender":"male"}`},
		{"in one response alone", ruled(`"id_token":{"gender":null},`+name, ``, `{"loc":"/email","else":"omit","what":["/name","/gender"]}`), `{"gender":"male"}`, `{}`},
		{"verified claims whole", ruled(`"id_token":{"verified_claims":{"verification":{"trust_framework":{"value":"jp_aml"}},"claims":{"age_over_18":null}}}`,
			`{"loc":"/verified_claims/verification/trust_framework","method":"simple","value":"jp_aml","else":"omit","what":["/verified_claims"]}`, ``), `{}`, `{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := bank.Request("scope=openid", tc.claims, "prompt=none")
			id, info := heard(t, bank, r, w.Answered(b.Get(r.URL()), r))
			if id != tc.id || info != tc.info {
				t.Errorf("ID token %s\nuserinfo %s", id, info)
			}
		})
	}
	r := bank.Request("scope=openid", ruled(name, ``, `{"loc":"/gender","method":"simple","value":"female","else":"abort"}`), "prompt=none")
	if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "access_denied" || got.Get("error_description") != "the login was not completed" {
		t.Errorf("an abort without a page: %v", got)
	}
	page := b.Get("/me").Body
	if !strings.Contains(page, "サイトが必要とする内容ではなかった") {
		t.Error("her history does not know of the abort")
	}
}

// An abort that depends on an age is an answer about it: on the fourth day of asking there is none.
func TestAnAbortIsCountedAsAnAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		var answer url.Values
		for range 4 {
			r := shop.Request("scope=openid", ruled(`"id_token":{"age_over_18":null}`, adultOrNothing, ``))
			if answer = w.Login(w.NewBrowser(), r, "jiro17"); answer.Get("error") != "access_denied" {
				t.Fatalf("%v", answer)
			}
			w.Town.Clock.Advance(aDay)
		}
		r := shop.Request("scope=openid age_over_18")
		if got := learned(t, shop, w.Login(w.NewBrowser(), r, "jiro17"), r, "age_over_18"); got != nil {
			t.Errorf("on the fifth day: %v", got)
		}
	})
}

func TestASchemaIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	r := shop.Request(ruled(`"id_token":{"age_over_18":null}`, `{"loc":"/age_over_18","method":"schema","schema":{"type":"boolean"},"else":"abort"}`, ``))
	if got := w.Answered(w.NewBrowser().Get(r.URL()), r); got.Get("error") != "invalid_request" || got.Get("error_description") != "request_invalid: claims._asc.sao.id_token[0]" {
		t.Errorf("%v", got)
	}
}
