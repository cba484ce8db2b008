// Package providertest runs the provider that cmd/tegata would run in the town of package idptest, for the tests of every
// room. It owns which parts of the town become which options, and the keys that take long to make. It refuses to know
// what is tested: who needs other options changes them.
package providertest

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"tegata/cmd/provider"
	"tegata/idp/idptest"
	"tegata/storage/storagetest"
)

// Stage is a world and the provider in its middle.
type Stage struct {
	*idptest.World
	Provider *provider.Provider
}

// Open is a world on the migrated database at url (see storagetest.SQLite and storagetest.Postgres) whose operator has
// decided what the changes say. It lives as long as the test.
func Open(t testing.TB, url string, changes ...func(*provider.Options)) *Stage {
	t.Helper()
	s := &Stage{}
	s.World = idptest.Open(t, func(t testing.TB, p idptest.Parts) idptest.Site {
		t.Helper()
		options := provider.Options{
			Issuer: p.Issuer, DatabaseURL: url, Seal: storagetest.Keyset(t), SubjectKey: p.SubjectKey,
			Trust: p.Town.Authority.Trust(), Revocation: p.Revocation, Relations: p.Relations,
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
		equip(t, options, o.Store)
		s.Provider = o
		return idptest.Site{Handler: o.Handler, IDP: o.IDP, Store: o.Store, Deliver: o.Deliver}
	})
	return s
}
