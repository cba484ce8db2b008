package op_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/netip"
	"path/filepath"
	"testing"

	"tegata/cmd/provider"
	"tegata/idp/clients/fetch"
	"tegata/idp/idptest"
	"tegata/idp/op"
	"tegata/storage/gormstore"
	"tegata/storage/seal"
	"tegata/storage/storagetest"
)

// open is a world around the provider that cmd/tegata would run, on SQLite.
func open(t testing.TB) *idptest.World {
	t.Helper()
	return decided(t, func(*provider.Options) {})
}

// decided is open for an operator who has decided something else.
func decided(t testing.TB, decide func(*provider.Options)) *idptest.World {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "tegata.db")
	if err := gormstore.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return openAs(t, url, decide)
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
	return idptest.Open(t, func(t testing.TB, p idptest.Parts) idptest.Site {
		t.Helper()
		keyset, err := seal.NewKeyset()
		if err != nil {
			t.Fatal(err)
		}
		sealer, err := seal.FromKeyset(keyset)
		if err != nil {
			t.Fatal(err)
		}
		options := provider.Options{
			Issuer: p.Issuer, DatabaseURL: url, Seal: sealer, SubjectKey: p.SubjectKey, Trust: p.Town.Authority.Trust(), Revocation: p.Revocation, Relations: p.Relations,
			CardInfoIssuers: []*rsa.PublicKey{p.Town.Authority.CardInfoIssuer()}, LaunchTemplate: p.Launch,
			Edge: op.Options{Outside: fetch.Outside{Loopback: true}, Certificates: op.Certificates{
				Header: "Client-Cert", Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Roots: roots(t)},
				Registration: &op.Registration{}, PolicyURI: "https://city.example/privacy", TermsURI: "https://city.example/terms"},
			Now: p.Town.Clock.Now, Rand: rand.Reader, Log: p.Log}
		decide(&options)
		o, err := provider.Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		})
		return idptest.Site{Handler: o.Handler, IDP: o.IDP, Store: o.Store, Deliver: o.Deliver}
	})
}

func unbase64(t *testing.T, s string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
