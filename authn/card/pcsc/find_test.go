package pcsc

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// refusing is a card of another kind.
type refusing struct{}

func (refusing) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x6A, 0x82}, nil }
func (refusing) Close() error                                     { return nil }

func TestTheNearestErrorIsTold(t *testing.T) {
	for _, tc := range []struct {
		name string
		of   []error
		want *fail.Error
	}{
		{"an empty reader beside a wrong card", []error{fail.CardNone, fail.CardUnsupported}, fail.CardUnsupported},
		{"an old card beside a wrong one", []error{fail.CardUnsupported, fail.CardOldJuki}, fail.CardOldJuki},
		{"a security key in use beside an empty reader", []error{fail.ReaderBusy, fail.CardNone}, fail.CardNone},
		{"readers in use", []error{fail.ReaderBusy, fail.ReaderBusy}, fail.ReaderBusy},
		{"something that waiting does not mend", []error{fail.APDUForbidden, fail.CardNone}, fail.CardNone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 {
				if _, err := one(nil, tc.of); !errors.Is(err, tc.want) {
					t.Errorf("told %v", err)
				}
				slices.Reverse(tc.of)
			}
		})
	}
	if mayPass(fail.APDUForbidden) || mayPass(fail.ReaderChoice) || mayPass(context.Canceled) || !mayPass(fail.PCSCUnavailable) {
		t.Error("patience with the wrong errors")
	}
}

// A wrong card is asked once, not every half second.
func TestAJudgedCardIsLeftAlone(t *testing.T) {
	d, _ := newDesk(t)
	good := d.cards[readerName]
	d.cards[readerName] = refusing{}
	synctest.Test(t, func(t *testing.T) {
		time.AfterFunc(30*time.Second, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if len(d.commands) != 1 {
				t.Errorf("asked %d times", len(d.commands))
			}
			d.cards = map[string]card.Transport{readerName: good}
			d.flags = map[string]flags{readerName: flagPresent | 2<<16}
		})
		var told []string
		s, err := d.service().Find(t.Context(), Options{Wait: time.Minute, Waiting: func(err error) { told = append(told, err.Error()) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if !slices.Equal(told, []string{"card_unsupported"}) {
			t.Errorf("told %v", told)
		}
	})
}

// A service that starts anew counts changes from zero: the same count may be another card.
func TestACardIsJudgedAnewAfterTheServiceHasGone(t *testing.T) {
	d, _ := newDesk(t)
	good := d.cards[readerName]
	d.cards[readerName] = refusing{}
	synctest.Test(t, func(t *testing.T) {
		time.AfterFunc(10*time.Second, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.cards = map[string]card.Transport{readerName: good}
			d.fails["readers"] = []error{NoService}
		})
		s, err := d.service().Find(t.Context(), Options{Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnEmptyReaderIsNotTouched(t *testing.T) {
	d, _ := newDesk(t)
	d.flags[readerName] = 0
	if _, err := d.service().Find(t.Context(), Options{}); !errors.Is(err, fail.CardNone) {
		t.Errorf("got %v", err)
	}
	if slices.Contains(d.calls(), "connect") {
		t.Error("it was connected to")
	}
}

func TestAChoiceIsSortedBecauseTheServicesOrderChanges(t *testing.T) {
	d, virtual := newDesk(t)
	d.names = []string{"B", "A", "C"}
	for _, name := range d.names {
		d.flags[name], d.cards[name] = flagPresent, virtual.Connect()
	}
	_, err := d.service().Find(t.Context(), Options{})
	var choice *Choice
	if !errors.As(err, &choice) || !slices.Equal(choice.Readers, []string{"A", "B", "C"}) {
		t.Errorf("got %v because of %v", err, errors.Unwrap(err))
	}
}

// A reader that another program keeps busy is given up when another has the card, and its try cleans up after itself.
func TestABusyReaderIsGivenUpForAFreeOne(t *testing.T) {
	d, _ := newDesk(t)
	free, _ := newDesk(t)
	busy := "Busy"
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		two := twoDesks{d, free, busy}
		d.hang["begin"] = hang
		start := time.Now()
		s, err := Service{system: two}.Find(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); s.Reader != readerName || took > 4*time.Second {
			t.Errorf("in %s after %v", s.Reader, took)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		close(hang)
	})
}

// twoDesks sends connections to the reader named busy to one desk and all else to the other.
type twoDesks struct {
	busy, free *desk
	name       string
}

func (d twoDesks) establish() (session, error) { return twoSessions{deskSession{d.free}, d}, nil }

type twoSessions struct {
	deskSession
	desks twoDesks
}

func (s twoSessions) readers() ([]string, error) { return []string{s.desks.name, readerName}, nil }

func (s twoSessions) status(states []state, _ time.Duration) error {
	for i := range states {
		states[i].current = flagPresent
	}
	return nil
}

func (s twoSessions) connect(reader string) (handle, error) {
	if reader == s.desks.name {
		return deskHandle{s.desks.busy, readerName}, nil
	}
	return deskHandle{s.desks.free, reader}, nil
}

func TestWhatIsKnownOfAReaderIsNotAskedAgain(t *testing.T) {
	seen := []state{{reader: "a", current: 0x00050022}, {reader: "gone", current: 1}}
	got := merge([]string{"new", "a"}, seen)
	want := []state{{reader: "new"}, {reader: "a", known: 0x00050020}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}
