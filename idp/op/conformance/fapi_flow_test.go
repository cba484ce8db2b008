package conformance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

func fapiDiscovery(s *stage) {
	said := s.discovery()
	same(s, "issuer", said["issuer"], any(s.w.Issuer))
	same(s, "authorization_response_iss_parameter_supported", said["authorization_response_iss_parameter_supported"], any(true))
	if _, isBool := said["require_pushed_authorization_requests"].(bool); !isBool || said["pushed_authorization_request_endpoint"] == nil {
		s.Errorf("pushed requests: %v", said["require_pushed_authorization_requests"])
	}
	for member, values := range map[string][]string{
		"response_types_supported": {"code"}, "code_challenge_methods_supported": {"S256"}, "token_endpoint_auth_methods_supported": {"private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": {"ES256", "PS256"}, "dpop_signing_alg_values_supported": {"ES256"},
		"id_token_signing_alg_values_supported": {"ES256"}, "scopes_supported": {"openid"}, "subject_types_supported": {"pairwise"},
	} {
		for _, value := range values {
			if !s.listed(member, value) {
				s.Errorf("%s lacks %s: %v", member, value, said[member])
			}
		}
	}
	if s.listed("dpop_signing_alg_values_supported", "RS256") || s.listed("dpop_signing_alg_values_supported", "none") {
		s.Errorf("proofs may be signed with %v", said["dpop_signing_alg_values_supported"])
	}
	s.keys(said["jwks_uri"].(string)) //nolint:forcetypeassert // a panic fails the test
}

func fapiHappy(s *stage) {
	first, second := s.party(strict()), s.party(queried())
	one, two := first.happy(), second.happy("state="+n64+n64)
	if one.id["sub"] == two.id["sub"] {
		s.Error("the subject is not pairwise")
	}
	if got := first.with(map[string]string{"DPoP": first.proved("GET", "/userinfo", one.tokens.AccessToken)},
		func() idptest.Answer {
			return first.s.get(s.w.Issuer + "/userinfo?access_token=" + one.tokens.AccessToken)
		}); got.Status != http.StatusUnauthorized {
		s.Errorf("a token in the query: %d", got.Status)
	}
}

func fapiWith(changes ...string) func(*stage) {
	return func(s *stage) { s.party(strict()).happy(changes...) }
}

// queried is strict with parameters of its own in the redirect URI, which have to come back (RFC 6749 section 3.1.2).
func queried() clients.Metadata {
	m := strict()
	m.RedirectURIs = []string{"https://rp.example/test/a/callback?dummy1=lorem&dummy2=ipsum"}
	return m
}

func fapiDenied(s *stage) {
	for _, m := range []clients.Metadata{strict(), queried()} {
		p := s.party(m)
		r := p.push("state=" + n64 + n64)
		b := s.w.NewBrowser()
		page := s.w.Present(b, r, "taro")
		s.refused(s.w.Answered(b.Submit(page.Form("/consent"), "decision=deny"), r), r, "access_denied")
	}
}

// fapiClaims asks for everything that discovery lists, in every form that a request may have, and for something unknown.
func fapiClaims(s *stage) {
	if s.discovery()["claims_parameter_supported"] != true {
		s.Log("the suite skips this where claims_parameter_supported is false")
		s.party(strict()).happy(`claims={"id_token":{"random_claim":null}}`)
		return
	}
	m := clients.Metadata{AuthMethod: clients.AuthKey, RequirePAR: true, DPoPBound: true, Scope: "openid name address birthdate gender"}
	asked := `{"name":null,"address":{"essential":true},"birthdate":{"essential":false},"gender":{},"random_claim":{"value":"x"}}`
	out := s.party(m).happy("scope=openid", `claims={"id_token":`+asked+`,"userinfo":`+asked+`}`)
	for _, name := range []string{"name", "address", "birthdate", "gender"} {
		if out.id[name] == nil && out.info[name] == nil {
			s.Errorf("%s is told nowhere", name)
		}
	}
	if out.id["random_claim"] != nil || out.info["random_claim"] != nil {
		s.Error("the unknown claim was made up")
	}
}

func fapiSchemeCase(s *stage) {
	p := s.party(strict())
	out := p.happy()
	for _, scheme := range []string{"dPOP ", "DPOP ", "dpop "} {
		got := p.with(map[string]string{"Authorization": scheme + out.tokens.AccessToken, "DPoP": p.proved("GET", "/userinfo", out.tokens.AccessToken)},
			func() idptest.Answer { return p.UserInfo(out.tokens.AccessToken) })
		if got.Status != http.StatusOK {
			s.Errorf("%q: %d", scheme, got.Status)
		}
	}
}

// fapiOutside: what stands beside a request_uri does not count (RFC 9126 section 4).
func fapiOutside(name string) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		r := p.push()
		r.Params.Set(name, "another-value-outside")
		p.finish(r, s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro")))
	}
}

