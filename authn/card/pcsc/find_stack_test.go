//go:build linux && cgo

package pcsc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

// Trap 29.
func TestNoServiceNoReaderAndNoCardAreThreeErrors(t *testing.T) {
	desk := pcsctest.Start(t, 0)
	_, err := pcsc.Service{}.Find(t.Context(), pcsc.Options{})
	if !errors.Is(err, fail.ReaderNone) || !errors.Is(err, pcsc.NoReaders) {
		t.Errorf("no reader: %v because of %v", err, errors.Unwrap(err))
	}
	desk.Stop()
	_, err = pcsc.Service{}.Find(t.Context(), pcsc.Options{})
	if !errors.Is(err, fail.PCSCUnavailable) || !errors.Is(err, pcsc.NoService) {
		t.Errorf("no service: %v because of %v", err, errors.Unwrap(err))
	}
	if _, err := (pcsc.Service{}).Readers(t.Context()); !errors.Is(err, fail.PCSCUnavailable) {
		t.Errorf("no service: %v", err)
	}
	desk = pcsctest.Start(t, 1)
	_, err = pcsc.Service{}.Find(t.Context(), pcsc.Options{})
	if !errors.Is(err, fail.CardNone) {
		t.Errorf("no card: %v because of %v", err, errors.Unwrap(err))
	}
	if _, err = (pcsc.Service{}).Open(t.Context(), desk.Readers[0]); !errors.Is(err, fail.CardNone) {
		t.Errorf("opened: %v because of %v", err, errors.Unwrap(err))
	}
	for _, name := range []string{"No such reader", "", strings.Repeat("x", 500), "NUL\x00inside"} {
		if _, err = (pcsc.Service{}).Open(t.Context(), name); !errors.Is(err, fail.ReaderNone) {
			t.Errorf("%q: %v because of %v", name, err, errors.Unwrap(err))
		}
	}
	if _, err = (pcsc.Service{}).Find(t.Context(), pcsc.Options{Reader: "No such reader"}); !errors.Is(err, fail.ReaderNone) {
		t.Errorf("found: %v", err)
	}
}

