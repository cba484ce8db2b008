package storagetest

import (
	"fmt"
	"testing"
	"time"

	"tegata/storage"
)

func initialToken(name string, uses int64) storage.InitialToken {
	return storage.InitialToken{Hash: hash(name), Name: name, Uses: uses, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func clientUpdated(t *testing.T, s storage.Store) {
	first := client("shop")
	ok(t, s.CreateClient(ctx(t), first))
	want := first
	want.Name, want.SecretHashes, want.Registration.Pending, want.UpdatedAt = "new", nil, false, now.Add(time.Minute)
	changed := want
	changed.Disabled, changed.CreatedAt = false, now // are no business of an update
	ok(t, s.UpdateClient(ctx(t), changed, first.UpdatedAt))
	got, err := s.Client(ctx(t), "shop")
	ok(t, err)
	same(t, got, want)

	changed.Name, changed.UpdatedAt = "too late", now.Add(time.Hour)
	is(t, s.UpdateClient(ctx(t), changed, first.UpdatedAt), storage.ErrStale)
	changed.ID = "nobody"
	is(t, s.UpdateClient(ctx(t), changed, want.UpdatedAt), storage.ErrStale)
	got, err = s.Client(ctx(t), "shop")
	ok(t, err)
	same(t, got, want)
}

func clientDeleted(t *testing.T, s storage.Store) {
	for _, id := range []string{"shop", "bank"} {
		ok(t, s.CreateClient(ctx(t), client(id)))
		l := newLogin("login at " + id)
		ok(t, s.CreateLogin(ctx(t), l))
		l = next(l, storage.Answered)
		g := grant("grant at "+id, "account", "session at "+id)
		g.ClientID = id
		ok(t, s.ApproveLogin(ctx(t), answer(&l, g)))
		_, err := redeem(ctx(t), s, g.ID, id, now, "access at "+id)
		ok(t, err)
	}
	ok(t, s.DeleteClient(ctx(t), "shop", now))
	is(t, s.DeleteClient(ctx(t), "shop", now), storage.ErrNotFound)
	_, err := s.Client(ctx(t), "shop")
	is(t, err, storage.ErrNotFound)
	_, err = s.GrantByAccess(ctx(t), hash("access at shop"), now)
	is(t, err, storage.ErrNotFound)
	link, err := s.Link(ctx(t), "account", "shop", shopSector)
	ok(t, err)
	same(t, len(link.Items), 0)
	_, err = s.GrantByAccess(ctx(t), hash("access at bank"), now)
	ok(t, err)
	link, err = s.Link(ctx(t), "account", "bank", shopSector)
	ok(t, err)
	if len(link.Items) == 0 {
		t.Error("the consent with another client is gone")
	}
}

func initialTokens(t *testing.T, s storage.Store) {
	want := full(t, initialToken("partners", 2))
	ok(t, s.CreateInitialToken(ctx(t), want))
	ok(t, s.CreateInitialToken(ctx(t), initialToken("all gone", 0)))
	is(t, s.CreateInitialToken(ctx(t), initialToken("partners", 1)), storage.ErrExists)
	again := initialToken("another name", 1)
	again.Hash = want.Hash
	is(t, s.CreateInitialToken(ctx(t), again), storage.ErrExists)
	list, err := s.InitialTokens(ctx(t))
	ok(t, err)
	same(t, list, []storage.InitialToken{initialToken("all gone", 0), want})
	got, err := s.InitialToken(ctx(t), want.Hash, want.ExpiresAt.Add(-time.Microsecond))
	ok(t, err)
	same(t, got, want)

	for _, bad := range []struct {
		hash []byte
		at   time.Time
	}{{want.Hash, want.ExpiresAt}, {hash("all gone"), now}, {hash("nobody's"), now}, {nil, now}} {
		_, err = s.InitialToken(ctx(t), bad.hash, bad.at)
		is(t, err, storage.ErrNotFound)
		is(t, s.RegisterClient(ctx(t), bad.hash, client("shop"), bad.at), storage.ErrNotFound)
	}
	_, err = s.Client(ctx(t), "shop")
	is(t, err, storage.ErrNotFound)

	ok(t, s.RegisterClient(ctx(t), want.Hash, client("one"), now))
	is(t, s.RegisterClient(ctx(t), want.Hash, client("one"), now), storage.ErrExists) // and costs no use
	ok(t, s.RegisterClient(ctx(t), want.Hash, client("two"), now))
	is(t, s.RegisterClient(ctx(t), want.Hash, client("three"), now), storage.ErrNotFound)

	ok(t, s.DeleteInitialToken(ctx(t), "partners"))
	is(t, s.DeleteInitialToken(ctx(t), "partners"), storage.ErrNotFound)
}

func raceRegister(t *testing.T, s storage.Store) {
	ok(t, s.CreateInitialToken(ctx(t), initialToken("partners", 3)))
	errs := race(10, func(i int) error {
		return s.RegisterClient(ctx(t), hash("partners"), client(fmt.Sprint("client ", i)), now)
	})
	same(t, winners(t, errs, storage.ErrNotFound), 3)
	all, err := s.Clients(ctx(t))
	ok(t, err)
	same(t, len(all), 3)
}
