package keys_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/keys"
	"tegata/storage"
)

// shelf keeps keys in memory.
type shelf struct {
	keys   map[string]storage.SigningKey
	broken error
}

func (s *shelf) SigningKeys(context.Context) ([]storage.SigningKey, error) {
	return slices.SortedFunc(maps.Values(s.keys), func(a, b storage.SigningKey) int { return a.CreatedAt.Compare(b.CreatedAt) }), s.broken
}

func (s *shelf) PutSigningKey(_ context.Context, k storage.SigningKey) error {
	s.keys[k.ID] = k
	return s.broken
}

type world struct {
	shelf *shelf
	now   time.Time
	ring  *keys.Ring
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{shelf: &shelf{keys: map[string]storage.SigningKey{}}, now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	w.ring = w.replica()
	if err := w.ring.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) replica() *keys.Ring {
	return &keys.Ring{Store: w.shelf, Now: func() time.Time { return w.now }, Rand: rand.Reader}
}

func (w *world) sign(t *testing.T, alg string) (token, kid string) {
	t.Helper()
	token, err := w.ring.Sign(alg, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	return token, jws.Signatures[0].Protected.KeyID
}

func (w *world) published(kid string) []jose.JSONWebKey {
	set := w.ring.JWKS()
	return set.Key(kid)
}

func TestANewRingSignsWithEveryAlgorithm(t *testing.T) {
	w := newWorld(t)
	for _, alg := range keys.Algorithms {
		token, kid := w.sign(t, alg)
		if payload, err := w.ring.Verify(token); err != nil || string(payload) != `{"a":1}` {
			t.Errorf("%s: %s, %v", alg, payload, err)
		}
		for _, k := range w.published(kid) {
			if !k.IsPublic() || k.Use != "sig" || k.Algorithm != alg {
				t.Errorf("%s is published as %+v", alg, k)
			}
		}
	}
	if err := w.replica().Ensure(t.Context()); err != nil || len(w.shelf.keys) != len(keys.Algorithms) {
		t.Errorf("a second replica made keys of its own: %d, %v", len(w.shelf.keys), err)
	}
}

func TestARotationPublishesAheadSignsOnTimeAndLingers(t *testing.T) {
	for _, alg := range keys.Algorithms {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t)
			token, old := w.sign(t, alg)
			next, err := w.ring.Rotate(t.Context(), alg)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []struct {
				name                    string
				move                    time.Duration
				signs                   string
				oldPublished, oldVerify bool
			}{
				{"at once", 0, old, true, true},
				{"just before", keys.PublishAhead - time.Second, old, true, true},
				{"on time", time.Second, next.ID, true, true},
				{"while it lingers", keys.Linger, next.ID, true, true},
				{"afterwards", time.Second, next.ID, false, true},
			} {
				w.now = w.now.Add(at.move)
				if _, kid := w.sign(t, alg); kid != at.signs {
					t.Errorf("%s: %s signs, want %s", at.name, kid, at.signs)
				}
				if len(w.published(next.ID)) == 0 || len(w.published(old)) > 0 != at.oldPublished {
					t.Errorf("%s: published new %d, old %d times", at.name, len(w.published(next.ID)), len(w.published(old)))
				}
				if _, err := w.ring.Verify(token); (err == nil) != at.oldVerify {
					t.Errorf("%s: the old token: %v", at.name, err)
				}
			}
		})
	}
}

func TestARelyingPartyNeverMeetsAKeyThatItsCacheLacks(t *testing.T) {
	if keys.PublishAhead < keys.MaxAge+2*keys.Refresh {
		t.Errorf("a key signs %v after it is published, but caches hold for %v and replicas for %v", keys.PublishAhead, keys.MaxAge, keys.Refresh)
	}
}

func TestAReplicaFollowsAnothersRotation(t *testing.T) {
	w := newWorld(t)
	_, old := w.sign(t, "ES256")
	next, err := w.replica().Rotate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	if len(w.published(next.ID)) > 0 {
		t.Fatal("read by magic")
	}
	if err := w.ring.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.now = w.now.Add(keys.PublishAhead); len(w.published(next.ID)) == 0 {
		t.Error("not published after a reload")
	}
	if _, kid := w.sign(t, "ES256"); kid == old {
		t.Error("the old key still signs")
	}
}

func TestTwoRotationsAtOnceLeaveOneSigner(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		if _, err := w.ring.Rotate(t.Context(), "ES256"); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		w.sign(t, "ES256") // never without a key
		w.now = w.now.Add(keys.PublishAhead / 2)
	}
	open := 0
	for _, k := range w.ring.List() {
		if k.Alg == "ES256" && k.RetireAt.IsZero() {
			open++
		}
		if k.Private != nil {
			t.Error("the list holds a private key")
		}
	}
	if open != 1 {
		t.Errorf("%d keys are open-ended", open)
	}
}

func TestWhatTheRingRefuses(t *testing.T) {
	w := newWorld(t)
	token, _ := w.sign(t, "ES256")
	foreign, _ := newWorld(t).sign(t, "ES256")
	parts := strings.Split(token, ".")
	for name, bad := range map[string]string{
		"another ring's token":     foreign,
		"another payload":          parts[0] + ".eyJhIjoyfQ." + parts[2],
		"no signature":             parts[0] + "." + parts[1] + ".",
		"the algorithm none":       "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"an HMAC with a known kid": "eyJhbGciOiJIUzI1NiJ9." + parts[1] + "." + parts[2],
		"nothing":                  "",
	} {
		if payload, err := w.ring.Verify(bad); err == nil {
			t.Errorf("%s verifies: %s", name, payload)
		}
	}
	if _, err := w.ring.Sign("HS256", nil); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("an algorithm without a key: %v", err)
	}
	if _, err := w.ring.Rotate(t.Context(), "none"); err == nil {
		t.Error("rotated to the algorithm none")
	}
	if _, err := (&keys.Ring{Now: time.Now}).Sign("ES256", nil); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("an empty ring: %v", err)
	}
}

func TestABrokenStoreLeavesTheOldView(t *testing.T) {
	w := newWorld(t)
	w.shelf.broken = errors.New("down")
	if err := w.ring.Load(t.Context()); err == nil {
		t.Error("nobody heard that the store is down")
	}
	w.sign(t, "ES256")
	w.shelf.broken = nil
	for id, k := range w.shelf.keys {
		k.Private = []byte("not a key")
		w.shelf.keys[id] = k
	}
	if err := w.ring.Load(t.Context()); err == nil || strings.Contains(err.Error(), "not a key") {
		t.Errorf("a damaged key: %v", err)
	}
	w.sign(t, "ES256")
}
