package conformance_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

var basicOP = plan{
	title: "Basic OP", name: "oidcc-basic-certification-test-plan", test: "TestBasicOP", bare: true,
	variants: "discovery, static clients, `response_type=code`",
	modules: []module{
		{"oidcc-server", twoClients, ""},
		{"oidcc-response-type-missing", responseTypeMissing, ""},
		{"oidcc-idtoken-signature", rs256, "the suite asks this of dynamically registered clients; the default here is ES256, so this client asks for RS256"},
		{"oidcc-idtoken-unsigned", unsignedIDToken, "the suite skips it where `none` is not offered; here `none` cannot be registered"},
		{"oidcc-userinfo-get", plainLogin, ""},
		{"oidcc-userinfo-post-header", userinfoPost, ""},
		{"oidcc-userinfo-post-body", userinfoBody, "a token in a form is refused, which the suite allows"},
		{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", withoutNonce, ""},
		{"oidcc-scope-profile", scopes("profile"), "discovery does not list this scope: the suite skips it, and here it is ignored"},
		{"oidcc-scope-email", scopes("email"), "a card knows no e-mail address, so discovery does not list the scope: the suite skips it, and here it is ignored"},
		{"oidcc-scope-address", scopes("address"), ""},
		{"oidcc-scope-phone", scopes("phone"), "a card knows no telephone, so the scope is ignored in the same way"},
		{"oidcc-scope-all", scopes("address", "email", "phone", "profile"), "the address comes, the others are ignored in the same way"},
		{"oidcc-alternate-happy-flow", reordered, ""},
		{"oidcc-display-page", parameter("display=page"), ""},
		{"oidcc-display-popup", parameter("display=popup"), ""},
		{"oidcc-prompt-login", promptLogin, ""},
		{"oidcc-prompt-none-not-logged-in", promptNoneNobody, ""},
		{"oidcc-prompt-none-logged-in", promptNone, ""},
		{"oidcc-max-age-1", maxAge1, ""},
		{"oidcc-max-age-10000", maxAge10000, ""},
		{"oidcc-ensure-request-with-unknown-parameter-succeeds", parameter("extra=foobar"), ""},
		{"oidcc-id-token-hint", idTokenHint, ""},
		{"oidcc-login-hint", parameter("login_hint=somebody@rp.example"), ""},
		{"oidcc-ui-locales", parameter("ui_locales=se"), ""},
		{"oidcc-claims-locales", parameter("claims_locales=se"), ""},
		{"oidcc-ensure-request-with-acr-values-succeeds", acrValues, ""},
		{"oidcc-codereuse", codeReuse(0), ""},
		{"oidcc-codereuse-30seconds", codeReuse(30 * time.Second), "the tokens of the first redemption die too"},
		{"oidcc-ensure-registered-redirect-uri", unregisteredRedirect, ""},
		{"oidcc-ensure-post-request-succeeds", postedRequest, ""},
		{"oidcc-server-client-secret-post", secretPost, ""},
		{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", requestURI, "the suite skips it where `none` is not offered; here the parameter is refused"},
		{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", unsignedObject, "the suite skips it where `none` is not offered; here such a request object is refused"},
		{"oidcc-claims-essential", claimsEssential, ""},
		{"oidcc-ensure-request-object-with-redirect-uri", objectRedirect, "with a signed request object"},
		{"oidcc-refresh-token", refreshToken, ""},
		{"oidcc-ensure-request-with-valid-pkce-succeeds", validPKCE, ""},
	},
}

// formPost is the same again, with answers that the browser posts (OAuth 2.0 Form Post Response Mode).
var formPost = plan{
	title: "Form Post OP", name: "oidcc-formpost-basic-certification-test-plan", test: "TestFormPostOP", bare: true, mode: "form_post",
	variants: "the modules of Basic OP with `response_mode=form_post`", modules: basicOP.modules,
}

// twoClients: the module logs in with each of its two clients.
func twoClients(s *stage) {
	first, second := s.client(clients.Metadata{}), s.client(clients.Metadata{})
	one, two := s.happy(first, "scope=openid"), s.happy(second, "scope=openid")
	if one.id["sub"] == two.id["sub"] {
		s.Error("the subject is not pairwise")
	}
	for name := range one.id {
		if !slices.Contains([]string{"iss", "sub", "aud", "exp", "iat", "nonce", "acr", "amr", "at_hash", "auth_time", "sid"}, name) {
			s.Errorf("the ID token tells %s, which nobody asked for", name)
		}
	}
}

func plainLogin(s *stage) { s.happy(s.client(clients.Metadata{})) }

func parameter(pair string) func(*stage) {
	return func(s *stage) { s.happy(s.client(clients.Metadata{}), pair) }
}

func responseTypeMissing(s *stage) {
	r := s.client(clients.Metadata{}).Request("response_type")
	s.refused(s.w.Answered(s.w.NewBrowser().Get(r.URL()), r), r, "invalid_request", "unsupported_response_type")
}

func rs256(s *stage) {
	out := s.happy(s.client(clients.Metadata{IDTokenAlg: "RS256"}))
	same(s, "alg", out.head["alg"], any("RS256"))
	var kids []any
	for _, k := range s.object(s.get(s.w.Issuer + "/oauth/jwks").Body)["keys"].([]any) { //nolint:forcetypeassert // a panic fails the test
		kids = append(kids, k.(map[string]any)["kid"]) //nolint:forcetypeassert // likewise
	}
	if out.head["kid"] == nil || !slices.Contains(kids, out.head["kid"]) {
		s.Errorf("kid is %v, published are %v", out.head["kid"], kids)
	}
}

func unsignedIDToken(s *stage) {
	if s.listed("id_token_signing_alg_values_supported", "none") {
		s.Error("unsigned ID tokens are offered")
	}
	m := clients.Metadata{ClientID: "unsigned", ClientSecret: "a-secret-of-more-than-thirty-two-characters", RedirectURIs: []string{"https://rp.example/cb"}, IDTokenAlg: "none"}
	if _, problems := (clients.Rules{}).Client(m, s.w.Town.Clock.Now()); len(problems) == 0 {
		s.Error("a client may register for unsigned ID tokens")
	}
}

func userinfoPost(s *stage) {
	out := s.happy(s.client(clients.Metadata{}))
	got := s.userinfo(s.postUserinfo("", "Bearer "+out.tokens.AccessToken), out)
	same(s, "age_over_18", got["age_over_18"], out.info["age_over_18"])
}

func userinfoBody(s *stage) {
	out := s.happy(s.client(clients.Metadata{}))
	got := s.postUserinfo(url.Values{"access_token": {out.tokens.AccessToken}}.Encode(), "")
	same(s, "status", got.Status, http.StatusUnauthorized)
}

func (s *stage) postUserinfo(form, authorization string) idptest.Answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.w.Issuer+"/userinfo", strings.NewReader(form))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return idptest.Do(s.T, r)
}

func withoutNonce(s *stage) { s.happy(s.client(clients.Metadata{}), "nonce") }

// scopes: what discovery lists must come; what it does not list must not disturb.
func scopes(names ...string) func(*stage) {
	return func(s *stage) {
		offered := []string{"openid"}
		for _, name := range names {
			if s.listed("scopes_supported", name) {
				offered = append(offered, name)
			}
		}
		out := s.happy(s.client(clients.Metadata{Scope: strings.Join(offered, " ")}), "scope=openid "+strings.Join(names, " "))
		for _, name := range offered[1:] {
			s.standard(name, out.info)
		}
	}
}

// standard checks the standard claims that a scope stands for (OIDC Core 5.4), as far as a card knows them.
func (s *stage) standard(scope string, info map[string]any) {
	s.Helper()
	switch scope {
	case "address":
		if address, ok := info["address"].(map[string]any); !ok || address["formatted"] == "" {
			s.Errorf("the address is %v", info["address"])
		}
	case "profile":
		if name, ok := info["name"].(string); !ok || name == "" {
			s.Errorf("the profile is %v", info)
		}
	default:
		s.Errorf("discovery lists %s, which no card knows", scope)
	}
}

// reordered: neither the order of scopes nor that of parameters means anything.
func reordered(s *stage) {
	rp := s.client(clients.Metadata{})
	r := rp.Request("scope=age_over_18 openid")
	at, query, _ := strings.Cut(r.URL(), "?")
	pairs := strings.Split(query, "&")
	slices.Reverse(pairs)
	b := s.w.NewBrowser()
	p := b.Get(at + "?" + strings.Join(pairs, "&"))
	same(s, "login page", p.Form("/start").Action != "", true)
	s.finish(rp, b, r, s.w.Login(b, r, "taro"))
}

func authTime(out result) float64 { at, _ := out.id["auth_time"].(float64); return at }

func promptLogin(s *stage) {
	rp := s.client(clients.Metadata{})
	first := s.happy(rp, "max_age=15000") // so that both tokens have auth_time
	s.w.Town.Clock.Advance(time.Second)
	second := s.again(rp, first, "prompt=login", "max_age=15000")
	if same(s, "sub", second.id["sub"], first.id["sub"]); authTime(second) <= authTime(first) {
		s.Errorf("auth_time %v, then %v", first.id["auth_time"], second.id["auth_time"])
	}
}

func promptNoneNobody(s *stage) {
	r := s.client(clients.Metadata{}).Request("prompt=none", "state="+strings.Repeat("s", 128))
	s.refused(s.w.Answered(s.w.NewBrowser().Get(r.URL()), r), r, "login_required", "interaction_required")
}

func promptNone(s *stage) {
	rp := s.client(clients.Metadata{})
	first := s.happy(rp)
	second := s.silent(rp, first, "prompt=none")
	same(s, "sub", second.id["sub"], first.id["sub"])
	same(s, "auth_time", second.id["auth_time"], first.id["auth_time"])
}

func maxAge1(s *stage) {
	rp := s.client(clients.Metadata{})
	first := s.happy(rp)
	s.w.Town.Clock.Advance(2 * time.Second)
	before := s.w.Town.Clock.Now()
	second := s.again(rp, first, "max_age=1")
	if at := authTime(second); at < float64(before.Unix()) || at > float64(s.w.Town.Clock.Now().Unix()) {
		s.Errorf("auth_time %v for a login at %d", second.id["auth_time"], before.Unix())
	}
}

func maxAge10000(s *stage) {
	rp := s.client(clients.Metadata{})
	first := s.happy(rp, "max_age=15000")
	s.w.Town.Clock.Advance(time.Second)
	second := s.silent(rp, first, "max_age=10000")
	if same(s, "sub", second.id["sub"], first.id["sub"]); authTime(first) == 0 || authTime(second) != authTime(first) {
		s.Errorf("auth_time %v, then %v", first.id["auth_time"], second.id["auth_time"])
	}
}

func idTokenHint(s *stage) {
	rp := s.client(clients.Metadata{})
	first := s.happy(rp)
	second := s.silent(rp, first, "prompt=none", "id_token_hint="+first.tokens.IDToken)
	same(s, "sub", second.id["sub"], first.id["sub"])
	same(s, "auth_time", second.id["auth_time"], first.id["auth_time"])
}

func acrValues(s *stage) {
	var values []string
	for _, v := range s.discovery()["acr_values_supported"].([]any) { //nolint:forcetypeassert // a panic fails the test
		values = append(values, v.(string)) //nolint:forcetypeassert // likewise
	}
	out := s.happy(s.client(clients.Metadata{}), "acr_values="+strings.Join(values, " "))
	if acr, _ := out.id["acr"].(string); !slices.Contains(values, acr) {
		s.Errorf("acr is %v, asked %v", out.id["acr"], values)
	}
}
