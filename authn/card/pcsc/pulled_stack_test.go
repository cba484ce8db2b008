//go:build linux && cgo

package pcsc_test

import (
	"errors"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

// Trap 9: nobody knows what a card did that vanished during VERIFY.
func TestACardPulledDuringVerify(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	virtual := newCard(t)
	in := desk.Insert(0, virtual, cardtest.Faults{PullAt: 6}) // SELECT, SELECT, READ; SELECT, ask, VERIFY
	s := find(t)
	err := s.Verify(t.Context(), card.AuthPIN, []byte("1234"))
	if !errors.Is(err, fail.PINUnknown) {
		t.Errorf("got %v because of %v", err, errors.Unwrap(err))
	}
	select {
	case <-s.Lost():
	default:
		t.Error("the loss was not noticed")
	}
	if err := s.Verify(t.Context(), card.AuthPIN, []byte("1234")); !errors.Is(err, fail.CardRemoved) {
		t.Errorf("a dead session says %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-in.Gone()
	if virtual.Tries(card.AuthPIN) != 3 {
		t.Error("the PIN was sent again")
	}
	desk.Insert(0, virtual, cardtest.Faults{})
	mustLogin(t)
}

// Trap 20: at whichever command a card vanishes, it is the same error, and never a panic or a wait.
func TestACardPulledAtAnyCommand(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	for n := 1; ; n += 4 { // the unit tests have every command; each here takes a hand's time
		in := desk.Insert(0, newCard(t), cardtest.Faults{PullAt: n})
		awaitCards(t, 1)
		s, err := pcsc.Service{}.Open(t.Context(), desk.Readers[0])
		if err == nil {
			err = errors.Join(login(t.Context(), s), s.Close())
		}
		if err == nil {
			in.Pull()
			if n < 12 {
				t.Errorf("a login of %d commands", n-1)
			}
			return
		}
		if !errors.Is(err, fail.CardRemoved) {
			t.Errorf("at command %d: %v", n, err)
		}
		<-in.Gone()
		awaitCards(t, 0)
	}
}

// Trap 30: the card is taken away while the person looks for the PIN.
func TestALossIsNoticedWhileNothingIsAsked(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	in := desk.Insert(0, newCard(t), cardtest.Faults{})
	s := find(t)
	in.Pull()
	select {
	case <-s.Lost():
	case <-time.After(5 * time.Second):
		t.Error("not noticed")
	}
	if _, err := s.Tries(t.Context(), card.AuthPIN); !errors.Is(err, fail.CardRemoved) {
		t.Errorf("got %v", err)
	}
}

// Trap 30: another card is put in after the certificate was read.
func TestASwappedCardEndsTheSession(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	second := newCard(t)
	pulled := desk.Insert(0, newCard(t), cardtest.Faults{})
	s := find(t)
	if _, err := s.AuthCertificate(t.Context()); err != nil {
		t.Fatal(err)
	}
	pulled.Pull()
	desk.Insert(0, second, cardtest.Faults{})
	awaitCardAgain(t, s)
	if err := s.Verify(t.Context(), card.AuthPIN, []byte("9999")); !errors.Is(err, fail.CardRemoved) {
		t.Errorf("got %v because of %v", err, errors.Unwrap(err))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if second.Tries(card.AuthPIN) != 3 {
		t.Error("the first card's PIN went to the second card")
	}
	mustLogin(t)
}

func awaitCardAgain(t *testing.T, s *pcsc.Session) {
	t.Helper()
	<-s.Lost()
	awaitCards(t, 1)
}

// Trap 36.
func TestAForgedSignatureIsFoundOut(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	forged, err := material(t).Forged()
	if err != nil {
		t.Fatal(err)
	}
	desk.Insert(0, cardtest.New(taro(t), forged), cardtest.Faults{})
	if err := login(t.Context(), find(t)); !errors.Is(err, fail.SignatureInvalid) {
		t.Errorf("got %v", err)
	}
}
