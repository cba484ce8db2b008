package agent

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"tegata/authn/fail"
)

func TestDecodeIsStrict(t *testing.T) {
	const good = `{"login":"l","code":"reading","tries":2}`
	two := 2
	if got, err := Decode[ProgressRequest]([]byte(good)); err != nil || !reflect.DeepEqual(got, ProgressRequest{"l", "reading", &two}) {
		t.Fatalf("Decode = %+v, %v", got, err)
	}
	for name, body := range map[string]string{
		"nothing":                       "",
		"null":                          "null",
		"a string":                      `"x"`,
		"an array":                      "[" + good + "]",
		"a space in front":              " " + good,
		"a second object":               good + good,
		"a word behind":                 good + "x",
		"cut short":                     good[:len(good)-1],
		"an unknown member":             `{"login":"l","admin":true}`,
		"a member twice":                `{"login":"l","login":"m"}`,
		"a member twice, one escaped":   `{"login":"l","l\u006fgin":"m"}`,
		"a name in capitals":            `{"LOGIN":"l"}`,
		"a name with a long s":          `{"trie` + "\u017f" + `":1}`,
		"a number for a string":         `{"login":1}`,
		"a fraction for a whole number": `{"tries":1.5}`,
		"more than the cap":             `{"login":"` + strings.Repeat("l", MaxBody) + `"}`,
		"deeply nested":                 `{"login":` + strings.Repeat("[", 20000) + `}`,
	} {
		if got, err := Decode[ProgressRequest]([]byte(body)); !errors.Is(err, fail.BadInput) || got != (ProgressRequest{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestDecodeLooksIntoNestedObjects(t *testing.T) {
	const good = `{"login":"l","statement":"s","card_info":{"attributes":"_w","signature":"","certificate":"AA"}}`
	got, err := Decode[ResultRequest]([]byte(good))
	if err != nil || got.CardInfo == nil || string(got.CardInfo.Attributes) != "\xff" || string(got.CardInfo.Certificate) != "\x00" {
		t.Fatalf("Decode = %+v, %v", got, err)
	}
	for name, body := range map[string]string{
		"a member twice":             strings.Replace(good, `"signature":""`, `"signature":"","signature":""`, 1),
		"an unknown member":          strings.Replace(good, `"signature":""`, `"number":""`, 1),
		"standard base64":            strings.Replace(good, "_w", "/w", 1),
		"padding":                    strings.Replace(good, "_w", "_w==", 1),
		"a line break in base64":     strings.Replace(good, "_w", `_\nw`, 1),
		"leftover bits in base64":    strings.Replace(good, "_w", "_x", 1),
		"an array in place of bytes": strings.Replace(good, `"_w"`, "[255]", 1),
	} {
		if got, err := Decode[ResultRequest]([]byte(body)); !errors.Is(err, fail.BadInput) || got.CardInfo != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"login":"l","statement":"s","attributes":"a"}`, `{"card_info":{"attributes":"_w","signature":"","certificate":"AA"}}`,
		`{"login":"l","login":"m"}`, `{}`, `[`, `{"a":{"b":[{"c":1}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Decode[ResultRequest](body)
		if err != nil {
			return
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := Decode[ResultRequest](again); err != nil && len(again) <= MaxBody || err == nil && !equal(got, second) {
			t.Fatalf("%s became %s: %v", body, again, err)
		}
	})
}

func equal(a, b ResultRequest) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}
