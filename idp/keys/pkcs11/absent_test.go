//go:build !pkcs11

package pkcs11

import (
	"errors"
	"testing"
)

func TestABinaryWithoutItSaysSo(t *testing.T) {
	if hardware, err := Open(Config{Module: "/usr/lib/softhsm/libsofthsm2.so"}); hardware != nil || !errors.Is(err, ErrAbsent) {
		t.Errorf("%v, %v", hardware, err)
	}
}