func fapiStateOutside(s *stage) {
	p := s.party(strict())
	r := p.push("state")
	r.Params.Set("state", "only-outside")
	p.finish(r, s.code(r, s.w.Login(s.w.NewBrowser(), r, "taro")))
}

func fapiWithoutPAR(s *stage) {
	r := s.party(strict()).Request()
	p := s.w.NewBrowser().Get(r.URL())
	if p.Away == nil {
		s.page(p, "request_invalid", "par_required")
		return
	}
	s.refused(s.w.Answered(p, r), r, "invalid_request")
}

// fapiPARRefuses: a request so changed is refused where it is pushed.
func fapiPARRefuses(changes ...string) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		a, _ := p.Push(p.Request(changes...))
		s.denied(a, "invalid_request", "invalid_request_object")
	}
}

func fapiUnregistered(s *stage) {
	p := s.party(strict())
	a, _ := p.Push(p.Request("redirect_uri=" + p.RedirectURIs[0] + "/something-unregistered"))
	s.denied(a, "invalid_request", "invalid_request_object")
}

func fapiResponseType(kind string) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		a, _ := p.Push(p.Request("response_type=" + kind))
		s.denied(a, "unsupported_response_type", "invalid_request", "unauthorized_client")
	}
}

// fapiOtherClientID sends the second client's id beside the first one's assertion.
func fapiOtherClientID(s *stage) {
	first, second := s.party(strict()), s.party(strict())
	r, code := first.login()
	s.denied(first.redeem(code, r, func(form url.Values, _ *[2]string) { form.Set("client_id", second.ClientID) }), "invalid_client", "invalid_grant")
}

func fapiNoProof(s *stage) {
	p := s.party(strict())
	r, code := p.login()
	s.denied(p.Exchange(code, r), "invalid_request", "invalid_grant", "invalid_dpop_proof")
}

func fapiOthersCode(s *stage) {
	first, second := s.party(strict()), s.party(strict())
	r, code := first.login()
	s.denied(second.redeem(code, r, nil), "invalid_grant")
}

func fapiReuse(s *stage) {
	p := s.party(strict())
	out := p.happy()
	s.w.Town.Clock.Advance(time.Second)
	s.denied(p.redeem(out.code, out.r, nil), "invalid_grant")
	same(s, "userinfo", p.userinfo(out.tokens.AccessToken).Status, http.StatusUnauthorized)
}

func fapiExpiredCode(s *stage) {
	p := s.party(strict())
	r, code := p.login()
	s.w.Town.Clock.Advance(62 * time.Second)
	s.denied(p.redeem(code, r, nil), "invalid_grant")
}

