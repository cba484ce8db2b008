package op_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/claims"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
)

// Who has no signature certificate, or one that has ended by moving, logs in with four digits where that is accepted.
func TestEveryCardGetsTheWayThatItHas(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		for _, tc := range []struct {
			persona, framework string
			adult              bool
		}{{"taro", "jpki", true}, {"child", "jp_card_info_ap", false}, {"moved", "jp_card_info_ap", true}} {
			shop := w.Register(clients.Metadata{ClientID: "shop-" + tc.persona})
			r := shop.Request("scope=openid age_over_18", `claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"age_over_18":null}}}}`)
			tokens := shop.Exchange(w.Login(w.NewBrowser(), r, tc.persona).Get("code"), r)
			said, info := shop.Claims(tokens, r), shop.UserInfo(tokens.AccessToken).Body
			if said["age_over_18"] != tc.adult || said["acr"] != "aal3" || !strings.Contains(info, `/trust_framework/`+tc.framework+`"`) {
				t.Errorf("%s: %v %s", tc.persona, said, info)
			}
			plain := shop.Request("scope=openid")
			if got := w.Login(w.NewBrowser(), plain, tc.persona); !got.Has("code") {
				t.Errorf("%s cannot just log in: %v", tc.persona, got)
			}
		}
	})
}

// Where the signature certificate alone is good enough, the end of it is told with its remedy, and ends the login.
func TestASignatureCertificateThatHasEndedIsToldAsSuch(t *testing.T) {
	strict := clients.Metadata{ClientID: "bank", Policy: storage.ClientPolicy{Source: "signature_certificate"}}
	for name, w := range map[string]*idptest.World{
		"the client accepts nothing else":   open(t),
		"the operator accepts nothing else": decided(t, func(o *provider.Options) { o.CardInfoIssuers = nil }),
	} {
		bank := w.Register(strict)
		for persona, code := range map[string]string{"moved": "signature_certificate_ended", "revoked": "certificate_revoked", "expired": "certificate_expired"} {
			b, r := w.NewBrowser(), bank.Request()
			wait := w.Approach(b, r)
			if _, err := w.UseCard(wait.Launch, persona); err == nil || !strings.Contains(err.Error(), code) {
				t.Errorf("%s, %s: %v", name, persona, err)
			}
			p := b.Get(wait.URL.Path)
			if p.Code != code {
				t.Errorf("%s, %s: the page says %q", name, persona, p.Code)
			}
			leave := w.Answered(b.Get(wait.URL.Path+"/leave"), r)
			if leave.Get("error") != "access_denied" || leave.Get("error_description") != "the login was not completed" {
				t.Errorf("%s, %s: %v", name, persona, leave)
			}
		}
	}
}

// A certificate that has ended is looked at once: who brings it again, or goes on after a refusal of another kind, is refused.
func TestTheOtherWayIsOpenOnce(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	wait := w.Approach(b, shop.Request())
	a := w.Claim(wait.Launch)
	if got := strings.Join(a.Context.Sources, " "); got != "signature_certificate card_info" {
		t.Errorf("the sources are %s", got)
	}
	result := a.Honest("moved")
	if _, refusal := a.Result(result); refusal != "signature_certificate_ended" {
		t.Fatalf("first: %q", refusal)
	}
	if _, refusal := a.Result(result); refusal != "statement_mismatch" {
		t.Errorf("again: %q", refusal)
	}
	if status, _ := a.Call(agent.ResultPath, a.Honest("taro")); status == http.StatusOK {
		t.Error("a login that was refused goes on")
	}
	if p := b.Get(wait.URL.Path); p.Code != "statement_mismatch" {
		t.Errorf("the page says %q", p.Code)
	}
}

