package provider_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/storage"
	"tegata/storage/storagetest"
)

// TestTheOperatorsBillIsOurs: what the platform operator's stand-in counts, by month and purpose, is what tegata report fees
// says, over logins, refusals, a renewed card, a move and an operator who is out of order.
func TestTheOperatorsBillIsOurs(t *testing.T) {
	ledger := &revocation.Ledger{Prices: revocation.Prices{Authentication: 2, Signature: 20, Relation: 20, Latest: 20}}
	w := &changing{ledger: ledger}
	hook := httptest.NewServer(w)
	defer hook.Close()
	w.town = open(t, storagetest.SQLite(t), func(o *provider.Options) {
		platform := o.Relations.Platform
		ledger.Now = o.Now
		o.Ledger, o.LatestPeriod, o.Edge.Outside = ledger, newsPeriod, fetch.Outside{Loopback: true}
		o.Revocation = &revocation.Breaker{Next: revocation.Metered{Next: platform, Ledger: ledger}, Now: o.Now}
		o.Relations = &revocation.Relations{Platform: platform, Breaker: &revocation.Breaker{Now: o.Now}, Ledger: ledger}
		o.Latest = &revocation.Latest{Platform: platform, Breaker: &revocation.Breaker{Now: o.Now}, Ledger: ledger}
	})
	before := w.bills(t)
	w.rp = w.Register(clients.Metadata{ClientID: "shop", Scope: fourItems, LatestURI: hook.URL + "/changes", Policy: storage.ClientPolicy{LatestAttributes: true}})
	plain := w.Register(clients.Metadata{ClientID: "plain", Scope: "openid"})

	mover, renewer, loser := w.person(t), w.person(t), w.person(t)
	w.answer(t, mover, "agree")
	w.round(t) // the operator hears of the consent, which costs nothing
	w.move(t, mover, "東京都千代田区手形町六丁目６番６号")
	w.round(t)
	w.Login(w.NewBrowser(), plain.Request(), renewer)
	w.happen(t, renewer, jpkitest.Renew)
	b, r := w.NewBrowser(), plain.Request()
	w.Answered(b.Submit(w.Present(b, r, renewer).Form("/consent"), "decision=allow", "renewed=yes"), r)
	w.happen(t, loser, jpkitest.Revoke)
	refused := func() {
		if _, err := w.UseCard(w.Approach(w.NewBrowser(), plain.Request()).Launch, loser); err == nil {
			t.Error("a lost card is let in")
		}
	}
	refused()
	w.Town.Break(t, jpkitest.FaultUnknown)
	refused()
	w.Town.Break(t, jpkitest.FaultNone)

	if err := ledger.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	purposes := map[string]bool{}
	for month, bill := range w.bills(t) {
		for purpose, queries := range before[month] { // of the tests before: the town and its operator are one for all
			if bill[purpose] -= queries; bill[purpose] == 0 {
				delete(bill, purpose)
			}
		}
		fees, err := w.Provider.Store.Fees(t.Context(), month)
		if err != nil {
			t.Fatal(err)
		}
		ours := map[string]int64{}
		for _, f := range fees {
			ours[f.Purpose] += f.Queries
		}
		if !maps.Equal(ours, bill) {
			t.Errorf("in %s the operator bills %v, and we have counted %v", month, bill, ours)
		}
		for purpose := range bill {
			purposes[purpose] = true
		}
	}
	if len(purposes) != 5 {
		t.Errorf("billed were %v: the test has not asked for everything", purposes)
	}
}

// bills are what the operator has counted so far, by month and purpose.
func (w *changing) bills(t *testing.T) map[string]map[string]int64 {
	t.Helper()
	answer := httptest.NewRecorder()
	w.Town.Authority.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/platform/fees", nil))
	var bills map[string]map[string]int64
	if err := json.Unmarshal(answer.Body.Bytes(), &bills); err != nil {
		t.Fatal(err)
	}
	return bills
}
