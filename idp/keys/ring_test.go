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
	clock  func() time.Time // nil: as keys at this machine
}

// Clock is the store's own time.
func (s *shelf) Clock(context.Context) (time.Time, error) {
	if s.clock == nil {
		return time.Now(), s.broken
	}
	return s.clock(), s.broken
}

func (s *shelf) SigningKeys(context.Context) ([]storage.SigningKey, error) {
	return slices.SortedFunc(maps.Values(s.keys), func(a, b storage.SigningKey) int { return a.CreatedAt.Compare(b.CreatedAt) }), s.broken
}

// ChangeSigningKeys holds to what storage.Store promises.
func (s *shelf) ChangeSigningKeys(_ context.Context, gone []string, put ...storage.SigningKey) error {
	changed := maps.Clone(s.keys)
	for _, id := range gone {
		delete(changed, id)
	}
	for _, k := range put {
		changed[k.ID] = k
	}
	open := map[string]int{}
	for _, k := range changed {
		if k.RetireAt.IsZero() {
			if open[k.Alg]++; open[k.Alg] > 1 {
				return storage.ErrExists
			}
		}
	}
	s.keys = changed
	return s.broken
}

type world struct {
	shelf *shelf
	now   time.Time
	ring  *keys.Ring
}

func emptyWorld() *world {
	w := &world{now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	w.shelf = &shelf{keys: map[string]storage.SigningKey{}, clock: func() time.Time { return w.now }}
	w.ring = w.replica()
	return w
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := emptyWorld()
	if err := w.ring.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) replica() *keys.Ring { return w.wrong(0) }

// wrong is a replica whose clock is.
func (w *world) wrong(by time.Duration) *keys.Ring {
	return &keys.Ring{Store: w.shelf, Now: func() time.Time { return w.now.Add(by) }, Rand: rand.Reader}
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
	set, err := w.ring.JWKS()
	if err != nil {
		panic(err)
	}
	return set.Key(kid)
}

func TestANewRingSignsWithEveryAlgorithm(t *testing.T) {
	w := newWorld(t)
	for _, alg := range keys.Algorithms {
		token, kid := w.sign(t, alg)
		if payload, err := w.ring.Verify("JWT", token); err != nil || string(payload) != `{"a":1}` {
			t.Errorf("%s: %s, %v", alg, payload, err)
		}
		for _, k := range w.published(kid) {
			if !k.IsPublic() || k.Use != "sig" || k.Algorithm != alg {
				t.Errorf("%s is published as %+v", alg, k)
			}
		}
	}
	second := w.replica()
	if err := second.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if set, err := second.JWKS(); err != nil || len(set.Keys) != len(keys.Algorithms) || len(w.shelf.keys) != len(keys.Algorithms) {
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
				if _, err := w.ring.Verify("JWT", token); (err == nil) != at.oldVerify {
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
	w.published(old) // makes what was missing, which reads the ring again
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
		if payload, err := w.ring.Verify("JWT", bad); err == nil {
			t.Errorf("%s verifies: %s", name, payload)
		}
	}
	other, err := w.ring.SignAs("logout+jwt", "ES256", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ring.Verify("JWT", other); err == nil {
		t.Error("a token of another type passes")
	}
	if _, err := w.ring.Verify("logout+jwt", other); err != nil {
		t.Error(err)
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

func TestTheFirstStartDoesNotWaitForPrimes(t *testing.T) {
	w := newWorld(t)
	algs := map[string]bool{}
	for _, k := range w.ring.List() {
		algs[k.Alg] = true
	}
	if !algs["ES256"] || !algs["EdDSA"] || algs["RS256"] || algs["PS256"] {
		t.Errorf("made before the start: %v", algs)
	}
	if set, err := w.ring.JWKS(); err != nil || len(set.Keys) != 4 {
		t.Errorf("whoever looks first sees %d keys, %v", len(set.Keys), err)
	}
}

// TestReplicasThatStartAtOnceShareTheirKeys: what one signs, the other publishes, from the first moment.
func TestReplicasThatStartAtOnceShareTheirKeys(t *testing.T) {
	w := emptyWorld()
	other := &keys.Ring{Store: &racer{shelf: w.shelf, before: func() {
		if err := w.ring.Ensure(t.Context()); err != nil {
			t.Error(err)
		}
	}}, Now: w.ring.Now, Rand: rand.Reader}
	if err := other.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"ES256", "EdDSA"} {
		token, err := other.Sign(alg, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ring.Verify("JWT", token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// racer lets another replica be faster once.
type racer struct {
	*shelf
	before func()
}

func (r *racer) ChangeSigningKeys(ctx context.Context, gone []string, put ...storage.SigningKey) error {
	if f := r.before; f != nil {
		r.before = nil
		f()
	}
	return r.shelf.ChangeSigningKeys(ctx, gone, put...)
}

func TestARevokedKeyIsGoneAtOnce(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before func(t *testing.T, w *world) (bad, heir string) // heir "": a new key
	}{
		{"the one that signs", func(t *testing.T, w *world) (string, string) {
			_, kid := w.sign(t, "ES256")
			return kid, ""
		}},
		{"the one that signs while the next one waits", func(t *testing.T, w *world) (string, string) {
			_, kid := w.sign(t, "ES256")
			return kid, rotate(t, w)
		}},
		{"the one that waits", func(t *testing.T, w *world) (string, string) {
			_, kid := w.sign(t, "ES256")
			return rotate(t, w), kid
		}},
		{"the second of three", func(t *testing.T, w *world) (string, string) {
			_, kid := w.sign(t, "ES256")
			second := rotate(t, w)
			w.now = w.now.Add(time.Hour)
			rotate(t, w)
			return second, kid
		}},
		{"one that has retired", func(t *testing.T, w *world) (string, string) {
			_, kid := w.sign(t, "ES256")
			next := rotate(t, w)
			w.now = w.now.Add(keys.PublishAhead + time.Minute)
			return kid, next
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			token, _ := w.sign(t, "ES256")
			bad, heir := tc.before(t, w)
			got, err := w.ring.Revoke(t.Context(), bad)
			if err != nil {
				t.Fatal(err)
			}
			if _, kid := w.sign(t, "ES256"); kid != got.ID || kid == bad || heir != "" && kid != heir {
				t.Errorf("%s signs and %s was told, want %s", kid, got.ID, heir)
			}
			if len(w.published(bad)) > 0 || len(w.published(got.ID)) == 0 {
				t.Error("the wrong keys are published")
			}
			if _, err := w.ring.Verify("JWT", token); strings.Contains(token, bad) && err == nil {
				t.Error("it still verifies")
			}
			for range 5 { // there is a signer for ever
				w.now = w.now.Add(keys.PublishAhead / 2)
				w.sign(t, "ES256")
			}
		})
	}
	if _, err := newWorld(t).ring.Revoke(t.Context(), "nobody"); !errors.Is(err, keys.ErrUnknown) {
		t.Errorf("an unknown key: %v", err)
	}
}

func rotate(t *testing.T, w *world) string {
	t.Helper()
	next, err := w.ring.Rotate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	return next.ID
}

func TestTheHashGoesWithTheAlgorithm(t *testing.T) {
	for alg, want := range map[string]int{"ES256": 22, "RS256": 22, "PS256": 22, "EdDSA": 43} {
		if got := keys.Half(alg, "token"); len(got) != want {
			t.Errorf("%s: %d characters", alg, len(got))
		}
	}
}

func BenchmarkSign(b *testing.B) {
	ring := &keys.Ring{Store: &shelf{keys: map[string]storage.SigningKey{}}, Now: time.Now, Rand: rand.Reader}
	if err := ring.Ensure(b.Context()); err != nil {
		b.Fatal(err)
	}
	payload := []byte(strings.Repeat("a", 400))
	for _, alg := range keys.Algorithms {
		if _, err := ring.Sign(alg, payload); err != nil {
			b.Fatal(err)
		}
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ring.Sign(alg, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An operator writes the id behind a command: one of 64 thumbprints begins with a hyphen.
func TestNoKeyLooksLikeAFlag(t *testing.T) {
	renamed := false
	for range 1000 {
		for _, k := range newWorld(t).ring.List() {
			if strings.HasPrefix(k.ID, "-") {
				t.Fatalf("%s looks like a flag", k.ID)
			}
			renamed = renamed || strings.HasPrefix(k.ID, "k-")
		}
	}
	if !renamed {
		t.Error("of 2000 thumbprints none began with a hyphen")
	}
}
