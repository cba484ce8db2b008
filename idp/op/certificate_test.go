package op_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// authority issues client certificates in these tests; it is made once.
var authority = sync.OnceValues(func() (*x509.Certificate, crypto.Signer) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clients' authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Unix(0, 0), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert, key
})

func roots(t testing.TB) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	cert, _ := authority()
	pool.AddCert(cert)
	return pool
}

// issue makes a certificate of the authority, or of its own key, and the key set of its key.
func issue(t *testing.T, w *idptest.World, name string, own bool, change func(*x509.Certificate)) (der []byte, set json.RawMessage) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := w.Town.Clock.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name + ".example"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if change != nil {
		change(template)
	}
	parent, signer := authority()
	if own {
		parent, signer = template, key
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer); err != nil {
		t.Fatal(err)
	}
	if set, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "cert"}}}); err != nil {
		t.Fatal(err)
	}
	return der, set
}

func told(der []byte) map[string]string {
	return map[string]string{"Client-Cert": ":" + base64.StdEncoding.EncodeToString(der) + ":"}
}

func TestAClientProvesItselfWithACertificate(t *testing.T) {
	w := open(t)
	right, _ := issue(t, w, "bank", false, nil)
	wrong := map[string][]byte{}
	for name, make := range map[string]func() []byte{
		"another's":        func() []byte { der, _ := issue(t, w, "shop", false, nil); return der },
		"of its own":       func() []byte { der, _ := issue(t, w, "bank", true, nil); return der },
		"that is over":     func() []byte { der, _ := issue(t, w, "bank", false, expired); return der },
		"of a server":      func() []byte { der, _ := issue(t, w, "bank", false, ofServer); return der },
		"that will be one": func() []byte { der, _ := issue(t, w, "bank", false, early); return der },
	} {
		wrong[name] = make()
	}
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthTLS, TLSSANDNS: "bank.example"})
	b := signedIn(t, w, bank)
	bank.Headers = told(right)
	r := bank.Request()
	tokens := bank.Exchange(again(t, w, b, r), r)
	if tokens.Status != 200 {
		t.Fatalf("%d %s", tokens.Status, tokens.Body)
	}
	bank.Headers = nil
	if got := bank.UserInfo(tokens.AccessToken); got.Status != 200 {
		t.Errorf("a token that is not bound needs no certificate: %d", got.Status)
	}
	for name, der := range wrong {
		bank.Headers = told(der)
		r := bank.Request()
		if got := bank.Exchange(again(t, w, b, r), r); got.Status != 401 || got.Error != "invalid_client" {
			t.Errorf("a certificate %s: %d %s", name, got.Status, got.Body)
		}
	}
	for name, headers := range map[string]map[string]string{
		"none": nil, "an empty one": {"Client-Cert": ""}, "of another header": {"X-Client-Cert": told(right)["Client-Cert"]},
	} {
		bank.Headers = headers
		r := bank.Request()
		if got := bank.Exchange(again(t, w, b, r), r); got.Status != 401 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	bank.Headers = map[string]string{"Client-Cert": ":AAAA:"}
	if got := bank.Exchange("x", bank.Request()); got.Status != 400 || got.Error != "invalid_request" {
		t.Errorf("a certificate that is none: %d %s", got.Status, got.Body)
	}
	bank.Headers = told(right)
	r = bank.Request()
	if got := bank.Token(again(t, w, b, r), r, func(f url.Values, _ *[2]string) { f.Set("client_secret", "x") }); got.Status != 401 {
		t.Errorf("with a secret beside: %d", got.Status)
	}
}

func expired(c *x509.Certificate)  { c.NotAfter = c.NotBefore.Add(time.Minute) }
func early(c *x509.Certificate)    { c.NotBefore = c.NotAfter.Add(-time.Minute) }
func ofServer(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }

func TestTokensAreBoundToACertificate(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		der, set := issue(t, w, "bank", true, nil)
		other, _ := issue(t, w, "bank", true, nil)
		bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthSelfSigned, JWKS: set, TLSBound: true})
		b := signedIn(t, w, bank)
		bank.Headers = map[string]string{"Client-Cert": url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))}
		r := bank.Request()
		tokens := bank.Exchange(again(t, w, b, r), r)
		if tokens.Status != 200 {
			t.Fatalf("%d %s", tokens.Status, tokens.Body)
		}
		if got := bank.UserInfo(tokens.AccessToken); got.Status != 200 {
			t.Errorf("with the certificate: %d", got.Status)
		}
		for name, headers := range map[string]map[string]string{"none": nil, "another": told(other)} {
			bank.Headers = headers
			if got := bank.UserInfo(tokens.AccessToken); got.Status != 401 || !strings.Contains(got.Header.Get("WWW-Authenticate"), "invalid_token") {
				t.Errorf("with %s: %d", name, got.Status)
			}
			r := bank.Request()
			if got := bank.Exchange(again(t, w, b, r), r); got.Status != 401 {
				t.Errorf("a code with %s: %d", name, got.Status)
			}
		}
		app := w.Register(clients.Metadata{ClientID: "app", AuthMethod: clients.AuthNone, TLSBound: true})
		w.Answer(b, app.Request())
		r = app.Request()
		code := again(t, w, b, r)
		if got := app.Exchange(code, r); got.Status != 400 || got.Error != "invalid_request" {
			t.Errorf("a bound public client without a certificate: %d %s", got.Status, got.Body)
		}
		app.Headers = told(other)
		if got := app.Exchange(code, r); got.Status != http.StatusOK {
			t.Errorf("the same code with one: %d %s", got.Status, got.Body)
		}
	})
}
