package outbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/idp/clients/fetch"
	"tegata/storage"
)

// shelf keeps deliveries in memory as a database would.
type shelf struct {
	mu     sync.Mutex
	kept   map[string]storage.Delivery
	broken error
	asked  chan struct{} // if not nil, hears of each look
}

func (s *shelf) TakeDeliveries(_ context.Context, now, until time.Time, n int) ([]storage.Delivery, error) {
	if s.asked != nil {
		defer func() { s.asked <- struct{}{} }() // after the lock is let go
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	var due []storage.Delivery
	for _, id := range slices.Sorted(maps.Keys(s.kept)) {
		d := s.kept[id]
		if d.NextTry.After(now) || len(due) == n {
			continue
		}
		d.Attempts, d.NextTry = d.Attempts+1, until
		s.kept[id] = d
		due = append(due, d)
	}
	return due, nil
}

func (s *shelf) PostponeDelivery(_ context.Context, d storage.Delivery, next time.Time) error {
	return s.change(d, func(kept storage.Delivery) { kept.NextTry = next; s.kept[d.ID] = kept })
}

func (s *shelf) DropDelivery(_ context.Context, d storage.Delivery) error {
	return s.change(d, func(storage.Delivery) { delete(s.kept, d.ID) })
}

func (s *shelf) change(d storage.Delivery, apply func(storage.Delivery)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	kept, ok := s.kept[d.ID]
	if !ok || kept.Attempts != d.Attempts {
		return storage.ErrStale
	}
	apply(kept)
	return nil
}

func (s *shelf) left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.kept))
}

// street is an office, its clock, and a relying party's server that answers as it is told.
type street struct {
	*Office
	shelf *shelf
	now   time.Time
	log   bytes.Buffer

	mu     sync.Mutex
	status int
	heard  []string // bodies, in order
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{Office: New(), shelf: &shelf{kept: map[string]storage.Delivery{}}, now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC), status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.Store, s.Outside, s.Log = s.shelf, fetch.Outside{Loopback: true}, slog.New(slog.NewTextHandler(&s.log, nil))
	s.Now = func() time.Time { return s.now }
	s.Writers = map[string]Writer{
		"letter": func(_ context.Context, d storage.Delivery) (Letter, error) {
			return Letter{URL: server.URL + "/" + d.ClientID, ContentType: "text/plain", Body: d.Body}, nil
		},
		"moot":       func(context.Context, storage.Delivery) (Letter, error) { return Letter{}, ErrMoot },
		"unwritable": func(context.Context, storage.Delivery) (Letter, error) { return Letter{}, errors.New("no ink") },
	}
	return s
}

func (s *street) serve(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, r.Method+" "+r.Header.Get("Content-Type")+" "+body.String())
	if s.status == http.StatusFound {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	}
	w.WriteHeader(s.status)
}

func (s *street) put(id, kind, client string) {
	s.shelf.kept[id] = storage.Delivery{ID: id, Kind: kind, ClientID: client, Body: []byte("SECRET of " + id),
		CreatedAt: s.now, NextTry: s.now, GiveUp: s.now.Add(Life)}
}

