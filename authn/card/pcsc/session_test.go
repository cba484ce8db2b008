package pcsc

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// login is Open, one PIN and Close.
func login(ctx context.Context, d *desk) error {
	s, err := d.service().Open(ctx, readerName)
	if err != nil {
		return err
	}
	return errors.Join(s.Verify(ctx, card.AuthPIN, []byte("1234")), s.Close())
}

// Every call can hang. The person hears of it within 15 seconds, nothing is left behind once the call comes back, and until then
// nothing else is sent. A bubble does not end before all goroutines have.
func TestACallThatHangsIsGivenUp(t *testing.T) {
	for call, tc := range map[string]struct {
		want *fail.Error
		then string // what follows when the call comes back
	}{
		"establish": {fail.PCSCUnavailable, "release"},
		"connect":   {fail.ReaderBusy, "disconnect leave, release"},
		"begin":     {fail.ReaderBusy, "end reset, disconnect leave, release"},
		"transmit":  {fail.CardRemoved, "end reset, disconnect leave, release"},
		"end reset": {fail.ReaderBusy, "disconnect leave, release"},
		"release":   {fail.ReaderBusy, ""},
	} {
		t.Run(call, func(t *testing.T) {
			d, _ := newDesk(t)
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan struct{})
				d.hang[call] = hang
				start := time.Now()
				err := login(t.Context(), d)
				if took := time.Since(start); !errors.Is(err, tc.want) || took > 15*time.Second {
					t.Errorf("%v after %v, want %v", err, took, tc.want)
				}
				if !errors.Is(err, ErrStuck) {
					t.Errorf("because of %v", errors.Unwrap(err))
				}
				before := len(d.calls())
				time.Sleep(time.Minute)
				if more := d.calls()[before:]; len(more) > 0 {
					t.Errorf("still calls %v", more)
				}
				close(hang)
				synctest.Wait()
				if then := strings.Join(d.calls()[before:], ", "); then != tc.then {
					t.Errorf("then %q, want %q", then, tc.then)
				}
			})
		})
	}
}

func TestLookingForReadersIsGivenUp(t *testing.T) {
	for _, call := range []string{"establish", "readers", "status"} {
		t.Run(call, func(t *testing.T) {
			d, _ := newDesk(t)
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan struct{})
				d.hang[call] = hang
				start := time.Now()
				_, err := d.service().Find(t.Context(), Options{})
				if took := time.Since(start); !errors.Is(err, fail.PCSCUnavailable) || !errors.Is(err, ErrStuck) || took > 15*time.Second {
					t.Errorf("%v because of %v after %v", err, errors.Unwrap(err), took)
				}
				close(hang)
				synctest.Wait()
				if calls := d.calls(); calls[len(calls)-1] != "release" {
					t.Errorf("ends with %v", calls)
				}
			})
		})
	}
}

// A caller who goes away does not wait for a call either.
func TestACancelledCallerLeavesAtOnce(t *testing.T) {
	for _, call := range []string{"establish", "connect", "begin", "transmit"} {
		t.Run(call, func(t *testing.T) {
			d, _ := newDesk(t)
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan struct{})
				d.hang[call] = hang
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				err := login(ctx, d)
				// The reset gets its time, then nobody waits any longer.
				if took := time.Since(start); !errors.Is(err, context.Canceled) || took > 4*time.Second {
					t.Errorf("%v after %v", err, took)
				}
				close(hang)
				synctest.Wait()
				if calls := d.calls(); calls[len(calls)-1] != "release" {
					t.Errorf("ends with %v", calls)
				}
			})
		})
	}
}

func TestEachResultTellsAPersonWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		call   string
		result error
		want   *fail.Error
	}{
		{"establish", NoService, fail.PCSCUnavailable},
		{"establish", ServiceStopped, fail.PCSCUnavailable},
		{"establish", Code(0x80100006), fail.PCSCUnavailable},
		{"establish", errors.New("anything"), fail.PCSCUnavailable},
		{"connect", UnknownReader, fail.ReaderNone},
		{"connect", ReaderUnavailable, fail.ReaderNone},
		{"connect", NoReaders, fail.ReaderNone},
		{"connect", NoCard, fail.CardNone},
		{"connect", ProtocolMismatch, fail.CardUnsupported},
		{"connect", UnresponsiveCard, fail.CardRemoved},
		{"connect", UnpoweredCard, fail.CardRemoved},
		{"connect", NoService, fail.PCSCUnavailable},
		{"connect", Code(0x80100014), fail.ReaderBusy},
		{"begin", RemovedCard, fail.CardRemoved},
		{"begin", SharingViolation, fail.ReaderBusy},
		{"begin", ReaderUnavailable, fail.ReaderNone},
		{"begin", InvalidHandle, fail.PCSCUnavailable},
		{"transmit", NotTransacted, fail.CardRemoved},
		{"transmit", RemovedCard, fail.CardRemoved},
		{"transmit", ReaderUnavailable, fail.ReaderNone},
		{"transmit", NoService, fail.PCSCUnavailable},
		{"transmit", CommError, fail.PCSCUnavailable},
		{"transmit", errors.New("anything"), fail.CardRemoved},
	} {
		t.Run(tc.call+" "+tc.result.Error(), func(t *testing.T) {
			d, _ := newDesk(t)
			d.fails[tc.call] = []error{tc.result}
			err := login(t.Context(), d)
			if !errors.Is(err, tc.want) || !errors.Is(err, tc.result) {
				t.Errorf("got %v because of %v, want %v", err, errors.Unwrap(err), tc.want)
			}
			if calls := d.calls(); tc.call != "establish" && calls[len(calls)-1] != "release" {
				t.Errorf("ends with %v", calls)
			}
		})
	}
}

