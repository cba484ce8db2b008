package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestConfigurationIsCheckedBeforeTheShopOpens(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want int
	}{
		{name: "help is not an error", args: []string{"--help"}, want: 0},
		{name: "an unknown flag ends with 2", args: []string{"--isuer", "x"}, want: badUsage},
		{name: "a stray argument ends with 2", args: []string{"--issuer", "https://op.example", "--client-id", "shop", "serve"}, want: badUsage},
		{name: "a missing issuer ends with 2", args: []string{"--client-id", "shop"}, want: badUsage},
		{name: "an unreadable secret file ends with 2", args: []string{"--issuer", "https://op.example", "--client-id", "shop", "--secret-file", "/nowhere/at/all"}, want: badUsage},
		{name: "an impossible address ends with 2", args: []string{"--issuer", "https://op.example", "--client-id", "shop", "--listen", "256.0.0.1:0", "--public-url", "https://shop.example"}, want: badUsage},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := run(context.Background(), tc.args, func(string) string { return "" }); got != tc.want {
				t.Fatalf("exit code %d, want %d", got, tc.want)
			}
		})
	}
}

func TestTheSecretComesFromTheEnvironmentOrAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{name: "the variable is taken as it is", env: map[string]string{"DEMORP_CLIENT_SECRET": "from-env"}, want: "from-env"},
		{name: "the file wins and loses its line end", env: map[string]string{"DEMORP_CLIENT_SECRET": "from-env", "DEMORP_SECRET_FILE": file}, want: "from-file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg, _, err := configure(nil, func(k string) string { return tc.env[k] })
			if err != nil || cfg.ClientSecret != tc.want {
				t.Fatalf("secret %q, error %v; want %q", cfg.ClientSecret, err, tc.want)
			}
		})
	}
}

func TestTheShopStopsWhenAsked(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	args := []string{"--issuer", "https://op.example", "--client-id", "shop", "--listen", "127.0.0.1:0"}
	if got := run(ctx, args, func(string) string { return "" }); got != 0 {
		t.Fatalf("exit code %d, want 0", got)
	}
}
