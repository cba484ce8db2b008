package authn

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
)

// Secret is 256 random bits that one party holds and that we store only as a hash.
// It prints as stars; Reveal is the one way out.
type Secret [32]byte

// NewSecret draws a secret from rand.
func NewSecret(rand io.Reader) (Secret, error) {
	var s Secret
	if _, err := io.ReadFull(rand, s[:]); err != nil {
		return Secret{}, fmt.Errorf("authn: randomness: %w", err)
	}
	return s, nil
}

// ParseSecret reads the base64url form that Reveal writes; anything else is not a secret.
func ParseSecret(text string) (Secret, bool) {
	var s Secret
	if len(text) != base64.RawURLEncoding.EncodedLen(len(s)) {
		return Secret{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(s) {
		return Secret{}, false
	}
	copy(s[:], raw)
	return s, true
}

// Reveal gives the base64url text for the party that shall hold it.
func (s Secret) Reveal() string { return base64.RawURLEncoding.EncodeToString(s[:]) }

// Hash is what we store: SHA-256 is enough for 256 random bits.
func (s Secret) Hash() []byte {
	sum := sha256.Sum256(s[:])
	return sum[:]
}

// Is compares with a stored hash in constant time.
func (s Secret) Is(hash []byte) bool { return subtle.ConstantTimeCompare(s.Hash(), hash) == 1 }

// String keeps the secret out of every format verb.
func (Secret) String() string { return "[secret]" }

// GoString keeps the secret out of %#v.
func (Secret) GoString() string { return "[secret]" }

// LogValue keeps the secret out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// derive makes the n-th ticket secret of a login from the browser's own secret, so that only this browser can
// be shown the launch link again after a reload while the database holds nothing but its hash.
func (s Secret) derive(login string, n int64) Secret {
	mac := hmac.New(sha256.New, s[:])
	mac.Write([]byte("tegata ticket\x00" + login + "\x00"))
	_ = binary.Write(mac, binary.BigEndian, n)
	var out Secret
	copy(out[:], mac.Sum(nil))
	return out
}

// newID draws a 128-bit handle. Handles stand in URLs and are no secrets. One that begins with a hyphen, which a
// program could take for an option, is drawn again.
func newID(rand io.Reader) (string, error) {
	for {
		var b [16]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", fmt.Errorf("authn: randomness: %w", err)
		}
		if id := base64.RawURLEncoding.EncodeToString(b[:]); id[0] != '-' {
			return id, nil
		}
	}
}
