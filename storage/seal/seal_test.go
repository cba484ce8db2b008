package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"pgregory.net/rapid"

	"tegata/storage/seal"
)

var here = seal.Context("logins", "facts", "login-1")

func TestWhatWasSealedOpensOnlyInItsPlace(t *testing.T) {
	k := open(t, fresh(t))
	sealed := must(k.Seal([]byte("born 2001-01-01"), here))
	places := []struct {
		name    string
		context []byte
		want    error
	}{
		{"the same place", seal.Context("logins", "facts", "login-1"), nil},
		{"another row", seal.Context("logins", "facts", "login-2"), seal.ErrRefused},
		{"another column", seal.Context("logins", "notes", "login-1"), seal.ErrRefused},
		{"another table", seal.Context("grants", "facts", "login-1"), seal.ErrRefused},
		{"parts cut elsewhere", seal.Context("logins", "factslogin", "-1"), seal.ErrRefused},
		{"no place", nil, seal.ErrRefused},
	}
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			if _, err := k.Open(sealed, place.context); !errors.Is(err, place.want) {
				t.Fatalf("got %v, want %v", err, place.want)
			}
		})
	}
}

func TestEveryFlippedBitIsRefused(t *testing.T) {
	k := open(t, fresh(t))
	sealed := must(k.Seal([]byte("x"), here))
	for bit := range len(sealed) * 8 {
		sealed[bit/8] ^= 1 << (bit % 8)
		if _, err := k.Open(sealed, here); !errors.Is(err, seal.ErrRefused) {
			t.Fatalf("bit %d: got %v", bit, err)
		}
		sealed[bit/8] ^= 1 << (bit % 8)
	}
}

func TestRotationSealsAnewAndStillOpensTheOld(t *testing.T) {
	first := fresh(t)
	second := must(seal.Rotate(first))
	old, both := open(t, first), open(t, second)

	before := must(old.Seal([]byte("before"), here))
	if got, err := both.Open(before, here); err != nil || string(got) != "before" {
		t.Fatalf("the rotated keyset lost the past: %q, %v", got, err)
	}
	after := must(both.Seal([]byte("after"), here))
	if _, err := old.Open(after, here); !errors.Is(err, seal.ErrRefused) {
		t.Fatalf("the old key opened a value of the new one: %v", err)
	}
	if bytes.Equal(before[:5], after[:5]) {
		t.Fatal("the new value carries the id of the old key")
	}
}

func TestAnotherKeysetIsRefused(t *testing.T) {
	sealed := must(open(t, fresh(t)).Seal([]byte("x"), here))
	if _, err := open(t, fresh(t)).Open(sealed, here); !errors.Is(err, seal.ErrRefused) {
		t.Fatal(err)
	}
}

func TestOnlyOurKindOfKeysetIsRead(t *testing.T) {
	weak := must(keyset.NewHandle(aead.AES128GCMKeyTemplate()))
	var weakJSON bytes.Buffer
	if err := insecurecleartextkeyset.Write(weak, keyset.NewJSONWriter(&weakJSON)); err != nil {
		t.Fatal(err)
	}
	for name, json := range map[string]string{
		"nothing": "", "not JSON": "SECRET", "no keys": "{}", "weak keys": weakJSON.String(),
		"a broken key": strings.Replace(string(fresh(t)), `"value":"`, `"value":"SECRET`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.FromKeyset([]byte(json))
			if !errors.Is(err, seal.ErrKeyset) || strings.Contains(err.Error(), "SECRET") {
				t.Fatal(err)
			}
			if _, err := seal.Rotate([]byte(json)); !errors.Is(err, seal.ErrKeyset) {
				t.Fatal(err)
			}
		})
	}
}

func TestAKeysetPrintsAsStars(t *testing.T) {
	k := open(t, fresh(t))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "keyset", k)
	for _, printed := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), log.String()} {
		if !strings.Contains(printed, "[keyset ***]") {
			t.Error(printed)
		}
	}
}

func TestNoTwoPlacesShareAContext(t *testing.T) {
	part := rapid.StringMatching(`[a\x00\x01]{0,4}`)
	place := rapid.Custom(func(t *rapid.T) [3]string {
		return [3]string{part.Draw(t, "table"), part.Draw(t, "column"), part.Draw(t, "row")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := place.Draw(t, "a"), place.Draw(t, "b")
		same := bytes.Equal(seal.Context(a[0], a[1], a[2]), seal.Context(b[0], b[1], b[2]))
		if same != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

func TestAnyValueComesBack(t *testing.T) {
	k := open(t, fresh(t))
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		got, err := k.Open(must(k.Seal(plain, here)), here)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%x, %v", got, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	k := open(f, fresh(f))
	f.Add([]byte{})
	f.Add(must(k.Seal([]byte("x"), []byte("elsewhere"))))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := k.Open(sealed, here); !errors.Is(err, seal.ErrRefused) {
			t.Fatalf("opened a forgery: %x, %v", plain, err)
		}
	})
}

func fresh(t testing.TB) []byte {
	t.Helper()
	return must(seal.NewKeyset())
}

func open(t testing.TB, json []byte) *seal.Keyset {
	t.Helper()
	k, err := seal.FromKeyset(json)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
