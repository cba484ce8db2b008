package e2e_test

import (
	"path/filepath"
	"testing"
	"time"
)

// TestStatementsOfALogin counts exactly: who adds a statement to a login sees it here, who saves one lowers the number.
// The target is 8 for a first login and 5 for a repeat one.
func TestStatementsOfALogin(t *testing.T) {
	o := newOutside(t)
	for _, tc := range []struct {
		name          string
		pause         time.Duration
		database      int
		first, repeat int64
	}{
		{name: "SQLite", database: 0, first: 8, repeat: 5},
		{name: "Postgres", database: 1, first: 8, repeat: 5},
		{name: "SQLite, at a person's pace", pause: 5 * time.Second, database: 0, first: 8, repeat: 5},
		{name: "Postgres, at a person's pace", pause: 5 * time.Second, database: 1, first: 8, repeat: 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := databases[tc.database]
			s := o.serve(t, db.name, db.url(t), tc.pause)
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
