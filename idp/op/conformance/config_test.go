package conformance_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

var configOP = plan{
	title: "Config OP", name: "oidcc-config-certification-test-plan", test: "TestConfigOP", variants: "discovery, static clients",
	modules: []module{{"oidcc-discovery-endpoint-verification", discoveryVerification, "on loopback the endpoints are the issuer's own instead of https"}},
}

// required members of discovery and a value that each must hold (OIDC Discovery 3).
var required = map[string]string{
	"response_types_supported": "code", "subject_types_supported": "pairwise", "id_token_signing_alg_values_supported": "RS256", "scopes_supported": "openid",
	"grant_types_supported": "authorization_code", "claims_supported": "sub", "code_challenge_methods_supported": "S256", "token_endpoint_auth_methods_supported": "client_secret_basic",
}

var scopeForm = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`) // RFC 6749 3.3

func discoveryVerification(s *stage) {
	answer := s.get(s.w.Issuer + "/.well-known/openid-configuration")
	same(s, "status", answer.Status, http.StatusOK)
	same(s, "Content-Type", strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json"), true)
	said := s.object(answer.Body)
	same(s, "issuer", said["issuer"], any(s.w.Issuer))
	for member, value := range required {
		if !s.listed(member, value) {
			s.Errorf("%s lacks %s: %v", member, value, said[member])
		}
	}
	for _, member := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} {
		if said[member] == nil {
			s.Errorf("%s is missing", member)
		}
	}
	for member, value := range said {
		if at, _ := value.(string); (strings.HasSuffix(member, "_endpoint") || strings.HasSuffix(member, "_uri")) && !strings.HasPrefix(at, s.w.Issuer+"/") {
			s.Errorf("%s is %v", member, value)
		}
		if _, isBool := value.(bool); strings.HasSuffix(member, "_parameter_supported") && !isBool {
			s.Errorf("%s is %v", member, value)
		}
	}
	for _, scope := range said["scopes_supported"].([]any) { //nolint:forcetypeassert // a panic fails the test
		if text, _ := scope.(string); !scopeForm.MatchString(text) {
			s.Errorf("the scope %v is none", scope)
		}
	}
	for _, locale := range said["ui_locales_supported"].([]any) { //nolint:forcetypeassert // likewise
		text, _ := locale.(string)
		if tag, err := language.Parse(text); err != nil || tag.String() != text {
			s.Errorf("ui_locales_supported holds %v", locale)
		}
	}
	s.keys(said["jwks_uri"].(string)) //nolint:forcetypeassert // likewise
}

// keys checks a published key set: public keys alone, each named once and for signing (RFC 7517).
func (s *stage) keys(address string) {
	s.Helper()
	var kids []string
	for _, one := range s.object(s.get(address).Body)["keys"].([]any) { //nolint:forcetypeassert // a panic fails the test
		key := one.(map[string]any) //nolint:forcetypeassert // likewise
		kid, _ := key["kid"].(string)
		if kid == "" || slices.Contains(kids, kid) || key["kty"] == nil || key["alg"] == nil || key["use"] == nil {
			s.Errorf("the set holds %v", key)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if key[private] != nil {
				s.Fatalf("the set publishes the private member %s of %s", private, kid)
			}
		}
		kids = append(kids, kid)
	}
	if len(kids) == 0 {
		s.Error("the set is empty")
	}
}
