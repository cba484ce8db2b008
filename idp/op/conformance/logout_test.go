package conformance_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

var rpLogout = plan{
	title: "RP-Initiated Logout OP", name: "oidcc-rp-initiated-logout-certification-test-plan", test: "TestRPInitiatedLogout", bare: true,
	variants: "discovery, client_secret_basic",
	modules: []module{
		{"oidcc-rp-initiated-logout-discovery-endpoint-verification", logoutDiscovery, ""},
		{"oidcc-rp-initiated-logout", logout("state"), ""},
		{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", staysHere(func(v url.Values, _ *idptest.RP) {
			v.Set("post_logout_redirect_uri", v.Get("post_logout_redirect_uri")+"/bad")
		}), ""},
		{"oidcc-rp-initiated-logout-modified-id-token-hint", staysHere(func(v url.Values, _ *idptest.RP) { v.Set("id_token_hint", unsignedCopy(v.Get("id_token_hint"))) }), ""},
		{"oidcc-rp-initiated-logout-no-id-token-hint", staysHere(func(v url.Values, _ *idptest.RP) { v.Del("id_token_hint") }), ""},
		{"oidcc-rp-initiated-logout-no-params", signsOut(), "after the person's click"},
		{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", signsOut("id_token_hint", "state"), ""},
		{"oidcc-rp-initiated-logout-no-state", logout(""), ""},
		{"oidcc-rp-initiated-logout-only-state", signsOut("state"), "after the person's click"},
		{"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", staysHere(func(v url.Values, _ *idptest.RP) {
			v.Set("post_logout_redirect_uri", v.Get("post_logout_redirect_uri")+"?foo=bar")
		}), ""},
		{"oidcc-rp-initiated-logout-bad-id-token-hint", staysHere(forgedHint), ""},
	},
}

func logoutDiscovery(s *stage) {
	if at, _ := s.discovery()["end_session_endpoint"].(string); !strings.HasPrefix(at, s.w.Issuer+"/") {
		s.Errorf("end_session_endpoint is %q", at)
	}
}

// leaving is a relying party with a logged-in person and the logout request that the suite would send.
func (s *stage) leaving() (*idptest.RP, result, url.Values) {
	s.Helper()
	rp := s.client(clients.Metadata{PostLogoutRedirectURIs: []string{"https://rp.example/test/a/x/post_logout_redirect"}})
	out := s.happy(rp)
	return rp, out, url.Values{"id_token_hint": {out.tokens.IDToken}, "post_logout_redirect_uri": {rp.PostLogoutRedirectURIs[0]}, "state": {"the-state-of-logout"}}
}

// gone says whether a second login in that browser would need the person again.
func (s *stage) gone(rp *idptest.RP, b *idptest.Browser) bool {
	s.Helper()
	r := rp.Request("prompt=none")
	return s.w.Answered(b.Get(r.URL()), r).Get("error") == "login_required"
}

// logout is the happy way, with or without a state.
func logout(state string) func(*stage) {
	return func(s *stage) {
		rp, out, v := s.leaving()
		want := rp.PostLogoutRedirectURIs[0] + "?" + url.Values{"state": v["state"]}.Encode()
		if state == "" {
			v.Del("state")
			want = rp.PostLogoutRedirectURIs[0]
		}
		p := out.b.Get("/end_session?" + v.Encode())
		if p.Away == nil || p.Away.String() != want {
			s.Fatalf("sent to %v: %d %s; want %s", p.Away, p.Status, p.Code, want)
		}
		if !s.gone(rp, out.b) {
			s.Error("the session lives")
		}
		same(s, "userinfo", rp.UserInfo(out.tokens.AccessToken).Status, http.StatusUnauthorized)
	}
}

// staysHere: a spoilt request is answered by a page, a question or an error, and not by going back.
func staysHere(spoil func(v url.Values, rp *idptest.RP)) func(*stage) {
	return func(s *stage) {
		rp, out, v := s.leaving()
		spoil(v, rp)
		p := out.b.Get("/end_session?" + v.Encode())
		asks := p.Status == http.StatusOK && p.Form("/signout").Action != ""
		if p.Away != nil || !asks && (p.Status < 400 || p.Code == "") {
			s.Errorf("%d %s, away %v", p.Status, p.Code, p.Away)
		}
		if s.gone(rp, out.b) {
			s.Error("the person is signed out already")
		}
	}
}

// signsOut keeps the named parameters alone: the person ends on a page that says so, signed out.
func signsOut(keep ...string) func(*stage) {
	return func(s *stage) {
		rp, out, all := s.leaving()
		v := url.Values{}
		for _, name := range keep {
			v[name] = all[name]
		}
		p := out.b.Get("/end_session?" + v.Encode())
		if f := p.Form("/signout"); f.Action != "" {
			p = out.b.Submit(f)
		}
		if p.Away != nil || p.Status != http.StatusOK || p.Code != "" || !s.gone(rp, out.b) {
			s.Errorf("%d %s, away %v", p.Status, p.Code, p.Away)
		}
	}
}

// decodedPart is a part of a token.
func decodedPart(s *stage, part string) string {
	s.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		s.Fatal(err)
	}
	return string(raw)
}

// unsignedCopy says the same with alg none.
func unsignedCopy(token string) string {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		panic(err)
	}
	return unsigned(string(payload))
}

// forgedHint says the same, signed by somebody else: with the client's own secret.
func forgedHint(v url.Values, rp *idptest.RP) {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(v.Get("id_token_hint"), ".")[1])
	if err != nil {
		panic(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(string(rp.ClientSecret))}, nil)
	if err != nil {
		panic(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	forged, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	v.Set("id_token_hint", forged)
}
