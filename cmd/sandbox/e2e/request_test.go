package e2e_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// The example of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// shops are relying parties of these tests; nobody answers at their addresses.
func shops(t testing.TB) string {
	t.Helper()
	return clientsFile(t, `[
		{"client_id": "poster", "client_secret": "poster-secret-of-more-than-32-characters", "client_name": "Poster",
		 "policy_uri": "http://127.0.0.1:8000/policy", "tos_uri": "http://127.0.0.1:8000/terms", "contacts": ["dev@poster.example"],
		 "redirect_uris": ["http://127.0.0.1:8000/callback"]},
		{"client_id": "bank", "client_secret": "bank-secret-of-more-than-32-characters-0", "client_name": "Bank",
		 "redirect_uris": ["http://127.0.0.1:8000/bank"]}
	]`)
}

func clientsFile(t testing.TB, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clients.json")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// authorize makes an authorization request of a client; more replaces its parameters, and removes those without a value.
func (w *world) authorize(client string, more url.Values) string {
	q := url.Values{
		"client_id": {client}, "response_type": {"code"}, "scope": {"openid age_over_18"}, "state": {"s1"}, "nonce": {"n1"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for _, c := range w.Clients {
		if c.ID == client {
			q.Set("redirect_uri", c.RedirectURIs[0])
		}
	}
	for name, values := range more {
		q[name] = values
		if values == nil {
			q.Del(name)
		}
	}
	return w.Issuer + "/authorize?" + q.Encode()
}