// Trap 20: a card that vanishes during a command leaves an empty answer without an error, a broken one a single byte.
func TestACardThatVanishesAtAnyCommand(t *testing.T) {
	for _, stump := range [][]byte{nil, {0x90}} {
		for n := range 6 {
			d, _ := newDesk(t)
			d.cards[readerName] = &vanishing{d.cards[readerName], n, stump}
			err := login(t.Context(), d)
			want := fail.CardRemoved
			if n == 5 {
				want = fail.PINUnknown // VERIFY had left
			}
			if !errors.Is(err, want) || !errors.Is(err, fail.CardRemoved) || len(d.commands) != n+1 {
				t.Errorf("at command %d: %v after %d", n+1, err, len(d.commands))
			}
		}
	}
}

// vanishing answers n commands, then only a stump.
type vanishing struct {
	card.Transport
	n     int
	stump []byte
}

func (v *vanishing) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if v.n--; v.n < 0 {
		return v.stump, nil
	}
	return v.Transport.Transmit(ctx, command)
}

// A PIN that may have reached the card is never sent again, whatever the result.
func TestAVerifyIsSentOnce(t *testing.T) {
	for _, result := range []error{NotTransacted, RemovedCard, ResetCard, CommError, NoService, errors.New("anything")} {
		d, _ := newDesk(t)
		d.fails["transmit"] = []error{nil, nil, nil, nil, nil, result}
		err := login(t.Context(), d)
		if !errors.Is(err, fail.PINUnknown) || !errors.Is(err, result) {
			t.Errorf("%v: got %v", result, err)
		}
		if len(d.commands) != 6 {
			t.Errorf("%v: %d commands", result, len(d.commands))
		}
	}
}

