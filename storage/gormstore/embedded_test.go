package gormstore

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Whatever happens inside, the connection is clean for the next one and nothing half is left.
func TestATransactionOfSQLiteLeavesNothingHalf(t *testing.T) {
	note := hotly("INSERT INTO settings (name, value, changed_at) VALUES (?, ?, ?)")
	values := func(name string) []any { return []any{name, "on", instant{time.Unix(1, 0)}} }
	for _, tc := range []struct {
		name string
		work func(hangUp func(), ask asker) error
	}{
		{"an error of the work", func(_ func(), _ asker) error { return errors.New("no") }},
		{"an error of SQLite", func(_ func(), ask asker) error { _, err := ask(note, values("one")); return err }},
		{"a value that SQLite does not have", func(_ func(), ask asker) error { _, err := ask(note, []any{"two", 1.5, nil}); return err }},
		{"a column without a value", func(_ func(), ask asker) error { _, err := ask(hotly("SELECT NULL"), nil, new(string)); return err }},
		{"a field of no column", func(_ func(), ask asker) error { _, err := ask(hotly("SELECT 1"), nil, new(float64)); return err }},
		{"no SQL", func(_ func(), ask asker) error { _, err := ask(hotly("NONSENSE"), nil); return err }},
		{"hanging up before the next statement", func(hangUp func(), ask asker) error { hangUp(); _, err := ask(note, values("two")); return err }},
		{"hanging up before the end", func(hangUp func(), _ asker) error { hangUp(); return nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openedHere(t)
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			err := s.together(ctx, func(ask asker) error {
				if _, err := ask(note, values("one")); err != nil {
					return err
				}
				return tc.work(hangUp, ask)
			})
			if err == nil {
				t.Fatal("it went through")
			}
			if ctx.Err() != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if settings, err := s.Settings(t.Context()); err != nil || len(settings) != 0 {
				t.Fatal(settings, err)
			}
			if err := s.together(t.Context(), func(ask asker) error { _, err := ask(note, values("one")); return err }); err != nil {
				t.Fatal("the next one:", err)
			}
		})
	}
}
