package providertest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/cmd/provider"
	"tegata/idp/keys"
	"tegata/storage"
)

// slow are real signing keys of the kinds that take long to make. All providers of a test binary have the same: else every
// second of its time goes into finding primes.
var slow = sync.OnceValues(func() ([]storage.SigningKey, error) {
	var kept drawer
	ring := &keys.Ring{Store: &kept, Now: time.Now, Rand: rand.Reader}
	if _, err := ring.JWKS(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(kept, func(k storage.SigningKey) bool {
		return k.Alg != string(jose.RS256) && k.Alg != string(jose.PS256)
	}), nil
})

// drawer is a store for one ring.
type drawer []storage.SigningKey

func (*drawer) Clock(context.Context) (time.Time, error) { return time.Now(), nil }

func (d *drawer) SigningKeys(context.Context) ([]storage.SigningKey, error) {
	return slices.Clone(*d), nil
}

func (d *drawer) ChangeSigningKeys(_ context.Context, _ []string, put ...storage.SigningKey) error {
	*d = append(*d, put...)
	return nil
}

// equip gives a provider the keys that it would make before anybody sees that they are missing. One whose database already
// has some, or that makes them in hardware, keeps to those.
func equip(t testing.TB, o provider.Options, store storage.Store) {
	t.Helper()
	if o.Hardware != nil {
		return
	}
	made, err := slow()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range made {
		if o.KeyClock != nil {
			k.CreatedAt, k.ActivateAt = o.KeyClock(), o.KeyClock()
		}
		if err := store.ChangeSigningKeys(t.Context(), nil, k); err != nil && !errors.Is(err, storage.ErrExists) {
			t.Fatal(err)
		}
	}
}
