package op_test

import (
	"strings"
	"testing"

	"tegata/authn/source"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
)

// remember shares something with a client and lets it be remembered; the browser's hint comes back.
func remember(t *testing.T, w *idptest.World, shop *idptest.RP, b *idptest.Browser, persona string) string {
	t.Helper()
	r := shop.Request("prompt=consent")
	p := w.Present(b, r, persona)
	if !strings.Contains(p.Body, `name="remember"`) {
		t.Fatalf("nothing can be remembered: %d %s", p.Status, p.Code)
	}
	if got := w.Answered(b.Submit(p.Form("/consent"), "decision=allow", "remember=yes"), r); !got.Has("code") {
		t.Fatal(got)
	}
	return b.Cookie("rm")
}

// source of what is remembered of a persona, as her own page tells it.
func remembered(b *idptest.Browser) string {
	me := b.Get("/me").Body
	switch {
	case strings.Contains(me, "読み取り元：券面事項入力補助（発行元の署名は確かめていません）"):
		return string(claims.CardInfoUnverified)
	case strings.Contains(me, "読み取り元：署名用電子証明書"):
		return string(claims.SignatureCertificate)
	}
	return ""
}

func TestAMemoryKeepsItsMark(t *testing.T) {
	w := unkeyed(t)
	shop, strict := lenient(w, "shop"), w.Register(clients.Metadata{ClientID: "strict", Scope: "openid age_over_18"})
	b := w.NewBrowser()
	hint := remember(t, w, shop, b, "child")
	if got := remembered(b); got != "card_info_unverified" {
		t.Errorf("/me says that it is from %q", got)
	}
	again := func(shop *idptest.RP, more ...string) (*idptest.Browser, idptest.Request, idptest.Page) {
		b, r := w.NewBrowser(), shop.Request(more...)
		b.SetCookie("rm", hint)
		return b, r, b.Get(r.URL())
	}
	if _, _, p := again(strict); strings.Contains(p.Body, `id="remembered"`) {
		t.Error("who wants verified facts is offered the memory")
	}
	if _, _, p := again(shop, "scope=openid birthdate", askVerified); strings.Contains(p.Body, `id="remembered"`) {
		t.Error("who asks for verified claims is offered the memory")
	}
	b, r, p := again(shop)
	if !strings.Contains(p.Body, `id="remembered"`) {
		t.Fatal("the memory does not come to mind")
	}
	code, err := w.UseCard(b.Submit(p.Form("/start")).Launch, "child")
	if err != nil {
		t.Fatal(err)
	}
	tokens := shop.Exchange(w.Answered(b.Get("/login/return/"+code), r).Get("code"), r)
	if said := shop.Claims(tokens, r); said["claims_unverified"] != true {
		t.Errorf("the mark is lost: %v", said)
	}
	w.Site.IDP.Sources = []string{string(claims.SignatureCertificate)}
	if _, _, p := again(shop); strings.Contains(p.Body, `id="remembered"`) {
		t.Error("the operator takes nothing unverified any more, and the memory does")
	}
}

func TestAStrongerMemoryStaysAndAWeakerOneGoes(t *testing.T) {
	w := unkeyed(t)
	shop := lenient(w, "shop")
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid birthdate age_over_18", Policy: storage.ClientPolicy{Source: "signature_certificate"}})
	unsigned := func(signed bool) {
		w.Site.IDP.Sources = []string{string(claims.SignatureCertificate), source.Unverified}
		w.Site.IDP.Cheapest = !signed
	}
	for _, step := range []struct {
		name   string
		signed bool
		want   claims.Source
	}{
		{"four digits", false, claims.CardInfoUnverified},
		{"then the signature certificate", true, claims.SignatureCertificate},
		{"then four digits again", false, claims.SignatureCertificate},
	} {
		unsigned(step.signed)
		b := w.NewBrowser()
		hint := remember(t, w, shop, b, "taro")
		if got := remembered(b); got != string(step.want) {
			t.Errorf("%s: remembered from %q", step.name, got)
		}
		fresh := w.NewBrowser()
		fresh.SetCookie("rm", hint)
		if got := strings.Contains(fresh.Get(bank.Request().URL()).Body, `id="remembered"`); got != (step.want == claims.SignatureCertificate) {
			t.Errorf("%s: the bank is offered the memory: %v", step.name, got)
		}
	}
}
