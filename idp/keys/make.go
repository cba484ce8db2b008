package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

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

// inHardware begins what is stored of a key that is elsewhere (RFC 7512). PKCS #8 never begins so.
const inHardware = "pkcs11:object="

func (r *Ring) generate(alg string, activate time.Time) (storage.SigningKey, error) {
	public, private, err := r.makeKey(alg)
	if err != nil {
		return storage.SigningKey{}, err
	}
	sum, err := thumbprint(public)
	if err != nil {
		return storage.SigningKey{}, err
	}
	return storage.SigningKey{ID: named(sum), Alg: alg, Private: private, CreatedAt: r.now(), ActivateAt: activate}, nil
}

// makeKey gives a new key's public part and what is stored of the private one.
func (r *Ring) makeKey(alg string) (crypto.PublicKey, []byte, error) {
	if r.Hardware != nil {
		name, signer, err := r.Hardware.Make(alg)
		switch {
		case err == nil:
			return signer.Public(), []byte(inHardware + name), nil
		case !errors.Is(err, ErrUnsupported):
			return nil, nil, fmt.Errorf("keys: generate: %w", err)
		}
	}
	signer, err := r.newKey(alg)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, nil, fmt.Errorf("keys: encode: %w", err)
	}
	return signer.Public(), der, nil
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

func (r *Ring) open(k storage.SigningKey) (entry, error) {
	signer, err := r.stored(k)
	if err != nil {
		return entry{}, err
	}
	js, err := newSigner(k, signer, "JWT")
	return entry{SigningKey: k, signer: signer, jose: js}, err
}

func (r *Ring) stored(k storage.SigningKey) (crypto.Signer, error) {
	if name, elsewhere := strings.CutPrefix(string(k.Private), inHardware); elsewhere {
		if r.Hardware == nil {
			return nil, fmt.Errorf("keys: key %s is in a PKCS #11 token, and none is configured", k.ID)
		}
		return r.Hardware.Signer(name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("keys: key %s cannot be read: wrong seal key?", k.ID)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("keys: key %s cannot sign", k.ID)
	}
	return signer, nil
}

func newSigner(k storage.SigningKey, signer crypto.Signer, typ string) (jose.Signer, error) {
	key := any(jose.JSONWebKey{Key: signer, KeyID: k.ID})
	if strings.HasPrefix(string(k.Private), inHardware) {
		opaque := cryptosigner.Opaque(signer)
		opaque.Public().KeyID = k.ID
		key = opaque
	}
	js, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: key},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, fmt.Errorf("keys: key %s: %w", k.ID, err)
	}
	return js, nil
}

// named is the id of a key. It is its thumbprint but for a hyphen in front, which a command line would take for a flag.
func named(thumbprint string) string {
	if strings.HasPrefix(thumbprint, "-") {
		return "k" + thumbprint
	}
	return thumbprint
}

// thumbprint is that of RFC 7638, in base64url.
func thumbprint(pub crypto.PublicKey) (string, error) {
	jwk := jose.JSONWebKey{Key: pub}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("keys: thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
