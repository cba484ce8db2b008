package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// ErrOwn: the value was altered, moved, or sealed under another key. The text carries no part of it.
var ErrOwn = errors.New("seal: this key does not open it")

// Own is the key of one person's values: when every copy of it is gone, so are they, wherever copies of them are.
type Own [32]byte

// NewOwn draws a key.
func NewOwn() Own {
	var k Own
	rand.Read(k[:]) // it never fails
	return k
}

// Seal is AES-256-GCM with a random nonce in front; context as everywhere in this package.
func (k Own) Seal(plain, context []byte) []byte {
	return k.aead().Seal(nil, nil, plain, context) //nolint:gosec // this AEAD draws its nonce itself
}

// Open undoes Seal. ErrOwn.
func (k Own) Open(sealed, context []byte) ([]byte, error) {
	plain, err := k.aead().Open(nil, nil, sealed, context)
	if err != nil {
		return nil, ErrOwn
	}
	return plain, nil
}

func (k Own) aead() cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCMWithRandomNonce(block); err == nil {
			return aead
		}
	}
	panic(err) // a key of this length always has a cipher
}

// String prints stars.
func (Own) String() string { return "[key ***]" }

// GoString prints stars: %#v must not walk into the key.
func (k Own) GoString() string { return k.String() }
