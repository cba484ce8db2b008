package keys_test

import (
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"tegata/idp/keys"
)

// TestReplicasWithWrongClocksAgree: at every moment of a rotation all replicas sign with one key, no relying party meets a
// key that was published for less than PublishAhead, and each replica verifies what the others sign.
func TestReplicasWithWrongClocksAgree(t *testing.T) {
	w := newWorld(t)
	rings := map[string]*keys.Ring{"right": w.ring, "an hour fast": w.wrong(time.Hour), "an hour slow": w.wrong(-time.Hour), "a day slow": w.wrong(-24 * time.Hour)}
	for _, r := range rings {
		if err := r.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	published := map[string]time.Time{}
	for _, k := range w.ring.List() {
		published[k.ID] = w.now.Add(-keys.PublishAhead) // the first ones: nobody could know them before
	}
	next, err := rings["an hour fast"].Rotate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	published[next.ID] = w.now
	signers := map[string]bool{}
	for range 30 {
		signs := ""
		for name, r := range rings {
			if err := r.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			compact, err := r.Sign("ES256", []byte("{}"))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kid := kidOf(t, compact)
			if signs == "" {
				signs = kid
			}
			if kid != signs {
				t.Errorf("%s signs with another key", name)
			}
			if age := w.now.Sub(published[kid]); age < keys.PublishAhead {
				t.Errorf("%s signs with a key that is published for %v", name, age)
			}
			for other, verifier := range rings {
				if _, err := verifier.Verify("JWT", compact); err != nil {
					t.Errorf("%s does not accept what %s signed", other, name)
				}
				if set, err := verifier.JWKS(); err != nil || len(set.Key(kid)) == 0 {
					t.Errorf("%s does not publish what %s signs with: %v", other, name, err)
				}
			}
			signers[kid] = true
		}
		w.now = w.now.Add(10 * time.Minute)
	}
	if len(signers) != 2 {
		t.Errorf("%d keys signed", len(signers))
	}
}

// TestFirstKeysOfReplicasWithWrongClocks: whoever makes the first keys, the others sign with them at once.
func TestFirstKeysOfReplicasWithWrongClocks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := emptyWorld()
		w.shelf.clock = func() time.Time { // an answer takes its time, each another
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "way there")) * time.Millisecond)
			at := w.now
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "way back")) * time.Millisecond)
			return at
		}
		for range 3 {
			r := w.wrong(time.Duration(rapid.IntRange(-48, 48).Draw(rt, "hours wrong")) * time.Hour)
			if err := r.Ensure(t.Context()); err != nil {
				rt.Fatal(err)
			}
			if _, err := r.Sign("ES256", []byte("{}")); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// TestAClockThatIsSetMovesNoKey: between two readings a replica's clock may jump; with the next reading that is over.
func TestAClockThatIsSetMovesNoKey(t *testing.T) {
	w := newWorld(t)
	wrong := time.Duration(0)
	r := &keys.Ring{Store: w.shelf, Now: func() time.Time { return w.now.Add(wrong) }, Rand: w.ring.Rand}
	if err := r.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := rotate(t, w)
	wrong = 100 * time.Hour
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	compact, err := r.Sign("ES256", []byte("{}"))
	if err != nil || kidOf(t, compact) == next {
		t.Errorf("the next key signs already, %v", err)
	}
}

func TestTheStateOfAKeyIsByTheStoresClock(t *testing.T) {
	w := newWorld(t)
	fast := w.wrong(keys.PublishAhead + time.Hour)
	next, err := fast.Rotate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	state := func() (first, second keys.State) {
		for _, k := range fast.List() {
			switch {
			case k.ID == next.ID:
				second = fast.State(k)
			case k.Alg == "ES256":
				first = fast.State(k)
			}
		}
		return first, second
	}
	if a, b := state(); a != keys.Active || b != keys.Next {
		t.Errorf("before: %s and %s", a, b)
	}
	w.now = w.now.Add(keys.PublishAhead)
	if a, b := state(); a != keys.Retired || b != keys.Active {
		t.Errorf("after: %s and %s", a, b)
	}
}

func kidOf(t *testing.T, compact string) string {
	t.Helper()
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Protected.KeyID
}
