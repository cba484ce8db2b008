package gormstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"tegata/storage"
	"tegata/storage/gormstore"
	"tegata/storage/storagetest"
)

// On PostgreSQL a statement sees the tables as they were when it started. These start while another transaction holds
// the login, which is changed when they get it: they must look again, and write nothing.
func TestAStatementThatWaitedForAChangedLoginWritesNothing(t *testing.T) {
	url := storagetest.Postgres(t)
	s := open(t, gormstore.Config{URL: url})
	raw := rawly(t, url)
	login := storage.Login{ID: "login", Version: 1, State: storage.Created, ClientID: "shop", CreatedAt: morning, ExpiresAt: morning}
	must(t, s.CreateLogin(t.Context(), login))
	login.Version = 2
	for _, late := range []struct {
		name string
		run  func() error
		left string // what it must not leave behind
	}{
		{"VerifyLogin", func() error {
			_, err := s.VerifyLogin(t.Context(), login, storage.Credential{Index: []byte("i"), AccountID: "A", SeenAt: morning})
			return err
		}, "credentials"},
		{"ApproveLogin", func() error {
			return s.ApproveLogin(t.Context(), storage.Approval{Login: &login, Sector: "shop.example", Items: []string{},
				Grant:   storage.Grant{ID: "G", Subject: "P", SessionID: "S", CodeHash: []byte("c"), CodeExpires: morning, CreatedAt: morning},
				Session: &storage.Session{ID: "S", AuthTime: morning, CreatedAt: morning, SeenAt: morning, ExpiresAt: morning}})
		}, "sessions"},
	} {
		t.Run(late.name, func(t *testing.T) {
			tx, err := raw.BeginTx(t.Context(), nil)
			must(t, err)
			defer tx.Rollback()
			_, err = tx.ExecContext(t.Context(), "UPDATE logins SET version = version + 1")
			must(t, err)
			result := make(chan error)
			go func() { result <- late.run() }()
			waitForALock(t, raw)
			must(t, tx.Commit())
			if err := <-result; !errors.Is(err, storage.ErrStale) {
				t.Fatal(err)
			}
			for _, table := range []string{late.left, "subjects", "consents", "grants"} {
				var rows int
				must(t, raw.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows))
				if rows != 0 {
					t.Errorf("%d rows in %s", rows, table)
				}
			}
			_, err = raw.ExecContext(t.Context(), "UPDATE logins SET version = 1")
			must(t, err)
		})
	}
}

// waitForALock asks until somebody in this database waits for a lock.
func waitForALock(t *testing.T, raw *sql.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for waiting := 0; waiting == 0; {
		must(t, raw.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting))
	}
}
