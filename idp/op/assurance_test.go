package op_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// lax asks its authority, or at times nobody.
type lax struct {
	revocation.Checker
	off atomic.Bool
}

func (l *lax) Check(ctx context.Context, q revocation.Question) (revocation.Answer, error) {
	if l.off.Load() {
		return revocation.None{}.Check(ctx, q)
	}
	return l.Checker.Check(ctx, q)
}

// A login may turn out to be worth less than this provider's logins usually are.
func TestALoginThatIsWorthLessEndsWhereMoreIsDemanded(t *testing.T) {
	authority := &lax{}
	w := decided(t, func(o *provider.Options) { authority.Checker, o.Revocation = o.Revocation, authority })
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid"})
	const demand = `claims={"id_token":{"acr":{"essential":true,"value":"aal3"}}}`
	authority.off.Store(true)
	r := shop.Request(demand)
	if got := w.Answered(w.Present(w.NewBrowser(), r, "taro"), r); got.Get("error") != "unmet_authentication_requirements" || got.Has("code") {
		t.Errorf("a login of less worth: %v", got)
	}
	b, plain := w.NewBrowser(), shop.Request()
	if got := shop.Claims(shop.Exchange(w.Login(b, plain, "taro").Get("code"), plain), plain)["acr"]; got != "aal2" {
		t.Errorf("without a demand it is worth %v", got)
	}
	authority.off.Store(false)
	r = shop.Request(demand)
	if p := b.Get(r.URL()); p.Form("/start").Action == "" {
		t.Errorf("the session of less worth answers: away %v", p.Away)
	}
	if got := shop.Claims(shop.Exchange(w.Login(b, r, "taro").Get("code"), r), r)["acr"]; got != "aal3" {
		t.Errorf("a login of full worth is worth %v", got)
	}
}

func TestTheFrameworkSaysWhatWasDone(t *testing.T) {
	checked := open(t)
	unchecked := decided(t, func(o *provider.Options) { o.Revocation = revocation.None{} })
	for _, tc := range []struct {
		persona   string
		w         *idptest.World
		framework string
		level     bool
		checks    string
	}{
		{"taro", checked, "jpki", true, `[{"check_method":"vcrypt"},{"check_method":"token"}]`},
		{"child", checked, "jp_card_info_ap", true, `[{"check_method":"vcrypt"}]`},
		{"taro", unchecked, "jpki_unchecked", false, `[{"check_method":"vcrypt"},{"check_method":"token"}]`},
		{"child", unchecked, "jp_card_info_ap_unchecked", false, `[{"check_method":"vcrypt"}]`},
	} {
		t.Run(tc.framework, func(t *testing.T) {
			bank := tc.w.Register(clients.Metadata{ClientID: "bank-" + tc.persona, Scope: "openid"})
			r := bank.Request(`claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"assurance_level":null,` +
				`"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":null}]}]},"claims":{"age_over_18":null}}}}`)
			_, info := heard(t, bank, r, tc.w.Login(tc.w.NewBrowser(), r, tc.persona))
			if !strings.Contains(info, `"trust_framework":"`+tc.w.Issuer+`/trust_framework/`+tc.framework+`"`) || !strings.Contains(info, tc.checks) ||
				strings.Contains(info, `"assurance_level":"ial2"`) != tc.level {
				t.Errorf("%s", info)
			}
			if !strings.Contains(get(t, tc.w.Issuer+"/.well-known/openid-configuration").Body, `/trust_framework/`+tc.framework+`"`) {
				t.Error("discovery does not promise it")
			}
		})
	}
}
