package statement

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"tegata/authn/fail"
)

// MaxSize caps a compact statement, in bytes: a certificate of 2 KiB grows to 4 KiB in the header.
const MaxSize = 16 << 10

// Opened is a statement whose form and signature are good. It proves that the holder of the leaf's
// private key signed these bytes, once, for this typ. It does NOT prove that the certificate chains to
// anyone, is in force or unrevoked, that the payload belongs to any login, or that it is fresh.
type Opened struct {
	Compact string            // the statement as it arrived
	Leaf    *x509.Certificate // unchecked beyond its key: authn/jpki and authn/revocation judge it
	Payload []byte            // signed, but foreign until Expect or ExpectAttributes compared it
}

// Hash names the statement as Attributes.LoginStatement does: base64url SHA-256 of the compact form.
func (o Opened) Hash() string { return Hash([]byte(o.Compact)) }

// algorithm is one row of the allow-list: the key alone decides it, never the header (RFC 8725 3.1).
type algorithm struct {
	name jose.SignatureAlgorithm
	hash crypto.Hash
	size int // bytes of each of r and s; 0 for RSA
}

// algorithmOf gives the one algorithm of a public key: RS256 for today's card, ES384 for the next one.
// Larger RSA keys than 4096 bit would only cost us time.
func algorithmOf(pub crypto.PublicKey) (algorithm, bool) {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		return algorithm{jose.RS256, crypto.SHA256, 0}, key.N.BitLen() >= 2048 && key.N.BitLen() <= 4096
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return algorithm{jose.ES256, crypto.SHA256, 32}, true
		case elliptic.P384():
			return algorithm{jose.ES384, crypto.SHA384, 48}, true
		}
	}
	return algorithm{}, false
}

// The header is alg, typ and x5c; there is no other member, and no other order. The leaf stands in x5c alone: the provider
// brings its own anchors (RFC 7515 4.1.6).
const (
	beforeLeaf = `"x5c":["`
	afterLeaf  = `"]}`
)

// startOf is the header up to x5c.
func startOf(alg algorithm, typ string) string {
	return `{"alg":"` + string(alg.name) + `","typ":"` + typ + `",`
}

// headerBytes builds the only acceptable header for a leaf.
func headerBytes(alg algorithm, typ string, der []byte) []byte {
	return []byte(startOf(alg, typ) + beforeLeaf + base64.StdEncoding.EncodeToString(der) + afterLeaf)
}

// Sign makes a compact statement. signer is the key of leafDER and gets nothing but the digest of the JWS
// signing input; RSA keys answer in PKCS #1 v1.5, ECDSA keys in ASN.1. What Open would refuse does not
// leave: a card that signs with another key or miscalculates shows here. Errors of the signer are passed
// on; fail.CardDataBroken: the certificate cannot be read or its key is of no known kind.
func Sign(signer crypto.Signer, leafDER []byte, typ string, payload []byte) (string, error) {
	leaf, err := x509.ParseCertificate(leafDER)
	if err != nil {
		return "", fail.CardDataBroken.Because(err)
	}
	alg, ok := algorithmOf(leaf.PublicKey)
	if !ok {
		return "", fail.CardUnsupported
	}
	enc := base64.RawURLEncoding
	input := enc.EncodeToString(headerBytes(alg, typ, leafDER)) + "." + enc.EncodeToString(payload)
	digest := alg.hash.New()
	digest.Write([]byte(input))
	// The reader is for signers in software; a card brings its own randomness.
	sig, err := signer.Sign(rand.Reader, digest.Sum(nil), alg.hash)
	if err != nil {
		return "", err
	}
	if alg.size > 0 {
		if sig, err = fixedSize(sig, alg.size); err != nil {
			return "", err
		}
	}
	compact := input + "." + enc.EncodeToString(sig)
	_, err = Open(compact, typ)
	if err != nil {
		return "", err
	}
	return compact, nil
}

// fixedSize turns an ASN.1 ECDSA signature into r and s of size bytes each (RFC 7518 3.4).
func fixedSize(der []byte, size int) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) > 0 || sig.R.BitLen() > 8*size || sig.S.BitLen() > 8*size {
		return nil, invalid("signer did not answer in ASN.1")
	}
	out := make([]byte, 2*size)
	sig.R.FillBytes(out[:size])
	sig.S.FillBytes(out[size:])
	return out, nil
}

// Open takes a statement apart and verifies its signature; see Opened for what that does not prove.
// Everything cheap comes first, and nothing of the header is obeyed: the certificate in it gives the
// key, the key gives the algorithm, and the header must then be, byte for byte, the one that Sign writes.
// So there is no room for alg none, HMAC, jku, jwk, crit, a second certificate or a second "alg".
// Every refusal is fail.SignatureInvalid.
func Open(compact, typ string) (Opened, error) {
	if len(compact) > MaxSize {
		return Opened{}, invalid("too large")
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return Opened{}, invalid("not three parts")
	}
	leaf, alg, err := openHeader(parts[0], typ)
	if err != nil {
		return Opened{}, err
	}
	payload, err := segment(parts[1])
	if err != nil {
		return Opened{}, invalid("payload: " + err.Error())
	}
	signature, err := segment(parts[2])
	if err != nil {
		return Opened{}, invalid("signature: " + err.Error())
	}
	if !verify(leaf.PublicKey, alg, compact[:len(parts[0])+1+len(parts[1])], signature) {
		return Opened{}, invalid("signature does not fit")
	}
	return Opened{Compact: compact, Leaf: leaf, Payload: payload}, nil
}

// openHeader reads the leaf out of the header and checks that the header is, byte for byte, the one for that leaf.
func openHeader(part, typ string) (*x509.Certificate, algorithm, error) {
	raw, err := segment(part)
	if err != nil {
		return nil, algorithm{}, invalid("header: " + err.Error())
	}
	start, leaf64, found := strings.Cut(string(raw), beforeLeaf)
	leaf64, ends := strings.CutSuffix(leaf64, afterLeaf)
	if !found || !ends {
		return nil, algorithm{}, invalid("header without exactly one certificate")
	}
	der, err := base64.StdEncoding.Strict().DecodeString(leaf64)
	if err != nil || strings.ContainsAny(leaf64, "\r\n") { // which the decoder skips
		return nil, algorithm{}, invalid("certificate is not base64")
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, algorithm{}, invalid("certificate is not DER")
	}
	alg, ok := algorithmOf(leaf.PublicKey)
	if !ok {
		return nil, algorithm{}, invalid("key of no known kind")
	}
	if start != startOf(alg, typ) {
		return nil, algorithm{}, invalid("header is not exactly alg, typ and x5c")
	}
	return leaf, alg, nil
}

// verify checks a signature over the JWS signing input (RFC 7515 5.2) with the one algorithm of the key. The header was
// built anew and compared before, so nothing of it is left to interpret; a general parser would read the certificate again.
func verify(key crypto.PublicKey, alg algorithm, input string, signature []byte) bool {
	h := alg.hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, alg.hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		return len(signature) == 2*alg.size &&
			ecdsa.Verify(key, digest, new(big.Int).SetBytes(signature[:alg.size]), new(big.Int).SetBytes(signature[alg.size:]))
	}
	return false
}
