package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestGoOIDCHearsOfALogout: the server of a Go program gets the logout token of a session that ended in the browser, and its
// library finds it good for that program and for no other.
func TestGoOIDCHearsOfALogout(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 4)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.PostFormValue("logout_token") }))
	t.Cleanup(server.Close)
	secret := rand.Text() + rand.Text()
	body, err := json.Marshal([]map[string]any{{"client_id": "shop", "client_secret": secret, "redirect_uris": []string{"http://127.0.0.1:8000/go"},
		"backchannel_logout_uri": server.URL + "/back", "backchannel_logout_session_required": true}})
	must(t, err)
	w := start(t, "--clients", clientsFile(t, string(body)))
	provider, err := oidc.NewProvider(t.Context(), w.Issuer)
	must(t, err)
	config := oauth2.Config{ClientID: "shop", ClientSecret: secret, RedirectURL: "http://127.0.0.1:8000/go", Endpoint: provider.Endpoint(), Scopes: []string{"openid"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	jar := filepath.Join(t.TempDir(), "cookies.txt")
	code := w.walk(t, config.AuthCodeURL("s1", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n1")), "--cookie-jar", jar)
	tokens, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	must(t, err)
	raw, _ := tokens.Extra("id_token").(string)
	checks := provider.Verifier(&oidc.Config{ClientID: "shop", SupportedSigningAlgs: []string{"ES256"}})
	token, err := checks.Verify(t.Context(), raw)
	must(t, err)
	var said struct {
		SID string `json:"sid"`
	}
	must(t, token.Claims(&said))
	w.leave(t, jar, raw)
	select {
	case raw = <-heard:
	case <-time.After(time.Minute):
		t.Fatalf("nobody tells\n%s", w.stderr)
	}
	logout, err := checks.VerifyLogout(t.Context(), raw)
	must(t, err)
	if logout.Subject != token.Subject || logout.SessionID != said.SID || said.SID == "" {
		t.Errorf("it speaks of %q and %q, the ID token of %q and %q", logout.Subject, logout.SessionID, token.Subject, said.SID)
	}
	other := provider.Verifier(&oidc.Config{ClientID: "another", SupportedSigningAlgs: []string{"ES256"}})
	if _, err := other.VerifyLogout(t.Context(), raw); err == nil {
		t.Error("another program's library takes it")
	}
	if _, err := checks.VerifyLogout(t.Context(), raw[:len(raw)-8]+"AAAAAAAA"); err == nil {
		t.Error("another signature: the library takes it")
	}
}

// leave opens the logout address in the browser whose cookies a file holds.
func (w *world) leave(t *testing.T, jar, hint string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Issuer+"/end_session?"+url.Values{"id_token_hint": {hint}}.Encode(), nil)
	must(t, err)
	file, err := os.ReadFile(jar)
	must(t, err)
	for line := range strings.Lines(string(file)) {
		if field := strings.Split(strings.TrimSpace(line), "\t"); len(field) == 7 {
			r.AddCookie(&http.Cookie{Name: field[5], Value: field[6]})
		}
	}
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the logout address answers %s", resp.Status)
	}
}
