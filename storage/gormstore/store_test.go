package gormstore_test

import (
	"path/filepath"
	"testing"

	"tegata/storage"
	"tegata/storage/gormstore"
	"tegata/storage/storagetest"
)

// databases are the two that every test here runs on: the name and the URL of a fresh, migrated database.
var databases = []struct {
	name string
	url  func(t testing.TB) string
}{
	{"SQLite", sqlite},
	{"PostgreSQL", storagetest.Postgres},
}

func TestConformance(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, gormstore.Config{URL: db.url(t)}) })
		})
	}
}

func sqlite(t testing.TB) string {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "a name? with #100% oddities.db")
	if err := gormstore.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return url
}

func open(t testing.TB, cfg gormstore.Config) *gormstore.Store {
	t.Helper()
	if cfg.Seal == nil {
		cfg.Seal = storagetest.Keyset(t)
	}
	s, err := gormstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
