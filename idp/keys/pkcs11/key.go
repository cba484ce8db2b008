//go:build pkcs11

package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	edwards "crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/miekg/pkcs11"
)

// key is a private key in the token.
type key struct {
	token  *token
	handle pkcs11.ObjectHandle
	public crypto.PublicKey
}

// Signer implements keys.Hardware.
func (t *token) Signer(name string) (crypto.Signer, error) {
	k := &key{token: t}
	err := t.with(func(s pkcs11.SessionHandle) error {
		var err error
		if k.handle, err = t.find(s, pkcs11.CKO_PRIVATE_KEY, name); err != nil {
			return err
		}
		public, err := t.find(s, pkcs11.CKO_PUBLIC_KEY, name)
		if err != nil {
			return err
		}
		k.public, err = t.read(s, public)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pkcs11: %w", err)
	}
	return k, nil
}

func (t *token) find(s pkcs11.SessionHandle, class uint, name string) (pkcs11.ObjectHandle, error) {
	if err := t.ctx.FindObjectsInit(s, append(named(name), pkcs11.NewAttribute(pkcs11.CKA_CLASS, class))); err != nil {
		return 0, err
	}
	found, _, err := t.ctx.FindObjects(s, 2)
	if err := errors.Join(err, t.ctx.FindObjectsFinal(s)); err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("the token has %d keys of the name", len(found))
	}
	return found[0], nil
}

// read makes a public key of its object.
func (t *token) read(s pkcs11.SessionHandle, o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	kind, err := t.ctx.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, nil)})
	if err != nil {
		return nil, err
	}
	if number(kind[0].Value) == pkcs11.CKK_RSA {
		parts, err := t.ctx.GetAttributeValue(s, o, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_MODULUS, nil), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, nil)})
		if err != nil {
			return nil, err
		}
		e := new(big.Int).SetBytes(parts[1].Value)
		return &rsa.PublicKey{N: new(big.Int).SetBytes(parts[0].Value), E: int(e.Int64())}, nil
	}
	point, err := t.ctx.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return nil, err
	}
	var raw []byte // PKCS #11 wraps the point into an OCTET STRING
	if rest, err := asn1.Unmarshal(point[0].Value, &raw); err != nil || len(rest) > 0 {
		return nil, errors.New("the public point cannot be read")
	}
	if number(kind[0].Value) == typeEdwards {
		if len(raw) != edwards.PublicKeySize {
			return nil, errors.New("the public point has another size")
		}
		return edwards.PublicKey(raw), nil
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
}

// number reads a CK_ULONG, which has the machine's byte order; only its low bytes matter here.
func number(raw []byte) uint {
	var low, high uint
	for i, b := range raw {
		low |= uint(b) << (8 * i)
		high = high<<8 | uint(b)
	}
	return min(low, high)
}

// Public implements crypto.Signer.
func (k *key) Public() crypto.PublicKey { return k.public }

// sha256Info is the DigestInfo in front of a SHA-256 hash (RFC 8017 section 9.2).
var sha256Info = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// Sign implements crypto.Signer for SHA-256 hashes, and for whole messages with Ed25519.
func (k *key) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	switch k.public.(type) {
	case edwards.PublicKey:
		if o.HashFunc() != 0 {
			return nil, errors.New("pkcs11: Ed25519 signs messages")
		}
		return k.sign(pkcs11.NewMechanism(signEdwards, nil), digest)
	default:
		if o.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
			return nil, errors.New("pkcs11: only SHA-256 is signed")
		}
	}
	if _, curve := k.public.(*ecdsa.PublicKey); curve {
		raw, err := k.sign(pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), digest)
		if err != nil {
			return nil, err
		}
		half := len(raw) / 2
		return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
	}
	if _, pss := o.(*rsa.PSSOptions); pss {
		params := pkcs11.NewPSSParams(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, uint(crypto.SHA256.Size()))
		return k.sign(pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, params), digest)
	}
	return k.sign(pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), append(sha256Info[:len(sha256Info):len(sha256Info)], digest...))
}

func (k *key) sign(how *pkcs11.Mechanism, data []byte) ([]byte, error) {
	var out []byte
	err := k.token.with(func(s pkcs11.SessionHandle) error {
		if err := k.token.ctx.SignInit(s, []*pkcs11.Mechanism{how}, k.handle); err != nil {
			return err
		}
		var err error
		out, err = k.token.ctx.Sign(s, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pkcs11: sign: %w", err)
	}
	return out, nil
}
