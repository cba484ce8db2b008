package gormstore_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3/driver"

	"tegata/storage"
	"tegata/storage/gormstore"
	"tegata/storage/seal"
)

// planted is in every personal column; visible is where anybody may read it, to show that the search would find it.
const planted, visible = "PLANTED-TARO", "VISIBLE-SHOP"

var morning = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// plant writes a row with each sealed column of a login, and with the sealed member of a request, and returns how to read them again.
func plant(t *testing.T, s *gormstore.Store) {
	t.Helper()
	secret := []byte(planted)
	must(t, s.PutClient(t.Context(), storage.Client{ID: "shop", Name: visible, CreatedAt: morning, UpdatedAt: morning}))
	must(t, s.ChangeSigningKeys(t.Context(), nil, storage.SigningKey{ID: "key", Private: secret, CreatedAt: morning, ActivateAt: morning}))
	for _, who := range []string{"taro", "hanako"} {
		login := storage.Login{ID: who, Version: 1, State: storage.Verified, CreatedAt: morning, ExpiresAt: morning, Facts: append(secret, who...),
			Request: storage.AuthRequest{Claims: secret}}
		must(t, s.CreateLogin(t.Context(), login))
		must(t, s.ApproveLogin(t.Context(), storage.Approval{ // no answer to this login, which would forget its facts
			Grant: storage.Grant{ID: who, ClientID: "shop", AccountID: who, SessionID: who, CodeHash: []byte("code " + who), CodeExpires: morning.Add(time.Minute),
				IDToken: secret, UserInfo: secret, CreatedAt: morning},
			Told:    &storage.Ledger{Sector: "shop.example", Told: storage.Told{Version: 1, Ledger: secret, Expires: morning}},
			Memory:  &storage.Memory{Facts: secret, Until: morning.Add(time.Hour), Hint: []byte("hint of " + who)},
			Session: &storage.Session{ID: who, AccountID: who, AuthTime: morning, Facts: secret, CreatedAt: morning, SeenAt: morning, ExpiresAt: morning.Add(time.Hour)},
		}))
	}
}

func TestAThiefOfTheDatabaseReadsNoName(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			url := db.url(t)
			plant(t, open(t, gormstore.Config{URL: url}))
			loot := dump(t, url)
			if !holds(loot, visible) {
				t.Fatal("the search does not even find what is in the clear")
			}
			if holds(loot, planted) {
				t.Fatal("a personal value is in the clear")
			}
		})
	}
}

func TestASealedValueThatWasMovedIsAnError(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			url := db.url(t)
			s := open(t, gormstore.Config{URL: url})
			plant(t, s)
			raw := rawly(t, url)
			for _, move := range []string{
				"UPDATE logins SET facts = (SELECT facts FROM logins WHERE id = 'hanako') WHERE id = 'taro'",
				"UPDATE sessions SET facts = (SELECT facts FROM logins WHERE id = 'taro') WHERE id = 'taro'",
				"UPDATE grants SET id_token = user_info WHERE id = 'taro'",
				"UPDATE grants SET user_info = (SELECT user_info FROM grants WHERE id = 'taro') WHERE id = 'hanako'",
				"UPDATE told SET ledger = (SELECT ledger FROM told WHERE account_id = 'hanako') WHERE account_id = 'taro'",
				"UPDATE signing_keys SET private = (SELECT facts FROM logins WHERE id = 'taro')",
			} {
				if _, err := raw.ExecContext(t.Context(), move); err != nil {
					t.Fatal(err)
				}
			}
			_, login := s.Login(t.Context(), "taro")
			_, _, session := s.SessionLink(t.Context(), "taro", "shop", storage.Sector{}, morning, time.Time{})
			_, grant := s.RedeemCode(t.Context(), []byte("code taro"), "shop", morning, storage.Issue{Access: []byte("access"), AccessExpires: morning})
			_, other := s.RedeemCode(t.Context(), []byte("code hanako"), "shop", morning, storage.Issue{Access: []byte("access 2"), AccessExpires: morning})
			_, told := s.Link(t.Context(), "taro", "shop", storage.Sector{Subject: "shop.example", Owner: "shop.example"})
			_, keys := s.SigningKeys(t.Context())
			for i, err := range []error{login, session, grant, other, told, keys} {
				if !errors.Is(err, seal.ErrRefused) {
					t.Errorf("%d: got %v", i, err)
				}
			}
			if _, err := s.Login(t.Context(), "hanako"); err != nil {
				t.Error("the untouched row is lost too:", err)
			}
		})
	}
}

func TestTheWrongKeysetOpensNothing(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			url := db.url(t)
			plant(t, open(t, gormstore.Config{URL: url}))
			if _, err := open(t, gormstore.Config{URL: url}).Login(t.Context(), "taro"); !errors.Is(err, seal.ErrRefused) {
				t.Fatal(err)
			}
		})
	}
}

// dump is everything that a thief of the disk would have: SQLite's files, or each row of each table as text.
func dump(t *testing.T, url string) []byte {
	t.Helper()
	var all bytes.Buffer
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		for _, suffix := range []string{"", "-wal"} {
			bytes, err := os.ReadFile(file + suffix)
			must(t, err)
			all.Write(bytes)
		}
		return all.Bytes()
	}
	raw := rawly(t, url)
	for _, table := range tables {
		rows, err := raw.QueryContext(t.Context(), fmt.Sprintf("SELECT t::text FROM %s t", table))
		must(t, err)
		for rows.Next() {
			var row string
			must(t, rows.Scan(&row))
			all.WriteString(row)
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return all.Bytes()
}

// holds also looks for the form in which PostgreSQL prints byte strings.
func holds(loot []byte, text string) bool {
	return bytes.Contains(loot, []byte(text)) || bytes.Contains(loot, []byte(hex.EncodeToString([]byte(text))))
}

// rawly opens the database as a thief or an administrator would, past the store.
func rawly(t testing.TB, url string) *sql.DB {
	t.Helper()
	var raw *sql.DB
	var err error
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		raw, err = driver.Open(file)
	} else {
		raw, err = sql.Open("pgx", url)
	}
	must(t, err)
	t.Cleanup(func() { raw.Close() })
	return raw
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
