package clients

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/jwt"
	"tegata/idp/keys"
	"tegata/storage"
)

// MaxJWKS bounds a key set in bytes, maxKeys in keys.
const (
	MaxJWKS = 64 << 10
	maxKeys = 20
)

// ParseKeys reads a JSON Web Key Set of public keys. Keys of a type that nobody here knows are left out and counted, as
// RFC 7517 section 5 wants; a secret or private key spoils the whole set: its owner has to hear that it is out.
func ParseKeys(raw []byte) (keys []jose.JSONWebKey, unknown int, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	switch {
	case len(raw) > MaxJWKS:
		return nil, 0, errors.New("is larger than 64 KiB.")
	case jwt.Unambiguous(raw) != nil, json.Unmarshal(raw, &set) != nil, set.Keys == nil:
		return nil, 0, errors.New(`must be an object with "keys", a list of JSON Web Keys (RFC 7517).`)
	case len(set.Keys) > maxKeys:
		return nil, 0, errors.New("has more than 20 keys.")
	}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		switch err := key.UnmarshalJSON(one); {
		case err != nil:
			unknown++
		case !key.IsPublic():
			return nil, 0, errors.New("holds a private or secret key, which must stay with the client: make a new one and register its public part.")
		default:
			keys = append(keys, key)
		}
	}
	return keys, unknown, nil
}

// keys checks where a client's public keys are and what it signs with them.
func (r *registration) keys() storage.ClientKeys {
	inline := len(r.JWKS) > 0 && string(r.JWKS) != "null"
	out := storage.ClientKeys{JWKSURI: r.JWKSURI, AssertionAlg: r.AssertionAlg, RequestAlg: r.RequestAlg, ResponseAlg: r.ResponseAlg,
		UserInfoAlg: r.UserInfoAlg, IntrospectAlg: r.IntrospectAlg}
	switch {
	case inline && r.JWKSURI != "":
		r.refuse("jwks_uri", "may not come together with jwks (RFC 7591 section 2).")
	case r.JWKSURI != "":
		r.checkServerURI("jwks_uri", r.JWKSURI)
	case inline:
		out.JWKS = r.inlineKeys()
	case r.AuthMethod == AuthKey, r.AuthMethod == AuthSelfSigned:
		r.refuse("jwks", "is missing: token_endpoint_auth_method "+r.AuthMethod+" needs the client's public keys, here or at jwks_uri.")
	case r.RequireSignedRequest:
		r.refuse("jwks", "is missing: signed request objects need the client's public keys, here or at jwks_uri.")
	}
	r.checkAlg("token_endpoint_auth_signing_alg", r.AssertionAlg, jwt.Algorithms)
	r.checkAlg("request_object_signing_alg", r.RequestAlg, jwt.Algorithms)
	r.encryption(&out)
	r.checkAlg("authorization_signed_response_alg", r.ResponseAlg, keys.Algorithms)
	r.checkAlg("userinfo_signed_response_alg", r.UserInfoAlg, keys.Algorithms)
	r.checkAlg("introspection_signed_response_alg", r.IntrospectAlg, keys.Algorithms)
	r.checkAlg("id_token_signed_response_alg", r.IDTokenAlg, keys.Algorithms)
	return out
}

func (r *registration) checkAlg(field, alg string, known []string) {
	if alg != "" && !slices.Contains(known, alg) {
		r.refuse(field, "must be one of: "+strings.Join(known, " ")+".")
	}
}

// checkServerURI accepts the address of a server that we talk to: https, or http on this machine where that is allowed.
func (r *registration) checkServerURI(field, raw string) {
	u, text := webURI(raw)
	if text == "" && u.Scheme != "https" && !(r.AllowLoopbackHTTP && (loopbackLiteral(u.Hostname()) || u.Hostname() == "localhost")) {
		text = "must be an https URI."
	}
	if text != "" {
		r.refuse(field, text)
	}
}

// ReplaceKeys is c with other inline keys, which may be old and new ones at once while its owner changes them. With problems
// the client is the zero one.
func ReplaceKeys(c storage.Client, raw []byte, now time.Time) (storage.Client, []Problem) {
	r := &registration{Metadata: Metadata{AuthMethod: c.AuthMethod, AssertionAlg: c.Keys.AssertionAlg, JWKS: raw}}
	kept := r.inlineKeys()
	if len(r.problems) > 0 {
		return storage.Client{}, r.problems
	}
	c.Keys.JWKS, c.Keys.JWKSURI, c.UpdatedAt = kept, "", now
	return c, nil
}

// inlineKeys gives the registered keys as they are kept: what we understand of them and nothing else.
func (r *registration) inlineKeys() string {
	keys, unknown, err := ParseKeys(r.JWKS)
	switch {
	case err != nil:
		r.refuse("jwks", err.Error())
	case unknown > 0:
		r.refuse("jwks", "has a key that cannot be read.")
	case twice(keys):
		r.refuse("jwks", "has two keys of one kid.")
	case r.AuthMethod == AuthKey && !r.canSign(keys):
		r.refuse("jwks", "has no key for token_endpoint_auth_signing_alg.")
	}
	kept, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		r.refuse("jwks", "has a key that cannot be kept.")
	}
	return string(kept)
}

func twice(keys []jose.JSONWebKey) bool {
	seen := map[string]bool{}
	for _, key := range keys {
		if key.KeyID != "" && seen[key.KeyID] {
			return true
		}
		seen[key.KeyID] = true
	}
	return false
}

// canSign says whether one of keys is for client assertions.
func (r *registration) canSign(keys []jose.JSONWebKey) bool {
	algs := jwt.Algorithms
	if r.AssertionAlg != "" {
		algs = []string{r.AssertionAlg}
	}
	return slices.ContainsFunc(keys, func(k jose.JSONWebKey) bool {
		return slices.ContainsFunc(algs, func(alg string) bool { return jwt.Fits(k, alg) })
	})
}

// tls checks what the client's certificate must be: one name for one of an authority, the key itself otherwise.
func (r *registration) tls() storage.ClientTLS {
	names := []struct{ field, value string }{
		{"tls_client_auth_subject_dn", r.TLSSubjectDN}, {"tls_client_auth_san_dns", r.TLSSANDNS}, {"tls_client_auth_san_uri", r.TLSSANURI},
		{"tls_client_auth_san_ip", r.TLSSANIP}, {"tls_client_auth_san_email", r.TLSSANEmail},
	}
	set := 0
	for _, n := range names {
		if n.value != "" {
			set++
		}
		if !visible(strings.ReplaceAll(n.value, " ", "")) || len(n.value) > maxID {
			r.refuse(n.field, "must be at most 256 printable ASCII characters.")
		}
	}
	switch {
	case r.AuthMethod == AuthTLS && set != 1:
		r.refuse("tls_client_auth_subject_dn", "or one of its siblings for other names must say who the certificate is for, and only one (RFC 8705 section 2.1.2).")
	case r.AuthMethod != AuthTLS && set > 0:
		r.refuse("token_endpoint_auth_method", "must be tls_client_auth, because the metadata names the holder of a certificate.")
	}
	if _, err := netip.ParseAddr(r.TLSSANIP); r.TLSSANIP != "" && err != nil {
		r.refuse("tls_client_auth_san_ip", "must be an IP address.")
	}
	return storage.ClientTLS{SubjectDN: r.TLSSubjectDN, SANDNS: r.TLSSANDNS, SANURI: r.TLSSANURI, SANIP: r.TLSSANIP,
		SANEmail: r.TLSSANEmail, Bound: r.TLSBound}
}
