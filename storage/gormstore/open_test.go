package gormstore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"tegata/migrations"
	"tegata/storage"
	"tegata/storage/gormstore"
	"tegata/storage/storagetest"
)

// tables are those of package storage, as the migrations make them.
var tables = []string{
	"anchors", "audit", "clients", "consents", "credentials", "fees", "grants", "initial_tokens", "link_consents", "logins", "outbox", "pushed", "sessions", "settings", "signing_keys", "spent", "subjects",
}

var empty = []struct {
	name string
	url  func(t testing.TB) string
}{
	{"SQLite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "new.db") }},
	{"PostgreSQL", storagetest.EmptyPostgres},
}

func TestOpenWantsMigratedTables(t *testing.T) {
	for _, db := range empty {
		t.Run(db.name, func(t *testing.T) {
			url := db.url(t)
			if _, err := gormstore.Open(t.Context(), gormstore.Config{URL: url, Seal: storagetest.Keyset(t)}); !errors.Is(err, gormstore.ErrPending) {
				t.Fatal(err)
			}
			must(t, gormstore.Migrate(t.Context(), url))
			open(t, gormstore.Config{URL: url})
			raw := rawly(t, url)
			if _, err := raw.ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id > 0"); err != nil {
				t.Fatal(err)
			}
			if _, err := gormstore.Open(t.Context(), gormstore.Config{URL: url, Seal: storagetest.Keyset(t)}); !errors.Is(err, gormstore.ErrPending) {
				t.Fatal("tables of an older version:", err)
			}
			if _, err := raw.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
				t.Fatal(err)
			}
			open(t, gormstore.Config{URL: url}) // a newer replica has migrated
		})
	}
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	for _, db := range []struct {
		name, folder, count string
		dialect             goose.Dialect
		url                 func(t testing.TB) string
	}{
		{"SQLite", "sqlite", "SELECT count(*) FROM sqlite_master WHERE name IN ", goose.DialectSQLite3, empty[0].url},
		{"PostgreSQL", "postgres", "SELECT count(*) FROM pg_class WHERE relname IN ", goose.DialectPostgres, empty[1].url},
	} {
		t.Run(db.name, func(t *testing.T) {
			timeline, err := fs.Sub(migrations.FS, db.folder)
			must(t, err)
			raw := rawly(t, db.url(t))
			p, err := goose.NewProvider(db.dialect, raw, timeline)
			must(t, err)
			whole := len(tables)
			tables := func(want int) {
				t.Helper()
				var got int
				must(t, raw.QueryRowContext(t.Context(), db.count+"('"+strings.Join(tables, "','")+"')").Scan(&got))
				if got != want {
					t.Fatalf("%d tables, want %d", got, want)
				}
			}
			for range 2 {
				_, err = p.Up(t.Context())
				must(t, err)
				tables(whole)
				_, err = p.DownTo(t.Context(), 0)
				must(t, err)
				tables(0)
			}
		})
	}
}

func TestReplicasThatMigrateTogetherAllSucceed(t *testing.T) {
	for _, db := range empty {
		t.Run(db.name, func(t *testing.T) {
			url := db.url(t)
			errs := make([]error, 8)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { errs[i] = gormstore.Migrate(t.Context(), url) })
			}
			all.Wait()
			must(t, errors.Join(errs...))
			have, want, err := gormstore.Status(t.Context(), url)
			must(t, err)
			if have != want || want < 1 {
				t.Fatalf("version %d of %d", have, want)
			}
		})
	}
}

func TestABadURLIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{
		"", "mysql://root:hunter2@db/x", "hunter2", "sqlite:", "file:", "sqlite::memory:",
		"postgres://root:hunter2@:bad port/x", "postgres://root:hunter2@127.0.0.1:1/x?connect_timeout=1",
		"sqlite:/nonexistent/hunter/x.db",
	} {
		for _, err := range []error{
			func() error {
				_, err := gormstore.Open(t.Context(), gormstore.Config{URL: url, Seal: storagetest.Keyset(t)})
				return err
			}(),
			gormstore.Migrate(t.Context(), url),
		} {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", url, err)
			}
		}
	}
}

func TestOpenWantsASealer(t *testing.T) {
	if _, err := gormstore.Open(t.Context(), gormstore.Config{URL: sqlite(t)}); err == nil {
		t.Fatal("personal columns would be in the clear")
	}
}

