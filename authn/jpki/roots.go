package jpki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
)

// Root is a CA certificate that J-LIS published. All generations of a purpose share one name, so the
// fingerprint is what tells them apart.
type Root struct {
	Name    string // the name of its file at J-LIS
	Purpose Purpose
	sum     string // SHA-256 of the DER in hexadecimal, in groups of eight
}

// Roots are the official roots that this program knows by fingerprint. authca02, the authentication CA of
// 2019 to 2029, is missing: nobody could check its fingerprint when this was written. Its operator types
// it, from the fingerprint sheet at jpki.go.jp/ca. Generation 1 ended in October 2025 and stays known, so
// that an operator who adds it hears "expired" and not "unknown".
func Roots() []Root { return slices.Clone(roots) }

var roots = []Root{
	{"authca01", Authentication, "4dcfc4ca 0aaf9fb2 a3081b3f 0c991c32 0b3acc00 8667a341 eeaec5af 1d58ca7d"},
	{"authca03", Authentication, "64114f29 620c24ed 2631d464 76a040e7 ee740d95 6089c00b 036a6a81 18c322b5"},
	{"signca01", Signature, "19645405 a1fe1437 7434bd55 957628ac 4038557c 542403a2 243f21c7 06fc9355"},
	{"signca02", Signature, "79679c33 e4cc9319 440f1ad1 20a597ff 1844e2ef 217063ad b176966f d5e6fbeb"},
	{"signca03", Signature, "d227f6cd e11d35c5 252178f1 06f843d2 46519449 75413b53 9fa2fb68 dbfa365f"},
}

// Fingerprint is the SHA-256 of a certificate's DER.
func Fingerprint(c *x509.Certificate) [sha256.Size]byte { return sha256.Sum256(c.Raw) }

// ParseFingerprint reads a fingerprint as people copy it: hexadecimal in either case, with colons, spaces
// or hyphens between the digits or none.
func ParseFingerprint(text string) ([sha256.Size]byte, bool) {
	var sum [sha256.Size]byte
	digits, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "", "-", "").Replace(text))
	if err != nil || len(digits) != len(sum) {
		return sum, false
	}
	copy(sum[:], digits)
	return sum, true
}

// Known finds the official root of a fingerprint.
func Known(fingerprint [sha256.Size]byte) (Root, bool) {
	i := slices.IndexFunc(roots, func(r Root) bool {
		sum, _ := ParseFingerprint(r.sum)
		return sum == fingerprint
	})
	if i < 0 {
		return Root{}, false
	}
	return roots[i], true
}
