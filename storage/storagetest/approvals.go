package storagetest

import (
	"fmt"
	"testing"
	"time"

	"tegata/storage"
)

// approved makes a login and answers it with grant "grant of "+login and a new session.
func approved(t testing.TB, s storage.Store, login, account, session string) storage.Grant {
	t.Helper()
	g := grant("grant of "+login, account, session)
	approveGrant(t, s, login, g)
	return g
}

// approveGrant walks a login to its answer, which is g.
func approveGrant(t testing.TB, s storage.Store, login string, g storage.Grant) {
	t.Helper()
	l := newLogin(login)
	ok(t, s.CreateLogin(ctx(t), l))
	l = next(l, storage.Answered)
	ok(t, s.ApproveLogin(ctx(t), answer(&l, g)))
}

func approveAll(t *testing.T, s storage.Store) {
	g := grant("grant", "account", "session")
	g.Offline, g.SID = true, "sid"
	approveGrant(t, s, "login", g)

	login, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, login.State, storage.Answered)
	got, link, err := s.SessionLink(ctx(t), "session", "shop", shopSector, now, now.Add(-time.Minute))
	ok(t, err)
	same(t, got, full(t, session("session", "account")))
	same(t, link, storage.Link{Subject: "subject of account", Items: []string{"age_over_18"}, Texts: "en-1"})

	redeemed, err := s.RedeemCode(ctx(t), hash(g.ID), "shop", now.In(tokyo), issue("first", "family", now))
	ok(t, err)
	g.RedeemedAt, g.AccessHash, g.AccessExpires, g.Certificate = now, hash("access first"), now.Add(time.Hour), hash("certificate")
	g.DPoPKey = hash("key")
	g.RefreshFamily, g.RefreshHash, g.RefreshExpires, g.RefreshUntil = hash("family"), hash("first"), now.Add(idle), now.Add(life)
	same(t, redeemed, g)
	g.RevokedAt, g.AccessScopes = now, []string{"openid"} // the tests of refreshing have these
	full(t, g)                                            // every other field was filled in and came back
}

// nothingOf fails if any part of answer(login, grant(id, account, session)) is in the store.
func nothingOf(t *testing.T, s storage.Store, id, account, session string) {
	t.Helper()
	_, err := s.RedeemCode(ctx(t), hash(id), "shop", now, access1h("access", now))
	is(t, err, storage.ErrNotFound)
	_, _, err = s.SessionLink(ctx(t), session, "shop", shopSector, now, time.Time{})
	is(t, err, storage.ErrNotFound)
	link, err := s.Link(ctx(t), account, "shop", shopSector)
	ok(t, err)
	same(t, link, storage.Link{New: true})
}

func approveStale(t *testing.T, s storage.Store) {
	login := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), login))
	cancelled := next(login, storage.Cancelled)
	ok(t, s.SwapLogin(ctx(t), login, cancelled))
	answered := next(login, storage.Answered)
	is(t, s.ApproveLogin(ctx(t), answer(&answered, grant("grant", "account", "session"))), storage.ErrStale)
	nothingOf(t, s, "grant", "account", "session")
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, cancelled)

	// A grant that cannot be written leaves nothing of the rest either.
	approved(t, s, "first", "first account", "first session")
	answered = next(cancelled, storage.Answered)
	is(t, s.ApproveLogin(ctx(t), answer(&answered, grant("grant of first", "account", "session"))), storage.ErrExists)
	_, _, err = s.SessionLink(ctx(t), "session", "shop", shopSector, now, time.Time{})
	is(t, err, storage.ErrNotFound)
	got, err = s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, cancelled)
}

func approveSession(t *testing.T, s storage.Store) {
	approved(t, s, "first", "account", "session")
	later := now.Add(time.Minute)
	again := func(id, account, session string, at time.Time, login *storage.Login) error {
		g := grant(id, account, session)
		g.CreatedAt, g.CodeExpires = at, at.Add(time.Minute)
		return s.ApproveLogin(ctx(t), storage.Approval{Login: login, Grant: g})
	}
	ok(t, again("silent", "account", "session", later, nil))
	got, link, err := s.SessionLink(ctx(t), "session", "shop", shopSector, later, now)
	ok(t, err)
	same(t, got.SeenAt, later)
	same(t, link.Items, []string{"age_over_18"})
	_, err = s.RedeemCode(ctx(t), hash("silent"), "shop", later, access1h("access", later))
	ok(t, err)

	login := newLogin("second")
	ok(t, s.CreateLogin(ctx(t), login))
	answered := next(login, storage.Answered)
	is(t, again("a", "account", "no session", later, &answered), storage.ErrStale)
	is(t, again("b", "stranger", "session", later, &answered), storage.ErrStale)
	is(t, again("c", "account", "session", now.Add(8*time.Hour), &answered), storage.ErrStale)
	ok(t, endSession(ctx(t), s, "session", later))
	is(t, again("d", "account", "session", later, &answered), storage.ErrStale)
	is(t, again("e", "account", "session", later, nil), storage.ErrStale)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		_, err = s.RedeemCode(ctx(t), hash(id), "shop", now, access1h(id+" access", now))
		is(t, err, storage.ErrNotFound)
	}
	stored, err := s.Login(ctx(t), "second")
	ok(t, err)
	same(t, stored, login)

	// Without any session there is none to end and none to need.
	ok(t, again("f", "account", "", later, &answered))
	ok(t, endSession(ctx(t), s, "", later))
	_, err = s.RedeemCode(ctx(t), hash("f"), "shop", later, access1h("f access", later))
	ok(t, err)
}

func approveAgain(t *testing.T, s storage.Store) {
	approved(t, s, "first", "account", "session")
	for i, step := range []struct {
		items, want []string
		texts       string
	}{
		{nil, []string{"age_over_18"}, "en-1"},
		{[]string{"name", "address"}, []string{"name", "address"}, "ja-2"},
		{[]string{}, []string{}, "ja-2"},
	} {
		g := grant(fmt.Sprint("grant ", i), "account", "session")
		g.Subject = "another subject"
		ok(t, s.ApproveLogin(ctx(t), storage.Approval{Grant: g, Sector: "shop.example", Items: step.items, Texts: "ja-2"}))
		link, err := s.Link(ctx(t), "account", "shop", shopSector)
		ok(t, err)
		same(t, link, storage.Link{Subject: "subject of account", Items: step.want, Texts: step.texts})
	}
}

func subjectsDiffer(t *testing.T, s storage.Store) {
	approved(t, s, "first", "account", "session")
	login := newLogin("second")
	ok(t, s.CreateLogin(ctx(t), login))
	answered := next(login, storage.Answered)
	thief := grant("grant", "thief", "another session")
	thief.Subject = "subject of account"
	is(t, s.ApproveLogin(ctx(t), answer(&answered, thief)), storage.ErrExists)
	nothingOf(t, s, "grant", "thief", "another session")
}
