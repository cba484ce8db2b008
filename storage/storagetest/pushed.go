package storagetest

import (
	"fmt"
	"testing"
	"time"

	"tegata/storage"
)

func pushed(handle string) storage.Pushed {
	return storage.Pushed{Hash: hash(handle), ClientID: "shop", Params: []byte("scope=openid"), ExpiresAt: now.Add(90 * time.Second)}
}

func spent(thing string) storage.Spent {
	return storage.Spent{Hash: hash(thing), Until: now.Add(time.Hour)}
}

func pushedKept(t *testing.T, s storage.Store) {
	want := full(t, pushed("one"))
	ok(t, s.PushRequest(ctx(t), want))
	is(t, s.PushRequest(ctx(t), want), storage.ErrExists)
	got, err := s.PushedRequest(ctx(t), want.Hash, want.ExpiresAt.Add(-time.Microsecond))
	ok(t, err)
	same(t, got, want)
	_, err = s.PushedRequest(ctx(t), want.Hash, now) // looking at it does not spend it
	ok(t, err)
	_, err = s.PushedRequest(ctx(t), want.Hash, want.ExpiresAt)
	is(t, err, storage.ErrNotFound)
	for _, h := range [][]byte{nil, hash("another")} {
		_, err = s.PushedRequest(ctx(t), h, now)
		is(t, err, storage.ErrNotFound)
	}
	ok(t, s.Spend(ctx(t), spent("one")))
	_, err = s.PushedRequest(ctx(t), want.Hash, now)
	is(t, err, storage.ErrSpent)
}

func spentOnce(t *testing.T, s storage.Store) {
	ok(t, s.Spend(ctx(t), spent("thing")))
	is(t, s.Spend(ctx(t), spent("thing")), storage.ErrSpent)
	ok(t, s.Spend(ctx(t), spent("another thing")))

	n, err := s.Sweep(ctx(t), now.Add(time.Hour-time.Microsecond))
	ok(t, err)
	same(t, n, 0)
	is(t, s.Spend(ctx(t), spent("thing")), storage.ErrSpent)
	n, err = s.Sweep(ctx(t), now.Add(time.Hour))
	ok(t, err)
	same(t, n, 2)
	ok(t, s.Spend(ctx(t), spent("thing")))

	ok(t, s.PushRequest(ctx(t), pushed("one")))
	n, err = s.Sweep(ctx(t), now.Add(90*time.Second))
	ok(t, err)
	same(t, n, 1)
}

func raceSpend(t *testing.T, s storage.Store) {
	for round := range 20 {
		errs := race(10, func(int) error { return s.Spend(ctx(t), spent(fmt.Sprint("thing ", round))) })
		same(t, winners(t, errs, storage.ErrSpent), 1)
	}
}

// approveSpends: of two logins of one pushed request the first answered one wins, and nothing is left of the other's
// answer; the same holds where a session answers.
func approveSpends(t *testing.T, s storage.Store) {
	answered := map[string]storage.Approval{}
	for _, id := range []string{"first", "second"} {
		l := newLogin(id)
		ok(t, s.CreateLogin(ctx(t), l))
		l = next(l, storage.Answered)
		a := answer(&l, grant("grant of "+id, "account of "+id, "session of "+id))
		thing := spent("one")
		a.Spend = &thing
		answered[id] = a
	}
	ok(t, s.ApproveLogin(ctx(t), answered["first"]))
	is(t, s.ApproveLogin(ctx(t), answered["second"]), storage.ErrStale)
	nothingOf(t, s, "grant of second", "account of second", "session of second")
	l, err := s.Login(ctx(t), "second")
	ok(t, err)
	same(t, l.State, storage.Created)
	is(t, s.Spend(ctx(t), spent("one")), storage.ErrSpent)

	two := spent("two")
	bySession := func(id, session string) storage.Approval {
		return storage.Approval{Grant: grant(id, "account of first", session), Spend: &two}
	}
	is(t, s.ApproveLogin(ctx(t), bySession("a", "no session")), storage.ErrStale) // and does not spend
	ok(t, s.ApproveLogin(ctx(t), bySession("b", "session of first")))
	is(t, s.ApproveLogin(ctx(t), bySession("c", "session of first")), storage.ErrStale)
	_, err = redeem(ctx(t), s, "b", "shop", now, "access b")
	ok(t, err)
	_, err = redeem(ctx(t), s, "c", "shop", now, "access c")
	is(t, err, storage.ErrNotFound)
}
