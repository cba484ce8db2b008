package conformance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/idptest"
)

var signing = plan{
	title: "FAPI 2.0 Message Signing Final, signed requests", name: "fapi2-message-signing-final-test-plan", test: "TestFAPI2Signing",
	variants: "plain_fapi, openid_connect, private_key_jwt, DPoP, signed requests; the modules that it has beside those of the Security Profile",
	modules: []module{
		{sp + "ensure-request-object-with-multiple-aud-succeeds", signedTaken(set("aud", both)), ""},
		{sp + "ensure-request-object-without-exp-fails", signedRefused(unset("exp")), ""},
		{sp + "ensure-request-object-without-nbf-fails", signedRefused(unset("nbf")), ""},
		{sp + "ensure-expired-request-object-fails", signedRefused(in("exp", -300)), ""},
		{sp + "ensure-request-object-with-bad-aud-fails", signedRefused(set("aud", func(*stage) any { return "https://other-server.example" })), ""},
		{sp + "ensure-request-object-with-exp-over-60-fails", signedRefused(in("exp", 70*60)), ""},
		{sp + "ensure-request-object-with-nbf-over-60-fails", signedRefused(in("nbf", -70*60)), ""},
		{sp + "ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted", signedTaken(in("nbf", 8)), ""},
		{sp + "australia-connectid-ensure-request-object-with-exp-over-10-fails", nil, "ConnectID Australia alone"},
		{sp + "australia-connectid-ensure-request-object-with-nbf-over-15-fails", nil, "ConnectID Australia alone"},
		{sp + "ensure-signed-request-object-with-RS256-fails", signedRS256, ""},
		{sp + "ensure-request-object-signature-algorithm-is-not-none", signedNone, ""},
		{sp + "ensure-request-object-with-invalid-signature-fails", signedSpoilt, ""},
		{sp + "ensure-matching-key-in-authorization-request", signedByAnother, ""},
		{sp + "ensure-unsigned-request-at-par-endpoint-fails", signedNot, ""},
		{sp + "par-authorization-request-containing-request_uri", signedRefused(set("request_uri", func(*stage) any { return "urn:ietf:params:oauth:request_uri:random" })), ""},
	},
}

// signer is a FAPI 2.0 client that signs its requests.
func (s *stage) signer() *party {
	s.Helper()
	m := strict()
	m.RequireSignedRequest = true
	return s.party(m)
}

type spoil func(s *stage, claims map[string]any)

func unset(name string) spoil { return func(_ *stage, claims map[string]any) { delete(claims, name) } }

func set(name string, value func(*stage) any) spoil {
	return func(s *stage, claims map[string]any) { claims[name] = value(s) }
}

func in(name string, seconds int64) spoil {
	return set(name, func(s *stage) any { return s.w.Town.Clock.Now().Unix() + seconds })
}

func both(s *stage) any { return []string{s.w.Issuer, "https://other-server.example"} }

// object is a request that p signs, with its claims spoilt.
func (p *party) object(change spoil) idptest.Request {
	p.s.Helper()
	return p.Object(p.Request(), func(claims map[string]any) { change(p.s, claims) })
}

func signedTaken(change spoil) func(*stage) {
	return func(s *stage) {
		p := s.signer()
		a, r := p.Push(p.object(change))
		same(s, "status", a.Status, http.StatusCreated)
		p.finish(r, s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro")))
	}
}

func signedRefused(change spoil) func(*stage) {
	return func(s *stage) {
		p := s.signer()
		s.pushed(p, p.object(change), "invalid_request_object")
	}
}

// pushed expects a request to be refused.
func (s *stage) pushed(p *party, r idptest.Request, word string) {
	s.Helper()
	a, _ := p.Push(r)
	s.denied(a, word)
}

func signedNot(s *stage) {
	p := s.signer()
	s.pushed(p, p.Request(), "invalid_request")
}

// claimsOf are those of a good object, for another signature.
func (p *party) claimsOf() (claims map[string]any) {
	p.s.Helper()
	p.Object(p.Request(), func(all map[string]any) { claims = all })
	return claims
}

func (p *party) carrying(compact string) idptest.Request {
	p.s.Helper()
	r := p.object(func(*stage, map[string]any) {})
	r.Params.Set("request", compact)
	return r
}

func signedNone(s *stage) {
	p := s.signer()
	s.pushed(p, p.carrying(jws(s, map[string]any{"alg": "none", "typ": "oauth-authz-req+jwt"}, p.claimsOf(), nil)), "invalid_request_object")
}

func signedSpoilt(s *stage) {
	p := s.signer()
	compact := p.object(func(*stage, map[string]any) {}).Params.Get("request")
	end := strings.LastIndexByte(compact, '.') + 1
	changed := []byte(compact)
	for i := range changed[end : end+4] {
		changed[end+i] = map[bool]byte{true: 'A', false: 'B'}[changed[end+i] != 'A']
	}
	s.pushed(p, p.carrying(string(changed)), "invalid_request_object")
}

func signedByAnother(s *stage) {
	p, other := s.signer(), s.signer()
	s.pushed(p, p.carrying(other.Signed("oauth-authz-req+jwt", p.claimsOf())), "invalid_request_object")
}

// signedRS256: the key is the client's own; the algorithm is not one of the profile.
func signedRS256(s *stage) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.Fatal(err)
	}
	ecKey, ec := s.w.NewKey("e")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(ec, &set); err != nil {
		s.Fatal(err)
	}
	set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: "r", Use: "sig"})
	m := strict()
	if m.JWKS, err = json.Marshal(set); err != nil {
		s.Fatal(err)
	}
	p := s.party(m)
	p.RP.Key, p.KeyID = ecKey, "e"
	s.pushed(p, p.carrying(jws(s, map[string]any{"alg": "RS256", "kid": "r"}, p.claimsOf(), key)), "invalid_request_object")
}
