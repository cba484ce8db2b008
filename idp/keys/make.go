package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/storage"
)

// rsaBits is what NIST SP 800-57 has for secrets of today; verifying stays cheap for relying parties.
const rsaBits = 2048

// entry is a stored key, ready to sign.
type entry struct {
	storage.SigningKey
	signer crypto.Signer
	jose   jose.Signer
}

func (r *Ring) generate(alg string, activate time.Time) (storage.SigningKey, error) {
	signer, err := r.newKey(alg)
	if err != nil {
		return storage.SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return storage.SigningKey{}, fmt.Errorf("keys: encode: %w", err)
	}
	id, err := thumbprint(signer.Public())
	if err != nil {
		return storage.SigningKey{}, err
	}
	return storage.SigningKey{ID: id, Alg: alg, Private: der, CreatedAt: r.Now(), ActivateAt: activate}, nil
}

func (r *Ring) newKey(alg string) (signer crypto.Signer, err error) {
	switch jose.SignatureAlgorithm(alg) {
	case jose.ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), r.Rand)
	case jose.RS256, jose.PS256:
		signer, err = rsa.GenerateKey(r.Rand, rsaBits)
	case jose.EdDSA:
		_, signer, err = ed25519.GenerateKey(r.Rand)
	default:
		return nil, fmt.Errorf("keys: algorithm %q is not one of %v", alg, Algorithms)
	}
	if err != nil {
		return nil, fmt.Errorf("keys: generate: %w", err)
	}
	return signer, nil
}

func open(k storage.SigningKey) (entry, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return entry{}, fmt.Errorf("keys: key %s cannot be read: wrong seal key?", k.ID)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return entry{}, fmt.Errorf("keys: key %s cannot sign", k.ID)
	}
	js, err := newSigner(k, signer, "JWT")
	return entry{SigningKey: k, signer: signer, jose: js}, err
}

func newSigner(k storage.SigningKey, signer crypto.Signer, typ string) (jose.Signer, error) {
	js, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: jose.JSONWebKey{Key: signer, KeyID: k.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, fmt.Errorf("keys: key %s: %w", k.ID, err)
	}
	return js, nil
}

// thumbprint names a key by its RFC 7638 thumbprint.
func thumbprint(pub crypto.PublicKey) (string, error) {
	jwk := jose.JSONWebKey{Key: pub}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("keys: thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
