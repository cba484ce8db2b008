// Package provider assembles the server from its rooms, once for cmd/tegata and cmd/sandbox.
// It knows what a running provider is made of and how it starts and stops. It refuses to know flags and stand-ins.
package provider

import (
	"context"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"tegata/authn"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/idp"
	"tegata/idp/keys"
	"tegata/idp/session"
	"tegata/storage/gormstore"
	"tegata/storage/seal"
	"tegata/web"
)

// MinAgent is the oldest agent version that we talk to.
const MinAgent = "1.0"

// Options is everything that differs between one provider and another.
type Options struct {
	Issuer          string
	DatabaseURL     string
	MaxConns        int
	Seal            seal.Sealer
	SubjectKey      []byte // at least 32 bytes; pairwise subjects and certificate indexes come from it, so it never changes
	Trust           *jpki.Trust
	Revocation      revocation.Checker
	CardInfoIssuers []*rsa.PublicKey
	LaunchTemplate  string
	TrustedProxies  []netip.Prefix
	Now             func() time.Time
	Rand            io.Reader
	Log             *slog.Logger
	OnStatement     func()
}

// Provider is a server ready to be put behind a listener.
type Provider struct {
	Store   *gormstore.Store
	IDP     *idp.Provider
	Handler http.Handler
	log     *slog.Logger
	now     func() time.Time
}

// Open connects to the database, which must be migrated, loads the keys and builds the site.
func Open(ctx context.Context, o Options) (*Provider, error) {
	index, err := hkdf.Key(sha256.New, o.SubjectKey, nil, "tegata certificate index", 32)
	if err != nil {
		return nil, fmt.Errorf("subject key: %w", err)
	}
	store, err := gormstore.Open(ctx, gormstore.Config{
		URL: o.DatabaseURL, Seal: o.Seal, Log: o.Log, MaxConns: o.MaxConns, OnStatement: o.OnStatement})
	if err != nil {
		return nil, err
	}
	p, err := build(ctx, o, store, index)
	if err != nil {
		_ = store.Close() // the first error is the one to tell
		return nil, err
	}
	return p, nil
}

func build(ctx context.Context, o Options, store *gormstore.Store, index []byte) (*Provider, error) {
	ring := &keys.Ring{Store: store, Now: o.Now, Rand: o.Rand}
	if err := ring.Ensure(ctx); err != nil {
		return nil, err
	}
	judge := &authn.Judge{
		Issuer: o.Issuer, Trust: o.Trust, Revocation: o.Revocation, CardInfoIssuers: o.CardInfoIssuers, IndexKey: index, Now: o.Now}
	p, err := idp.New(idp.Config{
		Issuer: o.Issuer, Store: store, Keys: ring, Judge: judge, Sources: judge.Sources(), MinAgent: MinAgent,
		SubjectKey: o.SubjectKey, SessionRule: session.Default, Now: o.Now, Rand: o.Rand, Log: o.Log})
	if err != nil {
		return nil, err
	}
	site, err := web.New(web.Config{
		IDP: p, LaunchTemplate: o.LaunchTemplate, ReadsCardInfo: len(o.CardInfoIssuers) > 0, TrustedProxies: o.TrustedProxies,
		Ready: store.Ping, Now: o.Now, Rand: o.Rand, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return &Provider{Store: store, IDP: p, Handler: site, log: o.Log, now: o.Now}, nil
}

// sweepEvery is how often what is past its time is removed.
const sweepEvery = 5 * time.Minute

// Run does the background work until ctx ends: fresh keys, and the reaper.
func (p *Provider) Run(ctx context.Context) {
	go p.IDP.Keys.Run(ctx, func(err error) { p.log.Error("signing keys could not be read again", "cause", err.Error()) })
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if _, err := p.Store.Sweep(ctx, p.now()); err != nil && ctx.Err() == nil {
				p.log.Error("sweep failed", "cause", err.Error())
			}
		}
	}
}

// Close lets the database go.
func (p *Provider) Close() error { return p.Store.Close() }
