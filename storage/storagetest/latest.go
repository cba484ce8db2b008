package storagetest

import (
	"testing"
	"time"

	"tegata/storage"
)

func latest(id, account, client string) storage.LatestConsent {
	return storage.LatestConsent{ID: id, AccountID: account, ClientID: client, Items: []string{"name", "address"}, Texts: "en-AB",
		Number: []byte("number"), Sent: []byte(`{"name":"x"}`), GivenAt: now, ExpiresAt: now.Add(100 * time.Hour)}
}

func latestKept(t *testing.T, s storage.Store) {
	_, err := s.StandingLatest(ctx(t), "account", "shop")
	is(t, err, storage.ErrNotFound)
	no := storage.LatestConsent{ID: "no", AccountID: "account", ClientID: "shop", Refused: true, Texts: "en-AB", GivenAt: now, ExpiresAt: now}
	ok(t, s.PutLatest(ctx(t), no))
	got, err := s.StandingLatest(ctx(t), "account", "shop")
	ok(t, err)
	same(t, got, no)
	list, err := s.LatestConsents(ctx(t), "account")
	ok(t, err)
	same(t, len(list), 0)

	yes := latest("yes", "account", "shop")
	ok(t, s.PutLatest(ctx(t), yes))
	is(t, s.PutLatest(ctx(t), yes), storage.ErrExists)
	ok(t, s.PutLatest(ctx(t), latest("other", "stranger", "shop")))
	for _, read := range []func() (storage.LatestConsent, error){
		func() (storage.LatestConsent, error) { return s.StandingLatest(ctx(t), "account", "shop") },
		func() (storage.LatestConsent, error) { return s.LatestConsent(ctx(t), "yes", now) },
	} {
		got, err := read()
		ok(t, err)
		same(t, got, yes)
	}
	list, err = s.LatestConsents(ctx(t), "account")
	ok(t, err)
	same(t, list, []storage.LatestConsent{yes})
	list, err = s.UnregisteredLatest(ctx(t), now, 9)
	ok(t, err)
	same(t, len(list), 2)
	list, err = s.UnregisteredLatest(ctx(t), now, 1)
	ok(t, err)
	same(t, len(list), 1)
}

func latestEnds(t *testing.T, s storage.Store) {
	ok(t, s.PutLatest(ctx(t), latest("a", "account", "shop")))
	_, err := s.LatestConsent(ctx(t), "a", now.Add(100*time.Hour-time.Microsecond))
	ok(t, err)
	_, err = s.LatestConsent(ctx(t), "a", now.Add(100*time.Hour))
	is(t, err, storage.ErrNotFound)
	list, err := s.UnregisteredLatest(ctx(t), now.Add(100*time.Hour), 9)
	ok(t, err)
	same(t, len(list), 0)
	_, err = s.Sweep(ctx(t), now.Add(100*time.Hour))
	ok(t, err)
	got, err := s.StandingLatest(ctx(t), "account", "shop")
	ok(t, err)
	same(t, len(got.Number)+len(got.Sent), 0)

	ok(t, s.PutLatest(ctx(t), latest("b", "account", "mall")))
	is(t, s.WithdrawLatest(ctx(t), "b", "stranger", now), storage.ErrNotFound)
	_, err = s.LatestConsent(ctx(t), "b", now)
	ok(t, err)
	ok(t, s.WithdrawLatest(ctx(t), "b", "account", now))
	is(t, s.WithdrawLatest(ctx(t), "b", "account", now), storage.ErrNotFound)
	_, err = s.LatestConsent(ctx(t), "b", now)
	is(t, err, storage.ErrNotFound)
	_, err = s.StandingLatest(ctx(t), "account", "mall")
	is(t, err, storage.ErrNotFound)
}

