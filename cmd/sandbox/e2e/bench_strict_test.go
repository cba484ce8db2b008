package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
)

// strictClient asks for all that FAPI 2.0 does: pushed requests, a key instead of a secret, tokens bound to a key.
var strictClient = clients.Metadata{AuthMethod: clients.AuthKey, RequirePAR: true, DPoPBound: true}

func strictKey(t testing.TB) (*ecdsa.PrivateKey, json.RawMessage) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	must(t, err)
	return key, set
}

// push hands a request in (RFC 9126) and returns what the browser carries instead.
func (s *server) push(ctx context.Context, at shop, form url.Values) (url.Values, error) {
	var out struct {
		RequestURI string `json:"request_uri"`
		Error      string `json:"error_description"`
	}
	if err := s.post(ctx, s.endpoints.PAR, at, form, &out); err != nil {
		return nil, err
	}
	if out.RequestURI == "" {
		return nil, errors.New("pushed request: " + out.Error)
	}
	return url.Values{"client_id": {at.id}, "request_uri": {out.RequestURI}}, nil
}

// prove adds a client assertion (RFC 7523).
func (at shop) prove(issuer string, form url.Values) {
	now := time.Now().Unix()
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", at.sign(map[string]any{"alg": "ES256", "kid": "k", "typ": "JWT"},
		map[string]any{"iss": at.id, "sub": at.id, "aud": issuer, "jti": rand.Text(), "iat": now, "exp": now + 60}))
}

// proof is a DPoP proof for one request (RFC 9449).
func (at shop) proof(method, address string) string {
	return at.sign(map[string]any{"alg": "ES256", "typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: at.key.Public()}},
		map[string]any{"jti": rand.Text(), "htm": method, "htu": address, "iat": time.Now().Unix()})
}

func (at shop) sign(header, claims map[string]any) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // maps of texts and numbers
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(input))
	r, t, _ := ecdsa.Sign(rand.Reader, at.key, sum[:]) // the random source does not fail
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	t.FillBytes(signature[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}
