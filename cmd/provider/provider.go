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
	"tegata/claims"
	"tegata/idp"
	"tegata/idp/clients/fetch"
	"tegata/idp/developer"
	"tegata/idp/dpop"
	"tegata/idp/keys"
	"tegata/idp/latest"
	"tegata/idp/op"
	"tegata/idp/outbox"
	"tegata/idp/session"
	"tegata/idp/status"
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
	SubjectKey      []byte      // at least 32 bytes; pairwise subjects and certificate indexes come from it, so it never changes
	Trust           *jpki.Trust // what the configuration names; the database's anchors are added
	TestAnchors     bool        // the database may hold anchors of a test hierarchy
	Revocation      revocation.Checker
	Lists           *revocation.CRL       // fetched in the background where Revocation uses them; believed when our anchors signed
	Hardware        keys.Hardware         // where signing keys are made and stay; nil: sealed in the database
	RotateKeys      time.Duration         // how long a signing key signs before the next one does; 0: until an operator rotates
	KeyClock        func() time.Time      // what signing keys are changed by; nil: the database's clock, which all replicas share
	Ledger          *revocation.Ledger    // counts what Revocation asks; Store is filled in
	Relations       *revocation.Relations // how certificates belong together; nil: nobody is asked, and evidence says so
	Latest          *revocation.Latest    // whom to ask for changes of attributes; nil: nobody, and nothing is offered
	LatestPeriod    time.Duration         // how often the authority's news of changes are read; 0 never
	StatusPeriod    time.Duration         // nobody who stays signed in is left unasked about for longer; 0 asks about nobody
	CardInfoIssuers []*rsa.PublicKey
	TakeUnverified  bool            // card-info data without a key for it, see authn.Judge
	Cheapest        bool            // four digits before the password of the signature certificate, where both are good enough
	AgeRules        claims.AgeRules // ages that are counted by the day for all clients (R20)
	LaunchTemplate  string
	TrustedProxies  []netip.Prefix
	Edge            op.Options
	DPoPNonces      bool // DPoP proofs must repeat a nonce of ours (RFC 9449 section 8)
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

	trust    *trust
	switches *switches
	audit    *audit
	office   *outbox.Office
	ledger   *revocation.Ledger
	lists    *revocation.CRL
	status   *status.Job
	latest   *latest.Job // nil: nobody can be asked
	rotation *keys.Rotation
	log      *slog.Logger
	now      func() time.Time
}