func latestForgotten(t *testing.T, s storage.Store) {
	ok(t, s.PutClient(ctx(t), storage.Client{ID: "gone", Name: "Gone", CreatedAt: now, UpdatedAt: now}))
	for id, account := range map[string]string{"withdrawn": "a", "replaced": "b", "taken back": "c", "deleted": "d", "stays": "e"} {
		ok(t, s.PutLatest(ctx(t), latest(id, account, "shop")))
	}
	ok(t, s.PutLatest(ctx(t), latest("client gone", "f", "gone")))
	ok(t, s.PutLatest(ctx(t), storage.LatestConsent{ID: "no", AccountID: "f", ClientID: "shop", Refused: true, GivenAt: now, ExpiresAt: now}))
	ok(t, s.WithdrawLatest(ctx(t), "withdrawn", "a", now))
	ok(t, s.PutLatest(ctx(t), latest("new", "b", "shop")))
	ok(t, s.TakeBack(ctx(t), "c", "shop", now))
	ok(t, s.TakeBack(ctx(t), "f", "shop", now))
	ok(t, s.DeleteAccount(ctx(t), "d"))
	ok(t, s.DeleteClient(ctx(t), "gone", now))
	ids, err := s.EndedLatest(ctx(t), 9)
	ok(t, err)
	same(t, ids, []string{"client gone", "deleted", "replaced", "taken back", "withdrawn"})
	ids, err = s.EndedLatest(ctx(t), 1)
	ok(t, err)
	same(t, len(ids), 1)
	ok(t, s.DropEndedLatest(ctx(t), "client gone"))
	ok(t, s.DropEndedLatest(ctx(t), "client gone"))
	ids, err = s.EndedLatest(ctx(t), 9)
	ok(t, err)
	same(t, len(ids), 4)
	_, err = s.StandingLatest(ctx(t), "f", "shop") // a no is forgotten as well: she is asked again
	is(t, err, storage.ErrNotFound)
}

func latestNoted(t *testing.T, s storage.Store) {
	c := latest("a", "account", "shop")
	ok(t, s.PutLatest(ctx(t), c))
	c.Registered, c.Sent = true, []byte(`{"name":"y"}`)
	ok(t, s.NoteLatest(ctx(t), c, now, nil, nil))
	d, r := delivery("d", now), release("r", "account", now)
	ok(t, s.NoteLatest(ctx(t), c, now, &d, &r))
	got, err := s.LatestConsent(ctx(t), "a", now)
	ok(t, err)
	same(t, fullLatest(t, got), c)
	same(t, taken(t, s, now), []string{"d"})

	ok(t, s.WithdrawLatest(ctx(t), "a", "account", now))
	d, r = delivery("late", now), release("late", "account", now)
	is(t, s.NoteLatest(ctx(t), c, now, &d, &r), storage.ErrStale)
	same(t, taken(t, s, now), []string{})
	list, err := s.Releases(ctx(t), "account")
	ok(t, err)
	same(t, len(list), 1)
}

// fullLatest is full for a consent that is no refusal.
func fullLatest(t *testing.T, c storage.LatestConsent) storage.LatestConsent {
	t.Helper()
	c.Refused = true
	full(t, c)
	c.Refused = false
	return c
}

func feedLeased(t *testing.T, s storage.Store) {
	f, err := s.TakeFeed(ctx(t), "latest", now, now.Add(-time.Hour), now.Add(lease))
	ok(t, err)
	same(t, f, storage.Feed{Name: "latest", Until: now.Add(lease)})
	_, err = s.TakeFeed(ctx(t), "latest", now, now, now.Add(lease))
	is(t, err, storage.ErrNotFound)
	f.Place = "7"
	ok(t, s.KeepFeed(ctx(t), f, now, false))
	second, err := s.TakeFeed(ctx(t), "latest", now.Add(lease), now, now.Add(2*lease)) // the first has died
	ok(t, err)
	same(t, second.Place, "7")
	is(t, s.KeepFeed(ctx(t), f, now, true), storage.ErrStale)
	second.Place = "9"
	ok(t, s.KeepFeed(ctx(t), second, now.Add(lease), true))
	_, err = s.TakeFeed(ctx(t), "latest", now.Add(lease), now, now.Add(3*lease))
	is(t, err, storage.ErrNotFound)
	third, err := s.TakeFeed(ctx(t), "latest", now.Add(2*lease), now.Add(lease), now.Add(3*lease))
	ok(t, err)
	same(t, third.Place, "9")
	errs := race(8, func(int) error {
		_, err := s.TakeFeed(ctx(t), "raced", now, now, now.Add(lease))
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		}
	}
	same(t, won, 1)
}
