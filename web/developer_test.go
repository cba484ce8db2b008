package web_test

import (
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/developer"
)

func TestMistakesAreExplainedToTheClientsOwnDeveloperAlone(t *testing.T) {
	w := open(t)
	shop, bank := w.Register(clients.Metadata{ClientID: "shop"}), w.Register(clients.Metadata{ClientID: "bank"})
	key, err := developer.KeyFrom([]byte(strings.Repeat("k", 32))) // the world's subject key
	if err != nil {
		t.Fatal(err)
	}
	link := func(client string) string {
		return "/developer/" + key.Sign(developer.Link, client, w.Town.Clock.Now().Add(developer.LinkLife))
	}
	dev, other, person := w.NewBrowser(), w.NewBrowser(), w.NewBrowser()
	ofShop := link("shop")
	if p := dev.Get(ofShop); p.Status != 200 || dev.Cookie("dv") == "" {
		t.Fatalf("the link: %d %s", p.Status, p.Code)
	}
	if p := other.Get(link("bank")); p.Status != 200 {
		t.Fatalf("the bank's link: %d %s", p.Status, p.Code)
	}
	wrong := shop.Request("redirect_uri=https://shop.example/CB").URL()
	p := dev.Get(wrong)
	for _, part := range []string{"https://shop.example/<mark>CB</mark>", "https://shop.example/<mark>cb</mark>", `id="explain"`} {
		if !strings.Contains(p.Body, part) {
			t.Errorf("the developer does not see %s", part)
		}
	}
	if p.Code != "redirect_uri_mismatch" || p.Status != 400 || p.Away != nil {
		t.Errorf("%d %s, away %v", p.Status, p.Code, p.Away)
	}
	if out := dev.Get("/end_session?client_id=shop&post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye"); !strings.Contains(out.Body, `id="explain"`) {
		t.Errorf("a logout that goes nowhere is not explained: %d %s", out.Status, out.Code)
	}
	stolen := w.NewBrowser()
	stolen.SetCookie("dv", strings.TrimPrefix(ofShop, "/developer/")) // a link's note is no cookie's
	for name, body := range map[string]string{
		"a person": person.Get(wrong).Body, "another client's developer": other.Get(wrong).Body, "a link in the place of a cookie": stolen.Get(wrong).Body,
		"the developer, of another client": dev.Get(bank.Request("redirect_uri=https://bank.example/x").URL()).Body,
	} {
		if strings.Contains(body, `id="explain"`) || strings.Contains(body, "shop.example") || strings.Contains(body, "bank.example") {
			t.Errorf("%s sees what is registered", name)
		}
	}
	w.Town.Clock.Advance(developer.LinkLife)
	if p := w.NewBrowser().Get(ofShop); p.Status != 404 {
		t.Errorf("an old link: %d", p.Status)
	}
	w.Town.Clock.Advance(developer.CookieLife - developer.LinkLife + time.Second)
	if strings.Contains(dev.Get(wrong).Body, `id="explain"`) {
		t.Error("a developer stays one for ever")
	}
	if strings.Contains(w.Log.String(), "shop.example/CB") {
		t.Error("what was sent is in the log")
	}
}
