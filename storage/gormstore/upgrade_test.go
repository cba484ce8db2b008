package gormstore_test

import (
	"io/fs"
	"reflect"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"tegata/migrations"
	"tegata/storage"
	"tegata/storage/gormstore"
)

// beforeLeanRows is the version of the tables before those that every login writes were made anew.
const beforeLeanRows = 17

// What is in the tables stays when they are made anew, and when they are made as they were before.
func TestRowsOutliveTheTablesTheyWereWrittenTo(t *testing.T) {
	for i, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			url := db.url(t)
			s := open(t, gormstore.Config{URL: url})
			want := written(t, s)
			for _, version := range []int64{beforeLeanRows, beforeLeanRows + 1, beforeLeanRows} {
				goTo(t, url, i == 1, version)
			}
			must(t, gormstore.Migrate(t.Context(), url))
			if got := readBack(t, s); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// goTo migrates up or down.
func goTo(t *testing.T, url string, postgres bool, version int64) {
	t.Helper()
	dialect, folder := goose.DialectSQLite3, "sqlite"
	if postgres {
		dialect, folder = goose.DialectPostgres, "postgres"
	}
	timeline, err := fs.Sub(migrations.FS, folder)
	must(t, err)
	p, err := goose.NewProvider(dialect, rawly(t, url), timeline)
	must(t, err)
	have, err := p.GetDBVersion(t.Context())
	must(t, err)
	if have > version {
		_, err = p.DownTo(t.Context(), version)
	} else {
		_, err = p.UpTo(t.Context(), version)
	}
	must(t, err)
}

// left is what one login leaves in the tables that were made anew.
type left struct {
	Login    storage.Login
	Link     storage.Link
	Session  storage.Session
	Grant    storage.Grant
	Releases []storage.Release
	Cards    []storage.Credential
}

func written(t *testing.T, s *gormstore.Store) left {
	t.Helper()
	ctx, later := t.Context(), morning.Add(time.Hour)
	login := storage.Login{ID: "login", Version: 1, State: storage.Claimed, ClientID: "shop", CreatedAt: morning, ExpiresAt: later,
		Request: storage.AuthRequest{State: "a \x00 of <&>", Claims: []byte("claims")}, Tries: -1}
	must(t, s.CreateLogin(ctx, login))
	next := login
	next.Version, next.State, next.Facts, next.AMR = 2, storage.Verified, []byte("facts"), []string{"sc"}
	account, err := s.VerifyLogin(ctx, login, next, storage.Credential{Index: []byte("card"), AccountID: "A", Card: []byte("number"), SeenAt: morning})
	must(t, err)
	must(t, s.ApproveLogin(ctx, storage.Approval{
		Grant: storage.Grant{ID: "G", ClientID: "shop", AccountID: account, SessionID: "S", Subject: "P", Scopes: []string{"openid"}, CodeHash: []byte("code"),
			CodeExpires: later, IDToken: []byte("{}"), CreatedAt: morning, Offline: true, SID: "sid"},
		Sector: "shop.example", Items: []string{"name"}, Texts: "en-1",
		Release: &storage.Release{ID: "R", AccountID: account, ClientID: "shop", At: morning, Items: []string{"name"}},
		Told:    &storage.Ledger{Sector: "shop.example", Told: storage.Told{Version: 1, Ledger: []byte("ledger"), Expires: later}},
		Session: &storage.Session{ID: "S", AccountID: account, AuthTime: morning, Facts: []byte("facts"), Browser: "Firefox", CreatedAt: morning, SeenAt: morning, ExpiresAt: later},
	}))
	_, err = s.RedeemCode(ctx, []byte("code"), "shop", morning, storage.Issue{Access: []byte("access"), AccessExpires: later,
		RefreshFamily: []byte("family"), Refresh: []byte("refresh"), RefreshExpires: later, RefreshUntil: later})
	must(t, err)
	return readBack(t, s)
}

func readBack(t *testing.T, s *gormstore.Store) (l left) {
	t.Helper()
	var errs [5]error
	l.Login, errs[0] = s.Login(t.Context(), "login")
	l.Session, l.Link, errs[1] = s.SessionLink(t.Context(), "S", "shop", storage.Sector{Subject: "shop.example", Owner: "shop.example"}, morning, time.Time{})
	l.Grant, errs[2] = s.GrantByAccess(t.Context(), []byte("access"), morning)
	l.Releases, errs[3] = s.Releases(t.Context(), "A")
	l.Cards, errs[4] = s.Cards(t.Context(), "A")
	for _, err := range errs {
		must(t, err)
	}
	if string(l.Link.Told.Ledger) != "ledger" || len(l.Releases) != 1 || len(l.Cards) != 1 {
		t.Fatalf("the store itself lost something: %+v", l)
	}
	return l
}
