package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/storage"
	"tegata/storage/storagetest"
)

// Another person's consent cannot be withdrawn, and one's own can, at once.
func TestAPersonWithdrawsHerOwnConsentToChanges(t *testing.T) {
	w := openOn(t, storagetest.SQLite(t), func(o *provider.Options) {
		o.Edge.Outside = fetch.Outside{Loopback: true}
		o.Latest = &revocation.Latest{Platform: o.Relations.Platform, Breaker: &revocation.Breaker{Now: o.Now}}
	})
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name address", LatestURI: "http://127.0.0.1:1/changes", Policy: storage.ClientPolicy{LatestAttributes: true}})
	r, b := shop.Request(), w.NewBrowser()
	p := b.Submit(w.Present(b, r, "taro").Form("/consent"), "decision=allow")
	if w.Answered(b.Submit(p.Form("/consent"), "latest=agree"), r).Get("code") == "" {
		t.Fatal("no answer")
	}
	me := b.Get("/me")
	found := regexp.MustCompile(`stop-changes\?id=([A-Za-z0-9_-]+)`).FindStringSubmatch(me.Body)
	if found == nil {
		t.Fatalf("/me does not speak of it: %d", me.Status)
	}
	stranger := w.NewBrowser()
	if p := visit(t, w, stranger, "hanako"); strings.Contains(p.Body, "stop-changes") {
		t.Error("somebody else sees it")
	}
	if got := stranger.Get("/me/ask/stop-changes?id=" + found[1]); got.Status != http.StatusNotFound {
		t.Errorf("somebody else is asked: %d", got.Status)
	}
	if got := stranger.Post("/me/stop-changes", map[string][]string{"id": {found[1]}}); got.Status != http.StatusNotFound {
		t.Errorf("somebody else withdraws it: %d", got.Status)
	}
	ask := b.Get("/me/ask/stop-changes?id=" + found[1])
	if ask.Form("/me/stop-changes").Action == "" {
		t.Fatalf("not asked about: %d", ask.Status)
	}
	if after := b.Submit(ask.Form("/me/stop-changes")); strings.Contains(after.Body, "stop-changes?id=") || !strings.Contains(after.Body, `id="done"`) {
		t.Errorf("after the withdrawal: %d", after.Status)
	}
	if ids, err := w.Site.Store.EndedLatest(t.Context(), 9); err != nil || len(ids) != 1 {
		t.Error(ids, err)
	}
}
