package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// ed25519Name is what RFC 9864 calls EdDSA with this curve; newer clients send it. The library does not know the name.
const ed25519Name = "Ed25519"

// Algorithms are those that we accept of others: asymmetric ones alone, so that no public key can become a shared secret.
var Algorithms = []string{string(jose.ES256), string(jose.PS256), string(jose.EdDSA), ed25519Name, string(jose.RS256)}

var (
	// ErrNoKey: none of the keys fits the token's kid and algorithm. The client may have rotated them meanwhile.
	ErrNoKey = errors.New("jwt: no key fits")
	// ErrSignature: a key fits, and the signature is not its.
	ErrSignature = errors.New("jwt: the signature is wrong")
)

// Verify says whether one of keys signed the token. It proves who signed, not for whom or when.
func (t Token) Verify(keys []jose.JSONWebKey) error {
	candidates, err := t.candidates(keys)
	if err != nil {
		return err
	}
	if t.Header.Alg == ed25519Name {
		return t.verifyEd25519(candidates)
	}
	jws, err := jose.ParseSignedCompact(t.compact, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(t.Header.Alg)})
	if err != nil {
		return malformed("the library cannot read it")
	}
	for _, key := range candidates {
		if _, err := jws.Verify(key.Key); err == nil {
			return nil
		}
	}
	return ErrSignature
}

func (t Token) verifyEd25519(keys []jose.JSONWebKey) error {
	end := strings.LastIndexByte(t.compact, '.')
	signature, err := decode(t.compact[end+1:])
	if err != nil {
		return malformed("the signature is not base64url")
	}
	for _, key := range keys {
		if public, ok := key.Key.(ed25519.PublicKey); ok && ed25519.Verify(public, []byte(t.compact[:end]), signature) {
			return nil
		}
	}
	return ErrSignature
}

// candidates are the keys that may have signed. A kid names one key: two of the same name are nobody's.
func (t Token) candidates(keys []jose.JSONWebKey) ([]jose.JSONWebKey, error) {
	var fit []jose.JSONWebKey
	for _, key := range keys {
		if Fits(key, t.Header.Alg) && (t.Header.KeyID == "" || key.KeyID == t.Header.KeyID) {
			fit = append(fit, key)
		}
	}
	switch {
	case len(fit) == 0:
		return nil, ErrNoKey
	case t.Header.KeyID != "" && len(fit) > 1:
		return nil, fmt.Errorf("%w: two keys have the kid", ErrNoKey)
	}
	return fit, nil
}

// Fits says whether a public key is for verifying signatures of alg, and strong enough.
func Fits(key jose.JSONWebKey, alg string) bool {
	if key.Use != "" && key.Use != "sig" || key.Algorithm != "" && family(key.Algorithm) != family(alg) {
		return false
	}
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		return alg == string(jose.ES256) && public.Curve == elliptic.P256()
	case *rsa.PublicKey:
		bits := public.N.BitLen() // a huge key makes every check a denial of service
		return (alg == string(jose.RS256) || alg == string(jose.PS256)) && bits >= 2048 && bits <= 4096
	case ed25519.PublicKey:
		return family(alg) == string(jose.EdDSA) && len(public) == ed25519.PublicKeySize
	}
	return false
}

// family makes one name of the two for Ed25519.
func family(alg string) string {
	if alg == ed25519Name {
		return string(jose.EdDSA)
	}
	return alg
}