// Trap 27: the card lies in the last of three readers.
func TestEmptyReadersAreSkipped(t *testing.T) {
	desk := pcsctest.Start(t, 3)
	desk.Insert(2, newCard(t), cardtest.Faults{})
	s := find(t)
	if s.Reader != desk.Readers[2] {
		t.Errorf("found in %q", s.Reader)
	}
	if err := login(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// Trap 27.
func TestTwoMyNumberCardsAreAQuestion(t *testing.T) {
	desk := pcsctest.Start(t, 4)
	first, second := newCard(t), newCard(t)
	desk.Insert(0, first, cardtest.Faults{})
	desk.Insert(3, second, cardtest.Faults{Slow: 20 * time.Millisecond})
	awaitCards(t, 2)
	_, err := pcsc.Service{}.Find(t.Context(), here)
	var choice *pcsc.Choice
	if !errors.Is(err, fail.ReaderChoice) || !errors.As(err, &choice) {
		t.Fatalf("got %v because of %v", err, errors.Unwrap(err))
	}
	want := []string{desk.Readers[0], desk.Readers[3]}
	if !slices.Equal(choice.Readers, want) || !strings.Contains(choice.Error(), want[1]) {
		t.Errorf("choice between %q", choice.Readers)
	}
	for _, reader := range want {
		s, err := pcsc.Service{}.Find(t.Context(), pcsc.Options{Reader: reader})
		if err != nil || s.Reader != reader {
			t.Fatalf("%s: %v", reader, err)
		}
		if err := errors.Join(login(t.Context(), s), s.Close()); err != nil {
			t.Error(err)
		}
	}
	if first.Tries(card.AuthPIN) != 3 || second.Tries(card.AuthPIN) != 3 {
		t.Error("a try was spent")
	}
}

// Traps 23 and 28: other cards get one SELECT, no VERIFY and no reset.
func TestOtherCardsAreLeftAlone(t *testing.T) {
	desk := pcsctest.Start(t, 2)
	bank := &foreign{status: []byte{0x6A, 0x82}}
	desk.Insert(0, bank, cardtest.Faults{})
	awaitCards(t, 1)
	somebody := program(t, desk.Readers[0], 2) // keeps the card powered, so that a reset would be ours
	before, _ := bank.heard()
	if _, err := (pcsc.Service{}).Find(t.Context(), pcsc.Options{}); !errors.Is(err, fail.CardUnsupported) {
		t.Errorf("got %v", err)
	}
	desk.Insert(1, newCard(t), cardtest.Faults{})
	awaitCards(t, 2)
	mustLogin(t)
	resets, commands := bank.heard()
	for _, command := range commands {
		if !slices.Equal(command, selectJPKI) {
			t.Errorf("it was sent % X", command)
		}
	}
	if resets != before || len(commands) != 2 {
		t.Errorf("%d resets and %d commands", resets-before, len(commands))
	}
	somebody.leave()
}

func TestACardOfTheSameMakeThatKnowsNothingIsUnsupported(t *testing.T) {
	for name, status := range map[string][]byte{"refuses": {0x6D, 0x00}, "agrees to everything": {0x90, 0x00}, "wants another class": {0x6E, 0x00}} {
		t.Run(name, func(t *testing.T) {
			desk := pcsctest.Start(t, 1)
			desk.Insert(0, &foreign{status: status}, cardtest.Faults{})
			awaitCards(t, 1)
			if _, err := (pcsc.Service{}).Find(t.Context(), pcsc.Options{}); !errors.Is(err, fail.CardUnsupported) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Trap 30: nothing, then the wrong card, then the right one.
func TestFindWaitsForTheRightCard(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	told := make(chan string, 10)
	found := make(chan error, 1)
	go func() {
		s, err := pcsc.Service{}.Find(t.Context(), pcsc.Options{Wait: 20 * time.Second, Waiting: func(err error) { told <- err.Error() }})
		if err == nil {
			err = errors.Join(login(t.Context(), s), s.Close())
		}
		found <- err
	}()
	expect(t, told, "card_none")
	bank := desk.Insert(0, &foreign{status: []byte{0x6A, 0x82}}, cardtest.Faults{})
	expect(t, told, "card_unsupported")
	bank.Pull()
	expect(t, told, "card_none")
	desk.Insert(0, newCard(t), cardtest.Faults{})
	if err := <-found; err != nil {
		t.Error(err)
	}
}

func expect(t *testing.T, told <-chan string, want string) {
	t.Helper()
	select {
	case got := <-told:
		if got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("not told %s", want)
	}
}

// Trap 29: a reader and a service may come later, too.
func TestFindWaitsForTheService(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Stop()
	told := make(chan string, 10)
	found := make(chan error, 1)
	go func() {
		s, err := pcsc.Service{}.Find(t.Context(), pcsc.Options{Wait: 20 * time.Second, Waiting: func(err error) { told <- err.Error() }})
		if err == nil {
			err = s.Close()
		}
		found <- err
	}()
	expect(t, told, "pcsc_unavailable")
	desk.Restart()
	expect(t, told, "card_none")
	desk.Insert(0, newCard(t), cardtest.Faults{})
	if err := <-found; err != nil {
		t.Error(err)
	}
}

func TestWaitingEndsWithItsTimeAndWithItsContext(t *testing.T) {
	pcsctest.Start(t, 1)
	start := time.Now()
	_, err := pcsc.Service{}.Find(t.Context(), pcsc.Options{Wait: 700 * time.Millisecond})
	if took := time.Since(start); !errors.Is(err, fail.CardNone) || took < 700*time.Millisecond || took > 3*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	start = time.Now()
	_, err = pcsc.Service{}.Find(ctx, pcsc.Options{Wait: time.Minute, Waiting: func(error) { cancel() }})
	if took := time.Since(start); !errors.Is(err, context.Canceled) || took > 300*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
}

// Trap 44. pcscd takes no more readers than 16, and no longer names than 127 bytes; these are not ASCII.
func TestSixteenReaders(t *testing.T) {
	desk := pcsctest.Start(t, 16)
	desk.Insert(13, newCard(t), cardtest.Faults{})
	readers, err := pcsc.Service{}.Readers(t.Context())
	if err != nil || len(readers) != 16 {
		t.Fatalf("%d readers, %v", len(readers), err)
	}
	for _, r := range readers {
		if !slices.Contains(desk.Readers, r.Name) {
			t.Errorf("unknown reader %q", r.Name)
		}
	}
	if s := find(t); s.Reader != desk.Readers[13] {
		t.Errorf("found in %q", s.Reader)
	}
}