// The copy that goes to PC/SC holds the PIN and is wiped, whether the call came back or was never made.
func TestThePINIsWiped(t *testing.T) {
	d, _ := newDesk(t)
	if err := login(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, command := range d.commands {
		if len(bytes.Trim(command, "\x00")) > 0 {
			t.Errorf("left behind: %d bytes", len(command))
		}
	}
	if len(d.commands) != 6 {
		t.Errorf("%d commands", len(d.commands))
	}
}

// What a command has done that was given up nobody knows: the session is over, even when the card answers again.
func TestASessionIsOverAfterACommandThatHung(t *testing.T) {
	d, _ := newDesk(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := d.service().Open(t.Context(), readerName)
		if err != nil {
			t.Fatal(err)
		}
		hang := make(chan struct{})
		d.mu.Lock()
		d.hang["transmit"] = hang
		d.mu.Unlock()
		if _, err := s.Tries(t.Context(), card.AuthPIN); !errors.Is(err, fail.CardRemoved) {
			t.Errorf("got %v", err)
		}
		close(hang)
		synctest.Wait()
		before := len(d.calls())
		if _, err := s.Tries(t.Context(), card.AuthPIN); !errors.Is(err, fail.CardRemoved) {
			t.Errorf("got %v", err)
		}
		if more := d.calls()[before:]; len(more) > 0 {
			t.Errorf("still calls %v", more)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAClosedSessionSendsNothing(t *testing.T) {
	d, _ := newDesk(t)
	s, err := d.service().Open(t.Context(), readerName)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	before := len(d.calls())
	if err := s.Verify(t.Context(), card.AuthPIN, []byte("1234")); !errors.Is(err, fail.CardRemoved) {
		t.Errorf("got %v", err)
	}
	if more := d.calls()[before:]; len(more) > 0 {
		t.Errorf("still calls %v", more)
	}
}

// The logins that were queued before us each end with a reset.
func TestBeginSurvivesTheResetsOfOthers(t *testing.T) {
	d, _ := newDesk(t)
	d.fails["begin"] = []error{ResetCard, ResetCard, ResetCard}
	if err := login(t.Context(), d); err != nil {
		t.Error(err)
	}
	if n := strings.Count(strings.Join(d.calls(), " "), "reconnect"); n != 3 {
		t.Errorf("%d times connected anew", n)
	}
	d, _ = newDesk(t)
	d.fails["begin"] = slices.Repeat([]error{ResetCard}, 1000)
	if err := login(t.Context(), d); !errors.Is(err, fail.CardRemoved) {
		t.Errorf("got %v", err)
	}
	d, _ = newDesk(t)
	d.fails["begin"], d.fails["reconnect"] = []error{ResetCard, nil}, []error{RemovedCard}
	if err := login(t.Context(), d); !errors.Is(err, fail.CardRemoved) && err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAnExclusiveHolderIsAskedForTwoSeconds(t *testing.T) {
	d, _ := newDesk(t)
	synctest.Test(t, func(t *testing.T) {
		d.fails["connect"] = slices.Repeat([]error{SharingViolation}, 1000)
		start := time.Now()
		err := login(t.Context(), d)
		if took := time.Since(start); !errors.Is(err, fail.ReaderBusy) || took < 2*time.Second || took > 3*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		d.fails["connect"] = []error{SharingViolation, SharingViolation}
		if err := login(t.Context(), d); err != nil {
			t.Error(err)
		}
	})
}

// pcscd resets the card of a program that died in the middle of our transaction. Until the card is known nothing is lost by starting
// anew; afterwards the PIN may be.
func TestAResetBehindOurBack(t *testing.T) {
	for _, result := range []Code{ResetCard, ProtocolMismatch} {
		for n := range 3 {
			d, _ := newDesk(t)
			d.fails["transmit"] = append(make([]error, n), result)
			if err := login(t.Context(), d); err != nil {
				t.Errorf("%v at command %d: %v", result, n+1, err)
			}
		}
		d, _ := newDesk(t)
		d.fails["transmit"] = append(make([]error, 3), result)
		if err := login(t.Context(), d); !errors.Is(err, fail.CardRemoved) {
			t.Errorf("%v in the session: %v", result, err)
		}
		d, _ = newDesk(t)
		d.fails["transmit"] = slices.Repeat([]error{result}, 1000)
		if err := login(t.Context(), d); !errors.Is(err, fail.CardRemoved) || len(d.commands) != mostOpens {
			t.Errorf("%v each time: %v after %d commands", result, err, len(d.commands))
		}
	}
}

// Trap 31, and a panic of the library.
func TestAProtocolThatNobodyKnows(t *testing.T) {
	d, _ := newDesk(t)
	d.speaks = noProtocol
	if err := login(t.Context(), d); !errors.Is(err, fail.CardUnsupported) || !errors.Is(err, ErrProtocol) {
		t.Errorf("got %v because of %v", err, errors.Unwrap(err))
	}
	if len(d.commands) > 0 {
		t.Error("a command was sent")
	}
}

// Where the end of the transaction does not reset, the disconnection does.
func TestTheResetHasASecondChance(t *testing.T) {
	d, _ := newDesk(t)
	d.fails["end reset"] = []error{errors.New("no")}
	if err := login(t.Context(), d); err != nil {
		t.Error(err)
	}
	calls := strings.Join(d.calls(), ", ")
	if !strings.HasSuffix(calls, "end reset, disconnect reset, release") {
		t.Errorf("ends with %s", calls)
	}
}

// Windows resets a card that nobody asks anything for five seconds in a transaction: the person is looking for the PIN.
func TestAnIdleSessionKeepsItsTransaction(t *testing.T) {
	d, _ := newDesk(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := d.service().Open(t.Context(), readerName)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if n := strings.Count(strings.Join(d.calls(), " "), "ping"); n < 15 || n > 60 {
			t.Errorf("%d signs of life in a minute", n)
		}
		select {
		case <-s.Lost():
			t.Error("lost")
		default:
		}
		d.mu.Lock()
		d.fails["ping"] = []error{RemovedCard, RemovedCard}
		d.mu.Unlock()
		start := time.Now()
		<-s.Lost()
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("noticed after %v", took)
		}
		time.Sleep(3 * time.Second)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCommandsOfT0(t *testing.T) {
	for _, tc := range []struct {
		name          string
		command, want []byte
	}{
		{"the counter query gets a zero byte", []byte{0, 0x20, 0, 0x80}, []byte{0, 0x20, 0, 0x80, 0}},
		{"a read stays", []byte{0, 0xB0, 0, 0, 0xFF}, []byte{0, 0xB0, 0, 0, 0xFF}},
		{"a SELECT stays", []byte{0, 0xA4, 2, 0x0C, 2, 0, 0x17}, []byte{0, 0xA4, 2, 0x0C, 2, 0, 0x17}},
		{"a signature loses its Le", []byte{0x80, 0x2A, 0, 0x80, 2, 1, 2, 0}, []byte{0x80, 0x2A, 0, 0x80, 2, 1, 2}},
		{"what is no command stays", []byte{1, 2, 3}, []byte{1, 2, 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := slices.Clone(tc.command)
			if got := tpdu(tc.command, t0); !bytes.Equal(got, tc.want) {
				t.Errorf("got % X", got)
			}
			got := tpdu(tc.command, t1)
			if !bytes.Equal(got, before) {
				t.Errorf("at T=1 % X", got)
			}
			clear(got)
			if !bytes.Equal(tc.command, before) {
				t.Error("the caller's bytes changed")
			}
		})
	}
}
