package e2e_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// goClient is a way in which a Go program logs in with go-oidc and x/oauth2.
type goClient struct {
	name, auth, alg string
	offline         bool
	par             bool
}

// TestGoOIDCLogsIn: the two libraries of nearly every Go program, and what they have to refuse.
func TestGoOIDCLogsIn(t *testing.T) {
	t.Parallel()
	ways := []goClient{
		{name: "a secret in the header", auth: "client_secret_basic", alg: "ES256"},
		{name: "a secret in the form, refreshed", auth: "client_secret_post", alg: "RS256", offline: true},
		{name: "a public client", auth: "none", alg: "EdDSA"},
		{name: "the stronger form of RSA", auth: "client_secret_basic", alg: "PS256"},
		{name: "a pushed request", auth: "client_secret_basic", alg: "RS256", par: true},
	}
	clients := make([]map[string]any, len(ways))
	secrets := make([]string, len(ways))
	for i, way := range ways {
		clients[i] = map[string]any{"client_id": "go" + string(rune('a'+i)), "redirect_uris": []string{"http://127.0.0.1:8000/go"}, "token_endpoint_auth_method": way.auth,
			"id_token_signed_response_alg": way.alg, "grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid age_over_18 offline_access",
			"require_pushed_authorization_requests": way.par}
		if way.auth != "none" {
			secrets[i] = rand.Text() + rand.Text()
			clients[i]["client_secret"] = secrets[i]
		}
	}
	body, err := json.Marshal(clients)
	must(t, err)
	w := start(t, "--clients", clientsFile(t, string(body)))
	for i, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			id, _ := clients[i]["client_id"].(string)
			w.goLogin(t, way, id, secrets[i])
		})
	}
	t.Run("another issuer is refused", func(t *testing.T) {
		if _, err := oidc.NewProvider(oidc.ClientContext(t.Context(), http.DefaultClient), w.Issuer+"/"); err == nil {
			t.Error("a provider of another name is taken for this one")
		}
	})
}

func (w *world) goLogin(t *testing.T, way goClient, id, secret string) {
	t.Helper()
	ctx := t.Context()
	provider, err := oidc.NewProvider(ctx, w.Issuer)
	must(t, err)
	config := oauth2.Config{ClientID: id, ClientSecret: secret, RedirectURL: "http://127.0.0.1:8000/go", Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "age_over_18"}}
	if config.Endpoint.AuthStyle = oauth2.AuthStyleInParams; way.auth == "client_secret_basic" {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	if way.offline {
		config.Scopes = append(config.Scopes, oidc.ScopeOfflineAccess)
	}
	verifier, nonce, state := oauth2.GenerateVerifier(), rand.Text(), rand.Text()
	address := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce))
	if way.par {
		address = pushed(t, provider, config, address)
	}
	answer := w.login(t, address).answer(t)
	if answer.Get("state") != state || answer.Get("iss") != w.Issuer {
		t.Fatalf("the answer is %v", answer)
	}
	tokens, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	raw, _ := tokens.Extra("id_token").(string)
	token := verifies(ctx, t, provider, way, id, raw)
	if token.Nonce != nonce {
		t.Errorf("the nonce is %q", token.Nonce)
	}
	must(t, token.VerifyAccessToken(tokens.AccessToken))
	source := config.TokenSource(ctx, tokens)
	told(ctx, t, provider, source, token.Subject)
	if way.offline {
		expired := *tokens
		expired.Expiry = time.Now().Add(-time.Hour) // so that the library refreshes
		told(ctx, t, provider, config.TokenSource(ctx, &expired), token.Subject)
	}
}

// verifies checks an ID token, and that the library refuses it under every other expectation.
func verifies(ctx context.Context, t *testing.T, provider *oidc.Provider, way goClient, id, raw string) *oidc.IDToken {
	t.Helper()
	good := oidc.Config{ClientID: id, SupportedSigningAlgs: []string{way.alg}}
	token, err := provider.Verifier(&good).Verify(ctx, raw)
	must(t, err)
	other, algs, late := good, good, good
	other.ClientID = "another"
	algs.SupportedSigningAlgs = slices.DeleteFunc([]string{"ES256", "RS256"}, func(alg string) bool { return alg == way.alg })
	late.Now = func() time.Time { return time.Now().Add(24 * time.Hour) }
	for name, config := range map[string]oidc.Config{"another client": other, "another algorithm": algs, "another day": late} {
		if _, err := provider.Verifier(&config).Verify(ctx, raw); err == nil {
			t.Errorf("%s: the token is taken", name)
		}
	}
	if _, err := provider.Verifier(&good).Verify(ctx, raw[:len(raw)-8]+"AAAAAAAA"); err == nil {
		t.Error("another signature: the token is taken")
	}
	return token
}

func told(ctx context.Context, t *testing.T, provider *oidc.Provider, source oauth2.TokenSource, subject string) {
	t.Helper()
	info, err := provider.UserInfo(ctx, source)
	must(t, err)
	var claims struct {
		Adult bool `json:"age_over_18"`
	}
	if err := info.Claims(&claims); err != nil || !claims.Adult || info.Subject != subject {
		t.Errorf("userinfo says %+v of %q: %v", claims, info.Subject, err)
	}
}

// pushed hands the parameters of an authorization request in, as RFC 9126 has it, and returns the short request.
func pushed(t *testing.T, provider *oidc.Provider, config oauth2.Config, address string) string {
	t.Helper()
	var more struct {
		Endpoint string `json:"pushed_authorization_request_endpoint"`
	}
	must(t, provider.Claims(&more))
	long, err := url.Parse(address)
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, more.Endpoint, strings.NewReader(long.RawQuery))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(config.ClientID, config.ClientSecret)
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	var out struct {
		RequestURI string `json:"request_uri"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&out))
	return config.Endpoint.AuthURL + "?" + url.Values{"client_id": {config.ClientID}, "request_uri": {out.RequestURI}}.Encode()
}
