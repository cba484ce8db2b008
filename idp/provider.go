package idp

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp/clients/fetch"
	"tegata/idp/keys"
	"tegata/idp/latest"
	"tegata/idp/session"
	"tegata/storage"
)

// Lifetimes that we publish (reference/peers.md 1.10).
const (
	CodeLife   = 60 * time.Second
	AccessLife = 5 * time.Minute
	IDLife     = 5 * time.Minute
)

// judge decides whether what an agent brought proves a login, and knows what that is worth at most.
type judge interface {
	ACR() string
	Judge(ctx context.Context, l storage.Login, r agent.ResultRequest) (authn.Evidence, error)
}

// Config is what a Provider is made of.
type Config struct {
	Issuer      string // https://… without a trailing slash
	Store       storage.Store
	Keys        *keys.Ring
	ClientKeys  *fetch.Keys // what relying parties sign with and want answers encrypted to; nil: strict, with a cache of its own
	Judge       judge
	Renewals    renewals                 // whom to ask about a renewed card; nil: nobody, and nothing is offered
	Memories    sources                  // says what of the remembered may still be used; nil: nothing is remembered
	Latest      latest.Key               // marks what a client knows; nil: there is nobody to ask for changes, and nothing is offered
	Sources     []string                 // attribute sources that agents may use, best first
	MinAgent    string                   // oldest agent version that may claim
	Disabled    func(method string) bool // the operator's emergency switches; nil switches nothing off
	Unchanged   func(time.Time) bool     // says for certain that no client record changed since; nil: then one is believed for a second
	SubjectKey  []byte                   // secret of pairwise subjects; it must never change
	SessionRule session.Rule
	Cheapest    bool            // facts come from the source of least effort, wherever all are good enough
	AgeRules    claims.AgeRules // predicates that the operator counts by the day (R20); nil counts all by the instant
	Now         func() time.Time
	Rand        io.Reader
	Log         *slog.Logger
	Wake        func() // hears that a message has been put into the outbox; nil for nobody
}

// Provider moves logins. Make it with New; it is safe for concurrent use.
type Provider struct {
	Config
	clients *clientCache
	logins  *loginCache
	origins *originCache
	sidKey  []byte
}

// New checks the configuration and makes a Provider.
func New(c Config) (*Provider, error) {
	if len(c.SubjectKey) < 32 {
		return nil, errors.New("idp: the subject key must have at least 32 bytes")
	}
	if err := c.AgeRules.Check(); err != nil {
		return nil, fmt.Errorf("idp: age rules: %w", err)
	}
	pairwise, err := hkdf.Key(sha256.New, c.SubjectKey, nil, "tegata pairwise subject", 32)
	if err != nil {
		return nil, fmt.Errorf("idp: subject key: %w", err)
	}
	sids, err := hkdf.Key(sha256.New, c.SubjectKey, nil, "tegata session id", 32)
	if err != nil {
		return nil, fmt.Errorf("idp: subject key: %w", err)
	}
	c.SubjectKey = pairwise
	if c.ClientKeys == nil {
		c.ClientKeys = &fetch.Keys{Now: c.Now}
	}
	if c.Wake == nil {
		c.Wake = func() {}
	}
	return &Provider{
		sidKey:  sids,
		Config:  c,
		clients: &clientCache{store: c.Store, now: c.Now, unchanged: c.Unchanged, entries: map[string]cachedClient{}},
		logins:  &loginCache{now: c.Now, entries: map[string]cachedLogin{}},
		origins: &originCache{store: c.Store, now: c.Now},
	}, nil
}

// Client finds a relying party that may act: enabled and approved.
func (p *Provider) Client(ctx context.Context, id string) (storage.Client, error) {
	c, err := p.Registered(ctx, id)
	if err == nil && c.Registration.Pending {
		return storage.Client{}, fail.ClientInactive
	}
	return c, err
}

// Registered finds an enabled relying party, even one that waits for approval: whoever asks must not let that one act.
func (p *Provider) Registered(ctx context.Context, id string) (storage.Client, error) {
	c, err := p.clients.get(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Client{}, fail.ClientUnknown
	case err != nil:
		return storage.Client{}, fail.Unavailable.Because(err)
	case c.Disabled:
		return storage.Client{}, fail.ClientUnknown.Because(errors.New("client is disabled"))
	}
	return c, nil
}

// subject is the pairwise identifier of an account in one sector (OIDC Core 8.1). It is computed once and then kept
// in the store, so that it survives a change of this rule; the account id behind it is random (R3).
func (p *Provider) subject(sector, account string) string {
	return keyed(p.SubjectKey, sector, account)
}

// keyed is a name that only holders of the key can link with what it stands for.
func keyed(key []byte, whose, what string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(whose + "\x00" + what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// items are what the request asks about the person.
func items(r storage.AuthRequest) []claims.Item { return claims.Asked(r.Scopes, r.Items) }
