// Package keys owns the provider's signing keys: making them, when each one signs, what is published.
// It knows algorithms and times. It does not know tokens' contents, clients or HTTP.
package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/storage"
)

// Algorithms that the ring can sign with: ES256 by default, RS256 for relying parties that ask for it
// (OIDC Core 15.1 wants it to be available).
var Algorithms = []string{string(jose.ES256), string(jose.RS256)}

// Windows of a key's life.
const (
	// PublishAhead is how long a new key is in the JWKS before it signs: longer than MaxAge plus Refresh,
	// so that no relying party meets a token whose key its cache does not hold.
	PublishAhead = 2 * time.Hour
	// MaxAge is the cache lifetime that the JWKS answer announces.
	MaxAge = time.Hour
	// Refresh is how often a replica reads the ring again.
	Refresh = 30 * time.Second
	// Linger is how long a retired key stays published: the longest token lifetime and clock skew.
	Linger = time.Hour
)

// ErrNoKey means that no key of the wanted algorithm may sign now.
var ErrNoKey = errors.New("keys: no active key")

type store interface {
	SigningKeys(ctx context.Context) ([]storage.SigningKey, error)
	PutSigningKey(ctx context.Context, k storage.SigningKey) error
}

// Ring is one replica's view of the signing keys. Load it before use; it is safe for concurrent use.
type Ring struct {
	Store store
	Now   func() time.Time
	Rand  io.Reader
	view  atomic.Pointer[[]entry]
}

type entry struct {
	storage.SigningKey
	signer crypto.Signer
	jose   jose.Signer
}

// Load reads the ring from the store.
func (r *Ring) Load(ctx context.Context) error {
	stored, err := r.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("keys: read: %w", err)
	}
	entries := make([]entry, 0, len(stored))
	for _, k := range stored {
		e, err := open(k)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	r.view.Store(&entries)
	return nil
}

// Ensure loads the ring and makes the missing first key of every algorithm.
func (r *Ring) Ensure(ctx context.Context) error {
	if err := r.Load(ctx); err != nil {
		return err
	}
	missing := false
	for _, alg := range Algorithms {
		if _, err := r.active(alg); err == nil {
			continue
		}
		missing = true
		k, err := r.generate(alg, r.Now())
		if err != nil {
			return err
		}
		if err := r.Store.PutSigningKey(ctx, k); err != nil {
			return fmt.Errorf("keys: write: %w", err)
		}
	}
	if !missing {
		return nil
	}
	return r.Load(ctx)
}

// Rotate adds a key that starts to sign after PublishAhead and ends the present one at that moment.
func (r *Ring) Rotate(ctx context.Context, alg string) (storage.SigningKey, error) {
	if err := r.Load(ctx); err != nil {
		return storage.SigningKey{}, err
	}
	now := r.Now()
	next, err := r.generate(alg, now.Add(PublishAhead))
	if err != nil {
		return storage.SigningKey{}, err
	}
	if err := r.Store.PutSigningKey(ctx, next); err != nil {
		return storage.SigningKey{}, fmt.Errorf("keys: write: %w", err)
	}
	for _, e := range *r.view.Load() {
		if e.Alg != alg || !e.RetireAt.IsZero() {
			continue
		}
		old := e.SigningKey
		old.RetireAt = next.ActivateAt
		if err := r.Store.PutSigningKey(ctx, old); err != nil {
			return storage.SigningKey{}, fmt.Errorf("keys: write: %w", err)
		}
	}
	return next, r.Load(ctx)
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

// Run keeps the view fresh until ctx ends; report hears about failures, the old view stays in use.
func (r *Ring) Run(ctx context.Context, report func(error)) {
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
		return *v
	}
	return nil
}

// active picks the newest key that may sign now.
func (r *Ring) active(alg string) (entry, error) {
	now := r.Now()
	var best entry
	for _, e := range r.entries() {
		started := !e.ActivateAt.After(now)
		ended := !e.RetireAt.IsZero() && !e.RetireAt.After(now)
		if e.Alg == alg && started && !ended && (best.ID == "" || e.ActivateAt.After(best.ActivateAt)) {
			best = e
		}
	}
	if best.ID == "" {
		return entry{}, fmt.Errorf("%w: %s", ErrNoKey, alg)
	}
	return best, nil
}

func (r *Ring) generate(alg string, activate time.Time) (storage.SigningKey, error) {
	var signer crypto.Signer
	var err error
	switch jose.SignatureAlgorithm(alg) {
	case jose.ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), r.Rand)
	case jose.RS256:
		signer, err = rsa.GenerateKey(r.Rand, 2048)
	default:
		return storage.SigningKey{}, fmt.Errorf("keys: algorithm %q is not one of %v", alg, Algorithms)
	}
	if err != nil {
		return storage.SigningKey{}, fmt.Errorf("keys: generate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return storage.SigningKey{}, fmt.Errorf("keys: encode: %w", err)
	}
	id, err := thumbprint(signer.Public())
	if err != nil {
		return storage.SigningKey{}, err
	}
	return storage.SigningKey{ID: id, Alg: alg, Private: der, CreatedAt: r.Now(), ActivateAt: activate}, nil
}

func open(k storage.SigningKey) (entry, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return entry{}, fmt.Errorf("keys: key %s cannot be read: wrong seal key?", k.ID)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return entry{}, fmt.Errorf("keys: key %s cannot sign", k.ID)
	}
	js, err := newSigner(k, signer, "JWT")
	return entry{SigningKey: k, signer: signer, jose: js}, err
}

func newSigner(k storage.SigningKey, signer crypto.Signer, typ string) (jose.Signer, error) {
	js, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: jose.JSONWebKey{Key: signer, KeyID: k.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, fmt.Errorf("keys: key %s: %w", k.ID, err)
	}
	return js, nil
}

// thumbprint names a key by its RFC 7638 thumbprint.
func thumbprint(pub crypto.PublicKey) (string, error) {
	jwk := jose.JSONWebKey{Key: pub}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("keys: thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
