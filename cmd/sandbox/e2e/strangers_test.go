package e2e_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// variant is one way in which a library of others logs in; the programs in testdata/strangers read it.
type variant struct {
	Name        string          `json:"name"`
	Library     string          `json:"library"`
	ClientID    string          `json:"clientId"`
	RedirectURI string          `json:"redirectUri"`
	Auth        string          `json:"auth"` // private_key_jwt where there is a KeyAlg, client_secret_basic otherwise
	Secret      string          `json:"secret"`
	KeyAlg      string          `json:"keyAlg"`
	Key         json.RawMessage `json:"key"`
	Alg         string          `json:"alg"` // of ID tokens and answers
	PAR         bool            `json:"par"`
	JAR         bool            `json:"jar"`
	JARM        bool            `json:"jarm"`
	DPoP        bool            `json:"dpop"`
	UserInfo    bool            `json:"userinfo"` // signed
	Enc         string          `json:"enc"`      // how ID tokens, signed userinfo and signed answers are encrypted on top
	EncKey      json.RawMessage `json:"encKey"`
	Profile     string          `json:"-"`          // of the registration
	WrongNonce  bool            `json:"wrongNonce"` // the library expects another nonce, and has to refuse
}

var nodeVariants = []variant{
	{Library: "openid-client", KeyAlg: "ES256", Alg: "ES256"},
	{Library: "openid-client", KeyAlg: "PS256", Alg: "RS256", PAR: true},
	{Library: "openid-client", KeyAlg: "Ed25519", Alg: "ES256", PAR: true, JARM: true},
	{Library: "openid-client", KeyAlg: "RS256", Alg: "RS256", JAR: true},
	{Library: "openid-client", KeyAlg: "ES256", Alg: "ES256", PAR: true, JAR: true, JARM: true},
	{Library: "openid-client", KeyAlg: "ES256", Alg: "ES256", PAR: true, DPoP: true},
	{Library: "openid-client", Auth: "client_secret_basic", Alg: "PS256"},
	{Library: "openid-client", Auth: "none", Alg: "ES256", DPoP: true},
	{Library: "openid-client", Auth: "client_secret_post", Alg: "RS256", WrongNonce: true},
	{Library: "oauth4webapi", KeyAlg: "ES256", Alg: "ES256", PAR: true, JARM: true},
	{Library: "oauth4webapi", KeyAlg: "PS256", Alg: "ES256", JAR: true, JARM: true},
	{Library: "oauth4webapi", KeyAlg: "PS256", Alg: "PS256", PAR: true, DPoP: true, JARM: true},
	{Library: "oauth4webapi", KeyAlg: "ES256", Alg: "EdDSA", JARM: true},
	{Library: "openid-client", KeyAlg: "ES256", Alg: "ES256", PAR: true, DPoP: true, UserInfo: true, Enc: "ECDH-ES"},
	{Library: "openid-client", Auth: "client_secret_basic", Alg: "RS256", UserInfo: true, Enc: "RSA-OAEP-256"},
	{Library: "openid-client", Auth: "client_secret_basic", Alg: "ES256", UserInfo: true},
	{Library: "oauth4webapi", KeyAlg: "PS256", Alg: "PS256", PAR: true, JARM: true, UserInfo: true, Enc: "RSA-OAEP-256"},
	{Library: "oauth4webapi", Auth: "client_secret_basic", Alg: "EdDSA", UserInfo: true, Enc: "ECDH-ES"},
	{Library: "openid-client", Profile: "fapi2", KeyAlg: "ES256", Alg: "ES256", PAR: true, DPoP: true},
	{Library: "oauth4webapi", Profile: "fapi2", KeyAlg: "PS256", Alg: "PS256", PAR: true, DPoP: true, JARM: true},
	{Library: "oauth4webapi", Auth: "client_secret_post", Alg: "RS256"},
	{Library: "oauth4webapi", Auth: "client_secret_basic", Alg: "ES256", WrongNonce: true},
}

// TestLibrariesForNodeLogIn: two libraries that are certified as relying parties, with every kind of client authentication
// that they share with us, pushed requests, signed requests and answers, and tokens bound to keys.
func TestLibrariesForNodeLogIn(t *testing.T) {
	t.Parallel()
	strangersLogIn(t, nodeVariants, nodeFolder(t), "node", "login.mjs")
}

// TestAuthlibLogsIn: the library of many Python programs.
func TestAuthlibLogsIn(t *testing.T) {
	t.Parallel()
	strangersLogIn(t, []variant{
		{Library: "authlib", Auth: "client_secret_basic", Alg: "ES256"},
		{Library: "authlib", Auth: "client_secret_post", Alg: "RS256", PAR: true},
		{Library: "authlib", Auth: "none", Alg: "ES256"},
		{Library: "authlib", KeyAlg: "ES256", Alg: "ES256", PAR: true},
		{Library: "authlib", KeyAlg: "RS256", Alg: "RS256"},
		{Library: "authlib", Auth: "client_secret_basic", Alg: "PS256"},
		{Library: "authlib", Auth: "client_secret_basic", Alg: "ES256", UserInfo: true, Enc: "RSA-OAEP-256"},
		{Library: "authlib", KeyAlg: "ES256", Alg: "RS256", UserInfo: true, Enc: "ECDH-ES"},
	}, filepath.Join("..", "..", "..", "testdata", "strangers", "python"), python(t), "login.py")
}

