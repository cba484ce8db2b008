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
	was := login
	login.Version = 2
	for _, late := range []struct {
		name string
		run  func() error
		left string // what it must not leave behind
	}{
		{"VerifyLogin", func() error {
			_, err := s.VerifyLogin(t.Context(), was, login, storage.Credential{Index: []byte("i"), AccountID: "A", SeenAt: morning})
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

// A power cut may take back that somebody saw a page, and nothing that she, her card or a relying party did there.
func TestOnlyStepsBeforeTheAgentAreNotWaitedForOnDisk(t *testing.T) {
	url := storagetest.Postgres(t)
	raw := rawly(t, url)
	for _, sql := range []string{
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$", // as it is usual
		"CREATE TABLE commits (what text, how text)",
		"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO commits VALUES (TG_OP || ' ' || TG_TABLE_NAME || ' ' || " +
			"coalesce(to_jsonb(NEW)->>'state', ''), current_setting('synchronous_commit')); RETURN NULL; END $$",
		"CREATE CONSTRAINT TRIGGER noted AFTER INSERT OR UPDATE ON logins DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()",
		"CREATE CONSTRAINT TRIGGER noted AFTER INSERT OR UPDATE ON grants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()",
	} {
		_, err := raw.ExecContext(t.Context(), sql)
		must(t, err)
	}
	s := open(t, gormstore.Config{URL: url})
	login := storage.Login{ID: "login", Version: 1, State: storage.Created, ClientID: "shop", CreatedAt: morning, ExpiresAt: morning}
	must(t, s.CreateLogin(t.Context(), login))
	for _, state := range []storage.LoginState{storage.Waiting, storage.Claimed, storage.Failed} {
		was := login
		login.Version, login.State = was.Version+1, state
		must(t, s.SwapLogin(t.Context(), was, login))
	}
	must(t, s.ApproveLogin(t.Context(), storage.Approval{Grant: storage.Grant{ID: "G", ClientID: "shop", CodeHash: []byte("c"), CodeExpires: morning.Add(time.Minute), CreatedAt: morning}}))
	_, err := s.RedeemCode(t.Context(), []byte("c"), "shop", morning, storage.Issue{Access: []byte("a"), AccessExpires: morning})
	must(t, err)
	rows, err := raw.QueryContext(t.Context(), "SELECT what, how FROM commits")
	must(t, err)
	defer rows.Close()
	var early, waited int
	for rows.Next() {
		var what, how string
		must(t, rows.Scan(&what, &how))
		switch what {
		case "INSERT logins created", "UPDATE logins waiting":
			early++
			if how != "off" {
				t.Errorf("%s waits: %s", what, how)
			}
		default:
			waited++
			if how != "on" {
				t.Errorf("%s does not wait: %s", what, how)
			}
		}
	}
	must(t, rows.Err())
	if early != 2 || waited != 4 {
		t.Errorf("%d and %d commits seen", early, waited)
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
