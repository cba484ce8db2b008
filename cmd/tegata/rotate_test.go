package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/storage"
)

func TestSecretsOverlapWhileTheyChange(t *testing.T) {
	d := deploy(t)
	secret := func(args ...string) string {
		t.Helper()
		var made map[string]string
		if err := json.Unmarshal([]byte(d.ok(args...)), &made); err != nil || len(made["client_secret"]) < 32 {
			t.Fatal(made, err)
		}
		return made["client_secret"]
	}
	good := func(secrets ...string) (n int) {
		t.Helper()
		store, err := database{URL: os.Getenv("TEGATA_DATABASE_URL"), SealKeyset: os.Getenv("TEGATA_SEAL_KEYSET")}.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		shop, err := store.Client(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range secrets {
			if clients.CheckSecret(shop, s) {
				n++
			}
		}
		return n
	}
	first := secret("client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb")
	second := secret("client", "secret", "shop")
	if good(first, second) != 2 {
		t.Error("the old secret ended at once")
	}
	d.ok("client", "secret", "shop", "--last")
	if good(first) != 0 || good(second) != 1 {
		t.Error("not the newest secret stayed")
	}
	secret("client", "secret", "shop")
	secret("client", "secret", "shop")
	d.fails(exitUsage, "--last", "client", "secret", "shop")
	d.fails(exitFailure, "no client", "client", "secret", "nobody")
	d.ok("client", "create", "--id", "app", "--redirect-uri", "https://app.example/cb", "--auth-method", "none")
	d.fails(exitUsage, "no secret", "client", "secret", "app")
	empty := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(empty, []byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d.fails(exitUsage, "private or secret", "client", "keys", "shop", empty)
}

// An administrator switches a client off while a colleague gives it keys: off it stays.
func TestAChangeUndoesNothingThatSomebodyElseDidMeanwhile(t *testing.T) {
	d := deploy(t)
	d.ok("client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb")
	base := database{URL: os.Getenv("TEGATA_DATABASE_URL"), SealKeyset: os.Getenv("TEGATA_SEAL_KEYSET")}
	err := base.change(t.Context(), "shop", func(c storage.Client) (storage.Client, error) {
		d.ok("client", "disable", "shop")
		return c, nil
	})
	if err == nil || !strings.Contains(err.Error(), "has just changed") {
		t.Errorf("the change says %v", err)
	}
	if list := d.ok("client", "list"); !strings.Contains(list, "disabled") {
		t.Errorf("the client is on again: %s", list)
	}
}