// python is an interpreter that has the library: Debian's, where another one comes first in PATH.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import authlib, requests").Run() == nil {
			return name
		}
	}
	t.Fatal("no python3 has authlib and requests: run make packages")
	return ""
}

// strangersLogIn registers a client for each variant and lets a program of another language log in with all of them.
func strangersLogIn(t *testing.T, ways []variant, folder string, program ...string) {
	t.Helper()
	variants, clients := append([]variant(nil), ways...), []map[string]any{}
	for i := range variants {
		clients = append(clients, variants[i].register(t))
	}
	body, err := json.Marshal(clients)
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, "--clients", clientsFile(t, string(body)))
	input, err := json.Marshal(map[string]any{"issuer": w.Issuer, "sandbox": w.binary, "cards": w.Cards, "variants": variants})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir, cmd.Stdin = folder, bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, w.stderr)
	}
	for _, v := range variants {
		if !strings.Contains(string(out), "ok "+v.Name+"\n") {
			t.Errorf("%s does not log in\n%s\n%s", v.Name, out, w.stderr)
		}
	}
}

// register fills in what every client needs and describes it as --clients wants it.
func (v *variant) register(t *testing.T) map[string]any {
	t.Helper()
	if v.Auth == "" {
		v.Auth = "private_key_jwt"
	}
	v.ClientID = strings.ToLower(strings.Join([]string{v.Library, strings.ReplaceAll(v.Auth, "_", "-"), v.KeyAlg, v.Alg, flag(v.PAR, "par"), flag(v.JAR, "jar"),
		flag(v.JARM, "jarm"), flag(v.DPoP, "dpop"), flag(v.UserInfo, "userinfo"), v.Enc, v.Profile}, "-"))
	v.Name, v.RedirectURI = v.ClientID, "http://127.0.0.1:8000/"+v.ClientID
	c := map[string]any{
		"client_id": v.ClientID, "redirect_uris": []string{v.RedirectURI}, "token_endpoint_auth_method": v.Auth,
		"id_token_signed_response_alg": v.Alg, "require_pushed_authorization_requests": v.PAR, "require_signed_request_object": v.JAR,
		"dpop_bound_access_tokens": v.DPoP,
	}
	if v.JARM {
		c["authorization_signed_response_alg"] = v.Alg
	}
	if v.UserInfo {
		c["userinfo_signed_response_alg"] = v.Alg
	}
	if v.Profile != "" {
		c["profile"] = v.Profile
	}
	keys := v.encrypt(t, c)
	switch v.Auth {
	case "private_key_jwt":
		private, public := nodeKey(t, v.KeyAlg, "sig")
		v.Key, keys, c["token_endpoint_auth_signing_alg"] = private, append(keys, public), v.KeyAlg
	case "none":
	default:
		v.Secret = rand.Text() + rand.Text()
		c["client_secret"] = v.Secret
	}
	if len(keys) > 0 {
		c["jwks"] = map[string]any{"keys": keys}
	}
	return c
}

// encrypt asks for encryption of all that is signed for this client, and returns the key to encrypt to.
func (v *variant) encrypt(t *testing.T, c map[string]any) []json.RawMessage {
	t.Helper()
	if v.Enc == "" {
		return nil
	}
	for what, on := range map[string]bool{"id_token": true, "userinfo": v.UserInfo, "authorization": v.JARM} {
		if on {
			c[what+"_encrypted_response_alg"], c[what+"_encrypted_response_enc"] = v.Enc, "A256GCM"
		}
	}
	private, public := nodeKey(t, v.Enc, "enc")
	v.EncKey = private
	return []json.RawMessage{public}
}

func flag(on bool, name string) string {
	if on {
		return name
	}
	return "no" + name
}

// nodeFolder is a copy of testdata/strangers/node with the packages of its lock file.
func nodeFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("..", "..", "..", "testdata", "strangers", "node"))); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return folder
}

// nodeKey makes a key pair as JSON Web Keys.
func nodeKey(t *testing.T, alg, use string) (private, public json.RawMessage) {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case "ES256", "ECDH-ES":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	for into, k := range map[*json.RawMessage]any{&private: key, &public: key.Public()} {
		if *into, err = json.Marshal(jose.JSONWebKey{Key: k, KeyID: use, Algorithm: alg, Use: use}); err != nil {
			t.Fatal(err)
		}
	}
	return private, public
}
