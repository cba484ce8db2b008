package op_test

import (
	"encoding/base64"
	"net/netip"
	"testing"

	"tegata/cmd/provider"
	"tegata/cmd/provider/providertest"
	"tegata/idp/clients/fetch"
	"tegata/idp/idptest"
	"tegata/idp/op"
	"tegata/storage/storagetest"
)

// open is a world around the provider that cmd/tegata would run, on SQLite.
func open(t testing.TB) *idptest.World {
	t.Helper()
	return openAs(t, storagetest.SQLite(t), func(*provider.Options) {})
}

// decided is open for an operator who has decided something else.
func decided(t testing.TB, decide func(*provider.Options)) *idptest.World {
	t.Helper()
	return openAs(t, storagetest.SQLite(t), decide)
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, w *idptest.World)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, open(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, openOn(t, storagetest.Postgres(t))) })
}

func openOn(t testing.TB, url string) *idptest.World {
	t.Helper()
	return openAs(t, url, func(*provider.Options) {})
}

// openAs is openOn for an operator who has decided something else.
func openAs(t testing.TB, url string, decide func(*provider.Options)) *idptest.World {
	t.Helper()
	return providertest.Open(t, url, func(o *provider.Options) {
		o.Edge = op.Options{Outside: fetch.Outside{Loopback: true}, Certificates: op.Certificates{
			Header: "Client-Cert", Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Roots: roots(t)},
			Registration: &op.Registration{}, PolicyURI: "https://city.example/privacy", TermsURI: "https://city.example/terms"}
	}, decide).World
}

func unbase64(t *testing.T, s string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
