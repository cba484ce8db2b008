package provider_test

import (
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/latest"
	"tegata/storage/storagetest"
)

// Whoever comes by a consent page hears that her ten years are nearly over, also in a login that does not ask about changes.
func TestTheConsentPageTellsWhenTheTenYearsEnd(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	plain := w.Register(clients.Metadata{ClientID: "plain", Scope: fourItems})
	person, day := w.person(t), 24*time.Hour
	w.answer(t, person, "agree")
	for _, tc := range []struct {
		name string
		left time.Duration
		no   bool
		told bool
	}{
		{name: "years ahead", left: 91 * day},
		{name: "soon", left: 89 * day, told: true},
		{name: "over", left: -day},
		{name: "never agreed", left: 89 * day, no: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := w.Provider.Store.StandingLatest(t.Context(), w.account(t, person), "shop")
			if err != nil {
				t.Fatal(err)
			}
			c.ID, c.Refused, c.ExpiresAt = tc.name, tc.no, w.Town.Clock.Now().Add(tc.left)
			if err := w.Provider.Store.PutLatest(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			p := w.Present(w.NewBrowser(), w.rp.Request("scope=openid", "prompt=consent", "ui_locales=en"), person)
			told := strings.Contains(p.Body, `id="latest-ends"`)
			if p.Form("/consent").Action == "" || told != tc.told {
				t.Fatalf("told: %v", told)
			}
			if last := latest.LastDay(c.ExpiresAt); told && !strings.Contains(p.Body, last.Format("January 2, 2006")) {
				t.Errorf("not told that it is %v: %s", last, p.Body)
			}
			if p := w.Present(w.NewBrowser(), plain.Request("prompt=consent"), person); strings.Contains(p.Body, "latest-ends") {
				t.Error("told in a login at another site")
			}
		})
	}
}
