// Package rp is a complete relying party for an OpenID Connect provider, small enough to be read in
// one sitting: an online shop that asks a provider for an age, an address or just a login.
// It owns the RP's side of the code flow: state, nonce, PKCE, the checks of the answer, logout.
// It knows its provider only through the standards, and deliberately imports nothing of Tegata:
// whatever stands here works in your own code, against any provider that keeps the same RFCs.
//
// Read login.go first (the flow and every check), then logout.go (both ways out, and hearing of the provider's), then shelf.go
// (what is remembered meanwhile);
// result.go and pages.go only show what came.
package rp

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Config is everything that a relying party has to know. The provider's endpoints and keys are not in
// it: they come from discovery, so that the provider may move and rotate them.
type Config struct {
	Issuer       string // exactly as in the provider's discovery document; a trailing slash matters
	ClientID     string // as registered
	ClientSecret string // sent as client_secret_basic; empty for a public client
	BaseURL      string // origin of this shop, e.g. https://shop.example. Register BaseURL/callback, BaseURL/ and BaseURL/backchannel-logout

	HTTP *http.Client     // reaches the provider; nil: a client that gives up after ten seconds
	Now  func() time.Time // clock for tokens and sessions; nil: time.Now
	Log  *slog.Logger     // nil: slog.Default. No token and no claim is ever logged
}

const (
	attemptLife  = 10 * time.Minute // between leaving for the provider and coming back
	customerLife = 30 * time.Minute // between coming back and having to log in again
	callbackPath = "/callback"
)

// shop is the handler: a configuration, three shelves and the provider once it has been found.
type shop struct {
	cfg       Config
	origin    *url.URL
	pages     pages
	attempts  *shelf[attempt]
	customers *shelf[customer]
	goodbyes  *shelf[struct{}] // states of logouts that are under way
	dismissed *shelf[struct{}] // customers whom the provider has logged out, and who have not been told yet
	heard     *shelf[struct{}] // jti of the logout tokens that were believed

	discover func() (*oidc.Provider, error)
	mu       sync.Mutex
	found    *oidc.Provider
}

// New returns the shop. It does not call the provider, which may start later than the shop; ctx ends
// the discovery that the first login starts. The error lists everything wrong with cfg at once.
func New(ctx context.Context, cfg Config) (http.Handler, error) {
	cfg = cfg.withDefaults()
	origin, err := cfg.check()
	if err != nil {
		return nil, err
	}
	views, err := loadPages()
	if err != nil {
		return nil, err
	}
	s := &shop{
		cfg: cfg, origin: origin, pages: views,
		attempts:  newShelf[attempt](cfg.Now, attemptLife),
		customers: newShelf[customer](cfg.Now, customerLife),
		goodbyes:  newShelf[struct{}](cfg.Now, attemptLife),
		dismissed: newShelf[struct{}](cfg.Now, customerLife),
		heard:     newShelf[struct{}](cfg.Now, tokenMemory),
		discover: func() (*oidc.Provider, error) {
			return oidc.NewProvider(oidc.ClientContext(ctx, cfg.HTTP), cfg.Issuer)
		},
	}
	return s.routes(), nil
}

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /login", s.login)
	mux.HandleFunc("GET "+callbackPath, s.callback)
	mux.HandleFunc("GET /result", s.result)
	mux.HandleFunc("POST /logout", s.logout)
	mux.HandleFunc("POST "+toldPath, s.told)
	mux.Handle("GET /style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.Handle("GET /favicon.svg", asset("favicon.svg", "image/svg+xml"))
	mux.HandleFunc("/", s.nowhere)
	// Another site must not be able to log our customer out by a hidden form.
	return s.guarded(http.NewCrossOriginProtection().Handler(mux))
}

// provider returns the discovered provider. A failure is not remembered: the next visitor tries again.
func (s *shop) provider() (*oidc.Provider, error) {
	s.mu.Lock()
	found := s.found
	s.mu.Unlock()
	if found != nil {
		return found, nil
	}
	found, err := s.discover() // outside the lock: one slow provider must not queue up all visitors
	if err != nil {
		return nil, refuse("provider_unreachable", http.StatusServiceUnavailable, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = found
	return found, nil
}

func (c Config) withDefaults() Config {
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	return c
}

func (c Config) check() (*url.URL, error) {
	var problems []error
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" {
		problems = append(problems, errors.New("issuer is not an absolute URL"))
	}
	if c.ClientID == "" {
		problems = append(problems, errors.New("client id is missing"))
	}
	origin, err := url.Parse(c.BaseURL)
	if err != nil || origin.Host == "" || origin.Path != "" || origin.RawQuery != "" {
		problems = append(problems, errors.New("public URL is not an origin like https://shop.example"))
	}
	return origin, errors.Join(problems...)
}

// random returns 256 bits that nobody can guess, fit for URLs and cookies.
func random() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
