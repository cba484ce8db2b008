package fetch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/storage"
)

// How long keys of a jwks_uri are used.
const (
	// MaxAge is when keys are fetched again.
	MaxAge = 10 * time.Minute
	// MinAge is the least time between two fetches for a client: a token with an invented kid costs its sender's victim
	// no more than that.
	MinAge = time.Minute
	// Stale is how long the last keys are good while the client's server does not answer.
	Stale = time.Hour
)

// ErrNoKeys: the client has no keys that could be read.
var ErrNoKeys = errors.New("fetch: no keys")

// Keys finds clients' public keys, inline or at their jwks_uri. Make it with its fields; it is safe for concurrent use.
type Keys struct {
	Outside Outside
	Now     func() time.Time
	mu      sync.Mutex
	sets    map[string]*keySet // by client: bounded by the number of registered clients
}

type keySet struct {
	mu      sync.Mutex // held while fetching: one fetch per client at a time
	source  string     // what the keys come from: changes with the registration
	keys    []jose.JSONWebKey
	fetched time.Time // last success
	tried   time.Time
}

// Of gives the public keys of a client. With kid not among the keys at hand, a jwks_uri is asked again, at most once per
// MinAge. ErrNoKeys.
func (k *Keys) Of(ctx context.Context, c storage.Client, kid string) ([]jose.JSONWebKey, error) {
	set := k.set(c.ID)
	set.mu.Lock()
	defer set.mu.Unlock()
	if source := c.Keys.JWKS + c.Keys.JWKSURI; set.source != source {
		set.source, set.keys, set.fetched, set.tried = source, nil, time.Time{}, time.Time{}
	}
	now := k.Now()
	switch {
	case c.Keys.JWKSURI == "":
		if set.fetched.IsZero() {
			set.keep([]byte(c.Keys.JWKS), now)
		}
	case set.due(now, kid):
		set.tried = now
		if raw, err := k.Outside.Get(ctx, c.Keys.JWKSURI); err == nil {
			set.keep(raw, now)
		}
	}
	if len(set.keys) == 0 || c.Keys.JWKSURI != "" && now.Sub(set.fetched) > Stale {
		return nil, ErrNoKeys
	}
	return set.keys, nil
}

func (k *Keys) set(client string) *keySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sets == nil {
		k.sets = map[string]*keySet{}
	}
	set, ok := k.sets[client]
	if !ok {
		set = &keySet{}
		k.sets[client] = set
	}
	return set
}

// keep replaces the keys. A document that is no key set changes nothing: the client's engineers are at work.
func (s *keySet) keep(raw []byte, now time.Time) {
	if keys, _, err := clients.ParseKeys(raw); err == nil {
		s.keys, s.fetched = keys, now
	}
}

func (s *keySet) due(now time.Time, kid string) bool {
	if !s.tried.IsZero() && now.Sub(s.tried) < MinAge && now.Sub(s.tried) >= 0 {
		return false
	}
	return now.Sub(s.fetched) >= MaxAge || kid != "" && !s.has(kid)
}

func (s *keySet) has(kid string) bool {
	for _, key := range s.keys {
		if key.KeyID == kid {
			return true
		}
	}
	return false
}