func TestTheSQLiteFileIsItsOwnersOnly(t *testing.T) {
	url := sqlite(t)
	plant(t, open(t, gormstore.Config{URL: url}))
	file := strings.TrimPrefix(url, "sqlite:")
	for _, file := range []string{file, file + "-wal"} { // -shm holds page numbers only
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", file, info.Mode())
		}
	}
}

// A CLI may write to the file while the server does.
func TestTwoProcessesMayWriteToOneSQLiteFile(t *testing.T) {
	url := sqlite(t)
	stores := []*gormstore.Store{open(t, gormstore.Config{URL: url}), open(t, gormstore.Config{URL: url})}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 10 {
				c := storage.Client{ID: string(rune('a' + i)), CreatedAt: morning, UpdatedAt: morning}
				if err := stores[i%2].PutClient(t.Context(), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	clients, err := stores[0].Clients(t.Context())
	must(t, err)
	if len(clients) != 16 {
		t.Fatal(len(clients))
	}
}

// statements is the price list of the store, in SQL statements: of a step on PostgreSQL, where each is a round trip, and on SQLite.
func TestStatements(t *testing.T) {
	for i, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			var count atomic.Int64
			s := open(t, gormstore.Config{URL: db.url(t), OnStatement: func() { count.Add(1) }})
			for _, step := range priceList(t, s) {
				count.Store(0)
				must(t, step.run())
				if got := count.Load(); got != step.price[1-i] {
					t.Errorf("%s: %d statements, want %d", step.name, got, step.price[1-i])
				}
			}
		})
	}
}

type step struct {
	name  string
	price [2]int64 // PostgreSQL, SQLite
	run   func() error
}

func priceList(t *testing.T, s *gormstore.Store) []step {
	ctx, later := t.Context(), morning.Add(time.Minute)
	login := storage.Login{ID: "login", Version: 1, State: storage.Created, ClientID: "shop", CreatedAt: morning, ExpiresAt: later}
	next := func() (was, is storage.Login) {
		was = login
		login.Version++
		return was, login
	}
	grant := func(id string) storage.Grant {
		return storage.Grant{ID: id, ClientID: "shop", AccountID: "A", SessionID: "S", Subject: "P", CodeHash: []byte(id),
			CodeExpires: later, CreatedAt: morning, Offline: true}
	}
	session := storage.Session{ID: "S", AccountID: "A", AuthTime: morning, CreatedAt: morning, SeenAt: morning, ExpiresAt: later}
	waiting := storage.Delivery{ID: "D", CreatedAt: morning, NextTry: morning, GiveUp: later}
	taken := waiting
	taken.Attempts = 1
	spent := func(err error) error {
		if errors.Is(err, storage.ErrSpent) {
			return nil
		}
		return errors.Join(err, errors.New("not spent"))
	}
	return []step{
		{"PutClient", [2]int64{2, 2}, func() error {
			return s.PutClient(ctx, storage.Client{ID: "shop", CreatedAt: morning, UpdatedAt: morning})
		}},
		{"Client", [2]int64{1, 1}, func() error { _, err := s.Client(ctx, "shop"); return err }},
		{"CreateLogin", [2]int64{1, 1}, func() error { return s.CreateLogin(ctx, login) }},
		{"Login", [2]int64{1, 1}, func() error { _, err := s.Login(ctx, "login"); return err }},
		{"SwapLogin", [2]int64{1, 1}, func() error { was, login := next(); return s.SwapLogin(ctx, was, login) }},
		{"VerifyLogin", [2]int64{1, 2}, func() error {
			was, login := next()
			_, err := s.VerifyLogin(ctx, was, login, storage.Credential{Index: []byte("i"), AccountID: "A", SeenAt: morning})
			return err
		}},
		{"ReturnLogin", [2]int64{1, 1}, func() error {
			was, login := next()
			_, err := s.ReturnLogin(ctx, was, login, storage.Sector{Subject: "shop.example", Owner: "shop.example"})
			return err
		}},
		{"Link", [2]int64{1, 1}, func() error {
			_, err := s.Link(ctx, "A", "shop", storage.Sector{Subject: "shop.example", Owner: "shop.example"})
			return err
		}},
		{"ApproveLogin of a first visit", [2]int64{1, 5}, func() error {
			_, answered := next()
			return s.ApproveLogin(ctx, storage.Approval{Login: &answered, Grant: grant("G1"), Sector: "shop.example", Items: []string{}, Session: &session})
		}},
		{"SessionLink", [2]int64{1, 1}, func() error {
			_, _, err := s.SessionLink(ctx, "S", "shop", storage.Sector{Subject: "shop.example", Owner: "shop.example"}, morning, time.Time{})
			return err
		}},
		{"ApproveLogin of a session", [2]int64{1, 3}, func() error {
			return s.ApproveLogin(ctx, storage.Approval{Grant: grant("G2"), Sector: "shop.example"})
		}},
		{"RedeemCode", [2]int64{1, 1}, func() error {
			_, err := s.RedeemCode(ctx, []byte("G1"), "shop", morning, storage.Issue{Access: []byte("first access"), AccessExpires: later,
				RefreshFamily: []byte("family"), Refresh: []byte("first"), RefreshExpires: later, RefreshUntil: later})
			return err
		}},
		{"Refresh", [2]int64{1, 1}, func() error {
			_, err := s.Refresh(ctx, []byte("family"), []byte("first"), "shop", morning,
				storage.Issue{Access: []byte("access"), AccessExpires: later, Refresh: []byte("second"), RefreshExpires: later})
			return err
		}},
		{"GrantByAccess", [2]int64{1, 1}, func() error { _, err := s.GrantByAccess(ctx, []byte("access"), morning); return err }},
		{"RedeemCode a second time", [2]int64{2, 2}, func() error {
			_, err := s.RedeemCode(ctx, []byte("G1"), "shop", morning, storage.Issue{Access: []byte("again"), AccessExpires: later})
			return spent(err)
		}},
		{"RevokeGrant", [2]int64{1, 1}, func() error { return s.RevokeGrant(ctx, []byte("G1"), morning) }},
		{"Sessions", [2]int64{1, 1}, func() error { _, err := s.Sessions(ctx, "A", morning, time.Time{}); return err }},
		{"AccountBySubject", [2]int64{1, 1}, func() error { _, err := s.AccountBySubject(ctx, "shop.example", "P"); return err }},
		{"EndSessions", [2]int64{3, 3}, func() error { _, err := s.EndSessions(ctx, storage.Ending{SessionID: "S"}, morning, nil); return err }},
		{"PutDeliveries", [2]int64{1, 1}, func() error { return s.PutDeliveries(ctx, []storage.Delivery{waiting}) }},
		{"TakeDeliveries", [2]int64{1, 1}, func() error { _, err := s.TakeDeliveries(ctx, morning, morning, 9); return err }},
		{"PostponeDelivery", [2]int64{1, 1}, func() error { return s.PostponeDelivery(ctx, taken, later) }},
		{"DropDelivery", [2]int64{1, 1}, func() error { return s.DropDelivery(ctx, taken) }},
		{"Sweep", [2]int64{16, 16}, func() error { _, err := s.Sweep(ctx, morning); return err }},
		{"Ping", [2]int64{1, 1}, func() error { return s.Ping(ctx) }},
	}
}

