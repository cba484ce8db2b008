package agent

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/statement"
)

// provider is the other side of the wire, with the checks of the real one and no database.
type provider struct {
	*httptest.Server
	t        *testing.T
	context  Context
	key      *PublicKey
	claim    ClaimRequest
	calls    sync.Map // path -> *atomic.Int32; a call whose answer was cut off is only seen here
	progress []ProgressRequest
	cancels  []CancelRequest
	results  []ResultRequest
	answer   http.HandlerFunc // if set, answers everything
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	p.context = Context{
		Login: goodLogin, Issuer: p.URL, Client: RelyingParty{ID: "shop", Name: "Sake shop", Host: "shop.example"},
		Operations: []string{statement.Authenticate}, Items: []string{}, Nonce: statement.Hash([]byte("nonce")), Number: "42",
		Declaration: statement.ShareAttributes, Expires: now.Add(10 * time.Minute), MinVersion: "1.2",
	}
	return p
}

// wants asks for attributes from the sources.
func (p *provider) wants(sources ...string) *provider {
	p.context.Operations, p.context.Sources = []string{statement.Authenticate, statement.ReadAttributes}, sources
	return p
}

func (p *provider) client() *Client {
	return &Client{Issuer: p.URL, HTTP: p.Client(), Now: func() time.Time { return now }, Rand: rand.Reader, Version: "1.10.0"}
}

func (p *provider) session() *Session {
	p.t.Helper()
	s, err := p.client().Claim(p.t.Context(), Ticket{goodLogin, goodSecret}, "")
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *provider) count(path string) *atomic.Int32 {
	n, _ := p.calls.LoadOrStore(path, new(atomic.Int32))
	return n.(*atomic.Int32)
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.count(r.URL.Path).Add(1)
	if p.answer != nil {
		p.answer(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	if r.URL.Path == ClaimPath {
		p.claim, err = CheckClaim(r.Header.Get(ProofHeader), r.Method, p.URL+r.URL.Path, body, now)
		p.key = &p.claim.Key
	} else {
		_, err = CheckProof(r.Header.Get(ProofHeader), *p.key, r.Method, p.URL+r.URL.Path, body, now)
	}
	if err != nil {
		p.t.Errorf("%s: %v: %v", r.URL.Path, err, errors.Unwrap(err))
	}
	switch r.URL.Path {
	case ClaimPath:
		reply(w, 200, p.context)
	case ProgressPath:
		p.progress = append(p.progress, decoded[ProgressRequest](p.t, body))
		w.WriteHeader(http.StatusNoContent)
	case CancelPath:
		p.cancels = append(p.cancels, decoded[CancelRequest](p.t, body))
		w.WriteHeader(http.StatusNoContent)
	case ResultPath:
		p.results = append(p.results, decoded[ResultRequest](p.t, body))
		reply(w, 200, ResultResponse{goodLogin + "." + goodCode})
	}
}

func decoded[T any](t *testing.T, body []byte) T {
	in, err := Decode[T](body)
	if err != nil {
		t.Errorf("the client sent %s: %v", body, errors.Unwrap(err))
	}
	return in
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// judge holds the one result to what the provider's records say, as authn does.
func (p *provider) judge() {
	p.t.Helper()
	if len(p.results) != 1 || p.results[0].Login != goodLogin {
		p.t.Fatalf("%d results", len(p.results))
	}
	result := p.results[0]
	opened, err := statement.Open(result.Statement, statement.LoginType)
	if err != nil {
		p.t.Fatal(err)
	}
	ticket, _ := ParseTicket(goodTicket)
	want := statement.Login{
		Issuer: p.URL, Login: goodLogin, TicketHash: ticket.Hash(), Client: "shop", Flow: statement.FlowReader,
		Operations: p.context.Operations, Nonce: p.context.Nonce, AgentKey: p.key.Thumbprint(),
	}
	if c := result.CardInfo; c != nil {
		want.Attributes = statement.CardInfoRef(c.Attributes, c.Signature, c.Certificate)
		want.Attributes.Opened = c.Opened
	}
	if result.Attributes != "" {
		want.Attributes = p.judgeAttributes(opened, result.Attributes)
	}
	if _, err := statement.Expect(opened, want, now); err != nil {
		p.t.Errorf("%v: %s", errors.Unwrap(err), opened.Payload)
	}
}

func (p *provider) judgeAttributes(login statement.Opened, compact string) *statement.AttributesRef {
	p.t.Helper()
	opened, err := statement.Open(compact, statement.AttributesType)
	if err != nil {
		p.t.Fatal(err)
	}
	want := statement.Attributes{
		Issuer: p.URL, Login: goodLogin, LoginStatement: login.Hash(), Declaration: statement.ShareAttributes, Nonce: p.context.Nonce,
	}
	if _, err := statement.ExpectAttributes(opened, want, now); err != nil {
		p.t.Errorf("%v: %s", errors.Unwrap(err), opened.Payload)
	}
	return statement.CertificateRef(opened.Leaf.Raw)
}

// holder has the keys and certificates of one person; made once, for RSA keys are slow to make.
type holder struct {
	auth, sign       *rsa.PrivateKey
	authDER, signDER []byte
}

var taro = sync.OnceValue(func() holder {
	auth, sign := must(rsa.GenerateKey(rand.Reader, 2048)), must(rsa.GenerateKey(rand.Reader, 2048))
	return holder{auth, sign, selfSigned(auth), selfSigned(sign)}
})

func selfSigned(key *rsa.PrivateKey) []byte {
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "agent test"}, NotBefore: now, NotAfter: now.Add(time.Hour)}
	return must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key))
}

