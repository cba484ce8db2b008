// Package seal owns the envelope around personal columns: what a thief of the database must not read.
// It knows keysets and byte strings. It does not know records, SQL or where the keyset is kept, which
// must not be the database that it protects.
package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

var (
	// ErrKeyset: the keyset is not one that NewKeyset or Rotate made. The cause stays hidden, it may quote the key.
	ErrKeyset = errors.New("seal: not a keyset of AES-256-GCM keys")
	// ErrRefused: the value was altered, belongs to another place, or was sealed by a key that is not in the keyset.
	ErrRefused = errors.New("seal: cannot be opened")
)

// Sealer seals a value to the one place where it may be read again.
type Sealer interface {
	// Seal encrypts plain and binds it to context (see Context).
	Seal(plain, context []byte) ([]byte, error)
	// Open returns what Seal was given, if context is the same; else ErrRefused.
	Open(sealed, context []byte) ([]byte, error)
}

// Context names the place of a value, so that it cannot be moved to another row, column or table.
// Each part is preceded by its length: no two places share a context.
func Context(table, column, row string) []byte {
	context := make([]byte, 0, 3*binary.MaxVarintLen64+len(table)+len(column)+len(row))
	for _, part := range []string{table, column, row} {
		context = binary.AppendUvarint(context, uint64(len(part)))
		context = append(context, part...)
	}
	return context
}

// Keyset is a Sealer: the primary key seals, every key of the set opens. Each sealed value starts with the id of its key.
type Keyset struct{ aead tink.AEAD }

// NewKeyset makes a keyset with one fresh AES-256-GCM key, as Tink JSON. Keep it secret and back it up:
// without it the sealed columns are lost.
func NewKeyset() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return write(handle)
}

// Rotate adds a fresh key that seals from now on. The older keys still open what they sealed.
// Random nonces allow 2^32 values per key (NIST SP 800-38D 8.3): rotate long before.
func Rotate(json []byte) ([]byte, error) {
	handle, err := read(json)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, err
	}
	handle, err = manager.Handle()
	if err != nil {
		return nil, err
	}
	return write(handle)
}

// FromKeyset reads what NewKeyset or Rotate made. ErrKeyset.
func FromKeyset(json []byte) (*Keyset, error) {
	handle, err := read(json)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, ErrKeyset
	}
	return &Keyset{aead: primitive}, nil
}

// Seal implements Sealer.
func (k *Keyset) Seal(plain, context []byte) ([]byte, error) { return k.aead.Encrypt(plain, context) }

// Open implements Sealer.
func (k *Keyset) Open(sealed, context []byte) ([]byte, error) {
	plain, err := k.aead.Decrypt(sealed, context)
	if err != nil {
		return nil, ErrRefused
	}
	return plain, nil
}

// String prints stars.
func (*Keyset) String() string { return "[keyset ***]" }

// GoString prints stars: %#v must not walk into the key.
func (k *Keyset) GoString() string { return k.String() }

// LogValue prints stars.
func (k *Keyset) LogValue() slog.Value { return slog.StringValue(k.String()) }

// read refuses every key that is not AES-256-GCM with a key id, though Tink itself would work with weaker ones.
func read(json []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(json)))
	if err != nil {
		return nil, ErrKeyset
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, ErrKeyset
		}
		key, ok := entry.Key().Parameters().(*aesgcm.Parameters)
		if !ok || key.KeySizeInBytes() != 32 || !key.HasIDRequirement() {
			return nil, ErrKeyset
		}
	}
	return handle, nil
}

func write(handle *keyset.Handle) ([]byte, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&out)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
