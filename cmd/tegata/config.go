package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"tegata/authn/jpki"
	"tegata/claims"
	"tegata/cmd/provider"
	"tegata/idp/keys"
	"tegata/idp/limit"
	"tegata/idp/op"
	"tegata/storage/seal"
)

// database says where the records are; every command that touches them has it.
type database struct {
	URL        string `name:"database-url" env:"TEGATA_DATABASE_URL" help:"postgres://… or sqlite:PATH."`
	SealKeyset string `name:"seal-keyset" env:"TEGATA_SEAL_KEYSET" help:"Keyset that seals personal columns (JSON, from 'tegata keys init')." hidden:""`
}

// config is the server's configuration. Secrets come from the environment or, with _FILE, from files: a flag would show
// them to every user of the machine.
type config struct {
	database
	Issuer      string   `env:"TEGATA_ISSUER" help:"Our public address, https and without a trailing slash."`
	Listen      string   `env:"TEGATA_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on: for the TLS proxy, or with --tls-cert for everybody."`
	SubjectKey  string   `env:"TEGATA_SUBJECT_KEY" help:"Key of pairwise subjects (from 'tegata keys init'); it must never change." hidden:""`
	AnchorsAuth []string `env:"TEGATA_ANCHORS_AUTH" type:"path" help:"PEM files with the CA certificates of user authentication, besides those of 'tegata trust add'."`
	AnchorsSign []string `env:"TEGATA_ANCHORS_SIGN" type:"path" help:"PEM files with the CA certificates of digital signature, besides those of 'tegata trust add'."`
	TestAnchors bool     `env:"TEGATA_TEST_ANCHORS" help:"The anchors are a test hierarchy: nobody's real card will work."`
	revocationConfig
	tlsConfig
	hardware
	rotationConfig
	CardInfoIssuers []string `env:"TEGATA_CARD_INFO_ISSUERS" type:"path" help:"PEM files with public keys that certify card-info data, where the operator has them."`
	FourDigitsFirst bool     `env:"TEGATA_FOUR_DIGITS_FIRST" help:"Read the four attributes with four digits before asking for the password of the signature certificate, where both are good enough. Needs --card-info-issuers or --accept-unverified-card-info."`
	TakeUnverified  bool     `name:"accept-unverified-card-info" env:"TEGATA_ACCEPT_UNVERIFIED_CARD_INFO" help:"Take card-info data whose signature cannot be checked, as facts that nobody has verified: for relying parties whose policy says \"source\": \"card_info_unverified\", and marked everywhere."`
	ByDay           []string `env:"TEGATA_BY_DAY" placeholder:"AGE" help:"Ages that count as reached on the day before the birthday for all relying parties, as in some laws: age_over_65. Not age_over_20. For one relying party see 'tegata client create'."`
	LaunchTemplate  string   `env:"TEGATA_LAUNCH_TEMPLATE" default:"tegata:{ticket}" help:"Link that wakes the agent."`
	TrustedProxies  []string `env:"TEGATA_TRUSTED_PROXIES" help:"Networks whose X-Forwarded-For is believed (CIDR)."`
	ClientCert      string   `name:"client-cert-header" env:"TEGATA_CLIENT_CERT_HEADER" placeholder:"NAME" help:"Header in which the trusted proxies hand on a client's TLS certificate: Client-Cert of RFC 9440, or a percent-encoded PEM block. The proxy must remove it from what clients send."`
	ClientCAs       []string `name:"client-cas" env:"TEGATA_CLIENT_CAS" type:"path" help:"PEM files with the CA certificates of clients that use tls_client_auth."`
	Registration    bool     `env:"TEGATA_REGISTRATION" help:"Let relying parties register themselves with a token of 'tegata client tokens create'."`
	PolicyURI       string   `name:"policy-uri" env:"TEGATA_POLICY_URI" placeholder:"URL" help:"Your page about what you do with data, for discovery (op_policy_uri)."`
	TermsURI        string   `name:"terms-uri" env:"TEGATA_TERMS_URI" placeholder:"URL" help:"Your terms of service, for discovery (op_tos_uri)."`
	DPoPNonces      bool     `name:"dpop-nonces" env:"TEGATA_DPOP_NONCES" help:"DPoP proofs must repeat a nonce of this server, so that none can be made in advance (RFC 9449 section 8)."`
	LoginLimit      int      `env:"TEGATA_LOGIN_LIMIT" default:"10" help:"Logins that one source address may start in ten minutes without success; 0 for no limit."`
	RequestLimit    int      `env:"TEGATA_REQUEST_LIMIT" default:"300" help:"Requests for a page of ours by one source address in a minute; 0 for no limit."`
	ClientLimit     int      `env:"TEGATA_CLIENT_LIMIT" default:"600" help:"Calls of one relying party, and of one source address at its endpoints, in a second; 0 for no limit."`
	Replicas        int      `env:"TEGATA_REPLICAS" default:"1" help:"Servers that share the load: each counts for itself, and allows its share of the limits."`
	MaxConns        int      `env:"TEGATA_MAX_CONNS" default:"16" help:"Database connections."`
}

