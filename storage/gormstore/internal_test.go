package gormstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"tegata/storage"
)

// A table that a later migration adds belongs to those that a deleted account leaves.
func TestADeletedAccountLeavesEveryTable(t *testing.T) {
	s := openedHere(t)
	var tables []string
	err := s.read.Raw("SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name IN ('account_id', 'subject') GROUP BY m.name").Scan(&tables).Error
	if err != nil || len(tables) < 9 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		if !slices.Contains(aboutPeople, table) {
			t.Errorf("rows of %s outlive their account", table)
		}
	}
}

func openedHere(t *testing.T) *Store {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "tegata.db")
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{URL: url, Seal: openSeal{}})
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

// openSeal seals nothing.
type openSeal struct{}

func (openSeal) Seal(plain, _ []byte) ([]byte, error)  { return plain, nil }
func (openSeal) Open(sealed, _ []byte) ([]byte, error) { return sealed, nil }

func TestAConflictIsTriedAgainAFewTimes(t *testing.T) {
	deadlock := &pgconn.PgError{Code: deadlockDetected, Detail: "SECRET"}
	for _, story := range []struct {
		name  string
		errs  []error // what the database answers, one try after the other; then it succeeds
		tries int
		want  error
	}{
		{"no conflict", nil, 1, nil},
		{"one deadlock", []error{deadlock}, 2, nil},
		{"a serialization failure inside a wrapper", []error{fmt.Errorf("x: %w", &pgconn.PgError{Code: serializationFailure})}, 2, nil},
		{"conflicts without end", []error{deadlock, deadlock, deadlock, deadlock, deadlock, deadlock}, 5, deadlock},
		{"another error", []error{&pgconn.PgError{Code: "57014"}}, 1, nil},
		{"a stale record", []error{storage.ErrStale}, 1, storage.ErrStale},
	} {
		t.Run(story.name, func(t *testing.T) {
			var log bytes.Buffer
			s := &Store{write: &gorm.DB{Config: &gorm.Config{}, Statement: &gorm.Statement{}}, log: slog.New(slog.NewTextHandler(&log, nil))}
			tries := 0
			err := s.atomically(t.Context(), func(*gorm.DB) error {
				tries++
				if tries <= len(story.errs) {
					return story.errs[tries-1]
				}
				return nil
			})
			if tries != story.tries || story.want != nil && !errors.Is(err, story.want) {
				t.Fatalf("%d tries, %v", tries, err)
			}
			if retried := strings.Count(log.String(), "sqlstate=4"); retried != tries-1 || strings.Contains(log.String(), "SECRET") {
				t.Fatal(log.String())
			}
		})
	}
}

func TestAFailureOfACancelledCallerSaysSo(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := failure(cancelled, errors.New("interrupted")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := failure(cancelled, nil); err != nil {
		t.Fatal("it had succeeded:", err)
	}
}

func TestSQLiteNames(t *testing.T) {
	for _, name := range []struct{ url, path string }{
		{"sqlite:a.db", "a.db"}, {"file:a.db", "a.db"}, {"sqlite:/var/lib/a.db", "/var/lib/a.db"}, {"file:///var/lib/a.db", "/var/lib/a.db"},
		{"sqlite:///var/lib/a.db", "/var/lib/a.db"}, {"sqlite:a?b#c%41.db", "a?b#c%41.db"},
	} {
		if path, err := sqliteFile(name.url); err != nil || path != name.path {
			t.Errorf("%s: %q, %v", name.url, path, err)
		}
	}
}

// A statement whose rows are still open is not run under their feet.
func TestAKnownStatementServesOneAtATime(t *testing.T) {
	pool := sqlitePool(filepath.Join(t.TempDir(), "x.db"))
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT value FROM json_each('[1,2,3]') WHERE value >= ?"
	for range 3 {
		outer, err := conn.QueryContext(t.Context(), query, 1)
		if err != nil {
			t.Fatal(err)
		}
		var sum, value int
		for outer.Next() {
			if err := errors.Join(outer.Scan(&value), conn.QueryRowContext(t.Context(), query, 3).Scan(new(int))); err != nil {
				t.Fatal(err)
			}
			sum += value
		}
		if err := errors.Join(outer.Err(), outer.Close()); err != nil || sum != 6 {
			t.Fatal(sum, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
