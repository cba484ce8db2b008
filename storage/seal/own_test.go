package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"tegata/storage/seal"
)

func TestAPersonsOwnKeyAloneOpensHerValues(t *testing.T) {
	taro, hanako := seal.NewOwn(), seal.NewOwn()
	here, there := seal.Context("remembered", "facts", "taro"), seal.Context("remembered", "facts", "hanako")
	plain := []byte("facts")
	sealed := taro.Seal(plain, here)
	if got, err := taro.Open(sealed, here); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("%q %v", got, err)
	}
	if bytes.Contains(sealed, plain) || bytes.Equal(sealed, taro.Seal(plain, here)) {
		t.Error("the value shows, or shows that it is the same")
	}
	for name, open := range map[string]func() ([]byte, error){
		"another key":   func() ([]byte, error) { return hanako.Open(sealed, here) },
		"another place": func() ([]byte, error) { return taro.Open(sealed, there) },
		"a flipped bit": func() ([]byte, error) {
			bad := bytes.Clone(sealed)
			bad[len(bad)-1] ^= 1
			return taro.Open(bad, here)
		},
		"nothing": func() ([]byte, error) { return taro.Open(nil, here) },
	} {
		if got, err := open(); !errors.Is(err, seal.ErrOwn) || got != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if got := fmt.Sprintf("%v %s %#v", taro, taro, taro); got != "[key ***] [key ***] [key ***]" {
		t.Error(got)
	}
}
