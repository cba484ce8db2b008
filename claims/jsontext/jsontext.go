// Package jsontext takes JSON apart token by token, for checks that read every byte of a request or of an answer:
// encoding/json's own tokens allocate several times each. It refuses to know what a token means, and it builds no values.
package jsontext

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Reader gives the tokens of one JSON value in turn. The zero Reader has none.
type Reader struct{ rest string }

// Read begins to read text; ok is false when that is not exactly one JSON value (RFC 8259).
func Read(text []byte) (r Reader, ok bool) {
	if !json.Valid(text) {
		return Reader{}, false
	}
	return Reader{string(text)}, true
}

// Token is a brace, a bracket, or a name, text, number or literal as it is written; "" is the end.
type Token string

// space are the bytes between tokens. Commas and colons say nothing more: Read has seen that they stand where they must.
const space = " \t\r\n,:"

// Next is the next token.
func (r *Reader) Next() Token {
	r.rest = strings.TrimLeft(r.rest, space)
	end := len(r.rest)
	switch {
	case end == 0:
		return ""
	case strings.IndexByte("{}[]", r.rest[0]) >= 0:
		end = 1
	case r.rest[0] == '"':
		end = closing(r.rest) + 1
	default:
		if i := strings.IndexAny(r.rest, space+"}]"); i >= 0 {
			end = i
		}
	}
	t := r.rest[:end]
	r.rest = r.rest[end:]
	return Token(t)
}

// closing is where the quoted text at the beginning of s ends.
func closing(s string) int {
	for i := 1; ; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
}

// Text is what a name or a text means, as encoding/json has it; ok is false for every other token.
func (t Token) Text() (text string, ok bool) {
	if t == "" || t[0] != '"' {
		return "", false
	}
	text = string(t[1 : len(t)-1])
	if strings.IndexByte(text, '\\') < 0 && utf8.ValidString(text) {
		return text, true
	}
	err := json.Unmarshal([]byte(t), &text)
	return text, err == nil
}

// Number says whether t is a number.
func (t Token) Number() bool { return t != "" && (t[0] == '-' || '0' <= t[0] && t[0] <= '9') }
