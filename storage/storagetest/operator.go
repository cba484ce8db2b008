package storagetest

import (
	"testing"
	"time"

	"tegata/storage"
)

func anchorsKept(t *testing.T, s storage.Store) {
	none, err := s.Anchors(ctx(t))
	ok(t, err)
	same(t, len(none), 0)
	sign := full(t, storage.Anchor{Fingerprint: hash("sign"), Purpose: "signature", Certificate: []byte("der"), Name: "signca03", Test: true, AddedAt: now})
	late := storage.Anchor{Fingerprint: hash("late"), Purpose: "authentication", Certificate: []byte("der"), AddedAt: now.Add(time.Hour)}
	early := storage.Anchor{Fingerprint: hash("early"), Purpose: "authentication", Certificate: []byte("der"), AddedAt: now}
	for _, a := range []storage.Anchor{sign, late, early} {
		ok(t, s.PutAnchor(ctx(t), a))
	}
	got, err := s.Anchors(ctx(t))
	ok(t, err)
	same(t, got, []storage.Anchor{early, late, sign})

	late.Name, late.AddedAt = "authca02", now.Add(-time.Hour)
	ok(t, s.PutAnchor(ctx(t), late))
	ok(t, s.DeleteAnchor(ctx(t), early.Fingerprint))
	is(t, s.DeleteAnchor(ctx(t), early.Fingerprint), storage.ErrNotFound)
	got, err = s.Anchors(ctx(t))
	ok(t, err)
	same(t, got, []storage.Anchor{late, sign})
}

func settingsKept(t *testing.T, s storage.Store) {
	reader := full(t, storage.Setting{Name: "method/reader", Value: "disabled", ChangedAt: now})
	ok(t, s.PutSetting(ctx(t), reader))
	ok(t, s.PutSetting(ctx(t), storage.Setting{Name: "a", ChangedAt: now}))
	reader.Value, reader.ChangedAt = "x", now.Add(time.Second)
	ok(t, s.PutSetting(ctx(t), reader))
	got, err := s.Settings(ctx(t))
	ok(t, err)
	same(t, got, []storage.Setting{{Name: "a", ChangedAt: now}, reader})
	ok(t, s.DeleteSetting(ctx(t), "a"))
	ok(t, s.DeleteSetting(ctx(t), "a"))
	got, err = s.Settings(ctx(t))
	ok(t, err)
	same(t, got, []storage.Setting{reader})
}

func clockGoesOn(t *testing.T, s storage.Store) {
	first, err := s.Clock(ctx(t))
	ok(t, err)
	same(t, first.Location(), time.UTC)
	for last := first; !last.After(first); {
		next, err := s.Clock(ctx(t))
		ok(t, err)
		if next.Before(last) {
			t.Fatalf("%v, then %v", last, next)
		}
		last = next
	}
	if age := time.Since(first).Abs(); age > time.Hour { // the databases of tests are on this machine
		t.Errorf("it is %v off", age)
	}
}

func feesAdded(t *testing.T, s storage.Store) {
	fee := func(month, client, purpose string, unit, n int64) storage.Fee {
		return storage.Fee{Month: month, ClientID: client, Purpose: purpose, UnitYen: unit, Queries: n}
	}
	ok(t, s.AddFees(ctx(t), nil))
	ok(t, s.AddFees(ctx(t), []storage.Fee{
		full(t, fee("2026-11", "shop", "signature", 20, 1)), fee("2026-11", "shop", "authentication", 2, 3),
		fee("2026-11", "shop", "authentication", 0, 9), fee("2026-12", "shop", "authentication", 2, 5)}))
	ok(t, s.AddFees(ctx(t), []storage.Fee{fee("2026-11", "shop", "authentication", 2, 4), fee("2026-11", "bank", "authentication", 2, 1)}))
	got, err := s.Fees(ctx(t), "2026-11")
	ok(t, err)
	same(t, got, []storage.Fee{
		fee("2026-11", "bank", "authentication", 2, 1), fee("2026-11", "shop", "authentication", 0, 9),
		fee("2026-11", "shop", "authentication", 2, 7), fee("2026-11", "shop", "signature", 20, 1)})
	got, err = s.Fees(ctx(t), "2025-11")
	ok(t, err)
	same(t, len(got), 0)
}

// raceFees: replicas add to one row, and nothing is lost.
func raceFees(t *testing.T, s storage.Store) {
	const replicas = 16
	errs := race(replicas, func(int) error {
		return s.AddFees(ctx(t), []storage.Fee{{Month: "2026-11", ClientID: "shop", Purpose: "authentication", UnitYen: 2, Queries: 3}})
	})
	same(t, winners(t, errs, nil), replicas)
	got, err := s.Fees(ctx(t), "2026-11")
	ok(t, err)
	same(t, got[0].Queries, int64(3*replicas))
}

func incidentsKept(t *testing.T, s storage.Store) {
	in := full(t, storage.Incident{ID: "T-ABCDEFGH", At: now, Event: "POST /agent/v1/result", Code: "certificate_revoked", ClientID: "shop"})
	bare := storage.Incident{ID: "T-22222222", At: now, Event: "x", Code: "not_found"}
	ok(t, s.AddIncidents(ctx(t), nil))
	ok(t, s.AddIncidents(ctx(t), []storage.Incident{in, bare}))
	again := in
	again.Code = "internal"
	ok(t, s.AddIncidents(ctx(t), []storage.Incident{again}))
	for _, want := range []storage.Incident{in, bare} {
		got, err := s.Incident(ctx(t), want.ID)
		ok(t, err)
		same(t, got, want)
	}
	for _, id := range []string{"T-NOBODY", "", "\x00", "\xff"} {
		_, err := s.Incident(ctx(t), id)
		is(t, err, storage.ErrNotFound)
	}
	n, err := s.Sweep(ctx(t), now.Add(399*24*time.Hour))
	ok(t, err)
	same(t, n, 0)
	n, err = s.Sweep(ctx(t), now.Add(400*24*time.Hour))
	ok(t, err)
	same(t, n, 2)
}
