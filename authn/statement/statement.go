// Package statement owns the two small documents that the card signs: the login statement and the
// attributes statement. It builds their only form, signs them through a crypto.Signer and takes them
// apart again, refusing everything that is not exactly that form.
// It does not know cards, certificate authorities, revocation, HTTP or where records are kept.
//
// The card signs whatever digest it is given, so what is digested is never a bare challenge: each
// statement is a JWS (RFC 7515, compact) with a typ of its own that names the provider, the login, the
// browser's ticket and the agent's key. A signature made here means nothing anywhere else.
package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"tegata/authn/fail"
)

// Version of both payloads. A change of any member is a new version.
const Version = 1

// Types of the statements (RFC 7515 4.1.9, RFC 8725 3.11): one can never be taken for the other.
const (
	LoginType      = "tegata-login+jwt"
	AttributesType = "tegata-attributes+jwt"
)

// FlowReader is the flow of a desktop agent with a card reader (design: flow A).
const FlowReader = "reader"

// Operations that a login asks of the card.
const (
	Authenticate   = "authenticate" // sign the login statement with the user-authentication key
	ReadAttributes = "attributes"   // prove name, address, birthdate and gender as well
)

// ShareAttributes is the key of the sentence that a person declares with the signature certificate (R8).
// An agent signs only keys whose sentence it can show; another sentence is another key.
const ShareAttributes = "share_attributes.1"

const (
	// MaxLife is the longest time from iat to exp.
	MaxLife = 120 * time.Second
	// MaxSkew is how far iat may be from the provider's clock, either way.
	MaxSkew = 60 * time.Second
	// NonceSize is the length of both nonces in bytes, before base64url.
	NonceSize = 32
)

// Hash is the base64url SHA-256 that statements name one another and a ticket by.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// canonical is the only serialization of a payload or header: members in the order of the struct, no
// white space, no escapes that JSON does not require (so that agents in other languages produce it too).
func canonical(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("statement: a struct of strings and numbers did not encode: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// segment decodes one part of a compact JWS in its one canonical spelling: the decoder would skip line breaks.
func segment(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("not canonical base64url")
	}
	return b, nil
}

// checkTimes bounds the two instants that the agent chooses.
func checkTimes(iat, exp int64, now time.Time) error {
	skew, life := int64(MaxSkew/time.Second), int64(MaxLife/time.Second)
	switch {
	case iat < now.Unix()-skew, iat > now.Unix()+skew:
		return mismatch("iat is not now")
	case exp <= iat, exp > iat+life:
		return mismatch("exp is not within two minutes of iat")
	case exp <= now.Unix():
		return mismatch("expired")
	}
	return nil
}

func mismatch(why string) error {
	return fail.StatementMismatch.Because(errors.New("statement: " + why))
}

func invalid(why string) error { return fail.SignatureInvalid.Because(errors.New("statement: " + why)) }
