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

// variant is one way in which a library of others logs in; login.mjs reads it.
type variant struct {
	Name        string          `json:"name"`
	Library     string          `json:"library"`
	ClientID    string          `json:"clientId"`
	RedirectURI string          `json:"redirectUri"`
	KeyAlg      string          `json:"keyAlg"`
	Key         json.RawMessage `json:"key"`
	Alg         string          `json:"alg"` // of ID tokens and answers
	PAR         bool            `json:"par"`
	JAR         bool            `json:"jar"`
	JARM        bool            `json:"jarm"`
}

var nodeVariants = []variant{
	{Library: "openid-client", KeyAlg: "ES256", Alg: "ES256"},
	{Library: "openid-client", KeyAlg: "PS256", Alg: "RS256", PAR: true},
	{Library: "openid-client", KeyAlg: "Ed25519", Alg: "ES256", PAR: true, JARM: true},
	{Library: "openid-client", KeyAlg: "RS256", Alg: "RS256", JAR: true},
	{Library: "openid-client", KeyAlg: "ES256", Alg: "ES256", PAR: true, JAR: true, JARM: true},
	{Library: "oauth4webapi", KeyAlg: "ES256", Alg: "ES256", PAR: true, JARM: true},
	{Library: "oauth4webapi", KeyAlg: "PS256", Alg: "ES256", JAR: true, JARM: true},
}

// TestLibrariesForNodeLogInWithKeys: two libraries that are certified as relying parties, with private_key_jwt, pushed
// requests, signed requests and signed answers.
func TestLibrariesForNodeLogInWithKeys(t *testing.T) {
	t.Parallel()
	folder := nodeFolder(t)
	variants, clients := append([]variant(nil), nodeVariants...), []map[string]any{}
	for i := range variants {
		v := &variants[i]
		v.ClientID = strings.ToLower(strings.Join([]string{v.Library, v.KeyAlg, v.Alg, flag(v.PAR, "par"), flag(v.JAR, "jar"), flag(v.JARM, "jarm")}, "-"))
		v.Name, v.RedirectURI = v.ClientID, "http://127.0.0.1:8000/"+v.ClientID
		private, public := nodeKey(t, v.KeyAlg)
		v.Key = private
		clients = append(clients, map[string]any{
			"client_id": v.ClientID, "redirect_uris": []string{v.RedirectURI}, "token_endpoint_auth_method": "private_key_jwt",
			"token_endpoint_auth_signing_alg": v.KeyAlg, "id_token_signed_response_alg": v.Alg, "authorization_signed_response_alg": v.Alg,
			"require_pushed_authorization_requests": v.PAR, "require_signed_request_object": v.JAR,
			"jwks": map[string]any{"keys": []json.RawMessage{public}},
		})
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "login.mjs")
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
func nodeKey(t *testing.T, alg string) (private, public json.RawMessage) {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case "ES256":
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
		if *into, err = json.Marshal(jose.JSONWebKey{Key: k, KeyID: "k", Algorithm: alg, Use: "sig"}); err != nil {
			t.Fatal(err)
		}
	}
	return private, public
}
