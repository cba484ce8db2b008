package web_test

import (
	"testing"

	"tegata/cmd/provider"
	"tegata/cmd/provider/providertest"
	"tegata/idp/idptest"
	"tegata/storage/storagetest"
)

// open is a world around the provider that cmd/tegata would run, on SQLite.
func open(t *testing.T) *idptest.World {
	t.Helper()
	return openOn(t, storagetest.SQLite(t))
}

func openOn(t *testing.T, url string, changes ...func(*provider.Options)) *idptest.World {
	t.Helper()
	return providertest.Open(t, url, changes...).World
}
