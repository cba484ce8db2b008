// Package keys owns the provider's signing keys: making them, when each one signs, what is published.
// It knows algorithms and times; the times are those of the store's clock, so that replicas whose own clocks differ agree.
// It does not know tokens' contents, clients or HTTP.
package keys

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/storage"
)

// Algorithms that the ring can sign with: ES256 by default, the others for relying parties that ask for them (OIDC Core
// 15.1 wants RS256 to be available). Each key is for one of them: RS256 and PS256 share none.
var Algorithms = []string{string(jose.ES256), string(jose.RS256), string(jose.PS256), string(jose.EdDSA)}

// quick are those whose keys take no time to make.
var quick = []string{string(jose.ES256), string(jose.EdDSA)}

// Windows of a key's life.
const (
	// PublishAhead is how long a new key is in the JWKS before it signs: longer than MaxAge plus Refresh,
	// so that no relying party meets a token whose key its cache does not hold.
	PublishAhead = 2 * time.Hour
	// MaxAge is the cache lifetime that the JWKS answer announces.
	MaxAge = time.Hour
	// Refresh is how often a replica reads the ring again: a revoked key signs no longer than that.
	Refresh = time.Second
	// Linger is how long a retired key stays published: the longest token lifetime and clock skew.
	Linger = time.Hour
	// slack is more than two replicas' views of the store's clock can differ.
	slack = time.Minute
)

var (
	// ErrNoKey means that no key of the wanted algorithm may sign now.
	ErrNoKey = errors.New("keys: no active key")
	// ErrRaced means that somebody else changed the keys of the algorithm at the same moment; nothing was changed here.
	ErrRaced = errors.New("keys: somebody else has just changed the keys of this algorithm: look at them, then try again")
	// ErrUnknown means that the ring has no such key.
	ErrUnknown = errors.New("keys: no such key")
)

type store interface {
	SigningKeys(ctx context.Context) ([]storage.SigningKey, error)
	ChangeSigningKeys(ctx context.Context, gone []string, put ...storage.SigningKey) error
	Clock(ctx context.Context) (time.Time, error)
}

// Hardware keeps private keys to itself.
type Hardware interface {
	// Make makes a key for alg and gives it a name. ErrUnsupported.
	Make(alg string) (name string, key crypto.Signer, err error)
	// Signer finds a key by its name.
	Signer(name string) (crypto.Signer, error)
}

// ErrUnsupported means that the hardware does not know an algorithm; its keys are then sealed in the store.
var ErrUnsupported = errors.New("keys: the hardware does not know this algorithm")

// Ring is one replica's view of the signing keys. Load it before use; it is safe for concurrent use.
type Ring struct {
	Store store
	Now   func() time.Time // this replica's clock: it carries the store's on from one Load to the next
	Rand  io.Reader

	Hardware Hardware // where new private keys are made and stay; nil: sealed in the store

	view   atomic.Pointer[view]
	making sync.Mutex // held while first keys are made
	made   atomic.Bool
}

// view is the ring as it was read, and when that was.
type view struct {
	entries     []entry
	theirs, our time.Time // one moment, by the store's clock and by this replica's
}

// Load reads the ring and the clock from the store.
func (r *Ring) Load(ctx context.Context) error {
	theirs, err := r.Store.Clock(ctx)
	if err != nil {
		return fmt.Errorf("keys: read the clock: %w", err)
	}
	our := r.Now() // after the answer: what now says is late by the way back, never early
	stored, err := r.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("keys: read: %w", err)
	}
	entries := make([]entry, 0, len(stored))
	for _, k := range stored {
		e, known := r.known(k)
		if !known {
			if e, err = r.open(k); err != nil {
				return err
			}
		}
		e.SigningKey = k
		entries = append(entries, e)
	}
	r.view.Store(&view{entries: entries, theirs: theirs, our: our})
	return nil
}

// now is the store's time. Between two Loads this replica's clock measures what has passed, and only that: being wrong
// does not matter to it, and a step of it is over with the next Load (time.Now does not even step, it has a monotonic part).
func (r *Ring) now() time.Time {
	v := r.view.Load()
	if v == nil {
		return r.Now()
	}
	return v.theirs.Add(r.Now().Sub(v.our))
}

