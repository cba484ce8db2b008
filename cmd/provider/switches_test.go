package provider

import (
	"context"
	"errors"
	"testing"
	"time"

	"tegata/storage"
)

// settings is a table that a test can change and break, with a clock.
type settings struct {
	rows []storage.Setting
	err  error
	at   time.Time
}

func (s *settings) Settings(context.Context) ([]storage.Setting, error) { return s.rows, s.err }

func (s *settings) mark(value string) {
	s.rows = []storage.Setting{{Name: storage.ClientsMark, Value: value}, {Name: MethodSetting("reader"), Value: Disabled}}
}

// A switch that was thrown just after a look is seen by the next one, and what a look said is good until then and longer.
func TestAReplicaLooksTwiceWithinASecond(t *testing.T) {
	if 2*followEvery > time.Second || vouched <= followEvery {
		t.Errorf("it looks every %v, and a look vouches for %v", followEvery, vouched)
	}
}

func TestAReplicaKnowsForHowLongAClientRecordIsGood(t *testing.T) {
	table := &settings{at: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	s := &switches{store: table, now: func() time.Time { return table.at }}
	wait := func(d time.Duration) { table.at = table.at.Add(d) }
	look := func() {
		t.Helper()
		if err := s.load(t.Context()); !errors.Is(err, table.err) {
			t.Fatal(err)
		}
	}
	good := func(what string, read time.Time, want bool) {
		t.Helper()
		if got := s.unchanged(read); got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
	table.mark("a")
	look()
	wait(time.Millisecond)
	read := table.at
	good("read after the look", read, true)
	for range 10 {
		wait(500 * time.Millisecond)
		look()
	}
	good("read five seconds and ten looks ago", read, true)
	wait(time.Second)
	good("the last look is a second ago", read, false)
	table.mark("b")
	look()
	good("a client changed", read, false)
	wait(time.Millisecond)
	good("read after the change was seen", table.at, true)
	table.err = errors.New("the database is gone")
	wait(999 * time.Millisecond)
	look()
	good("no look succeeded for a second", table.at.Add(-time.Millisecond), false)
	if !s.disabled("reader") || s.disabled("card_info") {
		t.Error("the switches were lost with the database")
	}
	table.err = nil
	table.at = table.at.Add(-time.Hour)
	good("the clock went back", table.at, false)
}
