package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/cmd/provider"
)

// revocationConfig says whom to ask whether a certificate is still good, and what it costs.
type revocationConfig struct {
	Revocation    string         `env:"TEGATA_REVOCATION" default:"ocsp" help:"Whom to ask: ocsp, crl, platform, or none, which asks nobody and caps acr at aal2."`
	OCSPAuthURL   string         `name:"ocsp-auth-url" env:"TEGATA_OCSP_AUTH_URL" help:"OCSP responder for authentication certificates."`
	OCSPSignURL   string         `name:"ocsp-sign-url" env:"TEGATA_OCSP_SIGN_URL" help:"OCSP responder for signature certificates."`
	CRLURLs       []string       `name:"crl-urls" env:"TEGATA_CRL_URLS" help:"Revocation lists of both purposes, all partitions."`
	CRLMaxAge     time.Duration  `name:"crl-max-age" env:"TEGATA_CRL_MAX_AGE" help:"How old a list may be even before its nextUpdate; 0 leaves it to the list."`
	PlatformURL   string         `env:"TEGATA_PLATFORM_URL" help:"Platform operator's API, without /v1. Whatever is asked about revocation, it is then asked whether two certificates are of one person, and about renewed cards."`
	PlatformKeys  []string       `env:"TEGATA_PLATFORM_KEYS" type:"path" help:"PEM files with the operator's P-256 public keys."`
	PlatformToken string         `env:"TEGATA_PLATFORM_TOKEN" help:"Bearer token for the operator." hidden:""`
	Correspond    bool           `name:"require-correspondence" env:"TEGATA_REQUIRE_CORRESPONDENCE" help:"Refuse to start where nobody can be asked whether a signature certificate and an authentication certificate are of one person."`
	StatusPeriod  *time.Duration `env:"TEGATA_STATUS_PERIOD" placeholder:"DURATION" help:"How often a card is asked about while its holder has a session or offline access; 6h if left out, 10m with crl, where asking is free. 0 never asks."`
	Cache         time.Duration  `name:"revocation-cache" env:"TEGATA_REVOCATION_CACHE" help:"How long a good answer may be used again, at most 60s; 0 asks anew for every login."`
	FeeAuthYen    int64          `env:"TEGATA_FEE_AUTH_YEN" default:"2" help:"What one query about an authentication certificate costs, in yen."`
	FeeSignYen    int64          `env:"TEGATA_FEE_SIGN_YEN" default:"20" help:"What one query about a signature certificate costs, in yen."`
	FeeRelateYen  int64          `name:"fee-relation-yen" env:"TEGATA_FEE_RELATION_YEN" default:"20" help:"What one query about correspondence or linking costs, in yen."`
	LatestPeriod  time.Duration  `env:"TEGATA_LATEST_PERIOD" default:"15m" help:"How often the platform operator is asked for news about people who agreed that sites hear of changes; 0 never asks and offers nothing."`
	FeeLatestYen  int64          `name:"fee-latest-yen" env:"TEGATA_FEE_LATEST_YEN" default:"20" help:"What one query for someone's latest attributes costs, in yen."`
	FeeFreeUntil  string         `env:"TEGATA_FEE_FREE_UNTIL" help:"Last day of a free period in Japan, such as 2027-03-31."`
}

// revocationChecked is a revocationConfig that holds.
type revocationChecked struct {
	config    revocationConfig
	platforms []*ecdsa.PublicKey
	prices    revocation.Prices
}

func (c revocationConfig) check(p *problems) revocationChecked {
	out := revocationChecked{config: c, prices: revocation.Prices{Authentication: c.FeeAuthYen, Signature: c.FeeSignYen, Relation: c.FeeRelateYen, Latest: c.FeeLatestYen}}
	switch c.Revocation {
	case "ocsp":
		p.add(!goodURL(c.OCSPAuthURL), "TEGATA_OCSP_AUTH_URL must be an http or https URL: without a revocation check nobody can log in")
		p.add(!goodURL(c.OCSPSignURL), "TEGATA_OCSP_SIGN_URL must be an http or https URL")
	case "crl":
		p.add(len(c.CRLURLs) == 0, "TEGATA_CRL_URLS is missing: name the revocation lists")
		for _, url := range c.CRLURLs {
			p.add(!goodURL(url), "TEGATA_CRL_URLS: "+url+" is not an http or https URL")
		}
	case "platform", "none":
	default:
		p.add(true, "TEGATA_REVOCATION must be ocsp, crl, platform or none")
	}
	p.add(c.Correspond && c.PlatformURL == "", "TEGATA_REQUIRE_CORRESPONDENCE needs TEGATA_PLATFORM_URL: nobody else knows which certificates are of one person")
	if c.Revocation == "platform" || c.PlatformURL != "" {
		p.add(!goodURL(c.PlatformURL) || strings.HasSuffix(c.PlatformURL, "/"), "TEGATA_PLATFORM_URL must be an http or https URL without a slash at its end")
		p.add(len(c.PlatformKeys) == 0, "TEGATA_PLATFORM_KEYS is missing: name the PEM file with the operator's public key")
		out.platforms = readPlatformKeys(c.PlatformKeys, p)
	}
	p.add(c.statusPeriod() < 0 || c.statusPeriod() > 0 && c.statusPeriod() < time.Minute, "TEGATA_STATUS_PERIOD must be 0, or at least 1m")
	p.add(c.Cache < 0 || c.Cache > revocation.MaxKeep, "TEGATA_REVOCATION_CACHE must be between 0s and 60s")
	p.add(c.CRLMaxAge < 0, "TEGATA_CRL_MAX_AGE must not be negative")
	p.add(c.LatestPeriod < 0 || c.LatestPeriod > 0 && c.LatestPeriod < time.Minute, "TEGATA_LATEST_PERIOD must be 0, or at least 1m")
	p.add(min(c.FeeAuthYen, c.FeeSignYen, c.FeeRelateYen, c.FeeLatestYen) < 0, "TEGATA_FEE_AUTH_YEN, TEGATA_FEE_SIGN_YEN, TEGATA_FEE_RELATION_YEN and TEGATA_FEE_LATEST_YEN must not be negative")
	if c.FeeFreeUntil != "" {
		day, err := time.ParseInLocation(time.DateOnly, c.FeeFreeUntil, time.FixedZone("JST", 9*60*60))
		p.add(err != nil, "TEGATA_FEE_FREE_UNTIL must be a day such as 2027-03-31")
		out.prices.FreeUntil = day.AddDate(0, 0, 1)
	}
	return out
}

