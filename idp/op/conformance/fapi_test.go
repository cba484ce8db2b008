package conformance_test

import (
	"tegata/idp/clients"
)

const sp = "fapi2-security-profile-final-"

var fapi2 = plan{
	title: "FAPI 2.0 Security Profile Final", name: "fapi2-security-profile-final-test-plan", test: "TestFAPI2",
	variants: "plain_fapi, openid_connect, private_key_jwt, DPoP, unsigned requests, plain responses",
	modules: []module{
		{sp + "discovery-end-point-verification", fapiDiscovery, ""},
		{sp + "happy-flow", fapiHappy, "two clients; the userinfo endpoint is the resource"},
		{sp + "user-rejects-authentication", fapiDenied, ""},
		{sp + "ensure-authorization-request-without-state-success", fapiWith("state"), ""},
		{sp + "ensure-authorization-request-without-nonce-success", fapiWith("nonce"), ""},
		{sp + "ensure-authorization-request-with-64-char-nonce-success", fapiWith("nonce=" + n64), ""},
		{sp + "ensure-other-scope-order-succeeds", fapiWith("scope=age_over_18 openid"), ""},
		{sp + "test-claims-parameter-identity-claims", fapiClaims, "without the profile, which gives personal data only to who has it encrypted"},
		{sp + "access-token-type-header-case-sensitivity", fapiSchemeCase, ""},
		{sp + "check-dpop-proof-nbf-exp", fapiProofs(map[string]int64{"nbf": 0, "exp": 300}), ""},
		{sp + "ensure-dpopproof-with-iat-10seconds-before-succeeds", fapiProofs(map[string]int64{"iat": -10}), ""},
		{sp + "ensure-dpopproof-with-iat-10seconds-after-succeeds", fapiProofs(map[string]int64{"iat": 10}), ""},
		{sp + "ensure-mismatched-dpop-jkt-fails", fapiJktAtPAR, ""},
		{sp + "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt", fapiOtherProof, ""},
		{sp + "ensure-token-endpoint-fails-with-mismatched-dpop-jkt", fapiOtherJkt, ""},
		{sp + "ensure-dpopproof-at-par-endpoint-binding-success", fapiBoundByProof, ""},
		{sp + "ensure-dpop-auth-code-binding-success", fapiBoundByJkt, ""},
		{sp + "ensure-different-nonce-inside-and-outside-request-object", fapiOutside("nonce"), "what was pushed counts"},
		{sp + "ensure-different-state-inside-and-outside-request-object", fapiOutside("state"), "what was pushed counts"},
		{sp + "ensure-authorization-request-with-long-nonce", fapiWith("nonce=" + n64 + n64 + n64 + n64 + n64 + n64), "384 characters come back whole"},
		{sp + "ensure-authorization-request-with-long-state", fapiWith("state=" + n64 + n64 + n64 + n64 + n64 + n64), "384 characters come back whole"},
		{sp + "state-only-outside-request-object-not-used", fapiStateOutside, ""},
		{sp + "ensure-request-object-without-redirect-uri-fails", fapiPARRefuses("redirect_uri"), ""},
		{sp + "ensure-registered-redirect-uri", nil, "not part of plain FAPI; the next row is"},
		{sp + "plain-fapi-tolerate-unregistered-redirect-uri", fapiUnregistered, "refused, which the suite allows"},
		{sp + "ensure-unsigned-authorization-request-without-using-par-fails", fapiWithoutPAR, ""},
		{sp + "ensure-redirect-uri-in-authorization-request", fapiPARRefuses("redirect_uri"), ""},
		{sp + "ensure-response-type-code-idtoken-fails", fapiResponseType("code id_token"), ""},
		{sp + "australia-connectid-ensure-invalid-purpose-fails", nil, "ConnectID Australia alone"},
		{sp + "ensure-response-type-token-fails", fapiResponseType("token"), ""},
		{sp + "ensure-client-id-in-token-endpoint", fapiOtherClientID, ""},
		{sp + "ensure-holder-of-key-required", fapiNoProof, "without the TLS part"},
		{sp + "ensure-authorization-code-is-bound-to-client", fapiOthersCode, ""},
		{sp + "attempt-reuse-authorization-code-after-one-second", fapiReuse, "the tokens of the first redemption die too"},
		{sp + "ensure-token-endpoint-fails-with-expired-auth-code", fapiExpiredCode, ""},
		{sp + "ensure-signed-client-assertion-with-RS256-fails", fapiRS256, ""},
		{sp + "ensure-client-assertion-in-token-endpoint", fapiNoAssertion, ""},
		{sp + "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails", fapiAssertion("exp", past), ""},
		{sp + "ensure-client-assertion-with-wrong-aud-fails", fapiAssertion("aud", elsewhere), ""},
		{sp + "ensure-client-assertion-with-no-sub-fails", fapiAssertion("sub", nil), ""},
		{sp + "dpop-negative-tests", fapiBadProofs, "at the userinfo endpoint"},
		{sp + "refresh-token", fapiRefresh, ""},
		{sp + "ensure-server-handles-non-matching-intent-id", nil, "Open Banking UK alone"},
		{sp + "test-essential-acr-sca-claim", nil, "Open Banking UK alone"},
		{sp + "brazil-ensure-bad-payment-signature-fails", nil, "Open Finance Brazil alone"},
		{sp + "australia-connectid-test-claims-parameter-idtoken-identity-claims", nil, "ConnectID Australia alone"},
		{sp + "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds", parReload, ""},
		{sp + "par-attempt-reuse-request_uri", parReuse, ""},
		{sp + "par-attempt-to-use-expired-request_uri", parExpired, ""},
		{sp + "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted", parAhead(8, true), ""},
		{sp + "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails", parAhead(65, false), ""},
		{sp + "par-attempt-to-use-request_uri-for-different-client", parOthers, ""},
		{sp + "par-authorization-request-containing-request_uri-form-param", parRequestURI, ""},
		{sp + "par-attempt-invalid-http-method", parPUT, ""},
		{sp + "par-ensure-pkce-required", fapiPARRefuses("code_challenge", "code_challenge_method"), ""},
		{sp + "ensure-pkce-code-verifier-required", fapiVerifier("code_verifier"), ""},
		{sp + "incorrect-pkce-code-verifier-rejected", fapiVerifier("code_verifier=" + n64), ""},
		{sp + "par-plain-pkce-rejected", fapiPARRefuses("code_challenge_method=plain"), ""},
		{sp + "par-without-duplicate-parameters", fapiWith(), ""},
		{sp + "par-test-array-as-audience-fails", parAudience(func(w string) any { return []string{w} }), ""},
		{sp + "par-test-par-endpoint-url-as-audience-fails", parAudience(func(w string) any { return w + "/par" }), ""},
		{sp + "par-test-token-endpoint-url-as-audience-fails", parAudience(func(w string) any { return w + "/oauth/token" }), ""},
	},
}

const n64 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

// strict is the metadata of a FAPI 2.0 client: the profile adds pushed requests and DPoP.
func strict() clients.Metadata {
	return clients.Metadata{Profile: clients.ProfileFAPI2, AuthMethod: clients.AuthKey}
}
