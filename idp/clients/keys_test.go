package clients

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/storage"
)

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func set(t testing.TB, keys ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// bank is metadata of a client that proves itself with a key.
func bank(t testing.TB, change func(*Metadata)) Metadata {
	t.Helper()
	m := Metadata{ClientID: "bank", AuthMethod: AuthKey, RedirectURIs: []string{"https://bank.example/cb"},
		JWKS: set(t, jose.JSONWebKey{Key: p256(t).Public(), KeyID: "a"}, jose.JSONWebKey{Key: p256(t).Public(), KeyID: "b", Use: "sig"})}
	change(&m)
	return m
}

func TestEachMistakeWithKeysIsNamed(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := func(keys ...jose.JSONWebKey) func(*Metadata) {
		return func(m *Metadata) { m.JWKS = set(t, keys...) }
	}
	raw := func(text string) func(*Metadata) { return func(m *Metadata) { m.JWKS = json.RawMessage(text) } }
	public := jose.JSONWebKey{Key: p256(t).Public(), KeyID: "k"}
	encryption := public
	encryption.Use = "enc"
	forUs := encryption
	forUs.KeyID = "e"
	for _, tc := range []struct {
		name   string
		field  string // of the one problem; "" for none
		change func(*Metadata)
	}{
		{"two keys", "", func(*Metadata) {}},
		{"keys at an address", "", func(m *Metadata) { m.JWKS, m.JWKSURI = nil, "https://bank.example/jwks" }},
		{"keys at a plain address", "jwks_uri", func(m *Metadata) { m.JWKS, m.JWKSURI = nil, "http://bank.example/jwks" }},
		{"keys on this machine", "jwks_uri", func(m *Metadata) { m.JWKS, m.JWKSURI = nil, "http://127.0.0.1/jwks" }},
		{"keys in both places", "jwks_uri", func(m *Metadata) { m.JWKSURI = "https://bank.example/jwks" }},
		{"no keys", "jwks", func(m *Metadata) { m.JWKS = nil }},
		{"no key", "jwks", raw(`{"keys":[]}`)},
		{"a list", "jwks", raw(`[]`)},
		{"no member keys", "jwks", raw(`{}`)},
		{"keys twice", "jwks", raw(`{"keys":[],"keys":[]}`)},
		{"a private key", "jwks", of(jose.JSONWebKey{Key: p256(t), KeyID: "k"})},
		{"a secret", "jwks", of(public, jose.JSONWebKey{Key: []byte("secret"), KeyID: "s"})},
		{"one kid twice", "jwks", of(public, public)},
		{"a broken key", "jwks", raw(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`)},
		{"21 keys", "jwks", func(m *Metadata) { m.JWKS = set(t, slices.Repeat([]jose.JSONWebKey{{Key: p256(t).Public()}}, 21)...) }},
		{"64 KiB of nothing", "jwks", raw(`{"keys":[` + strings.Repeat(" ", 64<<10) + `]}`)},
		{"only an encryption key", "jwks", of(encryption)},
		{"no key for the algorithm", "jwks", func(m *Metadata) { m.AssertionAlg = "EdDSA" }},
		{"a key for the algorithm", "", func(m *Metadata) {
			m.AssertionAlg, m.JWKS = "EdDSA", set(t, jose.JSONWebKey{Key: ed.Public(), KeyID: "ed"})
		}},
		{"a secret besides", "client_secret", func(m *Metadata) { m.ClientSecret = secret }},
		{"a shared algorithm", "token_endpoint_auth_signing_alg", func(m *Metadata) { m.AssertionAlg, m.AuthMethod, m.ClientSecret = "HS256", AuthBasic, secret }},
		{"unsigned request objects", "request_object_signing_alg", func(m *Metadata) { m.RequestAlg = "none" }},
		{"signed answers", "", func(m *Metadata) { m.ResponseAlg = "RS256" }},
		{"answers signed in a way we have not", "authorization_signed_response_alg", func(m *Metadata) { m.ResponseAlg = "HS256" }},
		{"an encrypted ID token", "", func(m *Metadata) { m.IDTokenEncAlg, m.JWKS = "ECDH-ES", set(t, public, forUs) }},
		{"encrypted answers of all kinds", "", func(m *Metadata) {
			m.UserInfoAlg, m.UserInfoEncAlg, m.UserInfoEnc, m.ResponseEncAlg, m.IntrospectEncAlg, m.IntrospectAlg = "PS256", "ECDH-ES+A256KW", "A256GCM", "ECDH-ES", "ECDH-ES", "EdDSA"
			m.JWKS = set(t, public, forUs)
		}},
		{"keys that will be published", "", func(m *Metadata) {
			m.IDTokenEncAlg, m.JWKS, m.JWKSURI = "RSA-OAEP-256", nil, "https://bank.example/jwks"
		}},
		{"encryption without a key", "jwks", func(m *Metadata) {
			m.AuthMethod, m.ClientSecret, m.JWKS, m.IDTokenEncAlg = AuthBasic, secret, nil, "ECDH-ES"
		}},
		{"encryption with a key to sign alone", "jwks", func(m *Metadata) {
			m.IDTokenEncAlg, m.JWKS = "ECDH-ES", set(t, jose.JSONWebKey{Key: public.Key, KeyID: "k", Use: "sig"})
		}},
		{"encryption with a key of another kind", "jwks", func(m *Metadata) { m.UserInfoEncAlg, m.JWKS = "RSA-OAEP-256", set(t, public, forUs) }},
		{"a broken way to encrypt", "id_token_encrypted_response_alg", func(m *Metadata) { m.IDTokenEncAlg = "RSA1_5" }},
		{"a cipher that we have not", "userinfo_encrypted_response_enc", func(m *Metadata) {
			m.UserInfoEncAlg, m.UserInfoEnc, m.JWKS = "ECDH-ES", "A192GCM", set(t, public, forUs)
		}},
		{"a cipher for nothing", "authorization_encrypted_response_alg", func(m *Metadata) { m.ResponseEnc = "A256GCM" }},
		{"userinfo signed in a way we have not", "userinfo_signed_response_alg", func(m *Metadata) { m.UserInfoAlg = "none" }},
		{"introspection signed in a way we have not", "introspection_signed_response_alg", func(m *Metadata) { m.IntrospectAlg = "HS256" }},
		{"signed requests without a key", "jwks", func(m *Metadata) {
			m.AuthMethod, m.ClientSecret, m.JWKS, m.RequireSignedRequest = AuthBasic, secret, nil, true
		}},
		{"a certificate of an authority", "", func(m *Metadata) { m.AuthMethod, m.TLSSANDNS = AuthTLS, "bank.example" }},
		{"a certificate of nobody", "tls_client_auth_subject_dn", func(m *Metadata) { m.AuthMethod = AuthTLS }},
		{"a certificate of two", "tls_client_auth_subject_dn", func(m *Metadata) { m.AuthMethod, m.TLSSANDNS, m.TLSSubjectDN = AuthTLS, "bank.example", "CN=x" }},
		{"a holder without use", "token_endpoint_auth_method", func(m *Metadata) { m.TLSSANDNS = "bank.example" }},
		{"a holder that is no address", "tls_client_auth_san_ip", func(m *Metadata) { m.AuthMethod, m.TLSSANIP = AuthTLS, "bank" }},
		{"a certificate of its own", "", func(m *Metadata) { m.AuthMethod = AuthSelfSigned }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := Rules{}.Client(bank(t, tc.change), now)
			if tc.field == "" && len(problems) > 0 || tc.field != "" && (len(problems) != 1 || problems[0].Field != tc.field) {
				t.Errorf("problems %v, want one at %q", problems, tc.field)
			}
		})
	}
}

func TestKeysAndPoliciesAreKept(t *testing.T) {
	m := bank(t, func(m *Metadata) {
		m.AssertionAlg, m.RequestAlg, m.ResponseAlg, m.RequirePAR, m.RequireSignedRequest, m.TLSBound = "ES256", "ES256", "RS256", true, true, true
	})
	got, problems := Rules{}.Client(m, now)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	keys, unknown, err := ParseKeys([]byte(got.Keys.JWKS))
	if err != nil || unknown != 0 || len(keys) != 2 || !got.RequirePAR || !got.RequireSignedRequest || !got.TLS.Bound ||
		got.Keys.AssertionAlg != "ES256" || got.Keys.RequestAlg != "ES256" || got.Keys.ResponseAlg != "RS256" || len(got.SecretHashes) > 0 {
		t.Errorf("%d keys, %v, %+v", len(keys), err, got)
	}
}

func TestKeysAreReplaced(t *testing.T) {
	c, problems := Rules{}.Client(bank(t, func(m *Metadata) { m.JWKS, m.JWKSURI = nil, "https://bank.example/jwks" }), now)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	later := now.Add(time.Hour)
	got, problems := ReplaceKeys(c, set(t, jose.JSONWebKey{Key: p256(t).Public(), KeyID: "new"}), later)
	if len(problems) > 0 || got.Keys.JWKSURI != "" || !strings.Contains(got.Keys.JWKS, `"new"`) || got.UpdatedAt != later || got.ID != "bank" {
		t.Errorf("%v %+v", problems, got)
	}
	for _, raw := range []string{"", "null", `{"keys":[]}`, `[]`} {
		if got, problems := ReplaceKeys(c, []byte(raw), later); len(problems) != 1 || got.ID != "" {
			t.Errorf("%q: %v", raw, problems)
		}
	}
}

func TestKeysOfTypesThatNobodyKnowsAreLeftOut(t *testing.T) {
	raw := set(t, jose.JSONWebKey{Key: p256(t).Public()})
	raw = bytes.Replace(raw, []byte(`[{`), []byte(`[{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"},{`), 1)
	if keys, unknown, err := ParseKeys(raw); err != nil || unknown != 1 || len(keys) != 1 {
		t.Errorf("%d keys, %d unknown, %v", len(keys), unknown, err)
	}
}

func certificate(t *testing.T, key crypto.Signer) *x509.Certificate {
	t.Helper()
	uri, err := url.Parse("https://bank.example/me")
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bank", Organization: []string{"Bank"}},
		DNSNames: []string{"bank.example"}, EmailAddresses: []string{"it@bank.example"}, URIs: []*url.URL{uri}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestTheHolderOfACertificate(t *testing.T) {
	cert := certificate(t, p256(t))
	for _, tc := range []struct {
		name string
		tls  storage.ClientTLS
		want bool
	}{
		{"its subject", storage.ClientTLS{SubjectDN: "CN=bank,O=Bank"}, true},
		{"another subject", storage.ClientTLS{SubjectDN: "CN=bank"}, false},
		{"its name", storage.ClientTLS{SANDNS: "bank.example"}, true},
		{"a name that ends alike", storage.ClientTLS{SANDNS: "ank.example"}, false},
		{"its mail address", storage.ClientTLS{SANEmail: "it@bank.example"}, true},
		{"another's mail address", storage.ClientTLS{SANEmail: "it@shop.example"}, false},
		{"its URI", storage.ClientTLS{SANURI: "https://bank.example/me"}, true},
		{"another URI", storage.ClientTLS{SANURI: "https://bank.example/"}, false},
		{"its address", storage.ClientTLS{SANIP: "192.0.2.1"}, true},
		{"its address in another spelling", storage.ClientTLS{SANIP: "::ffff:192.0.2.1"}, true},
		{"another address", storage.ClientTLS{SANIP: "192.0.2.2"}, false},
		{"nobody", storage.ClientTLS{}, false},
	} {
		if got := NamesHolder(storage.Client{AuthMethod: AuthTLS, TLS: tc.tls}, cert); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
		if NamesHolder(storage.Client{AuthMethod: AuthKey, TLS: tc.tls}, cert) {
			t.Errorf("%s: for a client of another method", tc.name)
		}
	}
}

func TestTheKeyOfACertificate(t *testing.T) {
	key, other := p256(t), p256(t)
	cert := certificate(t, key)
	if !HasKeyOf([]jose.JSONWebKey{{Key: other.Public()}, {Key: key.Public()}}, cert) {
		t.Error("the registered key is not found")
	}
	if HasKeyOf([]jose.JSONWebKey{{Key: other.Public()}, {Key: []byte("x")}}, cert) || HasKeyOf(nil, cert) {
		t.Error("another key is found")
	}
}
