package op_test

import (
	_ "embed"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/idp/keys"
)

// everything is somebody about whom the card has everything to say that a scope can ask for.
//
//go:embed testdata/everything.json
var everything []byte

func get(t *testing.T, address string) idptest.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return idptest.Do(t, r)
}

func texts(t *testing.T, list any) []string {
	t.Helper()
	all, ok := list.([]any)
	if !ok {
		t.Fatalf("%v is no list", list)
	}
	var out []string
	for _, one := range all {
		text, ok := one.(string)
		if !ok {
			t.Fatalf("%v is no text", one)
		}
		out = append(out, text)
	}
	return out
}

// known is what discovery may say, and what this package proves of it elsewhere or below.
var known = []string{
	"backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported", "frontchannel_logout_session_supported",
	"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri", "scopes_supported",
	"claims_supported", "claim_types_supported", "response_types_supported", "response_modes_supported", "grant_types_supported",
	"acr_values_supported", "subject_types_supported", "id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported",
	"code_challenge_methods_supported", "ui_locales_supported", "authorization_response_iss_parameter_supported", "prompt_values_supported",
	"claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
	"pushed_authorization_request_endpoint", "require_pushed_authorization_requests", "authorization_signing_alg_values_supported",
	"request_object_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported",
	"tls_client_certificate_bound_access_tokens", "dpop_signing_alg_values_supported", "introspection_endpoint", "introspection_endpoint_auth_methods_supported",
	"introspection_endpoint_auth_signing_alg_values_supported", "introspection_signing_alg_values_supported", "revocation_endpoint", "revocation_endpoint_auth_methods_supported",
	"revocation_endpoint_auth_signing_alg_values_supported", "tegata_agent_min_version", "tegata_client_profiles_supported", "service_documentation", "registration_endpoint",
	"op_policy_uri", "op_tos_uri", "protected_resources",
	"claims_locales_supported", "verified_claims_supported", "trust_frameworks_supported", "claims_in_verified_claims_supported", "evidence_supported",
	"documents_supported", "documents_check_methods_supported", "transformed_claims_functions_supported", "transformed_claims_max_count",
	"transformed_claims_predefined", "selective_abort_omit_supported", "selective_abort_omit_schema_supported",
}

func TestDiscoveryIsTrue(t *testing.T) {
	w := open(t)
	answer := get(t, w.Issuer+"/.well-known/openid-configuration")
	said := members(t, answer.Body)
	if said["issuer"] != w.Issuer {
		t.Errorf("the issuer is %v", said["issuer"])
	}
	for name, value := range said {
		if !slices.Contains(known, name) && !slices.Contains(knownOfKeys, name) {
			t.Errorf("%s is advertised: %v", name, value)
		}
		if at, ok := value.(string); ok && (strings.HasSuffix(name, "_endpoint") || name == "jwks_uri" || name == "service_documentation") {
			if status := get(t, at).Status; status == http.StatusNotFound || status >= 500 {
				t.Errorf("%s answers %d", name, status)
			}
		}
	}
	for _, name := range []string{"request_uri_parameter_supported", "require_pushed_authorization_requests"} {
		if said[name] != false { // an absent request_uri_parameter_supported would mean true
			t.Errorf("%s is %v", name, said[name])
		}
	}
	if said["request_parameter_supported"] != true {
		t.Error("request objects are not announced")
	}
	if said["authorization_response_iss_parameter_supported"] != true {
		t.Error("iss is not announced (RFC 9207)")
	}
	for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported",
		"frontchannel_logout_session_supported"} {
		if said[name] != true {
			t.Errorf("%s is %v", name, said[name])
		}
	}
	scopes := texts(t, said["scopes_supported"])
	all := w.Register(clients.Metadata{ClientID: "all", BackLogoutURI: "https://all.example/back", Scope: strings.Join(scopes, " "), GrantTypes: texts(t, said["grant_types_supported"])})
	supported := texts(t, said["claims_supported"])
	r := all.Request("max_age=600", "claims="+everyClaim(t, supported))
	w.Town.Settle(t, "everything", everything)
	tokens := all.Exchange(w.Login(w.NewBrowser(), r, "everything").Get("code"), r)
	released := members(t, all.UserInfo(tokens.AccessToken).Body)
	for _, scope := range scopes {
		if scope == "offline_access" {
			if got := all.Refresh(tokens.RefreshToken); got.Status != 200 {
				t.Errorf("%s gives no refresh token that is good: %d %s", scope, got.Status, got.Body)
			}
			continue
		}
		if scope != "openid" && released[scope] == nil {
			t.Errorf("scope %s releases nothing", scope)
		}
	}
	got := all.Claims(tokens, r)
	for _, name := range supported {
		if got[name] == nil && released[name] == nil {
			t.Errorf("claim %s never arrives", name)
		}
	}
	for name := range got {
		if !slices.Contains(supported, name) {
			t.Errorf("claim %s arrives unannounced", name)
		}
	}
	if acr := texts(t, said["acr_values_supported"]); !slices.Equal(acr, []string{"aal3"}) || got["acr"] != acr[0] {
		t.Errorf("acr_values %v, but %v", acr, got["acr"])
	}
}

