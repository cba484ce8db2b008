package clients

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"

	"tegata/storage"
)

// NewSecret makes a client secret of 256 bits, base64url, and the hash to store. The error is that of the
// random source.
func NewSecret(rand io.Reader) (secret string, hash []byte, err error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", nil, fmt.Errorf("clients: random source: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, HashSecret(secret), nil
}

// HashSecret gives the SHA-256 of a secret. A slow hash would protect guessable secrets; ours are 256 random
// bits, and one bcrypt check costs more than fifty logins.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CheckSecret says whether secret is one of the client's. It compares with every hash in constant time, so the
// time does not tell which one matched. A client that proves itself in another way has no secret: the answer is no.
func CheckSecret(c storage.Client, secret string) bool {
	if !HasSecret(c.AuthMethod) {
		return false
	}
	hash, match := HashSecret(secret), 0
	for _, h := range c.SecretHashes {
		match |= subtle.ConstantTimeCompare(h, hash)
	}
	return match == 1
}
