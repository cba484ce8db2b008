//go:build pkcs11

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/keys"
)

// asProgram makes this test binary the program itself, with the arguments that the variable holds line by line: an operator's
// commands run in another process than the server.
const asProgram = "TOKEN_TEST_ARGUMENTS"

func init() {
	if arguments := os.Getenv(asProgram); arguments != "" {
		os.Exit(run(context.Background(), strings.Split(arguments, "\n"), terminal{os.Stdout, os.Stderr}))
	}
}

// elsewhere runs one command in a process of its own.
func elsewhere(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"="+strings.Join(args, "\n"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tegata %v: %v: %s", args, err, out)
	}
	return string(out)
}

// softToken makes a SoftHSM token and gives it to the commands. The library reads its configuration once in a process, so
// one test has it.
func softToken(t *testing.T, d *deployment) {
	t.Helper()
	modules, err := filepath.Glob("/usr/lib/*/softhsm/libsofthsm2.so")
	if err != nil || len(modules) == 0 {
		t.Fatalf("SoftHSM is not installed: run .ci/packages (%v)", err)
	}
	conf := filepath.Join(d.dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+d.dir+"\nobjectstore.backend = file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pin := filepath.Join(d.dir, "token.pin")
	if err := os.WriteFile(pin, []byte("4711\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.set("SOFTHSM2_CONF", conf, "TEGATA_PKCS11_MODULE", modules[0], "TEGATA_PKCS11_TOKEN", "tegata-server", "TEGATA_PKCS11_PIN_FILE", pin)
	cmd := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", "tegata-server", "--so-pin", "4712", "--pin", "4711")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v: %s", err, out)
	}
}

// published is the JWKS of a running server.
func published(t *testing.T, base string) (set jose.JSONWebKeySet) {
	t.Helper()
	_, body := fetched(t, http.DefaultClient, http.MethodGet, base+"/oauth/jwks", nil)
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// signer is the key by which the server signs answers (JARM) now; the signature is verified with what it publishes.
func signer(t *testing.T, base string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, body := fetched(t, client, http.MethodGet, base+"/authorize?"+url.Values{
		"client_id": {"shop"}, "redirect_uri": {"https://shop.example/cb"}, "response_type": {"code"}, "response_mode": {"jwt"}, "scope": {"openid"}, "prompt": {"none"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}.Encode(), nil)
	at, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(at.Query().Get("response"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatalf("%v: %s %s", err, answer.Status, body)
	}
	if payload, err := jws.Verify(published(t, base)); err != nil || !strings.Contains(string(payload), "login_required") {
		t.Fatalf("%s: %v", payload, err)
	}
	return jws.Signatures[0].Protected.KeyID
}

// TestAServerWhoseKeysAreInAToken: all keys are made in the token, an operator rotates and revokes them from another process
// while the server runs, and they are there after a restart.
func TestAServerWhoseKeysAreInAToken(t *testing.T) {
	d := deploy(t)
	softToken(t, d)
	d.set("TEGATA_REQUEST_LIMIT", "0") // it asks until it is so
	d.ok("client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb")
	base, log, stop := d.serve()
	set := published(t, base)
	for _, key := range set.Keys {
		t.Logf("%s %s", key.Algorithm, key.KeyID)
	}
	if len(set.Keys) != len(keys.Algorithms) {
		t.Errorf("%d keys for %v", len(set.Keys), keys.Algorithms)
	}
	store, err := database{URL: os.Getenv("TEGATA_DATABASE_URL"), SealKeyset: os.Getenv("TEGATA_SEAL_KEYSET")}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	kept, err := store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if !strings.HasPrefix(string(k.Private), "pkcs11:") {
			t.Errorf("the key for %s is in the database", k.Alg)
		}
	}
	first := signer(t, base)
	if out := elsewhere(t, "keys", "rotate", "--alg", "ES256"); !strings.Contains(out, "signs ES256 from") {
		t.Error(out)
	}
	soon(t, "the next key is published", func() bool { return len(published(t, base).Keys) == len(keys.Algorithms)+1 })
	if got := signer(t, base); got != first {
		t.Error("the next key signs at once")
	}
	elsewhere(t, "keys", "revoke", first)
	soon(t, "the next key signs", func() bool { return signer(t, base) != first })
	next := signer(t, base)
	if keys := published(t, base); len(keys.Key(first)) > 0 || len(keys.Key(next)) != 1 {
		t.Errorf("%d keys are published after the revocation", len(keys.Keys))
	}
	if code := stop(); code != exitOK {
		t.Fatalf("stopped with %d: %s", code, log)
	}
	base, log, stop = d.serve()
	if got := signer(t, base); got != next {
		t.Errorf("%s signs after the restart, want %s", got, next)
	}
	if code := stop(); code != exitOK || strings.Contains(log.String(), "4711") {
		t.Errorf("stopped with %d", code)
	}
	for _, name := range []string{"MODULE", "TOKEN", "PIN_FILE", "PIN"} {
		unset(t, "TEGATA_PKCS11_"+name)
	}
	d.fails(exitFailure, "PKCS #11 token", "serve")
}
