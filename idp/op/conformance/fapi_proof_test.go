package conformance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tegata/idp/idptest"
)

// fapiProofs shifts times in every proof of a login: at PAR, at the token endpoint and at userinfo.
func fapiProofs(shift map[string]int64) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		p.spoil = map[string]any{}
		for name, seconds := range shift {
			p.spoil[name] = s.w.Town.Clock.Now().Unix() + seconds
		}
		r := p.pushProved()
		p.finish(r, s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro")))
	}
}

// pushProved hands a request in with a proof, which binds the code to its key (RFC 9449 section 10.1).
func (p *party) pushProved(changes ...string) idptest.Request {
	p.s.Helper()
	var r idptest.Request
	a := p.with(map[string]string{"DPoP": p.proved("POST", "/par", "")}, func() (a idptest.Answer) { a, r = p.Push(p.Request(changes...)); return a })
	if a.Status != http.StatusCreated {
		p.s.Fatalf("not taken: %d %s %s", a.Status, a.Error, a.Description)
	}
	return r
}

func fapiJktAtPAR(s *stage) {
	p := s.party(strict())
	a := p.with(map[string]string{"DPoP": p.proved("POST", "/par", "")}, func() idptest.Answer {
		a, _ := p.Push(p.Request("dpop_jkt=" + thumbprint(s, newKey(s))))
		return a
	})
	s.denied(a, "invalid_request", "invalid_dpop_proof")
}

// fapiOtherProof: another key at the token endpoint than at PAR.
func fapiOtherProof(s *stage) {
	p := s.party(strict())
	r := p.pushProved()
	code := s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro"))
	p.key = newKey(s)
	s.denied(p.redeem(code, r, nil), "invalid_request", "invalid_grant", "invalid_dpop_proof")
}

func fapiOtherJkt(s *stage) {
	p := s.party(strict())
	r, code := p.login("dpop_jkt=" + thumbprint(s, newKey(s)))
	s.denied(p.redeem(code, r, nil), "invalid_request", "invalid_grant", "invalid_dpop_proof")
}

func fapiBoundByProof(s *stage) {
	p := s.party(strict())
	r := p.pushProved()
	p.finish(r, s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro")))
}

func fapiBoundByJkt(s *stage) {
	p := s.party(strict())
	r := p.pushProved("dpop_jkt=" + thumbprint(s, p.key))
	p.finish(r, s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro")))
}

// attempt is one proof at the userinfo endpoint, spoilt.
type attempt struct {
	name  string
	spoil func(p *party, header, payload map[string]any)
	good  bool
}

func without(name string) func(*party, map[string]any, map[string]any) {
	return func(_ *party, header, payload map[string]any) { delete(header, name); delete(payload, name) }
}

func claim(name string, value any) func(*party, map[string]any, map[string]any) {
	return func(_ *party, _, payload map[string]any) { payload[name] = value }
}

func head(name string, value any) func(*party, map[string]any, map[string]any) {
	return func(_ *party, header, _ map[string]any) { header[name] = value }
}

// attempts are those of the module, in its order.
func attempts(s *stage) []attempt {
	now, at := s.w.Town.Clock.Now().Unix(), s.w.Issuer+"/userinfo"
	used := rand.Text()
	return []attempt{
		{"no typ", without("typ"), false}, {"no alg", without("alg"), false}, {"no jwk", without("jwk"), false}, {"no jti", without("jti"), false},
		{"no htm", without("htm"), false}, {"no htu", without("htu"), false}, {"no iat", without("iat"), false}, {"no ath", without("ath"), false},
		{"another typ", head("typ", "JWT"), false}, {"alg none", head("alg", "none"), false},
		{"a private key in the header", func(p *party, header, _ map[string]any) { header["jwk"] = jwk(s, p.key) }, false},
		{"another htm", claim("htm", "PUT"), false},
		{"an htu with query and fragment", claim("htu", at+"?a=b#c"), true},
		{"another htu", claim("htu", "https://other.example/userinfo"), false},
		{"iat an hour ahead", claim("iat", now+3600), false}, {"iat an hour ago", claim("iat", now-3600), false},
		{"a jti for the first time", claim("jti", used), true}, {"the same jti again", claim("jti", used), false},
		{"another ath", claim("ath", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"), false},
		{"more members", func(_ *party, header, payload map[string]any) { header["extra"], payload["extra"] = "x", "y" }, true},
		{"an htu in capitals", claim("htu", strings.Replace(at, "http://", "HTTP://", 1)), true},
		{"as it should be", func(*party, map[string]any, map[string]any) {}, true},
	}
}

func fapiBadProofs(s *stage) {
	p := s.party(strict())
	out := p.happy()
	token := out.tokens.AccessToken
	ask := func(name string, good bool, headers http.Header) {
		s.Helper()
		r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.w.Issuer+"/userinfo", nil)
		if err != nil {
			s.Fatal(err)
		}
		maps.Copy(r.Header, headers)
		got := idptest.Do(s.T, r)
		if good != (got.Status == http.StatusOK) || !good && got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
			s.Errorf("%s: %d %s", name, got.Status, got.Error)
		}
	}
	bound := []string{"DPoP " + token}
	for _, a := range attempts(s) {
		header, payload := p.proof("GET", "/userinfo", token)
		a.spoil(p, header, payload)
		ask(a.name, a.good, http.Header{"Authorization": bound, "Dpop": {jws(s, header, payload, p.key)}})
	}
	good := func() string { return p.proved("GET", "/userinfo", token) }
	ask("the header's name in capitals", true, http.Header{"Authorization": bound, "DPOP": {good()}}) //nolint:canonicalheader // on purpose
	ask("two proofs", false, http.Header{"Authorization": bound, "Dpop": {good(), good()}})
	ask("no JWT", false, http.Header{"Authorization": bound, "Dpop": {"not.a.jwt"}})
	changed := []byte(good())
	flip := slices.Index(changed, '.') + 5
	changed[flip] ^= 1
	ask("a changed proof", false, http.Header{"Authorization": bound, "Dpop": {string(changed)}})
	header, payload := p.proof("GET", "/userinfo", token)
	ask("another key's signature", false, http.Header{"Authorization": bound, "Dpop": {jws(s, header, payload, newKey(s))}})
	thief := *p
	thief.key = newKey(s)
	ask("another key", false, http.Header{"Authorization": bound, "Dpop": {thief.proved("GET", "/userinfo", token)}})
	ask("RS256", false, http.Header{"Authorization": bound, "Dpop": {rsaProof(p, token)}})
	ask("no proof", false, http.Header{"Authorization": bound})
	ask("no proof, as a bearer token", false, http.Header{"Authorization": {"Bearer " + token}})
	ask("a proof, as a bearer token", false, http.Header{"Authorization": {"Bearer " + token}, "Dpop": {good()}})
	ask("after all that", true, http.Header{"Authorization": bound, "Dpop": {good()}})
}

func rsaProof(p *party, token string) string {
	p.s.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.s.Fatal(err)
	}
	header, payload := p.proof("GET", "/userinfo", token)
	header["alg"], header["jwk"] = "RS256", jwk(p.s, key.Public())
	return jws(p.s, header, payload, key)
}