func (s *street) round(t *testing.T, want int) {
	t.Helper()
	if n, err := s.Round(t.Context()); err != nil || n != want {
		t.Fatalf("a round of %d, %v; want %d", n, err, want)
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tc := range []struct {
		status int
		again  bool
		event  string
	}{
		{200, false, "delivery_made"}, {202, false, "delivery_made"}, {204, false, "delivery_made"}, {400, false, "delivery_refused"},
		{302, true, "delivery_failed"}, {401, true, "delivery_failed"}, {404, true, "delivery_failed"}, {429, true, "delivery_failed"},
		{500, true, "delivery_failed"}, {503, true, "delivery_failed"},
	} {
		s := newStreet(t)
		s.status = tc.status
		s.put("d", "letter", "shop")
		s.round(t, 1)
		if got := len(s.shelf.left()) == 1; got != tc.again {
			t.Errorf("%d: tried again %v", tc.status, got)
		}
		if want := "POST text/plain SECRET of d"; !slices.Equal(s.heard, []string{want}) {
			t.Errorf("%d: the server heard %q", tc.status, s.heard)
		}
		if log := s.log.String(); !strings.Contains(log, "event="+tc.event) || strings.Contains(log, "SECRET") || strings.Contains(log, "http://") {
			t.Errorf("%d: the log says %s", tc.status, log)
		}
	}
}

func TestAMessageIsTriedForADay(t *testing.T) {
	s := newStreet(t)
	s.status = http.StatusServiceUnavailable
	s.put("d", "letter", "shop")
	start := s.now
	for len(s.shelf.left()) > 0 {
		s.now = s.shelf.kept["d"].NextTry.Add(-time.Microsecond)
		if s.shelf.kept["d"].Attempts > 0 {
			s.round(t, 0)
		}
		s.now = s.now.Add(time.Microsecond)
		s.round(t, 1)
	}
	if tries := len(s.heard); tries < 20 || tries > 40 || s.now.Sub(start) < Life || s.now.Sub(start) > Life+2*longestPause {
		t.Errorf("given up after %d tries and %v", tries, s.now.Sub(start))
	}
	if !strings.Contains(s.log.String(), "event=delivery_given_up") {
		t.Error("nobody was told")
	}
}

func TestAServerThatComesBackHearsWhatItMissed(t *testing.T) {
	s := newStreet(t)
	s.status = http.StatusBadGateway
	s.put("a", "letter", "shop")
	s.put("b", "letter", "shop")
	s.put("c", "letter", "shop")
	s.round(t, 3)
	if len(s.heard) != 1 {
		t.Fatalf("a server in trouble was asked %d times in one round", len(s.heard))
	}
	s.status, s.heard, s.now = http.StatusOK, nil, s.now.Add(time.Minute)
	s.round(t, 3)
	if len(s.heard) != 3 || len(s.shelf.left()) != 0 {
		t.Errorf("heard %q, %v are left", s.heard, s.shelf.left())
	}
}

func TestOneServersTroubleIsNotAnothers(t *testing.T) {
	s := newStreet(t)
	well := s.Writers["letter"]
	s.Writers["letter"] = func(ctx context.Context, d storage.Delivery) (Letter, error) {
		if d.ClientID == "dead" {
			return Letter{URL: "http://127.0.0.1:1/", Body: d.Body}, nil
		}
		return well(ctx, d)
	}
	s.put("a", "letter", "dead")
	s.put("b", "letter", "shop")
	s.round(t, 2)
	if !slices.Equal(s.shelf.left(), []string{"a"}) {
		t.Errorf("%v are left", s.shelf.left())
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	s := newStreet(t)
	s.put("gone", "moot", "shop")
	s.put("stuck", "unwritable", "shop")
	s.put("newer", "of a later version", "bank")
	s.put("well", "letter", "shop")
	s.round(t, 4)
	if !slices.Equal(s.shelf.left(), []string{"newer", "stuck"}) || len(s.heard) != 1 {
		t.Errorf("%v are left, heard %q", s.shelf.left(), s.heard)
	}
	if d := s.shelf.kept["newer"]; !d.NextTry.After(s.now) {
		t.Error("what only another version can write is not left in peace")
	}
}

func TestAnAddressInsideIsNotGoneTo(t *testing.T) {
	s := newStreet(t)
	s.Outside = fetch.Outside{}
	s.put("d", "letter", "shop")
	s.round(t, 1)
	if len(s.heard) > 0 || len(s.shelf.left()) != 1 {
		t.Errorf("heard %q", s.heard)
	}
}

// A sender that was held up until its lease was over does not undo what the next one did.
func TestALateSenderChangesNothing(t *testing.T) {
	s := newStreet(t)
	well := s.Writers["letter"]
	s.Writers["letter"] = func(ctx context.Context, d storage.Delivery) (Letter, error) {
		s.shelf.mu.Lock()
		later := s.shelf.kept[d.ID]
		later.Attempts++ // somebody else has it now
		s.shelf.kept[d.ID] = later
		s.shelf.mu.Unlock()
		return well(ctx, d)
	}
	s.put("d", "letter", "shop")
	s.round(t, 1)
	if d := s.shelf.kept["d"]; d.Attempts != 2 || strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("%+v\n%s", d, s.log.String())
	}
}

func TestABrokenDatabaseIsHeardOf(t *testing.T) {
	s := newStreet(t)
	s.shelf.broken = errors.New("down")
	if _, err := s.Round(t.Context()); err == nil {
		t.Error("a round without a database")
	}
	s.shelf.broken = nil
	s.put("d", "letter", "shop")
	s.Writers["letter"] = func(context.Context, storage.Delivery) (Letter, error) {
		s.shelf.mu.Lock()
		defer s.shelf.mu.Unlock()
		s.shelf.broken = errors.New("down")
		return Letter{}, ErrMoot
	}
	s.round(t, 1)
	if !strings.Contains(s.log.String(), "could not be noted") {
		t.Error(s.log.String())
	}
}

func TestRunSendsWhenWoken(t *testing.T) {
	s := newStreet(t)
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} { // more than a batch
		s.put(id, "letter", "shop")
	}
	s.shelf.asked = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	s.Wake()
	s.Wake() // never blocks
	for len(s.shelf.left()) > 0 {
		<-s.shelf.asked
	}
	cancel()
	for {
		select {
		case <-s.shelf.asked:
			continue
		case <-done:
		}
		break
	}
	if len(s.heard) != 10 {
		t.Errorf("heard %d", len(s.heard))
	}
}

func TestPausesGrowAndAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, shake := rapid.IntRange(1, 100).Draw(t, "attempts"), rapid.Float64Range(0, 1).Draw(t, "shake")
		p := pause(n, shake)
		if p < firstPause || p > longestPause*6/5 || p < pause(max(n-1, 1), 0) {
			t.Fatalf("%v", p)
		}
	})
}

// Otherwise a message could be taken again while its first sender still works on the batch.
func TestALeaseOutlastsABatchOfTimeouts(t *testing.T) {
	if Lease <= batch*fetch.PostTimeout {
		t.Errorf("%v for %d messages of %v", Lease, batch, fetch.PostTimeout)
	}
}
