package card

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"math/big"

	"tegata/authn/fail"
)

// Tags of the certificate over the card-info key, after the card-verifiable certificates of ISO/IEC 7816-8.
const (
	tagCertificate     uint16 = 0x7F21
	tagCertificateBody uint16 = 0x7F4E
	tagCertificateSign uint16 = 0x5F37
	tagExponent        uint16 = 0x90
	tagModulus         uint16 = 0x91
)

var (
	errIssuerUnknown = errors.New("no configured issuer signed the card-info key")
	errNumberHash    = errors.New("evidence with a hash of the My Number file")
	errWeakKey       = errors.New("a card-info key that is too small, too large or has an odd exponent")
	errHashDiffers   = errors.New("the attributes are not those that were signed")
)

// VerifyCardInfo checks that the attributes come from a card of one of the issuers, in this layout:
//
//	EF0004  7F21 { 7F4E { 90 exponent, 91 modulus }, 5F37 signature of the issuer over the 7F4E object }
//	EF0003  FF30 { DF31 32 zero bytes, DF32 hash, DF33 signature of the 7F4E key over the DF32 object }
//	EF0002  DF32 is the SHA-256 of the value of FF20 without the DF21 object
//
// Signatures are RSA PKCS#1 v1.5 with SHA-256. THIS IS THE TEST ISSUER'S LAYOUT. The keys that certify
// real cards are not published, nor is what exactly they and DF33 sign; a real card therefore never
// passes, and its attributes stay self-asserted. DF32 and the tags are those of real cards.
//
// Errors: fail.CardDataBroken (not this layout, or a hash where DF31 must be zero: a derivative of the
// My Number is refused, R1), fail.ChainUntrusted (no issuer signed the key), fail.SignatureInvalid.
// The caller parses the same EF0002 with ParseCardInfo; success here says nothing about its text.
func VerifyCardInfo(files CardInfoFiles, issuers []*rsa.PublicKey) error {
	certificate, err := parseCertificate(files.EF0004)
	if err != nil {
		return fail.CardDataBroken.Because(err)
	}
	proof, err := consistent(files)
	if err != nil {
		return err
	}
	if !certificate.issuedByOneOf(issuers) {
		return fail.ChainUntrusted.Because(errIssuerUnknown)
	}
	if err := verifyRSA(certificate.key, proof.hash.whole, proof.signature); err != nil {
		return fail.SignatureInvalid.Because(err)
	}
	return nil
}

// CheckCardInfo checks what can be checked without an issuer's key: that the files are laid out as a card has them, that the
// attributes are those whose hash lies beside them, and that no hash of the My Number came along (R1). Whoever holds a
// reader can make such files. The error is fail.CardDataBroken or fail.SignatureInvalid.
func CheckCardInfo(files CardInfoFiles) error {
	_, err := consistent(files)
	return err
}

func consistent(files CardInfoFiles) (attributeProof, error) {
	proof, err := parseProof(files.EF0003)
	if err != nil {
		return proof, fail.CardDataBroken.Because(err)
	}
	hash, err := attributeHash(files.EF0002)
	if err != nil {
		return proof, fail.CardDataBroken.Because(err)
	}
	if subtle.ConstantTimeCompare(hash, proof.hash.value) != 1 {
		return proof, fail.SignatureInvalid.Because(errHashDiffers)
	}
	return proof, nil
}

func verifyRSA(key *rsa.PublicKey, message, signature []byte) error {
	sum := sha256.Sum256(message)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
}

// keyCertificate is EF 0004.
type keyCertificate struct {
	key       *rsa.PublicKey
	body      []byte
	signature []byte
}

func parseCertificate(ef0004 []byte) (keyCertificate, error) {
	file, err := onlyTLV(ef0004, tagCertificate)
	if err != nil {
		return keyCertificate{}, err
	}
	parts, err := members(file.value, tagCertificateBody, tagCertificateSign)
	if err != nil {
		return keyCertificate{}, err
	}
	body := parts[tagCertificateBody]
	key, err := parseKey(body.value)
	if err != nil {
		return keyCertificate{}, err
	}
	return keyCertificate{key, body.whole, parts[tagCertificateSign].value}, nil
}

// parseKey takes 2048 to 4096 bits with the usual exponent: a bound for the work, and no e=1 or e=3.
func parseKey(value []byte) (*rsa.PublicKey, error) {
	parts, err := members(value, tagExponent, tagModulus)
	if err != nil {
		return nil, err
	}
	exponent, modulus := parts[tagExponent].value, new(big.Int).SetBytes(parts[tagModulus].value)
	if !bytes.Equal(exponent, []byte{1, 0, 1}) || modulus.BitLen() < 2048 || modulus.BitLen() > 4096 || modulus.Bit(0) == 0 {
		return nil, errWeakKey
	}
	return &rsa.PublicKey{N: modulus, E: 65537}, nil
}

func (c keyCertificate) issuedByOneOf(issuers []*rsa.PublicKey) bool {
	for _, issuer := range issuers {
		if verifyRSA(issuer, c.body, c.signature) == nil {
			return true
		}
	}
	return false
}

// attributeProof is EF 0003.
type attributeProof struct {
	hash      object
	signature []byte
}

func parseProof(ef0003 []byte) (attributeProof, error) {
	file, err := onlyTLV(ef0003, tagProof)
	if err != nil {
		return attributeProof{}, err
	}
	parts, err := members(file.value, tagNumberHash, tagAttributeHash, tagProofSignature)
	if err != nil {
		return attributeProof{}, err
	}
	if !bytes.Equal(parts[tagNumberHash].value, make([]byte, sha256.Size)) {
		return attributeProof{}, errNumberHash
	}
	return attributeProof{parts[tagAttributeHash], parts[tagProofSignature].value}, nil
}

// attributeHash hashes the attributes as the card does, leaving out the offsets table.
func attributeHash(ef0002 []byte) ([]byte, error) {
	file, err := onlyTLV(ef0002, tagAttributes)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for rest := file.value; len(rest) > 0; {
		var o object
		if o, rest, err = readTLV(rest); err != nil {
			return nil, err
		}
		if o.tag != tagOffsets {
			sum.Write(o.whole)
		}
	}
	return sum.Sum(nil), nil
}
