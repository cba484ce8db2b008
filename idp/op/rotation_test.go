package op_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/keys"
	"tegata/storage/gormstore"
	"tegata/storage/storagetest"
)

// TestRotationsFailNoValidation: a relying party that keeps the JWKS for all of its max-age, asking another replica each
// time, validates every token of two replicas on one database while keys rotate. The town's clock stands for time: a
// hundred tokens in each of its seconds around the changes, some in between.
func TestRotationsFailNoValidation(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { rotations(t, storagetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { rotations(t, storagetest.Postgres(t)) })
}

// replicas are two rings on one database whose clocks stand where they are put.
type replicas struct {
	now   time.Time
	rings [2]*keys.Ring
}

func twoReplicas(t *testing.T, url string) *replicas {
	t.Helper()
	sealer := storagetest.Keyset(t)
	w := &replicas{now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	for i := range w.rings {
		store, err := gormstore.Open(t.Context(), gormstore.Config{URL: url, Seal: sealer})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
		w.rings[i] = &keys.Ring{Store: clocked{store, &w.now}, Now: func() time.Time { return w.now }, Rand: rand.Reader}
		if err := w.rings[i].Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// clocked is a store whose clock the test moves.
type clocked struct {
	*gormstore.Store
	now *time.Time
}

func (c clocked) Clock(context.Context) (time.Time, error) { return *c.now, nil }

// party is a relying party with its copy of the JWKS.
type party struct {
	set     jose.JSONWebKeySet
	fetched time.Time
	asked   int
}

// validate looks at one token with the copy at hand, which is fetched anew only when max-age is over.
func (p *party) validate(t *testing.T, w *replicas, compact string) bool {
	t.Helper()
	if w.now.Sub(p.fetched) >= keys.MaxAge {
		set, err := w.rings[p.asked%2].JWKS()
		if err != nil {
			t.Fatal(err)
		}
		p.set, p.fetched, p.asked = set, w.now, p.asked+1
	}
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	_, err = jws.Verify(p.set)
	return err == nil
}

func rotations(t *testing.T, url string) {
	t.Helper()
	w := twoReplicas(t, url)
	early, late := &party{}, &party{fetched: w.now.Add(-keys.MaxAge / 2)} // their copies end at other times
	late.set, _ = w.rings[0].JWKS()
	signers := map[string]bool{}
	tokens, failed := 0, 0
	second := func(load int) {
		for i := range load {
			compact, err := w.rings[i%2].Sign([]string{"ES256", "EdDSA"}[i/2%2], []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			tokens++
			for _, p := range []*party{early, late} {
				if !p.validate(t, w, compact) {
					failed++
				}
			}
			signers[kidOf(t, compact)] = true
		}
	}
	for range 3 {
		for i, alg := range []string{"ES256", "EdDSA"} {
			if _, err := w.rings[i].Rotate(t.Context(), alg); err != nil {
				t.Fatal(err)
			}
		}
		change := w.now.Add(keys.PublishAhead)
		w.now = w.now.Add(keys.Refresh)
		for _, ring := range w.rings { // what each replica does every Refresh
			if err := ring.Load(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		for ; w.now.Before(change.Add(-3 * time.Second)); w.now = w.now.Add(5 * time.Minute) {
			second(4)
		}
		for w.now = change.Add(-3 * time.Second); w.now.Before(change.Add(3 * time.Second)); w.now = w.now.Add(time.Second) {
			second(100)
		}
		for range 24 {
			w.now = w.now.Add(5 * time.Minute)
			second(4)
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d tokens could not be validated", failed, tokens)
	}
	if len(signers) != 8 || early.asked < 10 {
		t.Errorf("%d keys signed, and the key set was fetched %d times", len(signers), early.asked)
	}
}

func kidOf(t *testing.T, compact string) string {
	t.Helper()
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Protected.KeyID
}
