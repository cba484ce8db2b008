package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

// PublicKey is a P-256 public key as a JWK (RFC 7517) of exactly these members, in this order.
// Two keys are the same if they compare equal, for there is one spelling of each.
type PublicKey struct {
	Kty string `json:"kty"` // EC
	Crv string `json:"crv"` // P-256
	X   string `json:"x"`   // 32 bytes, base64url
	Y   string `json:"y"`
}

// What stands around the coordinates in the one spelling of a key.
const (
	beforeX = `{"kty":"EC","crv":"P-256","x":"`
	beforeY = `","y":"`
	afterY  = `"}`
)

// ParseKey reads what JWK writes, and nothing else, and checks that it is a point of P-256.
// The error is fail.BadInput.
func ParseKey(jwk []byte) (PublicKey, error) {
	inner, ok1 := strings.CutPrefix(string(jwk), beforeX)
	inner, ok2 := strings.CutSuffix(inner, afterY)
	x, y, ok3 := strings.Cut(inner, beforeY)
	if !ok1 || !ok2 || !ok3 {
		return PublicKey{}, fail.BadInput.At("key")
	}
	k := PublicKey{"EC", "P-256", x, y}
	if _, err := k.point(); err != nil {
		return PublicKey{}, fail.BadInput.At("key").Because(err)
	}
	return k, nil
}

// JWK is the JSON of the key, as ParseKey reads it.
func (k PublicKey) JWK() []byte {
	return []byte(`{"kty":"` + k.Kty + `","crv":"` + k.Crv + `","x":"` + k.X + beforeY + k.Y + afterY)
}

// Thumbprint is the base64url SHA-256 thumbprint of RFC 7638: members sorted by name.
func (k PublicKey) Thumbprint() string {
	return statement.Hash([]byte(`{"crv":"` + k.Crv + `","kty":"` + k.Kty + `","x":"` + k.X + `","y":"` + k.Y + `"}`))
}

// point checks the key: EC, P-256, on the curve, in canonical base64url. Other curves and key kinds
// have no place in this protocol, so there is nothing to negotiate.
func (k PublicKey) point() (*ecdsa.PublicKey, error) {
	if k.Kty != "EC" || k.Crv != "P-256" {
		return nil, errors.New("agent: key is not EC P-256")
	}
	var x, y Base64URL
	if x.UnmarshalText([]byte(k.X)) != nil || y.UnmarshalText([]byte(k.Y)) != nil || len(x) != 32 || len(y) != 32 {
		return nil, errors.New("agent: coordinates are not 32 bytes each")
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
}

// Key is the agent's ephemeral key pair of one login. It is never stored and has no serialized form.
type Key struct {
	private *ecdsa.PrivateKey
	public  PublicKey
}

// NewKey makes a P-256 key from 32-byte draws of rand; a draw outside the group's order (one in 2^32) is drawn again.
func NewKey(rand io.Reader) (*Key, error) {
	var seed [32]byte
	defer clear(seed[:])
	for range 8 {
		if _, err := io.ReadFull(rand, seed[:]); err != nil {
			return nil, fail.Internal.Because(err)
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
		if err != nil {
			continue
		}
		return newKey(private)
	}
	return nil, fail.Internal.Because(errors.New("agent: randomness gives no key"))
}

func newKey(private *ecdsa.PrivateKey) (*Key, error) {
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fail.Internal.Because(err)
	}
	enc := base64.RawURLEncoding
	return &Key{private, PublicKey{"EC", "P-256", enc.EncodeToString(point[1:33]), enc.EncodeToString(point[33:])}}, nil
}

// Public is the half that the provider sees.
func (k *Key) Public() PublicKey { return k.public }
