package jpki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"log/slog"
	"math/big"
	"time"
)

// Number is what may be kept of a certificate, sealed: what its authority knows it by, and when it ends. Serial numbers
// come from a small space and the end of a certificate falls on its holder's birthday, so none of it may be written,
// logged or told to anybody but the authority (R6). It prints as a word.
type Number struct {
	Issuer   [sha256.Size]byte // SHA-256 of the anchor that signed it
	Serial   *big.Int
	NotAfter time.Time
}

// NumberOf reads it from a certificate and the anchor that Trust.Check found.
func NumberOf(leaf, issuer *x509.Certificate) Number {
	return Number{Issuer: sha256.Sum256(issuer.Raw), Serial: leaf.SerialNumber, NotAfter: leaf.NotAfter}
}

// Index is the Index of the certificate.
func (n Number) Index(key []byte, purpose Purpose) []byte { return IndexOf(key, purpose, n.Serial) }

// numberDER is how a Number is kept: DER has one form for each value, and a strict parser.
type numberDER struct {
	Issuer   []byte
	Serial   *big.Int
	NotAfter time.Time `asn1:"generalized"`
}

// Encode gives the bytes to seal.
func (n Number) Encode() []byte {
	out, err := asn1.Marshal(numberDER{n.Issuer[:], n.Serial, n.NotAfter.UTC()})
	if err != nil {
		panic(err) // a certificate's serial and end always have a form: they were read from one
	}
	return out
}

// ErrNumber: these bytes are not what Encode made.
var ErrNumber = errors.New("jpki: not a certificate's number")

// ParseNumber undoes Encode. ErrNumber.
func ParseNumber(encoded []byte) (Number, error) {
	var in numberDER
	rest, err := asn1.Unmarshal(encoded, &in)
	if err != nil || len(rest) > 0 || len(in.Issuer) != sha256.Size || in.Serial.Sign() <= 0 {
		return Number{}, ErrNumber
	}
	return Number{Issuer: [sha256.Size]byte(in.Issuer), Serial: in.Serial, NotAfter: in.NotAfter}, nil
}

// String gives nothing away.
func (Number) String() string { return "[certificate number]" }

// GoString gives nothing away either.
func (n Number) GoString() string { return n.String() }

// LogValue gives nothing away either.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.String()) }