func TestBothTimelinesMakeTheSameTables(t *testing.T) {
	columns := map[string][]string{}
	for _, db := range databases {
		raw := rawly(t, db.url(t))
		for _, table := range tables {
			rows, err := raw.QueryContext(t.Context(), "SELECT * FROM "+table)
			must(t, err)
			names, err := rows.Columns()
			must(t, err)
			must(t, rows.Close())
			if before, ok := columns[table]; ok && !slices.Equal(before, names) {
				t.Errorf("%s: %v and %v", table, before, names)
			}
			columns[table] = names
		}
	}
}

func TestHangingUpDoesNotStopTheRevocationOfASpentCode(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			statements := 0
			s := open(t, gormstore.Config{URL: db.url(t), OnStatement: func() {
				if statements++; statements == 4 { // approve, redeem, redeem again, and this revokes
					hangUp()
				}
			}})
			later := morning.Add(time.Minute)
			must(t, s.ApproveLogin(ctx, storage.Approval{Grant: storage.Grant{ID: "G", ClientID: "shop", CodeHash: []byte("code"),
				CodeExpires: later, CreatedAt: morning}}))
			_, err := s.RedeemCode(ctx, []byte("code"), "shop", morning, storage.Issue{Access: []byte("access"), AccessExpires: later})
			must(t, err)
			if _, err = s.RedeemCode(ctx, []byte("code"), "shop", morning, storage.Issue{Access: []byte("thief"), AccessExpires: later}); !errors.Is(err, storage.ErrSpent) || ctx.Err() == nil {
				t.Fatal(err, ctx.Err())
			}
			if _, err = s.GrantByAccess(t.Context(), []byte("access"), morning); !errors.Is(err, storage.ErrNotFound) {
				t.Fatal("the grant lives on:", err)
			}
		})
	}
}
