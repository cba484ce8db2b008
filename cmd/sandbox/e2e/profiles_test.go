package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// TestProfiles takes a client of each profile of web/docs/client-profiles.md through a login, as its engineer would try it.
// The clients of fapi2 are those of others, in TestLibrariesForNodeLogIn.
func TestProfiles(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	secret := rand.Text() + rand.Text()
	body, err := json.Marshal([]map[string]any{
		{"client_id": "bar", "profile": "age-only", "client_secret": secret, "scope": "openid age_over_20", "redirect_uris": []string{"http://127.0.0.1:8000/bar"}},
		{"client_id": "RP00000001", "profile": "daa-compatible", "token_endpoint_auth_method": "private_key_jwt", "scope": "openid name address birthdate gender",
			"redirect_uris": []string{"http://127.0.0.1:8000/daa"}, "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}}},
	})
	must(t, err)
	w := start(t, "--clients", clientsFile(t, string(body)))
	t.Run("age-only", func(t *testing.T) { w.ageOnly(t, secret) })
	t.Run("daa-compatible", func(t *testing.T) { w.daaCompatible(t, key) })
}

func (w *world) ageOnly(t *testing.T, secret string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), w.Issuer)
	must(t, err)
	config := oauth2.Config{ClientID: "bar", ClientSecret: secret, RedirectURL: "http://127.0.0.1:8000/bar", Endpoint: provider.Endpoint(), Scopes: []string{"openid", "age_over_20"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	ask := func() string {
		return pushed(t, provider, config, config.AuthCodeURL("s1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n1")))
	}
	subjects := map[any]bool{}
	for range 2 {
		tokens, err := config.Exchange(t.Context(), w.walk(t, ask()), oauth2.VerifierOption(verifier))
		must(t, err)
		raw, _ := tokens.Extra("id_token").(string)
		token, err := provider.Verifier(&oidc.Config{ClientID: "bar", SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), raw)
		must(t, err)
		var said map[string]any
		must(t, token.Claims(&said))
		want := []string{"age_over_20", "at_hash", "aud", "exp", "iat", "iss", "nonce", "sub"}
		if got := slices.Sorted(maps.Keys(said)); !slices.Equal(got, want) || said["age_over_20"] != true {
			t.Errorf("the ID token says %v", got)
		}
		subjects[said["sub"]] = true
	}
	if len(subjects) != 2 {
		t.Error("the same person is recognised")
	}
	if no := w.login(t, "--persona", "jiro17", ask()).answer(t); no.Get("error") != "access_denied" || no.Has("code") {
		t.Errorf("somebody of seventeen: %v", no)
	}
	direct := config.AuthCodeURL("s1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n1"))
	if got := w.login(t, direct).answer(t); got.Get("error") != "invalid_request" {
		t.Errorf("a request that was not pushed: %v", got)
	}
}

func (w *world) daaCompatible(t *testing.T, key *ecdsa.PrivateKey) {
	t.Helper()
	issuer := w.Issuer + "/api/realms/main"
	provider, err := oidc.NewProvider(t.Context(), issuer)
	must(t, err)
	config := oauth2.Config{ClientID: "RP00000001", RedirectURL: "http://127.0.0.1:8000/daa", Endpoint: provider.Endpoint(),
		Scopes: []string{"openid", "name", "address", "birthdate", "gender"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	address := config.AuthCodeURL("s1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n1"), oauth2.SetAuthURLParam("acr_values", "aal3 crl"))
	answer := w.login(t, "--password", "ABC123", address).answer(t)
	if answer.Get("iss") != issuer || answer.Get("state") != "s1" || answer.Get("session_state") == "" {
		t.Fatalf("the answer is %v", answer)
	}
	tokens, err := config.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier),
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", asserted(t, key, "RP00000001", config.Endpoint.TokenURL)))
	must(t, err)
	raw, _ := tokens.Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: "RP00000001", SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), raw)
	must(t, err)
	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	must(t, err)
	var said map[string]string
	must(t, info.Claims(&said))
	if !regexp.MustCompile(`^[0-9]{8}$`).MatchString(said["birthdate"]) || said["gender"] != "1" || said["name"] == "" || said["address"] == "" || info.Subject != token.Subject {
		t.Errorf("userinfo has %v", slices.Sorted(maps.Keys(said)))
	}
}

// asserted is a client assertion (private_key_jwt).
func asserted(t *testing.T, key *ecdsa.PrivateKey, client, audience string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	must(t, err)
	payload, err := json.Marshal(map[string]any{"iss": client, "sub": client, "aud": audience, "jti": rand.Text(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()})
	must(t, err)
	jws, err := signer.Sign(payload)
	must(t, err)
	compact, err := jws.CompactSerialize()
	must(t, err)
	return compact
}
