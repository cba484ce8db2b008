package web_test

import (
	"crypto/rand"
	"crypto/rsa"
	"path/filepath"
	"testing"

	"tegata/cmd/provider"
	"tegata/idp/idptest"
	"tegata/storage/gormstore"
	"tegata/storage/seal"
)

// open is a world around the provider that cmd/tegata would run, on SQLite.
func open(t *testing.T) *idptest.World {
	t.Helper()
	return openIn(t, t.TempDir())
}

// openIn keeps the database in dir.
func openIn(t *testing.T, dir string) *idptest.World {
	t.Helper()
	url := "sqlite:" + filepath.Join(dir, "tegata.db")
	if err := gormstore.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return openOn(t, url)
}

func openOn(t *testing.T, url string, changes ...func(*provider.Options)) *idptest.World {
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
			Now: p.Town.Clock.Now, Rand: rand.Reader, Log: p.Log}
		for _, change := range changes {
			change(&options)
		}
		o, err := provider.Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		})
		return idptest.Site{Handler: o.Handler, IDP: o.IDP, Store: o.Store}
	})
}
