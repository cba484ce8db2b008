package crafted

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
)

// NewKey is a key for a Mold.
func NewKey() *ecdsa.PrivateKey { return on(elliptic.P256()) }

func on(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
}

// es256 is the signature of a key of P-256 as JWS has it (RFC 7518 section 3.4).
func es256(key *ecdsa.PrivateKey, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	return joined(key, sum[:])
}

// joined is r and s in as many bytes as the curve has.
func joined(key *ecdsa.PrivateKey, sum []byte) []byte {
	r, s, err := ecdsa.Sign(rand.Reader, key, sum)
	if err != nil {
		panic(err) // likewise
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

func asn1(key *ecdsa.PrivateKey, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	raw, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		panic(err) // likewise
	}
	return raw
}

func (m Mold) order() []byte { return m.Key.Curve.Params().N.FillBytes(make([]byte, 32)) }

// byP384 says ES256 over a signature of another curve, whose key it shows where headers have keys.
func (m Mold) byP384(sha384 bool) string {
	key := on(elliptic.P384())
	header := m.Header
	if m.Keyed {
		header = with(header, "jwk", JWK(key))
	}
	input := b64(text(header)) + "." + b64(text(m.Claims()))
	short, long := sha256.Sum256([]byte(input)), sha512.Sum384([]byte(input))
	sum := short[:]
	if sha384 {
		sum = long[:]
	}
	return input + "." + b64(string(joined(key, sum)))
}

// JWK is a public key as the header of a Keyed token shows it (RFC 7518 section 6.2).
func JWK(key *ecdsa.PrivateKey) Members {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err) // a key that cannot be
	}
	half := len(point) / 2 // behind one byte for the form
	return Members{"kty": "EC", "crv": key.Curve.Params().Name,
		"x": base64.RawURLEncoding.EncodeToString(point[1 : 1+half]), "y": base64.RawURLEncoding.EncodeToString(point[1+half:])}
}
