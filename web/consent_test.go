package web_test

import (
	"slices"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/storage"
)

// A page that was left open while its person took the consent back in another tab agrees to what it shows and no more.
func TestAnOldConsentPageBringsNothingBack(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	b := w.NewBrowser()
	w.Login(b, shop.Request("scope=openid name"), "taro")
	r := shop.Request("scope=openid age_over_18", "prompt=consent")
	left := b.Get(r.URL())
	if left.Form("/consent").Action == "" {
		t.Fatalf("%d %s", left.Status, left.Code)
	}
	decide(t, b, "/me/ask/take-back?id=shop", "take-back")
	w.Answered(b.Submit(left.Form("/consent"), "decision=allow"), r)
	if got := silently(w, b, shop); got.Get("error") != "consent_required" {
		t.Errorf("the name is back: %v", got)
	}
	only := shop.Request("prompt=none", "scope=openid age_over_18")
	if got := w.Answered(b.Get(only.URL()), only); got.Get("code") == "" {
		t.Errorf("what was agreed to is gone: %v", got)
	}
}

func TestAnotherPurposeIsAskedAboutAnew(t *testing.T) {
	w := open(t)
	m := clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18", Purpose: "To send a parcel"}
	shop := w.Register(m)
	b := w.NewBrowser()
	w.Login(b, shop.Request(), "taro")
	if got := silently(w, b, shop); got.Get("code") == "" {
		t.Fatal(got)
	}
	m.Purpose = "To advertise"
	shop = w.Register(m)
	w.Town.Clock.Advance(2e9) // a replica may believe a record for a second
	if got := silently(w, b, shop); got.Get("error") != "consent_required" {
		t.Errorf("it goes on for something else: %v", got)
	}
	w.Answer(b, shop.Request("scope=openid age_over_18")) // she agrees to less
	only := shop.Request("prompt=none", "scope=openid age_over_18")
	if got := w.Answered(b.Get(only.URL()), only); got.Get("code") == "" {
		t.Errorf("asked again for the same purpose: %v", got)
	}
	if got := silently(w, b, shop); got.Get("error") != "consent_required" {
		t.Errorf("the name was for the parcel: %v", got)
	}
}

func TestAPersonReadsWhyAnItemStaysHere(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name address birthdate"})
	for who, want := range map[string]string{
		"overseas":    "There is no address in Japan",
		"unknown_day": "too little to be sure",
		"henkan":      "replaced by similar ones",
	} {
		if p := w.Present(w.NewBrowser(), shop.Request("ui_locales=en"), who); !strings.Contains(p.Body, want) {
			t.Errorf("%s does not read %q: %d %s", who, want, p.Status, p.Code)
		}
	}
	if p := w.Present(w.NewBrowser(), shop.Request("ui_locales=ja-Hira"), "taro"); !strings.Contains(p.Body, "わたしますか") {
		t.Error("no plain Japanese")
	}
}

func TestANoThatNobodyHearsIsInTheHistory(t *testing.T) {
	w := open(t)
	bar := w.Register(clients.Metadata{ClientID: "bar", Scope: "openid age_over_20", Profile: "age-only", SubjectType: "transient"})
	b := w.NewBrowser()
	_, r := bar.Push(bar.Request())
	p := w.Present(b, r, "jiro17")
	if p.Away == nil {
		p = b.Submit(p.Form("/consent"), "decision=allow")
	}
	if got := w.Answered(p, r); got.Get("error") != "access_denied" {
		t.Fatal(got)
	}
	visit(t, w, b, "jiro17")
	p = b.Get("/me/history.json")
	if !slices.Contains(strings.FieldsFunc(p.Body, func(r rune) bool { return r == '"' }), storage.Declined) {
		t.Errorf("the history is %s", p.Body)
	}
}