// fake is a card that keeps the rule Perform depends on, that a PIN opens its own application only and
// another application closes it, and notes every call.
type fake struct {
	calls  []string
	opened map[card.PIN]bool
	noSign bool  // there is no signature certificate
	blank  bool  // the authentication certificate cannot be read
	refuse error // answer to the next VERIFY
	swap   bool  // signs with another card's key
}

func (f *fake) note(call string) { f.calls = append(f.calls, call) }

var names = map[card.PIN]string{card.AuthPIN: "pin", card.SignPassword: "password", card.CardInfoPIN: "card-info pin", card.NumberB: "number B"}

func (f *fake) Verify(_ context.Context, p card.PIN, secret []byte) error {
	f.note("verify " + names[p] + " " + string(secret))
	if f.refuse != nil {
		return f.refuse
	}
	if f.opened == nil || p == card.CardInfoPIN || f.opened[card.CardInfoPIN] {
		f.opened = map[card.PIN]bool{}
	}
	f.opened[p] = true
	return nil
}

func (f *fake) HasSignCertificate(context.Context) (bool, error) {
	f.note("list")
	return !f.noSign, nil
}

func (f *fake) AuthCertificate(context.Context) ([]byte, error) {
	f.note("auth certificate")
	if !f.opened[card.AuthPIN] { // as on a phone
		return nil, fail.CardRefused
	}
	if f.blank {
		return []byte("filler"), nil
	}
	return taro().authDER, nil
}

func (f *fake) SignCertificate(context.Context) ([]byte, error) {
	f.note("sign certificate")
	if !f.opened[card.SignPassword] {
		return nil, fail.CardRefused
	}
	return taro().signDER, nil
}

func (f *fake) ReadCardInfo(context.Context) (card.CardInfoFiles, error) {
	f.note("card info")
	if !f.opened[card.CardInfoPIN] && !f.opened[card.NumberB] {
		return card.CardInfoFiles{}, fail.CardRefused
	}
	return card.CardInfoFiles{EF0002: []byte("two"), EF0003: []byte("three"), EF0004: []byte("four")}, nil
}

func (f *fake) AuthSigner(_ context.Context, cert *x509.Certificate) crypto.Signer {
	return fakeSigner{taro().auth, f, card.AuthPIN, cert, taro().authDER}
}

func (f *fake) SignSigner(_ context.Context, cert *x509.Certificate) crypto.Signer {
	return fakeSigner{taro().sign, f, card.SignPassword, cert, taro().signDER}
}

type fakeSigner struct {
	*rsa.PrivateKey
	card *fake
	pin  card.PIN
	cert *x509.Certificate
	own  []byte
}

func (s fakeSigner) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.card.note("sign with " + names[s.pin])
	if !s.card.opened[s.pin] || !bytes.Equal(s.cert.Raw, s.own) {
		return nil, fail.CardRefused
	}
	if s.card.swap {
		return taro().sign.Sign(r, digest, opts)
	}
	return s.PrivateKey.Sign(r, digest, opts)
}