// checked is a configuration that holds.
type checked struct {
	seal     *seal.Keyset
	subject  []byte
	anchors  jpki.Anchors
	policies jpki.Policies
	cardInfo []*rsa.PublicKey
	ages     claims.AgeRules
	proxies  []netip.Prefix
	clients  op.Certificates

	hardware    keys.Hardware
	certificate *provider.Certificate // nil: a proxy speaks TLS for us
	revocationChecked
}

// problems collects everything that is wrong, so that the operator mends it in one round.
type problems []string

func (p *problems) add(bad bool, text string) {
	if bad {
		*p = append(*p, text)
	}
}

func (p *problems) err() error {
	if len(*p) == 0 {
		return nil
	}
	return usageError{errors.New("the configuration cannot be used:\n  - " + strings.Join(*p, "\n  - "))}
}

// check reads everything and lists what does not hold.
func (c config) check() (checked, error) {
	var p problems
	var out checked
	out.seal = c.database.check(&p)
	p.add(!goodIssuer(c.Issuer), "TEGATA_ISSUER must be https://host without a trailing slash, query or fragment (http only for 127.0.0.1)")
	subject, err := base64.StdEncoding.DecodeString(c.SubjectKey)
	p.add(err != nil || len(subject) < 32, "TEGATA_SUBJECT_KEY must be at least 32 bytes in base64 (make one with 'tegata keys init')")
	out.subject = subject
	p.add(!strings.Contains(c.LaunchTemplate, "{ticket}"), "TEGATA_LAUNCH_TEMPLATE must contain {ticket}")
	p.add(c.FourDigitsFirst && len(c.CardInfoIssuers) == 0 && !c.TakeUnverified,
		"TEGATA_FOUR_DIGITS_FIRST needs TEGATA_CARD_INFO_ISSUERS or TEGATA_ACCEPT_UNVERIFIED_CARD_INFO: nothing else is read with four digits")
	out.ages = claims.AgeRules{}
	for _, item := range c.ByDay {
		out.ages[claims.Item(item)] = claims.ByDay
	}
	p.add(out.ages.Check() != nil, "TEGATA_BY_DAY may name ages such as age_over_65, and not age_over_20")
	out.revocationChecked = c.revocationConfig.check(&p)
	c.rotationConfig.check(&p)
	p.add(c.MaxConns < 1, "TEGATA_MAX_CONNS must be at least 1")
	out.anchors, out.policies = c.trust(&p)
	out.cardInfo = readPublicKeys(c.CardInfoIssuers, &p)
	for _, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		p.add(err != nil, "TEGATA_TRUSTED_PROXIES: "+text+" is not a network such as 10.0.0.0/8")
		out.proxies = append(out.proxies, prefix)
	}
	p.add(c.ClientCert != "" && len(out.proxies) == 0, "TEGATA_CLIENT_CERT_HEADER needs TEGATA_TRUSTED_PROXIES: from anybody else the header is a forgery")
	out.hardware = c.hardware.open(&p)
	out.certificate = c.tlsConfig.check(c.Issuer, &p)
	p.add(c.ClientCert == "" && c.MTLSListen == "" && len(c.ClientCAs) > 0, "TEGATA_CLIENT_CAS needs TEGATA_MTLS_LISTEN or TEGATA_CLIENT_CERT_HEADER")
	p.add(c.PolicyURI != "" && !goodURL(c.PolicyURI), "TEGATA_POLICY_URI must be an http or https address")
	p.add(c.TermsURI != "" && !goodURL(c.TermsURI), "TEGATA_TERMS_URI must be an http or https address")
	p.add(min(c.LoginLimit, c.RequestLimit, c.ClientLimit) < 0 || c.Replicas < 1, "limits may not be negative, and TEGATA_REPLICAS is at least 1")
	out.clients = op.Certificates{Direct: c.MTLSListen != "", Origin: c.MTLSOrigin, Header: c.ClientCert, Proxies: out.proxies, Roots: pool(readCertificates(c.ClientCAs, "TEGATA_CLIENT_CAS", &p))}
	return out, p.err()
}

