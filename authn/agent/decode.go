package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"tegata/authn/fail"
	"tegata/claims/jsontext"
)

// Base64URL is bytes that travel as base64url without padding, in the one canonical spelling.
type Base64URL []byte

// MarshalText writes base64url without padding.
func (b Base64URL) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText refuses padding, line breaks, the standard alphabet and leftover bits.
func (b *Base64URL) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil || bytes.ContainsAny(text, "\r\n") { // which encoding/base64 skips
		return errors.New("agent: not canonical base64url")
	}
	*b = raw
	return nil
}

// Decode reads one request body on the provider's side and is strict: one JSON object of at most MaxBody bytes,
// nothing after it, no unknown member, no member twice, names in lower case as they are written here
// (encoding/json alone would take LOGIN for login). The error is fail.BadInput.
func Decode[T any](body []byte) (T, error) {
	var in, none T
	if len(body) > MaxBody || len(body) == 0 || body[0] != '{' {
		return none, fail.BadInput.Because(errors.New("agent: body is not one JSON object"))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return none, fail.BadInput.Because(err)
	}
	if text, one := jsontext.Read(body); !one || !distinct(&text, text.Next()) {
		return none, fail.BadInput.Because(errors.New("agent: data after the body, or a name twice or not in lower case"))
	}
	return in, nil
}

// distinct says whether the names in each object of the value that begins with t are distinct and in lower case.
func distinct(text *jsontext.Reader, t jsontext.Token) bool {
	switch t {
	case "[":
		for t = text.Next(); t != "]"; t = text.Next() {
			if !distinct(text, t) {
				return false
			}
		}
	case "{":
		names := make([]string, 0, 8) // known ones, which are few: Decode has refused the others
		for t = text.Next(); t != "}"; t = text.Next() {
			name, _ := t.Text()
			if !isLower(name) || slices.Contains(names, name) || !distinct(text, text.Next()) {
				return false
			}
			names = append(names, name)
		}
	}
	return true
}

func isLower(name string) bool {
	for _, c := range []byte(name) {
		if c >= 0x80 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
