// Package jwt reads the JSON Web Tokens that others send: client assertions, request objects, DPoP proofs, and ID tokens
// that come back as hints. It decides whether the bytes are one token with one meaning before any library sees them, whose
// key signed them, and whether its time is now. It refuses to know clients, HTTP and what a token is for; it makes no tokens.
package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrMalformed: the bytes are not one unambiguous JWT of the kind that was asked for.
var ErrMalformed = errors.New("jwt: malformed")

const (
	// MaxSize is the longest token that is read, in bytes.
	MaxSize = 16 << 10
	// maxDepth is how deep objects and lists may nest.
	maxDepth = 10
	maxText  = 256 // of kid, jti, iss, sub and one audience
)

// Kind is what a token has to say about itself.
type Kind struct {
	Types []string // typ, lower case, without "application/"; "" allows its absence
	Key   bool     // the header carries the public key, as that of a DPoP proof does (RFC 9449 section 4.2)
}

// What we are sent. Tokens without a type stay allowed: RFC 7523 and RFC 9101 came before types did.
var (
	ClientAssertion = Kind{Types: []string{"", "jwt", "client-authentication+jwt"}}
	RequestObject   = Kind{Types: []string{"", "jwt", "oauth-authz-req+jwt"}}
	IDToken         = Kind{Types: []string{"jwt"}} // our own, which comes back as a hint
)

// Header is the part of a JOSE header that we use.
type Header struct {
	Alg, KeyID, Type string
	Key              json.RawMessage // jwk, where the Kind has one
}

// Token is a well-formed JWT. Nothing in it is proved before Verify.
type Token struct {
	Header  Header
	Claims  map[string]json.RawMessage // members of the payload by their exact names
	compact string
}

// Parse takes a compact JWS apart. Everything that two readers could understand in two ways is refused: members that
// come twice, null, other base64 than the one spelling, a header that points to a key or asks for an extension.
func Parse(compact string, kind Kind) (Token, error) {
	if len(compact) > MaxSize {
		return Token{}, malformed("it is too long")
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 || parts[2] == "" {
		return Token{}, malformed("it has not three parts")
	}
	header, err := members(parts[0], "the header")
	if err != nil {
		return Token{}, err
	}
	claims, err := members(parts[1], "the payload")
	if err != nil {
		return Token{}, err
	}
	if _, err := decode(parts[2]); err != nil {
		return Token{}, malformed("the signature is not base64url")
	}
	t := Token{Claims: claims, compact: compact}
	if t.Header, err = headerOf(header, kind); err != nil {
		return Token{}, err
	}
	return t, t.checkClaims()
}

func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }

// decode accepts the one unpadded spelling of some bytes.
func decode(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") { // which encoding/base64 skips
		return nil, ErrMalformed
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

// members decodes one part into its members.
func members(part, name string) (map[string]json.RawMessage, error) {
	raw, err := decode(part)
	if err != nil || len(raw) == 0 {
		return nil, malformed(name + " is not base64url")
	}
	if !utf8.Valid(raw) {
		return nil, malformed(name + " is not UTF-8")
	}
	if err := Unambiguous(raw); err != nil {
		return nil, malformed(name + ": " + err.Error())
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil || all == nil {
		return nil, malformed(name + " is not an object")
	}
	for _, value := range all {
		if string(bytes.TrimSpace(value)) == "null" {
			return nil, malformed(name + " has a null")
		}
	}
	return all, nil
}

// forbidden header members name a key, where it may be found, or how else to read the token. Keys come from the client's
// registration, and we have no extensions.
var forbidden = []string{"crit", "jku", "x5u", "jwk", "x5c", "b64", "zip", "enc", "cty", "p2c", "p2s", "epk"}

func headerOf(all map[string]json.RawMessage, kind Kind) (Header, error) {
	var h Header
	for _, name := range forbidden {
		if _, has := all[name]; has && (name != "jwk" || !kind.Key) {
			return h, malformed("the header has " + name)
		}
	}
	h.Key = all["jwk"]
	if kind.Key && h.Key == nil {
		return h, malformed("the header has no jwk")
	}
	for name, into := range map[string]*string{"alg": &h.Alg, "kid": &h.KeyID, "typ": &h.Type} {
		text, err := textOf(all, name)
		if err != nil {
			return h, err
		}
		*into = text
	}
	if _, has := all["alg"]; !has || !slices.Contains(Algorithms, h.Alg) {
		return h, malformed("the algorithm is not one of " + strings.Join(Algorithms, " "))
	}
	if _, has := all["kid"]; has && h.KeyID == "" {
		return h, malformed("the kid is empty")
	}
	if typ := strings.TrimPrefix(strings.ToLower(h.Type), "application/"); !slices.Contains(kind.Types, typ) {
		return h, malformed("the typ is another token's")
	}
	return h, nil
}

// textOf reads a short text; "" when absent.
func textOf(all map[string]json.RawMessage, name string) (string, error) {
	raw, has := all[name]
	if !has {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || len(text) > maxText {
		return "", malformed(name + " is not a short text")
	}
	return text, nil
}

// checkClaims looks at the form of the registered claims (RFC 7519 section 4.1), whoever uses them later.
func (t Token) checkClaims() error {
	for _, name := range []string{"iss", "sub", "jti"} {
		if _, err := textOf(t.Claims, name); err != nil {
			return err
		}
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		if _, _, err := t.instant(name); err != nil {
			return err
		}
	}
	_, err := t.audience()
	return err
}

// Text is a short text claim, "" when absent or something else. Of iss, sub and jti Parse has made sure.
func (t Token) Text(name string) string {
	text, _ := textOf(t.Claims, name)
	return text
}

// audience gives aud as a list. RFC 7519 allows one text or a list of them.
func (t Token) audience() ([]string, error) {
	raw, has := t.Claims["aud"]
	if !has {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var some []*string // a null among texts would become ""
	if json.Unmarshal(raw, &some) != nil || len(some) > 10 {
		return nil, malformed("aud is neither a text nor a list of texts")
	}
	all := make([]string, len(some))
	for i, text := range some {
		if text == nil || len(*text) > maxText {
			return nil, malformed("aud is neither a text nor a list of texts")
		}
		all[i] = *text
	}
	return all, nil
}

// Unambiguous walks JSON and refuses members that come twice, nesting without end, and a second value behind the first.
func Unambiguous(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := walk(d, 0); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(bytes.TrimRight(raw, " \t\r\n"))) {
		return errors.New("something follows the object")
	}
	return nil
}

func walk(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return errors.New("it is not JSON")
	}
	delim, opens := token.(json.Delim)
	if !opens {
		return nil
	}
	if depth == maxDepth {
		return errors.New("it nests too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			text, isText := name.(string)
			if err != nil || !isText {
				return errors.New("it is not JSON")
			}
			if seen[text] {
				return errors.New("a member comes twice")
			}
			seen[text] = true
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the closing one
		return errors.New("it is not JSON")
	}
	return nil
}