// Another card at a new start is a card like any other.
func TestANewStartForgetsTheCardBefore(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	wait := w.Approach(b, shop.Request())
	a := w.Claim(wait.Launch)
	if _, refusal := a.Result(a.Honest("moved")); refusal != "signature_certificate_ended" {
		t.Fatalf("%q", refusal)
	}
	wait = b.Submit(b.Get(wait.URL.Path).Form("/start"))
	if got := strings.Join(w.Claim(wait.Launch).Context.Sources, " "); got != "signature_certificate card_info" {
		t.Errorf("the sources are %q", got)
	}
}

func TestTheCheapestSourceComesFirstWhereTheOperatorWantsIt(t *testing.T) {
	w := decided(t, func(o *provider.Options) { o.Cheapest = true })
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	bank := w.Register(clients.Metadata{ClientID: "bank", Policy: storage.ClientPolicy{Source: "signature_certificate"}})
	for _, tc := range []struct {
		name    string
		r       idptest.Request
		sources string
	}{
		{"a plain question", shop.Request("scope=openid age_over_18"), "card_info signature_certificate"},
		{"a question after the verification", shop.Request("claims=" + verifiedAge("null")), "signature_certificate card_info"},
		{"a client with a floor", bank.Request(), "signature_certificate"},
		{"no question", shop.Request("scope=openid"), ""},
	} {
		if got := strings.Join(w.Claim(w.Approach(w.NewBrowser(), tc.r).Launch).Context.Sources, " "); got != tc.sources {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
	r := shop.Request("scope=openid age_over_18")
	if got := shop.Claims(shop.Exchange(w.Login(w.NewBrowser(), r, "taro").Get("code"), r), r)["age_over_18"]; got != true {
		t.Errorf("with four digits: %v", got)
	}
}

func TestTheLoginPageTellsWhatWillBeRead(t *testing.T) {
	const password, digits, other = "6〜16文字の暗証番号を使います", "4桁の暗証番号を使います。氏名・住所", "4桁の暗証番号で読み取ります"
	usual, cheap := open(t), decided(t, func(o *provider.Options) { o.Cheapest = true })
	alone := decided(t, func(o *provider.Options) { o.CardInfoIssuers = nil })
	for _, tc := range []struct {
		name  string
		w     *idptest.World
		scope string
		says  []string
	}{
		{"the password, or four digits", usual, "openid age_over_18", []string{password, other}},
		{"four digits", cheap, "openid age_over_18", []string{digits}},
		{"the password", alone, "openid age_over_18", []string{password}},
		{"neither", usual, "openid", nil},
	} {
		shop := tc.w.Register(clients.Metadata{ClientID: "shop-" + strings.NewReplacer(" ", "-", "_", "-").Replace(tc.scope)})
		body := tc.w.NewBrowser().Get(shop.Request("scope=" + tc.scope).URL()).Body
		for _, sentence := range []string{password, digits, other} {
			if strings.Contains(body, sentence) != slices.Contains(tc.says, sentence) {
				t.Errorf("%s: %q is said: %v", tc.name, sentence, strings.Contains(body, sentence))
			}
		}
	}
}

func TestAgesThatAnOperatorCountsByTheDay(t *testing.T) {
	w := decided(t, func(o *provider.Options) { o.AgeRules = claims.AgeRules{"age_over_65": claims.ByDay} })
	if got := texts(t, members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)["tegata_ages_by_day"]); !slices.Equal(got, []string{"age_over_65"}) {
		t.Errorf("discovery says %v", got)
	}
	tomorrow := w.Town.Clock.Now().UTC().Add(9*time.Hour+aDay).AddDate(-65, 0, 0)
	w.Town.Settle(t, "almost65", []byte(`{"birthdate":"`+tomorrow.Format(time.DateOnly)+`","name":"x"}`))
	town := w.Register(clients.Metadata{ClientID: "town", Scope: "openid age_over_65"})
	r := town.Request()
	page := w.Present(w.NewBrowser(), r, "almost65")
	if !strings.Contains(page.Body, "誕生日の前の日") {
		t.Error("the page does not say how the age is counted")
	}
}
