package storagetest

import (
	"testing"
	"time"

	"tegata/storage"
)

func clientRoundTrip(t *testing.T, s storage.Store) {
	want := full(t, client("shop"))
	local := want
	local.CreatedAt, local.UpdatedAt = want.CreatedAt.In(tokyo), want.UpdatedAt.In(tokyo).Add(999)
	ok(t, s.CreateClient(ctx(t), local))
	got, err := s.Client(ctx(t), "shop")
	ok(t, err)
	same(t, got, want)

	bare := storage.Client{ID: "bare", CreatedAt: now, UpdatedAt: now}
	ok(t, s.PutClient(ctx(t), bare))
	got, err = s.Client(ctx(t), "bare")
	ok(t, err)
	same(t, got, bare)
}

func clientOnce(t *testing.T, s storage.Store) {
	ok(t, s.CreateClient(ctx(t), client("shop")))
	changed := client("shop")
	changed.Name, changed.SecretHashes, changed.Disabled, changed.UpdatedAt = "new", nil, false, now.Add(time.Hour)
	is(t, s.CreateClient(ctx(t), changed), storage.ErrExists)
	got, err := s.Client(ctx(t), "shop")
	ok(t, err)
	same(t, got, client("shop"))

	ok(t, s.PutClient(ctx(t), changed))
	got, err = s.Client(ctx(t), "shop")
	ok(t, err)
	same(t, got, changed)
}

func clientDisabled(t *testing.T, s storage.Store) {
	want := client("shop")
	ok(t, s.CreateClient(ctx(t), want))
	for i, disabled := range []bool{false, true, true} {
		want.Disabled, want.UpdatedAt = disabled, now.Add(time.Duration(i)*time.Minute)
		ok(t, s.DisableClient(ctx(t), "shop", disabled, want.UpdatedAt))
		got, err := s.Client(ctx(t), "shop")
		ok(t, err)
		same(t, got, want)
	}
	is(t, s.DisableClient(ctx(t), "nobody", true, now), storage.ErrNotFound)
}

func clientsListed(t *testing.T, s storage.Store) {
	none, err := s.Clients(ctx(t))
	ok(t, err)
	same(t, len(none), 0)
	for _, id := range []string{"b", "a", "c"} {
		ok(t, s.CreateClient(ctx(t), client(id)))
	}
	got, err := s.Clients(ctx(t))
	ok(t, err)
	same(t, got, []storage.Client{client("a"), client("b"), client("c")})
}

func keysListed(t *testing.T, s storage.Store) {
	young := full(t, storage.SigningKey{ID: "young", Alg: "ES256", Private: []byte("y"), CreatedAt: now,
		ActivateAt: now.Add(time.Hour), RetireAt: now.Add(48 * time.Hour)})
	old := storage.SigningKey{ID: "zold", Alg: "RS256", Private: []byte("o"), CreatedAt: now.Add(-time.Hour), ActivateAt: now}
	ok(t, s.ChangeSigningKeys(ctx(t), nil, young, old))
	keysAre(t, s, old, young)

	old.RetireAt = now.Add(time.Minute)
	next := storage.SigningKey{ID: "next", Alg: "RS256", Private: []byte("n"), CreatedAt: now.Add(time.Second), ActivateAt: now.Add(time.Minute)}
	ok(t, s.ChangeSigningKeys(ctx(t), nil, old, next))
	keysAre(t, s, old, young, next)

	ok(t, s.ChangeSigningKeys(ctx(t), []string{"young", "nobody"}))
	keysAre(t, s, old, next)
}

// openKeys: a second key without an end is refused, and with it everything that came along.
func openKeys(t *testing.T, s storage.Store) {
	first := storage.SigningKey{ID: "first", Alg: "ES256", Private: []byte("f"), CreatedAt: now, ActivateAt: now}
	other := storage.SigningKey{ID: "other", Alg: "PS256", Private: []byte("o"), CreatedAt: now.Add(time.Second), ActivateAt: now}
	ok(t, s.ChangeSigningKeys(ctx(t), nil, first, other))
	second := storage.SigningKey{ID: "second", Alg: "ES256", Private: []byte("s"), CreatedAt: now.Add(time.Minute), ActivateAt: now}
	moved := other
	moved.RetireAt = now.Add(time.Hour)
	is(t, s.ChangeSigningKeys(ctx(t), []string{"other"}, moved, second), storage.ErrExists)
	keysAre(t, s, first, other)
	ok(t, s.ChangeSigningKeys(ctx(t), []string{"first"}, second)) // the old one leaves first
	keysAre(t, s, other, second)
}

func keysAre(t *testing.T, s storage.Store, want ...storage.SigningKey) {
	t.Helper()
	got, err := s.SigningKeys(ctx(t))
	ok(t, err)
	same(t, got, want)
}
