package keys_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

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

// TestAKeyThatSignsAtOnceDoesSoEverywhere: a replica asks for the time, the answer is seconds on its way, and before the
// replica asks for the keys another one has revoked the key that signed.
func TestAKeyThatSignsAtOnceDoesSoEverywhere(t *testing.T) {
	w := newWorld(t)
	set, err := w.ring.JWKS() // makes all algorithms
	if err != nil || len(set.Keys) != len(keys.Algorithms) {
		t.Fatal(len(set.Keys), err)
	}
	late := &keys.Ring{Store: late{w.shelf, func() {
		w.now = w.now.Add(5 * time.Second)
		_, kid := w.sign(t, "ES256")
		if _, err := w.ring.Revoke(t.Context(), kid); err != nil {
			t.Error(err)
		}
	}}, Now: w.ring.Now, Rand: w.ring.Rand}
	if err := late.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	signing := 0
	for _, k := range late.List() {
		if k.Alg == "ES256" && late.State(k) == keys.Active {
			signing++
		}
	}
	if signing != 1 {
		t.Errorf("%d keys sign", signing)
	}
}

// late is a store whose time is old when it arrives.
type late struct {
	*shelf
	meanwhile func()
}

func (l late) Clock(ctx context.Context) (time.Time, error) {
	at, err := l.shelf.Clock(ctx)
	l.meanwhile()
	return at, err
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
