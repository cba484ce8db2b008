// Package pkcs11 keeps signing keys in a device that never gives them away: a hardware security module, or SoftHSM. It
// is the only room that knows PKCS #11, and has it only in a binary built with the tag pkcs11, which needs cgo; in any
// other one Open says so. It refuses to know when a key signs, and databases.
package pkcs11

import "errors"

// Config says which token to use.
type Config struct {
	Module string // path of the vendor's library
	Token  string // label of the token
	PIN    string // of the user; it is never logged
}

var (
	// ErrAbsent: this binary has no PKCS #11.
	ErrAbsent = errors.New("pkcs11: this binary was built without PKCS #11: build it with CGO_ENABLED=1 and -tags pkcs11")
	// ErrToken: the module or the token cannot be used as configured.
	ErrToken = errors.New("pkcs11: the token cannot be used")
)
