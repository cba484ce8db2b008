package keys_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tegata/idp/keys"
	"tegata/storage"
)

const quarter = 90 * 24 * time.Hour

// desk leases feeds as storage.Store does.
type desk struct {
	until time.Time
	taken int
}

func (d *desk) TakeFeed(_ context.Context, name string, now, _, until time.Time) (storage.Feed, error) {
	if d.until.After(now) {
		return storage.Feed{}, storage.ErrNotFound
	}
	d.until, d.taken = until, d.taken+1
	return storage.Feed{Name: name, Until: until}, nil
}

func (d *desk) KeepFeed(_ context.Context, f storage.Feed, now time.Time, _ bool) error {
	if f.Until != d.until {
		return storage.ErrStale
	}
	d.until = now
	return nil
}

func once(t *testing.T, j *keys.Rotation) []storage.SigningKey {
	t.Helper()
	made, err := j.Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestKeysAreReplacedByTheirAge: two replicas, one of them an hour wrong, look every hour for nine months.
func TestKeysAreReplacedByTheirAge(t *testing.T) {
	w, d := newWorld(t), &desk{}
	set, err := w.ring.JWKS() // makes all algorithms
	if err != nil || len(set.Keys) != len(keys.Algorithms) {
		t.Fatal(len(set.Keys), err)
	}
	jobs := []*keys.Rotation{{Ring: w.ring, Leases: d, Period: quarter}, {Ring: w.wrong(time.Hour), Leases: d, Period: quarter}}
	began, published := w.now, map[string]time.Time{}
	_, signer := w.sign(t, "ES256")
	since := w.now
	for ; w.now.Sub(began) < 3*quarter; w.now = w.now.Add(time.Hour) {
		for _, j := range jobs {
			if err := j.Ring.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, k := range once(t, j) {
				published[k.ID] = w.now
			}
		}
		if _, kid := w.sign(t, "ES256"); kid != signer {
			if age := w.now.Sub(since); age < quarter-2*time.Hour || age > quarter+2*time.Hour {
				t.Errorf("a key signed for %v", age)
			}
			if ahead := w.now.Sub(published[kid]); ahead < keys.PublishAhead {
				t.Errorf("a key signs that is published for %v", ahead)
			}
			signer, since = kid, w.now
		}
	}
	want := len(keys.Algorithms) * 4 // the first ones and those of three quarters, the last of which wait
	if got := len(w.shelf.keys); got < want-len(keys.Algorithms) || got > want {
		t.Errorf("%d keys in three quarters", got)
	}
	if d.taken > 3 {
		t.Errorf("the lease was taken %d times: one replica does the work, and nobody asks when nothing is due", d.taken)
	}
}

func TestAKeyThatAnotherReplicaIsMakingIsNotMadeTwice(t *testing.T) {
	w, d := newWorld(t), &desk{}
	j := &keys.Rotation{Ring: w.ring, Leases: d, Period: quarter}
	w.now = w.now.Add(quarter)
	d.until = w.now.Add(time.Minute)
	if made := once(t, j); len(made) > 0 {
		t.Errorf("made %d keys under another's lease", len(made))
	}
	w.now = w.now.Add(2 * time.Minute) // it died
	if made := once(t, j); len(made) == 0 {
		t.Error("nobody takes over")
	}
	late := &keys.Rotation{Ring: w.ring, Leases: d, Period: quarter}
	if made := once(t, late); len(made) > 0 {
		t.Error("the next one makes them again")
	}
}

// TestWhoGetsTheLeaseLooksAgain: this replica's view is older than the other's work.
func TestWhoGetsTheLeaseLooksAgain(t *testing.T) {
	w, d := newWorld(t), &desk{}
	other := w.replica()
	w.now = w.now.Add(quarter)
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	once(t, &keys.Rotation{Ring: other, Leases: d, Period: quarter})
	before := len(w.shelf.keys)
	if made := once(t, &keys.Rotation{Ring: w.ring, Leases: d, Period: quarter}); len(made) > 0 || len(w.shelf.keys) != before {
		t.Errorf("made %d keys on an old view", len(made))
	}
}

func TestWhenNothingIsRotated(t *testing.T) {
	w, d := newWorld(t), &desk{}
	w.now = w.now.Add(10 * quarter)
	if made := once(t, &keys.Rotation{Ring: w.ring, Leases: d}); len(made) > 0 || d.taken > 0 {
		t.Error("the operator said never")
	}
	w.shelf.broken = errors.New("down")
	if _, err := (&keys.Rotation{Ring: w.ring, Leases: d, Period: quarter}).Once(t.Context()); err == nil {
		t.Error("nobody heard that the store is down")
	}
	w.shelf.broken = nil
	if made := once(t, &keys.Rotation{Ring: w.ring, Leases: d, Period: quarter}); len(made) == 0 {
		t.Error("the lease was kept by who failed")
	}
}
