package storagetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tegata/storage/gormstore"
	"tegata/storage/seal"
)

// SQLite makes a fresh, migrated database file that lives as long as the test, and returns its URL.
func SQLite(t testing.TB) string {
	t.Helper()
	return SQLiteIn(t, t.TempDir())
}

// SQLiteIn is SQLite for a test that looks into the file, which is dir/tegata.db.
func SQLiteIn(t testing.TB, dir string) string {
	t.Helper()
	raw, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "tegata.db")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}

// migrated is the file that the others are copies of: migrating takes longer than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tegata-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "tegata.db")
	if err := gormstore.Migrate(context.Background(), "sqlite:"+file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// Keyset is a fresh one for sealed columns.
func Keyset(t testing.TB) *seal.Keyset {
	t.Helper()
	json, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	k, err := seal.FromKeyset(json)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
