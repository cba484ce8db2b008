package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"

	"tegata/authn/fail"
)

// Base64URL is bytes that travel as base64url without padding, in the one canonical spelling.
type Base64URL []byte

// MarshalText writes base64url without padding.
func (b Base64URL) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText refuses padding, line breaks, the standard alphabet and leftover bits.
func (b *Base64URL) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.AppendDecode(nil, text)
	if err != nil || !bytes.Equal(base64.RawURLEncoding.AppendEncode(nil, raw), text) {
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
	if _, err := dec.Token(); err != io.EOF {
		return none, fail.BadInput.Because(errors.New("agent: data after the body"))
	}
	if err := checkNames(json.NewDecoder(bytes.NewReader(body))); err != nil {
		return none, fail.BadInput.Because(err)
	}
	return in, nil
}

// checkNames walks one value, which is known to be well-formed, and looks at the names of its objects.
func checkNames(dec *json.Decoder) error {
	open, err := dec.Token()
	if _, nested := open.(json.Delim); err != nil || !nested {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		if open == json.Delim('{') {
			token, err := dec.Token()
			name, _ := token.(string)
			if err != nil || seen[name] || !isLower(name) {
				return errors.New("agent: a name twice or not in lower case")
			}
			seen[name] = true
		}
		if err := checkNames(dec); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func isLower(name string) bool {
	for _, c := range []byte(name) {
		if c >= 0x80 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