// atOnce is the start of a key that nobody can wait for. Two measurements of one clock differ by what their answers were
// on the way, and no replica may find that the key is still to come.
func (r *Ring) atOnce() time.Time { return r.now().Add(-slack) }

// known finds a key that was opened before; only its times may have changed.
func (r *Ring) known(k storage.SigningKey) (entry, bool) {
	for _, e := range r.entries() {
		if e.ID == k.ID && e.Alg == k.Alg && bytes.Equal(e.Private, k.Private) {
			return e, true
		}
	}
	return entry{}, false
}

// Ensure loads the ring and makes the first keys that are quickly made. The others are made by Run, or before anybody
// sees that they are missing: a server that starts for the first time answers before it has found large primes.
func (r *Ring) Ensure(ctx context.Context) error {
	if err := r.Load(ctx); err != nil {
		return err
	}
	return r.first(ctx, quick)
}

// first makes the missing first keys. When two replicas start at once, the store keeps the key of one.
func (r *Ring) first(ctx context.Context, algs []string) error {
	missing := false
	for _, alg := range algs {
		if _, ok := r.active(alg); ok {
			continue
		}
		missing = true
		k, err := r.generate(alg, r.atOnce())
		if err != nil {
			return err
		}
		if err := r.Store.ChangeSigningKeys(ctx, nil, k); err != nil && !errors.Is(err, storage.ErrExists) {
			return fmt.Errorf("keys: write: %w", err)
		}
	}
	if !missing {
		return nil
	}
	return r.Load(ctx)
}

// makeFor is how long a request may wait for first keys: they are made for all, so its own end does not end that.
const makeFor = 30 * time.Second

// whole makes what Ensure left out. Whoever wants to see all keys waits for it, so that no relying party keeps a set
// for an hour that lacks one.
func (r *Ring) whole(ctx context.Context) error {
	if r.made.Load() {
		return nil
	}
	r.making.Lock()
	defer r.making.Unlock()
	if r.made.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeFor)
	defer cancel()
	if err := r.Load(ctx); err != nil {
		return err
	}
	if err := r.first(ctx, Algorithms); err != nil {
		return err
	}
	r.made.Store(true)
	return nil
}

// List returns the keys as stored, oldest first, without their private parts.
func (r *Ring) List() []storage.SigningKey {
	var out []storage.SigningKey
	for _, e := range r.entries() {
		k := e.SigningKey
		k.Private = nil
		out = append(out, k)
	}
	return out
}

// Run makes what Ensure left out and keeps the view fresh until ctx ends; report hears about failures, the old view
// stays in use.
func (r *Ring) Run(ctx context.Context, report func(error)) {
	if err := r.whole(ctx); err != nil && ctx.Err() == nil {
		report(err)
	}
	t := time.NewTicker(Refresh)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := r.Load(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}

func (r *Ring) entries() []entry {
	if v := r.view.Load(); v != nil {
		return v.entries
	}
	return nil
}

// active picks the newest key that may sign now.
func (r *Ring) active(alg string) (entry, bool) {
	now := r.now()
	var best entry
	for _, e := range r.entries() {
		if e.Alg == alg && stateOf(e.SigningKey, now) == Active && (best.ID == "" || e.ActivateAt.After(best.ActivateAt)) {
			best = e
		}
	}
	return best, best.ID != ""
}

// openEnded is the newest key of alg; the store keeps one per algorithm.
func (r *Ring) openEnded(alg string) (storage.SigningKey, bool) {
	for _, e := range r.entries() {
		if e.Alg == alg && e.RetireAt.IsZero() {
			return e.SigningKey, true
		}
	}
	return storage.SigningKey{}, false
}

func (r *Ring) byID(id string) (storage.SigningKey, bool) {
	for _, e := range r.entries() {
		if e.ID == id {
			return e.SigningKey, true
		}
	}
	return storage.SigningKey{}, false
}
