package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/idptest/crafted"
)

// signs is a client that pushes requests at the address for certificates, and signs what it likes there.
type signs struct {
	t      *testing.T
	id     string
	at     string
	caller *http.Client
	key    *jose.JSONWebKey
}

func (s signs) jwt(typ string, embed bool, claims map[string]any) string {
	s.t.Helper()
	options := (&jose.SignerOptions{EmbedJWK: embed}).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key.Key}, options)
	if err != nil {
		s.t.Fatal(err)
	}
	claims["jti"], claims["iat"], claims["exp"] = rand.Text(), time.Now().Unix(), time.Now().Unix()+60
	payload, err := json.Marshal(claims)
	if err != nil {
		s.t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return compact
}

// push hands a request in with an assertion for aud and a proof for htu.
func (s signs) push(aud any, htu string) (status int, body string) {
	s.t.Helper()
	form := url.Values{"redirect_uri": {"https://" + s.id + ".example/cb"}, "response_type": {"code"}, "scope": {"openid"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {s.jwt("JWT", false, map[string]any{"iss": s.id, "sub": s.id, "aud": aud})}}
	transport := s.caller.Transport
	defer func() { s.caller.Transport = transport }()
	s.caller.Transport = proved{transport, s.jwt("dpop+jwt", true, map[string]any{"htm": "POST", "htu": htu})}
	answer, body := fetched(s.t, s.caller, http.MethodPost, s.at+"/par", form)
	return answer.StatusCode, body
}

// proved adds a proof to every request.
type proved struct {
	http.RoundTripper
	proof string
}

func (p proved) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("DPoP", p.proof)
	return p.RoundTripper.RoundTrip(r)
}

// The endpoints have a second name where certificates are asked for (mtls_endpoint_aliases): assertions may be for it, but
// under FAPI 2.0, and proofs may be about it.
func TestTheSecondNameOfAnEndpointIsOurs(t *testing.T) {
	d, server, mtls := overTLS(t, identity(t, "authority", tls.Certificate{}))
	key := &jose.JSONWebKey{Key: crafted.NewKey()}
	public := key.Public()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	if err != nil {
		t.Fatal(err)
	}
	for id, profile := range map[string]string{"shop": "basic", "bank": "fapi2"} {
		file := filepath.Join(d.dir, id+".json")
		metadata := `{"client_id": "` + id + `", "profile": "` + profile + `", "redirect_uris": ["https://` + id + `.example/cb"], "scope": "openid",
			"token_endpoint_auth_method": "private_key_jwt", "jwks": ` + string(set) + `}`
		if err := os.WriteFile(file, []byte(metadata), 0o600); err != nil {
			t.Fatal(err)
		}
		d.ok("client", "create", "--metadata", file)
	}
	_, _, stop := d.serve()
	defer stop()
	const issuer, alias = "https://id.example", "https://id.example:8443"
	for _, tc := range []struct {
		name, client string
		aud          any
		htu          string
		status       int
		word         string
	}{
		{"the issuer, and the endpoint's first name", "shop", issuer, issuer + "/par", 201, ""},
		{"the endpoint's second name", "shop", alias + "/par", alias + "/par", 201, ""},
		{"the token endpoint's second name", "shop", alias + "/oauth/token", alias + "/par", 201, ""},
		{"a list of the second name", "shop", []string{alias + "/par"}, alias + "/par", 201, ""},
		{"the second origin, which is no issuer", "shop", alias, alias + "/par", 401, "invalid_client"},
		{"another endpoint's second name", "shop", alias + "/userinfo", alias + "/par", 401, "invalid_client"},
		{"another port", "shop", "https://id.example:8444/par", alias + "/par", 401, "invalid_client"},
		{"both names", "shop", []string{issuer + "/par", alias + "/par"}, alias + "/par", 201, ""},
		{"both names, and another's", "shop", []string{issuer + "/par", alias + "/par", "https://other.example"}, alias + "/par", 401, "invalid_client"},
		{"fapi2: both names", "bank", []string{issuer, alias + "/par"}, alias + "/par", 401, "invalid_client"},
		{"a proof for another port", "shop", issuer, "https://id.example:8444/par", 400, "invalid_dpop_proof"},
		{"a proof for another endpoint's second name", "shop", issuer, alias + "/oauth/token", 400, "invalid_dpop_proof"},
		{"a proof for where it listens, which is no name of ours", "shop", issuer, "https://" + mtls + "/par", 400, "invalid_dpop_proof"},
		{"fapi2: the issuer, at the second name", "bank", issuer, alias + "/par", 201, ""},
		{"fapi2: the second name", "bank", alias + "/par", alias + "/par", 401, "invalid_client"},
	} {
		s := signs{t, tc.client, "https://" + mtls, caller(server, tls.Certificate{}, nil, nil), key}
		if status, body := s.push(tc.aud, tc.htu); status != tc.status || !strings.Contains(body, tc.word) {
			t.Errorf("%s: %d %s", tc.name, status, body)
		}
	}
}