// limits are the usual rates with what the operator says.
func (c config) limits(now func() time.Time) limit.Limits {
	rules := limit.Default()
	rules.Logins.Attempts, rules.Requests.Attempts, rules.Agents.Attempts = c.LoginLimit, c.RequestLimit, 2*c.RequestLimit
	perSecond := limit.Rate{Attempts: 10 * c.ClientLimit, Per: 10 * time.Second}
	rules.Machines, rules.Clients = perSecond, perSecond
	return limit.Limits{Table: limit.New(now), Rules: rules.Of(c.Replicas)}
}

// pool is nil without certificates: then no authority of clients is trusted, and not the system's either.
func pool(certs []*x509.Certificate) *x509.CertPool {
	if len(certs) == 0 {
		return nil
	}
	out := x509.NewCertPool()
	for _, cert := range certs {
		out.AddCert(cert)
	}
	return out
}

func (d database) check(p *problems) *seal.Keyset {
	p.add(d.URL == "", "TEGATA_DATABASE_URL is missing (postgres://… or sqlite:PATH)")
	if d.SealKeyset == "" {
		p.add(true, "TEGATA_SEAL_KEYSET is missing (make one with 'tegata keys init')")
		return nil
	}
	k, err := seal.FromKeyset([]byte(d.SealKeyset))
	p.add(err != nil, "TEGATA_SEAL_KEYSET is not a keyset of 'tegata keys init'")
	return k
}

// trust reads the anchors. A test hierarchy must be called one: it would open production to anybody's test card.
func (c config) trust(p *problems) (jpki.Anchors, jpki.Policies) {
	auth, sign := readCertificates(c.AnchorsAuth, "TEGATA_ANCHORS_AUTH", p), readCertificates(c.AnchorsSign, "TEGATA_ANCHORS_SIGN", p)
	anchors, err := jpki.NewAnchors(auth, sign)
	if err != nil {
		p.add(true, "anchors: "+err.Error())
		return jpki.Anchors{}, jpki.Policies{}
	}
	p.add(anchors.Test() && !c.TestAnchors, "the anchors are of a test hierarchy: set TEGATA_TEST_ANCHORS=true if this is no production server")
	if c.TestAnchors {
		return anchors, jpki.TestPolicies()
	}
	return anchors, jpki.ProductionPolicies()
}

func readCertificates(paths []string, name string, p *problems) []*x509.Certificate {
	var out []*x509.Certificate
	for _, path := range paths {
		for _, der := range readPEM(path, "CERTIFICATE", name, p) {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				p.add(true, fmt.Sprintf("%s: %s holds a certificate that cannot be read", name, path))
				continue
			}
			out = append(out, c)
		}
	}
	return out
}

func readPublicKeys(paths []string, p *problems) []*rsa.PublicKey {
	var out []*rsa.PublicKey
	for _, path := range paths {
		for _, der := range readPEM(path, "PUBLIC KEY", "TEGATA_CARD_INFO_ISSUERS", p) {
			parsed, err := x509.ParsePKIXPublicKey(der)
			key, ok := parsed.(*rsa.PublicKey)
			p.add(err != nil || !ok, "TEGATA_CARD_INFO_ISSUERS: "+path+" is not an RSA public key")
			out = append(out, key)
		}
	}
	return out
}

func readPEM(path, kind, name string, p *problems) [][]byte {
	rest, err := os.ReadFile(path)
	if err != nil {
		p.add(true, fmt.Sprintf("%s: %v", name, err))
		return nil
	}
	var out [][]byte
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == kind {
			out = append(out, block.Bytes)
		}
	}
	p.add(len(out) == 0, fmt.Sprintf("%s: %s holds no PEM block %s", name, path, kind))
	return out
}

func goodIssuer(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") || strings.HasSuffix(raw, "/") || u.Path != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "127.0.0.1"
}

func goodURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
