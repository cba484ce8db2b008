package card_test

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/testdata/personas"
)

func readCardInfo(t testing.TB, virtual *cardtest.Card, p card.PIN, secret string) card.CardInfoFiles {
	t.Helper()
	c := open(t, virtual.Connect())
	if err := c.Verify(t.Context(), p, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	files, err := c.ReadCardInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func issuers() []*rsa.PublicKey {
	return []*rsa.PublicKey{&keys()[strangerKey].PublicKey, &keys()[issuerKey].PublicKey}
}

func TestEveryPersonasAttributesAreReadAndProved(t *testing.T) {
	all, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		t.Run(p.ID, func(t *testing.T) {
			virtual := cardtest.New(p, material(t))
			byNumber := readCardInfo(t, virtual, card.NumberB, p.NumberB())
			if p.CardInfoTries > 0 && !bytes.Equal(readCardInfo(t, virtual, card.CardInfoPIN, p.CardInfoPIN).EF0002, byNumber.EF0002) {
				t.Error("PIN and number B open different files")
			}
			info, err := card.ParseCardInfo(byNumber.EF0002)
			want := card.CardInfo{Name: p.Name, Address: p.Address, Birth: p.BirthDigits(), Sex: p.Gender.Digit()}
			if err != nil || info != want {
				t.Errorf("attributes differ: %v", err)
			}
			if err := card.VerifyCardInfo(byNumber, issuers()); err != nil {
				t.Error(err)
			}
			if virtual.MyNumberTouched() {
				t.Error("the My Number was touched")
			}
		})
	}
}

func TestTheHashOfTheMyNumberStaysOnTheCard(t *testing.T) {
	files := readCardInfo(t, taro(t), card.CardInfoPIN, "1234")
	if !bytes.Equal(files.EF0003[8:40], make([]byte, 32)) {
		t.Error("DF31 is not zero")
	}
	files.EF0003 = bytes.Clone(files.EF0003)
	files.EF0003[20] = 1
	if err := card.VerifyCardInfo(files, issuers()); !errors.Is(err, fail.CardDataBroken) {
		t.Errorf("evidence with a hash of the number was accepted: %v", err)
	}
}

func TestCardInfoNeedsItsPIN(t *testing.T) {
	c := open(t, taro(t).Connect())
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadCardInfo(t.Context()); !errors.Is(err, card.Status(0x6982)) {
		t.Errorf("got %v", err)
	}
}

func TestAProofFileOfAnotherLayoutIsRefused(t *testing.T) {
	for name, file := range map[string][]byte{
		"blank":               bytes.Repeat([]byte{0xFF}, 400),
		"the hashes swapped":  append([]byte{0xFF, 0x30, 0x82, 0x01, 0x4B, 0xDF, 0x32, 0x20}, make([]byte, 400)...),
		"a short length form": append([]byte{0xFF, 0x30, 0x81, 0xC8, 0xDF, 0x31, 0x20, 0x00}, make([]byte, 400)...),
		"too short":           append([]byte{0xFF, 0x30, 0x82, 0x00, 0x10, 0xDF, 0x31, 0x20}, make([]byte, 400)...),
		"64 kB":               append([]byte{0xFF, 0x30, 0x82, 0xFF, 0xFF, 0xDF, 0x31, 0x20}, make([]byte, 400)...),
	} {
		m := &memory{file: file}
		c := open(t, m.over(taro(t).Connect(), 0x03))
		if err := c.Verify(t.Context(), card.CardInfoPIN, []byte("1234")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadCardInfo(t.Context()); !errors.Is(err, fail.CardDataBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// object encodes one TLV with a length in one byte.
func object(tag uint16, value string) string {
	return string([]byte{byte(tag >> 8), byte(tag), byte(len(value))}) + value
}

// Trap 22.
func TestBrokenAttributesAreTypedErrors(t *testing.T) {
	name, address, birth, sex := object(0xDF22, "A B"), object(0xDF23, "C"), object(0xDF24, "19900401"), object(0xDF25, "1")
	offsets := object(0xDF21, "\x00\x0E\x00\x14\x00\x18\x00\x23")
	good := object(0xFF20, offsets+name+address+birth+sex)
	if _, err := card.ParseCardInfo([]byte(good)); err != nil {
		t.Fatalf("the example is not right: %v", err)
	}
	long := strings.Replace(good, "\xFF\x20", "\xFF\x20\x81", 1)
	long = strings.Replace(long, "\x00\x0E\x00\x14\x00\x18\x00\x23", "\x00\x0F\x00\x15\x00\x19\x00\x24", 1)
	if _, err := card.ParseCardInfo([]byte(long)); err != nil {
		t.Errorf("a length of form 81 is fine: %v", err)
	}
	for what, file := range map[string]string{
		"empty":                      "",
		"truncated":                  good[:len(good)-1],
		"a byte behind":              good + "\xFF",
		"another tag":                "\xFF\x30" + good[2:],
		"no table":                   object(0xFF20, name+address+birth+sex),
		"no sex":                     object(0xFF20, offsets+name+address+birth),
		"two names":                  object(0xFF20, offsets+name+address+birth+sex+name),
		"an unknown tag":             object(0xFF20, offsets+name+address+birth+sex+object(0xDF26, "x")),
		"an offset one off":          strings.Replace(good, "\x00\x14", "\x00\x15", 1),
		"offsets swapped":            strings.Replace(good, "\x00\x0E\x00\x14", "\x00\x14\x00\x0E", 1),
		"an offset past the file":    strings.Replace(good, "\x00\x23", "\xFF\x23", 1),
		"a table of seven bytes":     object(0xFF20, object(0xDF21, "\x00\x0D\x00\x13\x00\x17\x00")+name+address+birth+sex),
		"a name that is not UTF-8":   strings.Replace(good, "A B", "A\xFFB", 1),
		"a name with a line break":   strings.Replace(good, "A B", "A\nB", 1),
		"a birth date with a letter": strings.Replace(good, "19900401", "1990040x", 1),
		"a sex that is no digit":     good[:len(good)-1] + "m",
		"an indefinite length":       strings.Replace(good, "\xDF\x22\x03", "\xDF\x22\x80", 1),
		"a length past the end":      strings.Replace(good, "\xDF\x22\x03", "\xDF\x22\x7F", 1),
		"a tag of three bytes":       strings.Replace(good, "\xDF\x22\x03", "\xDF\xA2\x03", 1),
	} {
		if info, err := card.ParseCardInfo([]byte(file)); !errors.Is(err, fail.CardDataBroken) || info != (card.CardInfo{}) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestEvidenceThatDoesNotHold(t *testing.T) {
	good := readCardInfo(t, taro(t), card.CardInfoPIN, "1234")
	hanako := cardtest.EncodeCardInfo(persona(t, "hanako"))
	strangers, err := cardtest.CertifyCardInfoKey(&keys()[strangerKey].PublicKey, keys()[issuerKey])
	if err != nil {
		t.Fatal(err)
	}
	selfMade, err := cardtest.CertifyCardInfoKey(&keys()[cardInfoKey].PublicKey, keys()[cardInfoKey])
	if err != nil {
		t.Fatal(err)
	}
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	for _, tt := range []struct {
		name    string
		files   card.CardInfoFiles
		issuers []*rsa.PublicKey
		want    error
	}{
		{"no issuer configured", good, nil, fail.ChainUntrusted},
		{"another issuer", good, issuers()[:1], fail.ChainUntrusted},
		{"a key certified by itself", card.CardInfoFiles{EF0002: good.EF0002, EF0003: good.EF0003, EF0004: selfMade}, issuers(), fail.ChainUntrusted},
		{"an altered certificate", card.CardInfoFiles{EF0002: good.EF0002, EF0003: good.EF0003, EF0004: flip(good.EF0004, 100)}, issuers(), fail.ChainUntrusted},
		{"another certified key", card.CardInfoFiles{EF0002: good.EF0002, EF0003: good.EF0003, EF0004: strangers}, issuers(), fail.SignatureInvalid},
		{"another person's attributes", card.CardInfoFiles{EF0002: hanako, EF0003: good.EF0003, EF0004: good.EF0004}, issuers(), fail.SignatureInvalid},
		{"one changed letter", card.CardInfoFiles{EF0002: flip(good.EF0002, len(good.EF0002)-1), EF0003: good.EF0003, EF0004: good.EF0004}, issuers(), fail.SignatureInvalid},
		{"a changed hash", card.CardInfoFiles{EF0002: good.EF0002, EF0003: flip(good.EF0003, 50), EF0004: good.EF0004}, issuers(), fail.SignatureInvalid},
		{"a changed signature", card.CardInfoFiles{EF0002: good.EF0002, EF0003: flip(good.EF0003, 100), EF0004: good.EF0004}, issuers(), fail.SignatureInvalid},
		{"no files", card.CardInfoFiles{}, issuers(), fail.CardDataBroken},
		{"a byte behind", card.CardInfoFiles{EF0002: good.EF0002, EF0003: append(bytes.Clone(good.EF0003), 0), EF0004: good.EF0004}, issuers(), fail.CardDataBroken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := card.VerifyCardInfo(tt.files, tt.issuers); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestWeakCardInfoKeysAreRefused(t *testing.T) {
	good := readCardInfo(t, taro(t), card.CardInfoPIN, "1234")
	small := keys()[cardInfoKey].PublicKey
	small.N = new(big.Int).SetBytes(bytes.Repeat([]byte{0xFF}, 128))
	threes := keys()[strangerKey].PublicKey
	threes.E = 3
	for name, key := range map[string]rsa.PublicKey{"1024 bits": small, "exponent 3": threes} {
		cvc, err := cardtest.CertifyCardInfoKey(&key, keys()[issuerKey])
		if err != nil {
			t.Fatal(err)
		}
		files := card.CardInfoFiles{EF0002: good.EF0002, EF0003: good.EF0003, EF0004: cvc}
		if err := card.VerifyCardInfo(files, issuers()); !errors.Is(err, fail.CardDataBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any attributes survive the way through the card, and no altered byte does.
func TestAttributesRoundTripAndEveryByteIsBound(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("AZ09 -\u3000\u624B\u5F62\U00020BB7")), 1, 100, -1)
	base := persona(t, "taro")
	cvc := material(t).CardInfoCVC
	rapid.Check(t, func(t *rapid.T) {
		p := base
		p.Name, p.Address = text.Draw(t, "name"), text.Draw(t, "address")
		ef0002 := cardtest.EncodeCardInfo(p)
		info, err := card.ParseCardInfo(ef0002)
		if err != nil || info.Name != p.Name || info.Address != p.Address {
			t.Fatalf("%v", err)
		}
		ef0003, err := cardtest.SignCardInfo(ef0002, keys()[cardInfoKey])
		if err != nil {
			t.Fatal(err)
		}
		clear(ef0003[8:40])
		files := card.CardInfoFiles{EF0002: ef0002, EF0003: ef0003, EF0004: cvc}
		if err := card.VerifyCardInfo(files, issuers()); err != nil {
			t.Fatal(err)
		}
		files.EF0002 = slices.Clone(ef0002)
		files.EF0002[rapid.IntRange(0, len(ef0002)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "change"))
		_, parsed := card.ParseCardInfo(files.EF0002)
		if parsed == nil && card.VerifyCardInfo(files, issuers()) == nil {
			t.Fatal("an altered file parses and verifies")
		}
	})
}

func TestPersonalDataPrintsAsStars(t *testing.T) {
	files := readCardInfo(t, taro(t), card.CardInfoPIN, "1234")
	info, err := card.ParseCardInfo(files.EF0002)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %s %v %v", info, info, files, info.LogValue(), files.LogValue())
	if strings.Contains(printed, info.Birth) || strings.Contains(printed, info.Name) {
		t.Errorf("printed: %s", printed)
	}
}

func TestWhatCanBeCheckedWithoutAKey(t *testing.T) {
	good := readCardInfo(t, taro(t), card.CardInfoPIN, "1234")
	for _, tc := range []struct {
		name   string
		change func(f *card.CardInfoFiles)
		want   error
	}{
		{"a card as it is", func(*card.CardInfoFiles) {}, nil},
		{"a certificate that nobody can read", func(f *card.CardInfoFiles) { f.EF0004 = nil }, nil},
		{"other attributes", func(f *card.CardInfoFiles) { f.EF0002[len(f.EF0002)-1] ^= 3 }, fail.SignatureInvalid},
		{"attributes of another layout", func(f *card.CardInfoFiles) { f.EF0002 = f.EF0002[1:] }, fail.CardDataBroken},
		{"no proof", func(f *card.CardInfoFiles) { f.EF0003 = nil }, fail.CardDataBroken},
		{"a hash of the My Number", func(f *card.CardInfoFiles) { f.EF0003[20] = 1 }, fail.CardDataBroken},
	} {
		files := card.CardInfoFiles{EF0002: bytes.Clone(good.EF0002), EF0003: bytes.Clone(good.EF0003), EF0004: good.EF0004}
		tc.change(&files)
		if err := card.CheckCardInfo(files); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}
