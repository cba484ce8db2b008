package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Where the four attributes can come from.
const (
	SignatureCertificate = "signature_certificate" // the SAN of the signature certificate, with an attributes statement
	CardInfo             = "card_info"             // the card-info application: EF 0002, 0003 and 0004 as they are
)

// What may open the card-info application.
const (
	CardInfoPIN = "card_info_pin" // its PIN of four digits
	NumberB     = "number_b"      // verification number B, which is printed on the card
)

// AttributesRef is how the login statement names the evidence of the attributes.
type AttributesRef struct {
	Source string `json:"source"`           // SignatureCertificate or CardInfo
	Hash   string `json:"hash"`             // base64url SHA-256
	Opened string `json:"opened,omitempty"` // NumberB where that opened the card-info application; "" for its PIN
}

// CertificateRef names a signature certificate by the SHA-256 of its DER.
func CertificateRef(der []byte) *AttributesRef {
	return &AttributesRef{Source: SignatureCertificate, Hash: Hash(der)}
}

// CardInfoRef names the files of the card-info application: attributes (EF 0002), signature (EF 0003) and
// certificate (EF 0004).
func CardInfoRef(attributes, signature, certificate []byte) *AttributesRef {
	return &AttributesRef{Source: CardInfo, Hash: CardInfoHash(attributes, signature, certificate)}
}

// CardInfoHash is the base64url SHA-256 over the files, each after its length as four big-endian bytes:
// without the lengths, bytes could move from one file to the next.
func CardInfoHash(files ...[]byte) string {
	h := sha256.New()
	for _, f := range files {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(f))))
		h.Write(f)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Attributes is the payload of the attributes statement, signed by the signature key after the person
// has read the sentence of Declaration (R8). It names the login statement, whose AttributesRef names the
// certificate that signs this one: neither can be used without the other.
type Attributes struct {
	V              int    `json:"v"`               // Version
	Issuer         string `json:"iss"`             // the provider
	Login          string `json:"login"`           // id of the login
	LoginStatement string `json:"login_statement"` // Opened.Hash of the login statement
	Declaration    string `json:"declaration"`     // key of the sentence shown, ShareAttributes
	Nonce          string `json:"nonce"`           // the provider's, as in the login statement
	IssuedAt       int64  `json:"iat"`             // Unix seconds
	Expires        int64  `json:"exp"`             // Unix seconds
}

// Bytes is the canonical payload.
func (a Attributes) Bytes() []byte { return canonical(a) }

// ExpectAttributes is Expect for the attributes statement: only iat and exp are taken from the payload.
// It does not compare the leaf with the login statement: that happens in Expect, by CertificateRef.
func ExpectAttributes(o Opened, want Attributes, now time.Time) (Attributes, error) {
	var said Attributes
	if err := json.Unmarshal(o.Payload, &said); err != nil {
		return Attributes{}, mismatch("payload is not an attributes statement")
	}
	if err := checkTimes(said.IssuedAt, said.Expires, now); err != nil {
		return Attributes{}, err
	}
	want.V, want.IssuedAt, want.Expires = Version, said.IssuedAt, said.Expires
	if !bytes.Equal(want.Bytes(), o.Payload) {
		return Attributes{}, mismatch("payload is not the one this login allows")
	}
	return want, nil
}
