package gormstore

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/ncruces/go-sqlite3/driver"
)

// sqliteFile is the path in sqlite:PATH or file:PATH.
func sqliteFile(from string) (string, error) {
	path, ok := strings.CutPrefix(from, "sqlite:")
	if !ok {
		path, ok = strings.CutPrefix(from, "file:")
	}
	if strings.HasPrefix(path, "///") {
		path = path[2:] // an empty authority, as in file:///var/lib/tegata.db
	}
	switch {
	case !ok || path == "":
		return "", ErrURL
	case strings.Contains(path, ":memory:"):
		return "", errors.New("gormstore: a database in memory would be another one for each connection; name a file")
	}
	return path, nil
}

// sqlitePool opens file with more pragmas after ours. busy_timeout comes first: it also guards the pragmas that follow.
// It is for other processes (a CLI beside the server): within this one the single writer never waits for a lock.
// A checkpoint at 16 MB instead of 4 copies a page that many commits have written once.
// synchronous stays FULL: a code that was spent stays spent after a power cut.
func sqlitePool(file string, pragmas ...string) *sql.DB {
	query := url.Values{
		"_pragma": append([]string{"busy_timeout(5000)", "journal_mode(WAL)", "wal_autocheckpoint(4000)"}, pragmas...),
		"modeof":  {file},        // journals as private as the file (see createPrivate)
		"_txlock": {"immediate"}, // a transaction that starts as a reader cannot become a writer later without SQLITE_BUSY
	}
	options := strings.ReplaceAll(query.Encode(), "+", "%20") // to SQLite, a plus is a plus
	connector, err := (&driver.SQLite{}).OpenConnector("file:" + (&url.URL{Path: file}).EscapedPath() + "?" + options)
	if err != nil {
		panic(err) // the name is ours and well formed
	}
	return sql.OpenDB(remembering{connector})
}

// createPrivate makes the database file readable by its owner only.
func createPrivate(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
