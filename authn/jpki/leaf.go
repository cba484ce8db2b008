package jpki

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
)

// MaxLeafSize is the longest certificate read from a card or an agent, in bytes. Real ones have about 1600.
const MaxLeafSize = 8 << 10

// ParseLeaf reads exactly one DER certificate; not a byte may follow it. The parser's own error is
// dropped, because it may quote what it read. The error is always a Refusal.
func ParseLeaf(der []byte) (*x509.Certificate, error) {
	switch {
	case len(der) == 0:
		return nil, Refusal{NoCertificate}
	case len(der) > MaxLeafSize:
		return nil, Refusal{TooLarge}
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, Refusal{Malformed}
	}
	return leaf, nil
}

// minIndexKey is the shortest key Index accepts, in bytes.
const minIndexKey = 16

// Index is the name under which a deployment finds a certificate again:
// HMAC-SHA256(key, purpose || 0 || serial number as unsigned big-endian bytes).
// The issuer is not part of it: all generations of a purpose share one counter. Serial numbers come
// from a small space, so without a secret key the index would give them away; a key shorter than
// 16 bytes is a mistake of the program and panics.
func Index(key []byte, purpose Purpose, cert *x509.Certificate) []byte {
	return IndexOf(key, purpose, cert.SerialNumber)
}

// IndexOf is Index for a certificate of which only the serial number is known.
func IndexOf(key []byte, purpose Purpose, serial *big.Int) []byte {
	if len(key) < minIndexKey {
		panic("jpki: index key too short")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose.String()))
	mac.Write([]byte{0})
	mac.Write(serial.Bytes())
	return mac.Sum(nil)
}
