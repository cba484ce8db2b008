package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/claims/mynumber"
	"tegata/cmd/demorp/rp"
	"tegata/cmd/provider"
	"tegata/cmd/sandbox/cards"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/developer"
	"tegata/idp/limit"
	"tegata/idp/op"
	"tegata/storage/gormstore"
	"tegata/testdata/personas"
	"tegata/web/ui"
)

type runCommand struct {
	Listen          string `default:"127.0.0.1:9000" placeholder:"ADDR" help:"Provider."`
	RP              string `name:"rp" default:"127.0.0.1:9001" placeholder:"ADDR" help:"Demo relying party."`
	Cards           string `default:"127.0.0.1:9002" placeholder:"ADDR" help:"Card reader."`
	JPKI            string `name:"jpki" default:"127.0.0.1:9003" placeholder:"ADDR" help:"J-LIS stand-in."`
	Data            string `type:"path" placeholder:"DIR" help:"Keep everything here; a fresh temporary directory if left out."`
	DB              string `name:"db" placeholder:"URL" help:"Postgres instead of SQLite."`
	Clients         string `type:"path" placeholder:"FILE" help:"JSON array of client metadata (RFC 7591) to register."`
	Personas        string `type:"path" placeholder:"DIR" help:"More personas."`
	Now             string `placeholder:"RFC3339" help:"The whole sandbox's clock starts here, once it is ready, and runs on."`
	Launch          string `placeholder:"TEMPLATE" help:"Launch link of the login page, such as tegata:{ticket} for an installed agent; the card reader above if left out."`
	Limits          bool   `help:"Limit rates as a server does; otherwise nothing is limited here."`
	FourDigitsFirst bool   `help:"Read the four attributes with four digits before asking for the password of the signature certificate, where both are good enough."`
	TakeUnverified  bool   `name:"accept-unverified-card-info" help:"Know no key that certifies card-info data, and take such data all the same, as facts that nobody has verified."`
	DPoPNonces      bool   `name:"dpop-nonces" help:"DPoP proofs must repeat a nonce of the provider, as a strict server wants it."`
	Approval        bool   `help:"Clients that register themselves wait for approval, as at a server; otherwise they need none."`
	JSON            bool   `name:"json" help:"Print one line of JSON when everything is ready."`
	Verbose         bool   `short:"v" help:"Log every request."`
}

// site is one of the four servers.
type site struct {
	addr     string
	listener net.Listener
	handler  http.Handler
}

// url is the address to click: the host as it was asked for, the port as it was opened.
func (s site) url() string {
	host, _, err := net.SplitHostPort(s.addr)
	_, port, err2 := net.SplitHostPort(s.listener.Addr().String())
	if err != nil || err2 != nil {
		return "http://" + s.listener.Addr().String()
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// world is the running sandbox.
type world struct {
	provider, rp, cards, jpki *site
	clients                   []clients.Metadata
	invitation                authn.Secret // an initial access token
	developers                developer.Key
	inner                     *provider.Provider
	log                       *slog.Logger
	now                       func() time.Time
}

// Run starts everything, says so, and waits for the end.
func (c *runCommand) Run(ctx context.Context, t terminal) error {
	clock, err := clockFrom(c.Now)
	if err != nil {
		return usageError{err}
	}
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelInfo
	}
	log := slog.New(mynumber.Handler(slog.NewTextHandler(t.Err, &slog.HandlerOptions{Level: level})))
	slog.SetDefault(log) // zitadel/oidc logs there
	dir, done, err := dataDir(c.Data)
	if err != nil {
		return usageError{err}
	}
	defer done()
	w := &world{log: log, now: clock.now}
	if err := w.listen(c); err != nil {
		return usageError{err}
	}
	defer w.close()
	if err := w.build(ctx, c, dir, t.Err); err != nil {
		return err
	}
	clock.run()
	if err := w.announce(t.Out, c.JSON); err != nil {
		return err
	}
	return w.serve(ctx)
}

func dataDir(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	tmp, err := os.MkdirTemp("", "tegata-sandbox-")
	return tmp, func() { _ = os.RemoveAll(tmp) }, err // a leftover in the temporary directory harms nobody
}

func (w *world) listen(c *runCommand) error {
	for _, s := range []struct {
		into **site
		addr string
	}{{&w.provider, c.Listen}, {&w.rp, c.RP}, {&w.cards, c.Cards}, {&w.jpki, c.JPKI}} {
		l, err := provider.Listen(s.addr)
		if err != nil {
			w.close()
			return err
		}
		*s.into = &site{addr: s.addr, listener: l}
	}
	return nil
}

func (w *world) sites() []*site { return []*site{w.provider, w.rp, w.cards, w.jpki} }

func (w *world) close() {
	for _, s := range w.sites() {
		if s != nil {
			_ = s.listener.Close() // already closed after serving
		}
	}
	if w.inner != nil {
		_ = w.inner.Close() // the process ends
	}
}

// build makes the four handlers.
func (w *world) build(ctx context.Context, c *runCommand, dir string, warn io.Writer) error {
	people, err := loadPersonas(c.Personas, warn)
	if err != nil {
		return usageError{err}
	}
	authority, err := jpkitest.New(jpkitest.Options{Now: w.now, Rand: rand.Reader, BaseURL: w.jpki.url(), Dir: filepath.Join(dir, "jpki"), Personas: people})
	if err != nil {
		return err
	}
	w.jpki.handler = authority.Handler()
	if w.inner, err = w.openProvider(ctx, c, dir, authority); err != nil {
		return err
	}
	w.provider.handler = w.inner.Handler
	if err := w.invite(ctx); err != nil {
		return err
	}
	if err := w.register(ctx, c.Clients, warn); err != nil {
		return err
	}
	pages, err := ui.New()
	if err != nil {
		return err
	}
	w.cards.handler = cards.New(cards.Config{
		Box: cards.NewBox(authority, people), UI: pages, Issuer: w.provider.url(), Host: hostOf(w.cards.url()),
		HTTP: &http.Client{}, Now: w.now, Log: w.log})
	demo := w.clients[0]
	w.rp.handler, err = rp.New(ctx, rp.Config{
		Issuer: w.provider.url(), ClientID: demo.ClientID, ClientSecret: string(demo.ClientSecret), BaseURL: w.rp.url(),
		HTTP: &http.Client{Timeout: 10 * time.Second}, Now: w.now, Log: w.log})
	return err
}

func loadPersonas(dir string, warn io.Writer) ([]cardtest.Persona, error) {
	people, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return people, nil
	}
	more, err := cardtest.LoadPersonas(dir)
	if err != nil {
		return nil, err
	}
	for _, p := range more {
		if len(p.Unknown) > 0 {
			fmt.Fprintf(warn, "sandbox: persona %s: nothing is known about %v\n", p.ID, p.Unknown)
		}
	}
	return append(people, more...), nil
}

