package conformance_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// codeReuse redeems a code twice: the second time fails and takes the tokens of the first along (RFC 6749 4.1.2).
func codeReuse(pause time.Duration) func(*stage) {
	return func(s *stage) {
		rp := s.client(clients.Metadata{})
		first := s.happy(rp)
		s.w.Town.Clock.Advance(pause)
		s.denied(rp.Exchange(first.code, first.r), "invalid_grant")
		same(s, "userinfo", rp.UserInfo(first.tokens.AccessToken).Status, http.StatusUnauthorized)
	}
}

func unregisteredRedirect(s *stage) {
	rp := s.client(clients.Metadata{})
	r := rp.Request("redirect_uri=" + rp.RedirectURIs[0] + "/something-unregistered")
	s.page(s.w.NewBrowser().Get(r.URL()), "redirect_uri_mismatch")
}

func postedRequest(s *stage) {
	rp := s.client(clients.Metadata{})
	b, r := s.w.NewBrowser(), rp.Request()
	p := b.CrossPost("/authorize", r.Params)
	wait := b.Submit(p.Form("/start"))
	code, err := s.w.UseCard(wait.Launch, "taro")
	if err != nil {
		s.Fatal(err)
	}
	consent := b.Get("/login/return/" + code)
	s.finish(rp, b, r, s.w.Answered(b.Submit(consent.Form("/consent"), "decision=allow"), r))
}

func secretPost(s *stage) { s.happy(s.client(clients.Metadata{AuthMethod: clients.AuthPost})) }

// unsigned is a JWT with alg none.
func unsigned(claims string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."
}

func requestURI(s *stage) {
	if s.listed("request_object_signing_alg_values_supported", "none") || s.discovery()["request_uri_parameter_supported"] != false {
		s.Error("request objects by reference are offered")
	}
	r := s.client(clients.Metadata{}).Request("request_uri=https://rp.example/request.jwt")
	s.refused(s.w.Answered(s.w.NewBrowser().Get(r.URL()), r), r, "request_uri_not_supported")
}

func unsignedObject(s *stage) {
	if s.listed("request_object_signing_alg_values_supported", "none") {
		s.Error("unsigned request objects are offered")
	}
	r := s.client(clients.Metadata{}).Request("request=" + unsigned(`{"max_age":1}`))
	s.refused(s.w.Answered(s.w.NewBrowser().Get(r.URL()), r), r, "invalid_request_object", "request_not_supported")
}

func claimsEssential(s *stage) {
	rp := s.client(clients.Metadata{Scope: "openid name"})
	out := s.happy(rp, "scope=openid", `claims={"userinfo":{"name":{"essential":true}}}`)
	if name, _ := out.info["name"].(string); (name != "") != (s.discovery()["claims_parameter_supported"] == true) {
		s.Errorf("the name is %q, claims_parameter_supported %v", name, s.discovery()["claims_parameter_supported"])
	}
}

// objectRedirect: the redirect URI inside the request object counts, not the one outside (OIDC Core 6.1).
func objectRedirect(s *stage) {
	rp := s.client(clients.Metadata{})
	b, r := s.w.NewBrowser(), rp.Object(rp.Request(), nil)
	r.Params.Set("redirect_uri", rp.RedirectURIs[0]+"/outside")
	r.Params.Set("response_type", "code")
	r.Params.Set("scope", "openid")
	s.finish(rp, b, r, s.w.Login(b, r, "taro"))
}

// validPKCE: the one module that sends a challenge. What the client need not send counts all the same when it does.
func validPKCE(s *stage) {
	rp := s.client(clients.Metadata{})
	challenged := func() idptest.Request {
		verifier := rand.Text() + rand.Text()
		r := rp.Request("code_challenge_method=S256", "code_challenge="+idptest.Challenge(verifier))
		r.Verifier = verifier
		return r
	}
	b, r := s.w.NewBrowser(), challenged()
	s.finish(rp, b, r, s.w.Login(b, r, "taro"))
	r = challenged()
	s.denied(rp.Exchange(s.code(r, s.w.Answered(b.Get(r.URL()), r)), r, "code_verifier"), "invalid_grant", "invalid_request")
}

var refreshForm = regexp.MustCompile(`^[\x20-\x7E]+$`) // RFC 6749 A.17

func refreshToken(s *stage) {
	m := clients.Metadata{Scope: "openid age_over_18 offline_access", GrantTypes: []string{"authorization_code", "refresh_token"}}
	first, second := s.client(m), s.client(m)
	if !s.listed("scopes_supported", "offline_access") || !s.listed("grant_types_supported", "refresh_token") {
		s.Error("discovery does not offer refresh tokens")
	}
	out := s.happy(first, "prompt=consent")
	other := s.happy(second, "prompt=consent", "nonce="+strings.Repeat("n", 43))
	if !refreshForm.MatchString(out.tokens.RefreshToken) {
		s.Fatalf("the refresh token is %q", out.tokens.RefreshToken)
	}
	fresh := first.Refresh(out.tokens.RefreshToken)
	if fresh.Status != http.StatusOK || fresh.AccessToken == out.tokens.AccessToken {
		s.Fatalf("%d %s", fresh.Status, fresh.Error)
	}
	same(s, "userinfo", first.UserInfo(fresh.AccessToken).Status, http.StatusOK)
	s.denied(first.Refresh(other.tokens.RefreshToken), "invalid_grant")
	s.denied(first.Back("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fresh.RefreshToken}},
		func(_ url.Values, basic *[2]string) { *basic = [2]string{} }), "invalid_client", "invalid_request")
}
