package e2e_test

import (
	"path/filepath"
	"testing"
	"time"
)

// TestStatementsOfALogin counts exactly: who adds a statement to a login sees it here, who saves one lowers the number.
// The target is 8 for a first login and 5 for a repeat one. Where the number is higher, it is the honest one of today:
// SQLite has no statement that writes into several tables, so an approval takes it seven where PostgreSQL takes one, and
// the judgement two. At a person's pace one copy of the login is older than the second for which it may be shown, and is
// read again; the client's is good for as long as nobody changes a client.
func TestStatementsOfALogin(t *testing.T) {
	o := newOutside(t)
	for _, tc := range []struct {
		name          string
		database      int
		pause         time.Duration
		first, repeat int64
	}{
		{name: "SQLite", database: 0, first: 15, repeat: 5},
		{name: "Postgres", database: 1, first: 8, repeat: 3},
		{name: "SQLite, at a person's pace", database: 0, pause: 5 * time.Second, first: 16, repeat: 5},
		{name: "Postgres, at a person's pace", database: 1, pause: 5 * time.Second, first: 9, repeat: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := databases[tc.database]
			s := o.serve(t, db.name, db.url(t), &pace{tc.pause})
			s.register(t, 1)
			at, jar := s.spare[0], filepath.Join(t.TempDir(), "cookies")
			for _, login := range []struct {
				name string
				want int64
			}{{"first", tc.first}, {"repeat", tc.repeat}} {
				before := s.usage(t).Statements
				must(t, s.login(t.Context(), at, holder(0), jar))
				if got := s.usage(t).Statements - before; got != login.want {
					t.Errorf("a %s login takes %d statements, want %d", login.name, got, login.want)
				}
			}
		})
	}
}