func readPlatformKeys(paths []string, p *problems) []*ecdsa.PublicKey {
	var out []*ecdsa.PublicKey
	for _, path := range paths {
		for _, der := range readPEM(path, "PUBLIC KEY", "TEGATA_PLATFORM_KEYS", p) {
			parsed, err := x509.ParsePKIXPublicKey(der)
			key, ok := parsed.(*ecdsa.PublicKey)
			if err != nil || !ok || key.Curve != elliptic.P256() {
				p.add(true, "TEGATA_PLATFORM_KEYS: "+path+" is not a P-256 public key")
				continue
			}
			out = append(out, key)
		}
	}
	return out
}

// statusPeriod is how long a suspended card keeps what it opened. Every question has its price, but those to a list.
func (c revocationConfig) statusPeriod() time.Duration {
	switch {
	case c.StatusPeriod != nil:
		return *c.StatusPeriod
	case c.Revocation == "none":
		return 0
	case c.Revocation == "crl":
		return 10 * time.Minute
	}
	return 6 * time.Hour
}

// asked is whom a provider asks about certificates, and what counts it.
type asked struct {
	checker   revocation.Checker
	lists     *revocation.CRL
	relations *revocation.Relations
	latest    *revocation.Latest
	ledger    *revocation.Ledger
}

// parts are what a provider needs to know about revocation. Nothing is metered where nobody is asked.
func (c revocationChecked) parts(log *slog.Logger) asked {
	client := provider.Outbound() // each question and each list has a time of its own
	ledger := &revocation.Ledger{Prices: c.prices, Now: time.Now}
	platform := &revocation.Platform{
		URL: c.config.PlatformURL, Keys: c.platforms, Token: c.config.PlatformToken, HTTP: client, Now: time.Now, Rand: rand.Reader}
	out := asked{ledger: ledger}
	if c.config.PlatformURL != "" {
		out.relations = &revocation.Relations{Platform: platform, Breaker: breaker(nil, log), Ledger: ledger}
		if c.config.LatestPeriod > 0 {
			out.latest = &revocation.Latest{Platform: platform, Breaker: breaker(nil, log), Ledger: ledger}
		}
	}
	switch c.config.Revocation {
	case "none":
		log.Warn("revocation is not checked: logins are worth no more than aal2")
		out.checker = revocation.None{}
	case "crl":
		out.lists = &revocation.CRL{URLs: slices.Clone(c.config.CRLURLs), HTTP: client, Now: time.Now, MaxAge: c.config.CRLMaxAge}
		out.checker = revocation.Metered{Next: out.lists, Ledger: ledger} // nothing to share and nothing to break
	case "platform":
		out.checker = c.around(platform, ledger, log)
	default:
		at := func(url string) revocation.Checker {
			return &revocation.OCSP{URL: func(*x509.Certificate) string { return url }, HTTP: client, Now: time.Now, Rand: rand.Reader}
		}
		out.checker = c.around(revocation.ByPurpose{
			jpki.Authentication.String(): at(c.config.OCSPAuthURL), jpki.Signature.String(): at(c.config.OCSPSignURL)}, ledger, log)
	}
	return out
}

func (c revocationChecked) around(source revocation.Checker, ledger *revocation.Ledger, log *slog.Logger) revocation.Checker {
	return &revocation.Shared{Next: breaker(revocation.Metered{Next: source, Ledger: ledger}, log), Now: time.Now, Keep: c.config.Cache}
}

func breaker(next revocation.Checker, log *slog.Logger) *revocation.Breaker {
	return &revocation.Breaker{Next: next, Now: time.Now, Changed: func(purpose string, open bool) {
		log.Warn("the circuit to the revocation service has changed", "purpose", purpose, "open", open)
	}}
}
