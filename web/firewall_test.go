package web_test

import (
	"net/url"
	"strings"
	"testing"

	"tegata/idp/clients"
)

func TestAFormWithAMyNumberIsRefusedWithoutEcho(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	const planted = "123456789012" // no My Number: only the word beside it gives it away
	for name, fields := range map[string]url.Values{
		"in a field of ours":        {"item": {"マイナンバー" + planted}, "decision": {"allow"}},
		"in a field that is no one": {"note": {"my number " + planted}},
		"in a field's name":         {"my number " + planted: {""}},
	} {
		t.Run(name, func(t *testing.T) {
			page := w.Approach(b, shop.Request())
			p := b.Post(page.URL.Path+"/start", fields)
			if p.Status != 400 || p.Code != "my_number_refused" || strings.Contains(p.Body, planted) {
				t.Errorf("%d %s", p.Status, p.Code)
			}
		})
	}
	page := w.Approach(b, shop.Request())
	if p := b.Post(page.URL.Path+"/start", url.Values{"state": {"my number " + planted}}); p.Code == "my_number_refused" {
		t.Error("a relying party's state is read")
	}
	if p := b.Post(page.URL.Path+"/start", url.Values{"item": {strings.Repeat("x", 40<<10)}}); p.Code != "bad_input" {
		t.Errorf("a form of 40 KiB: %d %s", p.Status, p.Code)
	}
	if strings.Contains(w.Log.String(), planted) {
		t.Error("the number is in the log")
	}
}
