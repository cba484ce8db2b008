//go:build !pkcs11

package pkcs11

import "tegata/idp/keys"

// Open gives ErrAbsent.
func Open(Config) (keys.Hardware, error) { return nil, ErrAbsent }
