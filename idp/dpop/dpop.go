// Package dpop verifies proofs that the sender of a request holds a key (RFC 9449). It owns what a proof has to say. It
// refuses to know HTTP servers, tokens' owners, and which proofs were seen before: whoever calls it spends Proof.ID.
package dpop

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/jwt"
)

const (
	// Window is how far the iat of a proof may be from our clock, in either direction.
	Window = 60 * time.Second
	// MaxSize is the longest proof that is read, in bytes: room for an RSA key of 4096 bits and its signature.
	MaxSize = 4 << 10
)

// Algorithms that proofs may be signed with; Ed25519 is RFC 9864's name for EdDSA.
var Algorithms = []string{"ES256", "PS256", "EdDSA", "Ed25519"}

var kind = jwt.Kind{Types: []string{"dpop+jwt"}, Key: true}

// ErrProof: there is no good proof. Its texts name what is wrong and quote nothing.
var ErrProof = errors.New("dpop: invalid proof")

// ErrNonce: the proof is good but for its nonce, and the client may try again with a fresh one.
var ErrNonce = errors.New("dpop: the nonce is none of ours, or too old")

type problem string

func (p problem) Error() string        { return string(p) }
func (p problem) Is(target error) bool { return target == ErrProof }

// Request is what a proof has to be about.
type Request struct {
	Method string
	URL    string   // of the endpoint as clients know it
	Proofs []string // the values of all DPoP headers
	Token  string   // the access token that comes along; "" at endpoints that take none
	Nonces *Nonces  // nil where nobody gives nonces out: then a proof has none, or one of somebody else
}

// Proof is a good one.
type Proof struct {
	Thumbprint []byte    // of the key: RFC 7638 with SHA-256
	ID         []byte    // SHA-256 that no other proof has: a second request with it is a replay
	Until      time.Time // when the proof is worthless anyway
}

// Verify checks everything that the request alone can tell (RFC 9449 section 4.3). ErrProof, ErrNonce.
func Verify(r Request, now time.Time) (Proof, error) {
	if len(r.Proofs) != 1 {
		return Proof{}, problem("there must be one DPoP header")
	}
	if len(r.Proofs[0]) > MaxSize {
		return Proof{}, problem("the proof is too long")
	}
	t, err := jwt.Parse(r.Proofs[0], kind)
	if err != nil {
		return Proof{}, problem("the proof is no dpop+jwt that can be read")
	}
	key, err := publicKey(t)
	if err != nil {
		return Proof{}, err
	}
	if err := t.Verify([]jose.JSONWebKey{key}); err != nil {
		return Proof{}, problem("the signature is not that of the key in jwk")
	}
	iat, err := about(t, r, now)
	if err != nil {
		return Proof{}, err
	}
	if err := nonce(t, r); err != nil {
		return Proof{}, err
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return Proof{}, problem("the jwk has no thumbprint")
	}
	return Proof{Thumbprint: thumbprint, ID: id(thumbprint, t.Text("jti")), Until: iat.Add(2 * Window)}, nil
}

// public are the members that a public key may have; d and its like would tell everybody the key, and certificates would
// say a second time whose it is.
var public = []string{"kty", "crv", "x", "y", "n", "e", "alg", "use", "kid", "key_ops"}

func publicKey(t jwt.Token) (jose.JSONWebKey, error) {
	var key jose.JSONWebKey
	if !slices.Contains(Algorithms, t.Header.Alg) {
		return key, problem("the alg is not one of " + strings.Join(Algorithms, " "))
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(t.Header.Key, &members) != nil {
		return key, problem("the jwk is not an object")
	}
	for name := range members {
		if !slices.Contains(public, name) {
			return key, problem("the jwk has more than a public key")
		}
	}
	if key.UnmarshalJSON(t.Header.Key) != nil || !key.IsPublic() || !key.Valid() || !jwt.Fits(key, t.Header.Alg) {
		return key, problem("the jwk is not a public key for the alg")
	}
	key.KeyID = t.Header.KeyID // there is but one key
	return key, nil
}

// about says when the proof was made, if it is about this request.
func about(t jwt.Token, r Request, now time.Time) (time.Time, error) {
	iat, has := t.IssuedAt()
	ath := sha256.Sum256([]byte(r.Token))
	switch {
	case t.Text("jti") == "":
		return iat, problem("jti is missing")
	case t.Text("htm") != r.Method:
		return iat, problem("htm is another method")
	case !sameURL(t.Text("htu"), r.URL):
		return iat, problem("htu is another address")
	case !has || iat.Before(now.Add(-Window)) || iat.After(now.Add(Window)):
		return iat, problem("iat is not now")
	case r.Token != "" && subtle.ConstantTimeCompare([]byte(t.Text("ath")), []byte(base64.RawURLEncoding.EncodeToString(ath[:]))) != 1:
		return iat, problem("ath is another token's")
	}
	return iat, nil
}

// nonce comes after everything else: only who made a good proof is asked to make another one.
func nonce(t jwt.Token, r Request) error {
	switch {
	case r.Nonces == nil && t.Text("nonce") != "":
		return problem("the nonce is not from here")
	case r.Nonces != nil && !r.Nonces.good(t.Text("nonce")):
		return ErrNonce
	}
	return nil
}

func id(thumbprint []byte, jti string) []byte {
	sum := sha256.Sum256([]byte("dpop\x00" + string(thumbprint) + "\x00" + jti))
	return sum[:]
}

// sameURL compares without query and fragment, after what RFC 3986 section 6.2 says of letter case, default ports and
// empty paths. Other spellings of a path than our own are other addresses.
func sameURL(told, ours string) bool {
	a, ok1 := normal(told)
	b, ok2 := normal(ours)
	return ok1 && ok2 && a == b
}

func normal(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" || u.Host == "" {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := map[string]string{"https": ":443", "http": ":80"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path, true
}
