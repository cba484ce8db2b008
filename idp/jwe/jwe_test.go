package jwe

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ec(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTheReceiverOpensWhatWasSealed(t *testing.T) {
	p256, p521 := ec(t, elliptic.P256()), ec(t, elliptic.P521())
	for _, alg := range Algs {
		for _, enc := range Encs {
			private, public := any(p256), any(p256.Public())
			if alg == string(jose.RSA_OAEP_256) {
				private, public = rsaKey(), rsaKey().Public()
			} else if enc == string(jose.A256CBC_HS512) {
				private, public = p521, p521.Public()
			}
			key := jose.JSONWebKey{Key: public, KeyID: "theirs"}
			for name, want := range map[string]any{"nested": "JWT", "claims": nil} {
				sealed, err := Nested("a.b.c", key, alg, enc)
				if name == "claims" {
					sealed, err = Claims([]byte("a.b.c"), key, alg, enc)
				}
				if err != nil {
					t.Fatalf("%s %s: %v", alg, enc, err)
				}
				opened, err := jose.ParseEncryptedCompact(sealed, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
				if err != nil {
					t.Fatalf("%s %s: %v", alg, enc, err)
				}
				plain, err := opened.Decrypt(private)
				if err != nil || string(plain) != "a.b.c" || opened.Header.KeyID != "theirs" || opened.Header.ExtraHeaders["cty"] != want {
					t.Errorf("%s %s %s: %q, %v, header %+v", name, alg, enc, plain, err, opened.Header)
				}
				if strings.Contains(sealed, "a.b.c") || strings.Count(sealed, ".") != 4 {
					t.Errorf("%s %s is not sealed: %s", alg, enc, sealed)
				}
			}
		}
	}
}

func TestTheKeyThatSaysMostIsTaken(t *testing.T) {
	public := ec(t, elliptic.P256()).Public()
	key := func(kid, use, alg string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: public, KeyID: kid, Use: use, Algorithm: alg}
	}
	for _, tc := range []struct {
		name string
		keys []jose.JSONWebKey
		want string
	}{
		{"none", nil, ""},
		{"one that says nothing", []jose.JSONWebKey{key("a", "", "")}, "a"},
		{"one to sign with", []jose.JSONWebKey{key("a", "sig", "")}, ""},
		{"one to sign with by its algorithm", []jose.JSONWebKey{key("a", "", "ES256")}, ""},
		{"one of another algorithm", []jose.JSONWebKey{key("a", "enc", "ECDH-ES+A256KW")}, ""},
		{"use before nothing", []jose.JSONWebKey{key("a", "", ""), key("b", "enc", "")}, "b"},
		{"the algorithm before use", []jose.JSONWebKey{key("a", "enc", ""), key("b", "", "ECDH-ES")}, "b"},
		{"the first of two", []jose.JSONWebKey{key("a", "enc", "ECDH-ES"), key("b", "enc", "ECDH-ES")}, "a"},
		{"an RSA key", []jose.JSONWebKey{{Key: rsaKey().Public(), KeyID: "a"}}, ""},
	} {
		got, err := Pick(tc.keys, "ECDH-ES")
		if got.KeyID != tc.want || (tc.want == "") != errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %q, %v", tc.name, got.KeyID, err)
		}
	}
}

func TestWeakAndForeignKeysAreRefused(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		key any
		alg string
	}{
		"1024 bits": {small.Public(), "RSA-OAEP-256"}, "a secret": {[]byte("0123456789abcdef0123456789abcdef"), "A256KW"}, "dir": {[]byte("0123456789abcdef0123456789abcdef"), "dir"},
		"Ed25519": {ed, "ECDH-ES"}, "P-224": {ec(t, elliptic.P224()).Public(), "ECDH-ES"}, "PKCS #1 v1.5": {rsaKey().Public(), "RSA1_5"},
		"OAEP with SHA-1": {rsaKey().Public(), "RSA-OAEP"}, "an RSA key for a curve": {rsaKey().Public(), "ECDH-ES"},
		"a curve for RSA": {ec(t, elliptic.P256()).Public(), "RSA-OAEP-256"},
	} {
		if Fits(jose.JSONWebKey{Key: tc.key}, tc.alg) {
			t.Errorf("%s fits", name)
		}
	}
	if _, err := Nested("a.b.c", jose.JSONWebKey{Key: "no key"}, "ECDH-ES", "A256GCM"); err == nil {
		t.Error("encrypted to no key")
	}
	if _, err := Nested("a.b.c", jose.JSONWebKey{Key: rsaKey().Public()}, "RSA-OAEP-256", "A1GCM"); err == nil {
		t.Error("encrypted with no cipher")
	}
}

func BenchmarkNested(b *testing.B) {
	p256 := jose.JSONWebKey{Key: ec(b, elliptic.P256()).Public(), KeyID: "k"}
	signed := strings.Repeat("a", 600)
	for _, alg := range Algs {
		key := p256
		if alg == string(jose.RSA_OAEP_256) {
			key = jose.JSONWebKey{Key: rsaKey().Public(), KeyID: "k"}
		}
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Nested(signed, key, alg, "A256GCM"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
