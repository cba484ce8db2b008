package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"tegata/claims/mynumber"
)

// canary is something that was planted and must not turn up.
type canary struct {
	what, text string
	known      bool // what a card knows of its holder: she and those she agreed to may see it
}

// scanner looks for canaries in whatever was left behind, under the usual disguises.
type scanner struct{ canaries []canary }

// scan gives the canaries that data holds, as they are or in base64, hex, percent signs or JSON escapes, two deep.
func (s scanner) scan(data []byte) []canary {
	var found []canary
	for _, layer := range peel(data, 2) {
		for _, c := range s.canaries {
			if c.in(layer) {
				found = append(found, c)
			}
		}
	}
	return found
}

// in: what is shorter than eight bytes counts as a word of its own only, or random data would be full of it.
func (c canary) in(data []byte) bool {
	for rest := data; ; {
		at := bytes.Index(rest, []byte(c.text))
		if at < 0 {
			return false
		}
		end := at + len(c.text)
		if len(c.text) >= 8 || (at == 0 || !inWord(rest[at-1])) && (end == len(rest) || !inWord(rest[end])) {
			return true
		}
		rest = rest[at+1:]
	}
}

func inWord(b byte) bool {
	return b == '_' || b == '-' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

var (
	base64Run  = regexp.MustCompile(`[A-Za-z0-9_+/-]{12,}`)
	hexRun     = regexp.MustCompile(`[0-9A-Fa-f]{16,}`)
	jsonEscape = regexp.MustCompile(`\\u[0-9A-Fa-f]{4}`)
)

// peel is data and what is wrapped in it.
func peel(data []byte, depth int) [][]byte {
	layers := [][]byte{data}
	if depth == 0 {
		return layers
	}
	var inner [][]byte
	for _, run := range base64Run.FindAll(data, -1) {
		inner = append(inner, decoded(run)...)
	}
	for _, run := range hexRun.FindAll(data, -1) {
		if b, err := hex.DecodeString(string(run[:len(run)/2*2])); err == nil {
			inner = append(inner, b)
		}
	}
	if plain, err := url.QueryUnescape(string(data)); err == nil && plain != string(data) {
		inner = append(inner, []byte(plain))
	}
	if plain := jsonEscape.ReplaceAllFunc(data, unescape); !bytes.Equal(plain, data) {
		inner = append(inner, plain)
	}
	for _, b := range inner {
		layers = append(layers, peel(b, depth-1)...)
	}
	return layers
}

// decoded reads a run from each of the four places where its base64 may begin.
func decoded(run []byte) [][]byte {
	var all [][]byte
	for start := range 4 {
		text := string(run[start:])
		if len(text)%4 == 1 {
			text = text[:len(text)-1]
		}
		for _, code := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
			if b, err := code.DecodeString(text); err == nil {
				all = append(all, b)
			}
		}
	}
	return all
}

func unescape(escape []byte) []byte {
	var r rune
	_, _ = fmt.Sscanf(string(escape[2:]), "%x", &r) // the pattern is all hex
	return utf8.AppendRune(nil, r)
}

// numbers are the runs in text that could be somebody's My Number.
func numbers(text string) []string {
	var found []string
	for line := range strings.Lines(hexRun.ReplaceAllString(text, "")) { // hex is random, and looked into by scan
		if f, is := mynumber.Find(line); is {
			found = append(found, string(f.Rule))
		}
	}
	return found
}

var twelve = regexp.MustCompile(`(^|[^0-9])([0-9]{12})($|[^0-9])`)

// rawNumbers is the same for files that are no text: digits as they are, outside of hex.
func rawNumbers(data []byte) int {
	count := 0
	for _, m := range twelve.FindAllSubmatch(hexRun.ReplaceAll(data, []byte("x")), -1) {
		if mynumber.Individual(string(m[2])) {
			count++
		}
	}
	return count
}

// aNumber is a fresh one that passes the check, so that none stands in this file.
func aNumber(t testing.TB) string {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000_000))
	must(t, err)
	for check := range 10 {
		if number := fmt.Sprintf("%011d%d", n, check); mynumber.Individual(number) {
			return number
		}
	}
	t.Fatal("no check digit fits")
	return ""
}

func TestTheScannerFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	const name, pin = "手形　金糸雀", "8317"
	s := scanner{[]canary{{what: "name", text: name}, {what: "PIN", text: pin}}}
	for disguise, data := range map[string]string{
		"as it is":             "x" + name + "x",
		"base64url":            base64.RawURLEncoding.EncodeToString([]byte(name)),
		"base64 with padding":  base64.StdEncoding.EncodeToString([]byte("a" + name)),
		"hex":                  `\x` + hex.EncodeToString([]byte(name)),
		"percent signs":        "/path?name=" + url.QueryEscape(name),
		"JSON escapes":         `{"name":"\u624B\u5f62\u3000\u91d1\u7cf8\u96c0"}`,
		"a JWT in a JSON":      `{"id_token":"e30.` + base64.RawURLEncoding.EncodeToString([]byte(`{"name":"`+name+`"}`)) + `.c2ln"}`,
		"base64 behind a word": "token" + base64.RawURLEncoding.EncodeToString([]byte(name)),
		"base64 inside base64": base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte("...." + name)))),
		"a PIN":                `{"pin":"` + pin + `"}`,
		"a PIN in a form":      "login=x&pin=" + pin,
	} {
		if len(s.scan([]byte(data))) == 0 {
			t.Errorf("%s: not found in %q", disguise, data)
		}
	}
	for _, clean := range []string{"", "手形　太郎", "18317", "a8317b", "x_8317", base64.StdEncoding.EncodeToString([]byte("nobody in particular"))} {
		if found := s.scan([]byte(clean)); len(found) > 0 {
			t.Errorf("%q holds %v", clean, found)
		}
	}
	number := aNumber(t)
	for _, text := range []string{number, "no. " + number[:4] + " " + number[4:8] + " " + number[8:], `{"n":"` + number + `"}`} {
		if len(numbers(text)) == 0 {
			t.Error("a number in a text was not found")
		}
	}
	if rawNumbers([]byte("\x00\x01"+number+"\xff")) != 1 || rawNumbers([]byte("1"+number)) != 0 {
		t.Error("a number among bytes was not counted")
	}
}
