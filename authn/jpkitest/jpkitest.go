// Package jpkitest plays the issuer of My Number Cards: a certificate hierarchy in the shape of the
// real one, the certificates of fictional people, and an OCSP responder that can be told to misbehave.
// It owns the profile it issues, written down independently of authn/jpki, so that the two check each
// other. It refuses to know logins, tokens and what a provider makes of a certificate.
// It is a stand-in: cmd/tegata never links it.
package jpkitest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"strings"
	"sync"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

// Options of an Authority; the zero value works and keeps everything in memory.
type Options struct {
	// Now is the authority's clock; nil means time.Now.
	Now func() time.Time
	// Rand feeds serial numbers and subject names; nil means crypto/rand. Keys never come from it.
	Rand io.Reader
	// BaseURL is where Handler is mounted, without a trailing slash; it appears in OCSPURL and on the page.
	BaseURL string
	// Dir keeps keys, certificates and what was issued across restarts; "" keeps nothing.
	Dir string
	// Personas are people whose card is issued when GET /certs/NAME first asks for it. Everybody else
	// has one from Equip on.
	Personas []cardtest.Persona
}

// Authority is the CA of both purposes, in two generations each, and the issuer of card-info keys.
// It is safe for concurrent use.
type Authority struct {
	now      func() time.Time
	rand     io.Reader
	baseURL  string
	vault    vault
	personas []cardtest.Persona
	cas      map[jpki.Purpose][]*ca // oldest generation first
	cardInfo *rsa.PrivateKey
	platform *ecdsa.PrivateKey // signs the platform API's answers

	equipping sync.Mutex // one card at a time: keys are slow, and each persona gets one card

	mu       sync.Mutex // guards what follows
	cards    []*issuedCard
	switched map[string]cardtest.Status
	known    map[string]cardtest.Persona // whoever was equipped since the start
	fault    Fault
	consents map[string]latestConsent  // by reference
	news     []latestNews              // the change feed
	billed   map[string]map[string]int // calls of the platform API that cost something, by month and purpose
}

// New founds the authority, or reopens the one in Options.Dir. Founding takes five RSA keys, made in
// parallel: well under a second on a usual machine.
func New(o Options) (*Authority, error) {
	a := &Authority{
		now: o.Now, rand: o.Rand, baseURL: strings.TrimSuffix(o.BaseURL, "/"), vault: vault{o.Dir},
		personas: o.Personas, switched: map[string]cardtest.Status{}, known: map[string]cardtest.Persona{}, fault: FaultNone,
		billed: map[string]map[string]int{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.rand == nil {
		a.rand = rand.Reader
	}
	saved, err := a.vault.open()
	if err != nil {
		return nil, err
	}
	if saved == nil {
		if saved, err = a.found(); err != nil {
			return nil, err
		}
	}
	if err := a.restore(saved); err != nil {
		return nil, err
	}
	return a, a.vault.publish(a)
}

// Anchors are the CA certificates of both purposes, all generations, for jpki.Trust.
func (a *Authority) Anchors() jpki.Anchors {
	return jpki.Anchors{Auth: a.certificates(jpki.Authentication), Sign: a.certificates(jpki.Signature)}
}

// Trust believes this authority and nobody else, with the policies of test cards.
func (a *Authority) Trust() *jpki.Trust {
	return &jpki.Trust{Anchors: a.Anchors(), Policies: jpki.TestPolicies()}
}

// CardInfoIssuer is the key that certifies the card-info keys of all cards.
func (a *Authority) CardInfoIssuer() *rsa.PublicKey { return &a.cardInfo.PublicKey }

// OCSPURL is the responder for certificates of a purpose: BaseURL/ocsp/auth or BaseURL/ocsp/sign.
func (a *Authority) OCSPURL(purpose jpki.Purpose) string {
	return a.baseURL + "/ocsp/" + short(purpose)
}

// ResponderOf is OCSPURL by issuer, as revocation.OCSP asks for it; "" for anybody else's certificate.
func (a *Authority) ResponderOf(issuer *x509.Certificate) string {
	if purpose := a.Anchors().PurposeOf(issuer); purpose != 0 {
		return a.OCSPURL(purpose)
	}
	return ""
}

func (a *Authority) certificates(purpose jpki.Purpose) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range a.cas[purpose] {
		out = append(out, c.cert)
	}
	return out
}

var purposes = []jpki.Purpose{jpki.Authentication, jpki.Signature}

// short is the purpose in URLs and file names.
func short(purpose jpki.Purpose) string {
	if purpose == jpki.Signature {
		return "sign"
	}
	return "auth"
}