// fapiRS256: the key is right; the algorithm is not.
func fapiRS256(s *stage) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.Fatal(err)
	}
	m := strict()
	if m.JWKS, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "r", Use: "sig"}}}); err != nil {
		s.Fatal(err)
	}
	p := s.party(m)
	now := s.w.Town.Clock.Now().Unix()
	claims := map[string]any{"iss": p.ClientID, "sub": p.ClientID, "aud": s.w.Issuer, "jti": rand.Text(), "iat": now, "exp": now + 60}
	for _, path := range []string{"/par", "/oauth/token"} {
		a := p.with(map[string]string{"DPoP": p.proved("POST", path, "")}, func() idptest.Answer {
			form := url.Values{"grant_type": {"authorization_code"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
				"client_assertion": {jws(s, map[string]any{"alg": "RS256", "kid": "r", "typ": "JWT"}, claims, key)}}
			request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.w.Issuer+path, strings.NewReader(form.Encode()))
			if err != nil {
				s.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("DPoP", p.Headers["DPoP"])
			return idptest.Do(s.T, request)
		})
		s.denied(a, "invalid_client")
	}
}

func fapiNoAssertion(s *stage) {
	p := s.party(strict())
	r, code := p.login()
	s.denied(p.redeem(code, r, func(form url.Values, _ *[2]string) {
		form.Del("client_assertion")
		form.Del("client_assertion_type")
		form.Set("client_id", p.ClientID)
	}), "invalid_client", "invalid_request")
}

func past(s *stage) any    { return s.w.Town.Clock.Now().Unix() - 300 }
func elsewhere(*stage) any { return "https://other-server.example" }

// fapiAssertion gives one claim of the assertion another value, or takes it away.
func fapiAssertion(name string, value func(*stage) any) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		r, code := p.login()
		s.denied(p.redeem(code, r, func(form url.Values, _ *[2]string) {
			form.Set("client_assertion", p.Assertion(func(claims map[string]any) {
				if delete(claims, name); value != nil {
					claims[name] = value(s)
				}
			}))
		}), "invalid_client", "invalid_request")
	}
}

func fapiVerifier(change string) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		r, code := p.login()
		name, value, set := strings.Cut(change, "=")
		s.denied(p.redeem(code, r, func(form url.Values, _ *[2]string) {
			if form.Del(name); set {
				form.Set(name, value)
			}
		}), "invalid_grant")
	}
}

func fapiRefresh(s *stage) {
	m := strict()
	m.Scope, m.GrantTypes = "openid age_over_18 offline_access", []string{"authorization_code", "refresh_token"}
	p, other := s.party(m), s.party(m)
	out := p.happy("prompt=consent")
	if !refreshForm.MatchString(out.tokens.RefreshToken) {
		s.Fatalf("the refresh token is %q", out.tokens.RefreshToken)
	}
	refresh := func(p *party, token string, drop ...string) idptest.Answer {
		headers := map[string]string{"DPoP": p.proved("POST", "/oauth/token", "")}
		if slices.Contains(drop, "proof") {
			headers = nil
		}
		return p.with(maps.Clone(headers), func() idptest.Answer {
			return p.Back("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, func(form url.Values, _ *[2]string) {
				if slices.Contains(drop, "assertion") {
					form.Del("client_assertion")
					form.Del("client_assertion_type")
					form.Set("client_id", p.ClientID)
				}
			})
		})
	}
	s.denied(refresh(p, out.tokens.RefreshToken, "assertion"), "invalid_client", "invalid_grant", "invalid_request")
	s.denied(refresh(p, out.tokens.RefreshToken, "proof"), "invalid_request", "invalid_grant", "invalid_dpop_proof")
	s.denied(refresh(other, out.tokens.RefreshToken), "invalid_grant")
	for n := range 2 { // the second time with the token of before, as after a lost answer (FAPI 2.0 section 5.3.2.1, item 9)
		p.key = newKey(s) // the refresh token of a client with credentials is bound to these and not to a key of DPoP
		fresh := refresh(p, out.tokens.RefreshToken)
		if fresh.Status != http.StatusOK || fresh.TokenType != "DPoP" || fresh.RefreshToken != out.tokens.RefreshToken {
			s.Fatalf("time %d: %d %s", n, fresh.Status, fresh.Error)
		}
		same(s, "userinfo", p.userinfo(fresh.AccessToken).Status, http.StatusOK)
		s.w.Town.Clock.Advance(30 * time.Second)
	}
}