func TestAdvertisedMethodsModesAndPromptsWork(t *testing.T) {
	w := open(t)
	said := members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)
	var b *idptest.Browser
	for _, method := range texts(t, said["token_endpoint_auth_methods_supported"]) {
		for _, alg := range texts(t, said["id_token_signing_alg_values_supported"]) {
			m := clients.Metadata{ClientID: strings.ToLower(strings.ReplaceAll(method, "_", "-") + alg), AuthMethod: method, IDTokenAlg: alg}
			der, set := issue(t, w, m.ClientID, method == clients.AuthSelfSigned, nil)
			switch method {
			case clients.AuthTLS:
				m.TLSSANDNS = m.ClientID + ".example"
			case clients.AuthSelfSigned:
				m.JWKS = set
			}
			rp := w.Register(m)
			rp.Headers = told(der)
			if b == nil {
				b = signedIn(t, w, rp)
			}
			r := rp.Request()
			rp.Claims(rp.Exchange(w.Answer(b, r).Get("code"), r), r)
			for _, mode := range texts(t, said["response_modes_supported"]) {
				r := rp.Request("response_mode=" + mode)
				if answer := w.Answered(b.Get(r.URL()), r); !answer.Has("code") {
					t.Errorf("%s: %v", mode, answer)
				}
			}
			for _, prompt := range texts(t, said["prompt_values_supported"]) {
				if p := b.Get(rp.Request("prompt=" + prompt).URL()); p.Away != nil && p.Away.Query().Has("error") || p.Code != "" {
					t.Errorf("prompt=%s: %v %s", prompt, p.Away, p.Code)
				}
			}
		}
	}
}

func TestKeysRotateUnderRunningRelyingParties(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, shop)
	kid := func(idToken string) any {
		head, _, _ := strings.Cut(idToken, ".")
		return members(t, unbase64(t, head))["kid"]
	}
	token := func() (idptest.Answer, idptest.Request) {
		r := shop.Request()
		return shop.Exchange(w.Answer(b, r).Get("code"), r), r
	}
	published := func() []any {
		var out []any
		for _, k := range members(t, get(t, w.Issuer+"/oauth/jwks").Body)["keys"].([]any) { //nolint:forcetypeassert // a panic fails the test
			key := k.(map[string]any) //nolint:forcetypeassert // likewise
			if key["d"] != nil || key["p"] != nil || key["use"] != "sig" || key["alg"] == nil {
				t.Errorf("the set publishes %v", key)
			}
			out = append(out, key["kid"])
		}
		return out
	}
	old, oldRequest := token()
	next, err := w.Site.IDP.Keys.Rotate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(published(), any(next.ID)) {
		t.Error("the next key is not published ahead")
	}
	if now, _ := token(); kid(now.IDToken) != kid(old.IDToken) {
		t.Error("the next key signs before its time")
	}
	shop.Claims(old, oldRequest)
	w.Town.Clock.Advance(keys.PublishAhead)
	b = signedIn(t, w, shop) // two hours later the session is over
	now, r := token()
	if kid(now.IDToken) != any(next.ID) {
		t.Errorf("%v signs after the change, not %s", kid(now.IDToken), next.ID)
	}
	shop.Claims(now, r)
	if !slices.Contains(published(), kid(old.IDToken)) {
		t.Error("the retired key left at once: tokens of a minute ago do not verify")
	}
	if p := b.Get(bye("id_token_hint", old.IDToken)); p.Code != "" || p.Status != 200 {
		t.Errorf("a hint of the retired key: %d %s", p.Status, p.Code)
	}
	w.Town.Clock.Advance(keys.Linger + time.Second)
	if slices.Contains(published(), kid(old.IDToken)) {
		t.Error("the retired key is published for ever")
	}
	if p := w.NewBrowser().Get(bye("id_token_hint", old.IDToken)); p.Code != "" {
		t.Errorf("a hint outlives its key: %s", p.Code)
	}
}
