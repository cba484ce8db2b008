package rp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// provider is the least OpenID provider that can answer the shop, and can be told to lie.
type provider struct {
	*httptest.Server
	now time.Time
	key *ecdsa.PrivateKey

	mu       sync.Mutex
	asked    url.Values     // the last authorization request, as the test saw it
	down     bool           // discovery fails
	claims   map[string]any // put over the ID token's claims; a nil value removes one
	info     map[string]any // put over the userinfo answer
	alg      jose.SignatureAlgorithm
	noInfo   bool
	redeemed int
}

// rsaKey is made once: it takes longer than all tests together.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newProvider(t *testing.T, now time.Time) *provider {
	t.Helper()
	p := &provider{now: now, alg: jose.ES256}
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "ES256"}, {Key: rsaKey().Public(), KeyID: "RS256"}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) discovery(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"userinfo_endpoint": p.URL + "/userinfo", "end_session_endpoint": p.URL + "/end", "id_token_signing_alg_values_supported": []string{"ES256", "RS256"},
	})
}

// token keeps the rules that the shop must meet: client authentication, redirect URI and PKCE.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.redeemed++
	id, secret, _ := r.BasicAuth()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != "shop" || secret != "secret" || r.PostFormValue("code") != "good-code" ||
		r.PostFormValue("redirect_uri") != p.asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != p.asked.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_grant"})
		return
	}
	writeJSON(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": p.idToken()})
}

func (p *provider) idToken() string {
	claims := map[string]any{
		"iss": p.URL, "aud": "shop", "sub": "person-at-shop", "nonce": p.asked.Get("nonce"), "iat": p.now.Unix(), "exp": p.now.Add(time.Minute).Unix(),
		"amr": []string{"mnc", "pin"}, "age_over_18": true,
	}
	var key crypto.Signer = p.key
	if p.alg == jose.RS256 {
		key = rsaKey()
	}
	payload, err := json.Marshal(overlay(claims, p.claims))
	if err != nil {
		return err.Error()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: jose.JSONWebKey{Key: key, KeyID: string(p.alg)}}, nil)
	if err != nil {
		return err.Error()
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return err.Error()
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		return err.Error()
	}
	return compact
}

func (p *provider) userinfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noInfo || r.Header.Get("Authorization") != "Bearer access" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	writeJSON(w, overlay(map[string]any{"sub": "person-at-shop"}, p.info))
}

func overlay(base, over map[string]any) map[string]any {
	for k, v := range over {
		base[k] = v
		if v == nil {
			delete(base, k)
		}
	}
	return base
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}
