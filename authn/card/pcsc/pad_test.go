package pcsc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/fail"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Field by field as in PC/SC part 10, written down by hand.
func TestThePINVerifyStructure(t *testing.T) {
	for _, tc := range []struct{ name, verify, want string }{
		{
			"four digits", "00200080 04 FFFFFFFF",
			"3C 3C" + // seconds to the first key, and between keys
				"82 04 00" + // ASCII from byte 0; a block of 4 bytes, no length; no length
				"0404" + // most and least digits: 0404h little-endian
				"02 01 1104 00" + // the enter key ends; one message; Japanese; the message "enter PIN"
				"000000" + // T=1 prologue: the driver's
				"09000000 0020008004FFFFFFFF",
		},
		{"fourteen digits", "00200080 0E FFFFFFFFFFFFFFFFFFFFFFFFFFFF", "3C3C 820E00 0E0E 02 01 1104 00 000000 13000000 002000800EFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, want := pinVerifyStructure(unhex(t, tc.verify)), unhex(t, tc.want); !bytes.Equal(got, want) {
				t.Errorf("got  % X\nwant % X", got, want)
			}
		})
	}
}

func TestTheFeatureList(t *testing.T) {
	for _, tc := range []struct {
		name, list string
		want       uint32
	}{
		{"nothing", "", 0},
		{"the feature alone", "06 04 42000001", 0x42000001},
		{"among others", "07 04 42000002  06 04 42000001  0A 04 42000003", 0x42000001},
		{"others alone", "07 04 42000002", 0},
		{"cut short", "07 04 42000002 06 04 4200", 0},
		{"an entry of another length", "07 05 4200000200 06 04 42000001", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := findFeature(unhex(t, tc.list), featureVerifyDirect); got != tc.want {
				t.Errorf("got %08X", got)
			}
		})
	}
}

func FuzzFindFeature(f *testing.F) {
	f.Add([]byte{6, 4, 0x42, 0, 0, 1}, byte(6))
	f.Fuzz(func(t *testing.T, list []byte, tag byte) {
		code := findFeature(list, tag)
		if code != 0 && !bytes.Contains(list, []byte{tag, 4, byte(code >> 24), byte(code >> 16), byte(code >> 8), byte(code)}) {
			t.Errorf("%08X is not in % X", code, list)
		}
	})
}

// keypad plays a reader with keys on which somebody types.
func keypad(d *desk, types func(in []byte) ([]byte, error)) (orders *int) {
	orders = new(int)
	d.control = func(code uint32, in []byte) ([]byte, error) {
		if code == controlCode(functionGetFeatures) {
			return []byte{featureVerifyDirect, 4, 0x42, 0, 0, 9}, nil
		}
		if code != 0x42000009 {
			return nil, Code(0x8010001F)
		}
		*orders++
		return types(in)
	}
	return orders
}

func TestAPINTypedOnTheReader(t *testing.T) {
	const header = 19 // of the structure, before the command
	for _, tc := range []struct {
		name  string
		typed string // "" = says is the answer
		says  []byte
		err   error
		want  error
		tries int
	}{
		{name: "right", typed: "1234", tries: 3},
		{name: "wrong", typed: "9999", want: fail.PINWrong, tries: 2},
		{name: "nobody types", says: []byte{0x64, 0x00}, want: fail.UserCancelled, tries: 3},
		{name: "the cancel key", says: []byte{0x64, 0x01}, want: fail.UserCancelled, tries: 3},
		{name: "too few digits", says: []byte{0x64, 0x03}, want: fail.PINFormat, tries: 3},
		{name: "the card is pulled", says: nil, want: fail.PINUnknown, tries: 3},
		{name: "the reader fails", err: RemovedCard, want: fail.PINUnknown, tries: 3},
		{name: "an answer without meaning", says: []byte{0x6F, 0x00}, want: fail.PINUnknown, tries: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, virtual := newDesk(t)
			orders := keypad(d, func(in []byte) ([]byte, error) {
				if tc.typed == "" || tc.err != nil {
					return tc.says, tc.err
				}
				verify := slices.Clone(in[header:])
				copy(verify[verifyHeaderLength:], tc.typed)
				return d.cards[readerName].Transmit(t.Context(), verify)
			})
			s, err := d.service().Open(t.Context(), readerName)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !s.HasPad(t.Context(), card.AuthPIN) || s.HasPad(t.Context(), card.SignPassword) {
				t.Error("it takes digits, and no password")
			}
			err = s.VerifyOnPad(t.Context(), card.AuthPIN)
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("got %v because of %v", err, errors.Unwrap(err))
			}
			if n := strings.Count(strings.Join(d.calls(), " "), "control"); n != 2 {
				t.Errorf("%d control calls: the reader is asked for its keys once, and to verify once", n)
			}
			if virtual.Tries(card.AuthPIN) != tc.tries || *orders != 1 {
				t.Errorf("%d tries left after %d entries", virtual.Tries(card.AuthPIN), *orders)
			}
		})
	}
}

func TestAReaderWithoutKeys(t *testing.T) {
	for name, answer := range map[string]func(uint32, []byte) ([]byte, error){
		"refuses the question":  func(uint32, []byte) ([]byte, error) { return nil, Code(0x8010001F) },
		"has no such feature":   func(uint32, []byte) ([]byte, error) { return []byte{7, 4, 0, 0, 0, 1}, nil },
		"answers with nonsense": func(uint32, []byte) ([]byte, error) { return []byte{6, 1, 1}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDesk(t)
			d.control = answer
			s, err := d.service().Open(t.Context(), readerName)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if s.HasPad(t.Context(), card.AuthPIN) {
				t.Error("it has")
			}
			if err := s.VerifyOnPad(t.Context(), card.AuthPIN); !errors.Is(err, fail.Internal) {
				t.Errorf("got %v", err)
			}
		})
	}
}