// Open connects to the database, which must be migrated, loads the keys and builds the site.
func Open(ctx context.Context, o Options) (*Provider, error) {
	index, err := hkdf.Key(sha256.New, o.SubjectKey, nil, "tegata certificate index", 32)
	if err != nil {
		return nil, fmt.Errorf("subject key: %w", err)
	}
	if o.DPoPNonces {
		key, err := hkdf.Key(sha256.New, o.SubjectKey, nil, "tegata dpop nonce", 32)
		if err != nil {
			return nil, fmt.Errorf("subject key: %w", err)
		}
		o.Edge.Nonces = &dpop.Nonces{Key: key, Now: o.Now}
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
	p := &Provider{
		Store: store, trust: &trust{configured: o.Trust, allowTest: o.TestAnchors, store: store}, switches: &switches{store: store, now: o.Now},
		audit: &audit{store: store}, office: outbox.New(), ledger: o.Ledger, lists: o.Lists, log: o.Log, now: o.Now,
	}
	if p.ledger != nil {
		p.ledger.Store = store
	}
	if p.lists != nil {
		p.lists.Issuers = p.trust.issuers
	}
	ring := &keys.Ring{Store: keyShelf{store, o.KeyClock}, Now: o.Now, Rand: o.Rand, Hardware: o.Hardware}
	p.rotation = &keys.Rotation{Ring: ring, Leases: store, Period: o.RotateKeys}
	for _, load := range []func(context.Context) error{p.trust.load, p.switches.load, ring.Ensure} {
		if err := load(ctx); err != nil {
			return nil, err
		}
	}
	judge := &authn.Judge{
		Issuer: o.Issuer, Trust: p.trust, Revocation: o.Revocation, CardInfoIssuers: o.CardInfoIssuers, TakeUnverified: o.TakeUnverified, IndexKey: index, Now: o.Now}
	config := idp.Config{
		Issuer: o.Issuer, Store: store, Keys: ring, ClientKeys: &fetch.Keys{Outside: o.Edge.Outside, Now: o.Now}, Judge: judge, Sources: judge.Sources(),
		Memories: &authn.Sources{Revocation: o.Revocation, Issuer: p.trust.issuedFor, Now: o.Now},
		Cheapest: o.Cheapest, AgeRules: o.AgeRules, MinAgent: MinAgent, Disabled: p.switches.disabled, Unchanged: p.switches.unchanged,
		SubjectKey: o.SubjectKey, SessionRule: session.Default, Now: o.Now, Rand: o.Rand, Log: o.Log, Wake: p.office.Wake}
	if o.Relations != nil {
		judge.Correspondence = o.Relations
		config.Renewals = &authn.Renewals{Relations: o.Relations, Revocation: o.Revocation, Issuer: p.trust.issued, IndexKey: index, Now: o.Now}
	} else {
		o.Log.Warn("nobody is asked whether a signature certificate and an authentication certificate are of one person")
	}
	if o.TakeUnverified {
		o.Log.Warn("card-info data whose signature nobody can check is taken, for relying parties that have said so")
	}
	if o.Latest != nil {
		key, err := latest.KeyFrom(o.SubjectKey)
		if err != nil {
			return nil, err
		}
		config.Latest = key
	}
	var err error
	p.IDP, err = idp.New(config)
	if err != nil {
		return nil, err
	}
	p.status = &status.Job{
		Store: store, End: p.IDP.EndSessions, Revocation: o.Revocation, Issuer: p.trust.issued, Period: o.StatusPeriod, Idle: session.Default.Idle,
		Now: o.Now, Log: o.Log}
	if o.Latest != nil {
		p.latest = &latest.Job{
			Store: store, Authority: o.Latest, Client: p.IDP.Client, Issuer: p.trust.signed, Key: config.Latest, Period: o.LatestPeriod,
			Now: o.Now, Rand: o.Rand, Log: o.Log, Wake: p.office.Wake}
	}
	developers, err := developer.KeyFrom(o.SubjectKey)
	if err != nil {
		return nil, err
	}
	p.office.Store, p.office.Outside, p.office.Now, p.office.Log = store, o.Edge.Outside, o.Now, o.Log
	p.office.Writers = map[string]outbox.Writer{idp.KindLogout: p.IDP.LogoutLetter, latest.Kind: p.IDP.LatestLetter}
	p.Handler, err = web.New(web.Config{
		IDP: p.IDP, Edge: o.Edge, LaunchTemplate: o.LaunchTemplate,
		AsksHolder: o.Relations != nil, TrustedProxies: o.TrustedProxies,
		Ready: store.Ping, Audit: p.audit.note, Developers: developers, Now: o.Now, Rand: o.Rand, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// AskStatus asks once about the cards of people who stay signed in, as Run does all the time.
func (p *Provider) AskStatus(ctx context.Context) error { return p.status.Once(ctx) }

// AskLatest reads the authority's news of changed attributes if that is due, as Run does all the time.
func (p *Provider) AskLatest(ctx context.Context) error {
	if p.latest == nil {
		return nil
	}
	return p.latest.Once(ctx)
}

// RotateKeys publishes the successors of signing keys that have signed for long enough, as Run does all the time.
func (p *Provider) RotateKeys(ctx context.Context) error {
	made, err := p.rotation.Once(ctx)
	for _, k := range made {
		p.log.Info("a signing key is published that takes over later", "kid", k.ID, "alg", k.Alg, "signs_from", k.ActivateAt.UTC())
	}
	return err
}

// keyShelf is the store with the clock that signing keys follow.
type keyShelf struct {
	*gormstore.Store
	clock func() time.Time
}

// Clock is the time that all replicas share.
func (s keyShelf) Clock(ctx context.Context) (time.Time, error) {
	if s.clock != nil {
		return s.clock(), nil
	}
	return s.Store.Clock(ctx)
}

// Deliver sends what is due in the outbox, a batch at most, and returns how much it was. Run does so by itself.
func (p *Provider) Deliver(ctx context.Context) (int, error) { return p.office.Round(ctx) }

// Close lets the database go.
func (p *Provider) Close() error { return p.Store.Close() }