func (w *world) openProvider(ctx context.Context, c *runCommand, dir string, authority *jpkitest.Authority) (*provider.Provider, error) {
	secrets, err := loadSecrets(dir)
	if err != nil {
		return nil, usageError{err}
	}
	if w.developers, err = developer.KeyFrom(secrets.subject); err != nil {
		return nil, err
	}
	url := c.DB
	if url == "" {
		url = "sqlite:" + filepath.Join(dir, "tegata.db")
	}
	if err := gormstore.Migrate(ctx, url); err != nil {
		return nil, usageError{fmt.Errorf("database: %w", err)}
	}
	launch := cmp.Or(c.Launch, w.cards.url()+"/launch/{ticket}")
	if _, err := agent.ParseLaunch(launch); err != nil {
		return nil, usageError{fmt.Errorf("--launch: %w", err)}
	}
	ledger := &revocation.Ledger{Prices: revocation.Prices{Authentication: 2, Signature: 20, Relation: 20, Latest: 20}, Now: w.now}
	outbound := provider.Outbound()
	var limits limit.Limits
	if c.Limits {
		limits = limit.Limits{Table: limit.New(w.now), Rules: limit.Default()}
	}
	platform := &revocation.Platform{
		URL: authority.PlatformURL(), Keys: []*ecdsa.PublicKey{authority.PlatformKey()}, HTTP: outbound, Now: w.now, Rand: rand.Reader}
	return provider.Open(ctx, provider.Options{
		Issuer: w.provider.url(), DatabaseURL: url, Seal: secrets.seal, SubjectKey: secrets.subject, Trust: authority.Trust(),
		Revocation: revocation.Metered{Ledger: ledger, Next: &revocation.OCSP{
			URL: authority.ResponderOf, HTTP: outbound, Now: w.now, Rand: rand.Reader}},
		Ledger: ledger, StatusPeriod: statusPeriod,
		Relations: &revocation.Relations{Ledger: ledger, Breaker: &revocation.Breaker{Now: w.now}, Platform: platform},
		Latest:    &revocation.Latest{Ledger: ledger, Breaker: &revocation.Breaker{Now: w.now}, Platform: platform}, LatestPeriod: latestPeriod,
		CardInfoIssuers: c.cardInfoIssuers(authority), TakeUnverified: c.TakeUnverified, Cheapest: c.FourDigitsFirst, LaunchTemplate: launch,
		DPoPNonces: c.DPoPNonces, Edge: op.Options{Outside: fetch.Outside{Loopback: true}, Registration: &op.Registration{Rules: rules, Approve: !c.Approval}, Limits: limits}, Now: w.now, Rand: rand.Reader, Log: w.log})
}

// cardInfoIssuers are the test issuer, whose key no deployment without a contract has.
func (c *runCommand) cardInfoIssuers(authority *jpkitest.Authority) []*rsa.PublicKey {
	if c.TakeUnverified {
		return nil
	}
	return []*rsa.PublicKey{authority.CardInfoIssuer()}
}

// statusPeriod is short, so that a suspension shows while somebody watches.
const statusPeriod = 30 * time.Second

// latestPeriod is short, so that a change reaches its site while somebody watches.
const latestPeriod = 10 * time.Second

// serve runs the four servers until the context ends or one of them breaks.
func (w *world) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background := make(chan struct{})
	go func() {
		defer close(background)
		w.inner.Run(ctx)
	}()
	ended := make(chan error)
	for _, s := range w.sites() {
		go func() { ended <- provider.Serve(ctx, s.listener, s.handler, w.log) }()
	}
	var first error
	for range w.sites() {
		first = errors.Join(first, <-ended)
		cancel()
	}
	<-background // it writes the last fees and incidents
	return first
}
