//go:build linux && cgo

package pcsc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"tegata/authn/card/pcsc"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

// Trap 41.
func TestTheServiceIsRestartedBetweenTwoLogins(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	for _, end := range []func(){desk.Kill, desk.Stop} {
		in := desk.Insert(0, newCard(t), cardtest.Faults{})
		mustLogin(t)
		end()
		<-in.Gone()
		desk.Restart()
	}
	desk.Insert(0, newCard(t), cardtest.Faults{})
	mustLogin(t)
}

func TestTheServiceDiesDuringASession(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	s := find(t)
	desk.Kill()
	if _, err := s.AuthCertificate(t.Context()); !errors.Is(err, fail.PCSCUnavailable) {
		t.Errorf("got %v because of %v", err, errors.Unwrap(err))
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// Trap 32.
func TestAnotherProgramHoldsTheCardForItself(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	awaitCards(t, 1)
	holder := program(t, desk.Readers[0], scard.ShareExclusive)
	if readers, err := (pcsc.Service{}).Readers(t.Context()); err != nil || !readers[0].Exclusive {
		t.Errorf("%+v, %v", readers, err)
	}
	start := time.Now()
	_, err := pcsc.Service{}.Open(t.Context(), desk.Readers[0])
	if took := time.Since(start); !errors.Is(err, fail.ReaderBusy) || !errors.Is(err, pcsc.SharingViolation) || took > 4*time.Second {
		t.Errorf("%v because of %v after %v", err, errors.Unwrap(err), took)
	}
	time.AfterFunc(500*time.Millisecond, holder.leave)
	s, err := pcsc.Service{}.Open(t.Context(), desk.Readers[0]) // the retries get it
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(login(t.Context(), s), s.Close()); err != nil {
		t.Error(err)
	}
}

var hasty = pcsc.Limits{Service: time.Second, Acquire: 500 * time.Millisecond, Command: 500 * time.Millisecond, Close: 200 * time.Millisecond}

// Trap 33: PC/SC blocks for as long as the other program likes.
func TestAnotherProgramSitsInATransaction(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	awaitCards(t, 1)
	holder := program(t, desk.Readers[0], scard.ShareShared).begin()
	for range 3 {
		start := time.Now()
		_, err := pcsc.Service{Limits: hasty}.Open(t.Context(), desk.Readers[0])
		if took := time.Since(start); !errors.Is(err, fail.ReaderBusy) || !errors.Is(err, pcsc.ErrStuck) || took > 3*time.Second {
			t.Errorf("%v because of %v after %v", err, errors.Unwrap(err), took)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := (pcsc.Service{}).Open(ctx, desk.Readers[0]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	holder.end(scard.LeaveCard)
	mustLogin(t) // the abandoned calls have come back and let go by themselves
}

func TestALoginWaitsForTheTransactionOfAnother(t *testing.T) {
	for name, then := range map[string]scard.Disposition{"that leaves the card": scard.LeaveCard, "that resets it": scard.ResetCard, "that powers it off": scard.UnpowerCard} {
		t.Run(name, func(t *testing.T) {
			desk := pcsctest.Start(t, 1)
			desk.Insert(0, newCard(t), cardtest.Faults{})
			awaitCards(t, 1)
			holder := program(t, desk.Readers[0], scard.ShareShared).begin()
			time.AfterFunc(400*time.Millisecond, func() { holder.end(then) })
			mustLogin(t)
		})
	}
}

// Trap 43.
func TestManyLoginsAtOnce(t *testing.T) {
	desk := pcsctest.Start(t, 2)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	desk.Insert(1, newCard(t), cardtest.Faults{})
	awaitCards(t, 2)
	const each = 6
	done := make(chan error, 2*each)
	for i := range 2 * each {
		go func() {
			s, err := pcsc.Service{}.Open(t.Context(), desk.Readers[i%2])
			if err == nil {
				err = errors.Join(login(t.Context(), s), s.Close())
			}
			done <- err
		}()
	}
	for range 2 * each {
		if err := <-done; err != nil {
			t.Errorf("%v because of %v", err, errors.Unwrap(err))
		}
	}
}

// A reader that hangs must not keep another from being used.
func TestABusyReaderDoesNotHoldUpTheOther(t *testing.T) {
	desk := pcsctest.Start(t, 2)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	desk.Insert(1, newCard(t), cardtest.Faults{})
	awaitCards(t, 2)
	program(t, desk.Readers[0], scard.ShareShared).begin()
	start := time.Now()
	s := find(t)
	if took := time.Since(start); s.Reader != desk.Readers[1] || took > 6*time.Second {
		t.Errorf("found in %q after %v", s.Reader, took)
	}
	if err := login(t.Context(), s); err != nil {
		t.Error(err)
	}
}
