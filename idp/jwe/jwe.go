// Package jwe encrypts to one relying party what was signed for it, and finds the key for that among those the party
// has published. It knows keys and algorithms (RFC 7516, RFC 7518). It refuses to know what is inside, clients' records
// and HTTP, and it opens nothing.
package jwe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Algs are the ways to agree on a key. RSA1_5 is broken (RFC 8725 section 3.2) and RSA-OAEP stands on SHA-1.
var Algs = []string{string(jose.ECDH_ES), string(jose.ECDH_ES_A128KW), string(jose.ECDH_ES_A256KW), string(jose.RSA_OAEP_256)}

// Encs are the ciphers of the content.
var Encs = []string{string(jose.A256GCM), string(jose.A128GCM), string(jose.A128CBC_HS256), string(jose.A256CBC_HS512)}

// DefaultEnc is what a party gets that names an alg alone (OIDC Registration section 2).
const DefaultEnc = string(jose.A128CBC_HS256)

// ErrNoKey: none of the keys is for encrypting with the algorithm.
var ErrNoKey = errors.New("jwe: no key to encrypt to")

// Pick finds the key to encrypt to with alg: one that says so before one that says only that it is for encryption, and
// those before one that says nothing; the first among equals, so that a party rotates by putting the new one in front.
func Pick(keys []jose.JSONWebKey, alg string) (jose.JSONWebKey, error) {
	best, found := jose.JSONWebKey{}, -1
	for _, key := range keys {
		if !Fits(key, alg) {
			continue
		}
		said := 0
		if key.Use != "" {
			said++
		}
		if key.Algorithm != "" {
			said += 2
		}
		if said > found {
			best, found = key, said
		}
	}
	if found < 0 {
		return jose.JSONWebKey{}, fmt.Errorf("%w with %s", ErrNoKey, alg)
	}
	return best, nil
}

// Fits says whether a public key is for encrypting with alg, and strong enough.
func Fits(key jose.JSONWebKey, alg string) bool {
	if key.Use != "" && key.Use != "enc" || key.Algorithm != "" && key.Algorithm != alg || !slices.Contains(Algs, alg) {
		return false
	}
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		curves := []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}
		return alg != string(jose.RSA_OAEP_256) && slices.Contains(curves, public.Curve)
	case *rsa.PublicKey:
		bits := public.N.BitLen()
		return alg == string(jose.RSA_OAEP_256) && bits >= 2048 && bits <= 4096
	}
	return false
}

// Nested encrypts a signed token; who opens it finds a JWT inside (RFC 7519 section 5.2).
func Nested(signed string, key jose.JSONWebKey, alg, enc string) (string, error) {
	return seal([]byte(signed), key, alg, enc, (&jose.EncrypterOptions{}).WithType("JWT").WithContentType("JWT"))
}

// Claims encrypts a claims set that nobody has signed.
func Claims(set []byte, key jose.JSONWebKey, alg, enc string) (string, error) {
	return seal(set, key, alg, enc, (&jose.EncrypterOptions{}).WithType("JWT"))
}

func seal(plain []byte, key jose.JSONWebKey, alg, enc string, o *jose.EncrypterOptions) (string, error) {
	to := jose.Recipient{Algorithm: jose.KeyAlgorithm(alg), Key: key.Key, KeyID: key.KeyID}
	e, err := jose.NewEncrypter(jose.ContentEncryption(enc), to, o)
	if err != nil {
		return "", fmt.Errorf("jwe: %w", err)
	}
	sealed, err := e.Encrypt(plain)
	if err != nil {
		return "", fmt.Errorf("jwe: %w", err)
	}
	return sealed.CompactSerialize()
}
