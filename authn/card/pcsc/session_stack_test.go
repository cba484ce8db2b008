//go:build linux && cgo

package pcsc_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

// A second program signs with the PIN of the first unless the card was reset (card.md 3.5): trap 35, on every way out.
func TestEveryWayOutResetsTheCard(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	virtual := &counted{Card: newCard(t)}
	in := desk.Insert(0, virtual, cardtest.Faults{})
	awaitCards(t, 1)
	pin := []byte("1234")
	for _, way := range []struct {
		name string
		out  func(t *testing.T)
	}{
		{"success", func(t *testing.T) { mustLogin(t) }},
		{"failure after the PIN", func(t *testing.T) {
			s := find(t)
			defer s.Close()
			if err := s.Verify(t.Context(), card.AuthPIN, pin); err != nil {
				t.Fatal(err)
			}
			if _, err := s.SignCertificate(t.Context()); !errors.Is(err, fail.CardRefused) {
				t.Errorf("got %v", err)
			}
		}},
		{"a wrong PIN after a right one", func(t *testing.T) {
			s := find(t)
			defer s.Close()
			if err := s.Verify(t.Context(), card.AuthPIN, pin); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(t.Context(), card.SignPassword, []byte("WRONG1")); !errors.Is(err, fail.PINWrong) {
				t.Errorf("got %v", err)
			}
		}},
		{"cancelled", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := find(t)
			defer s.Close()
			if err := s.Verify(ctx, card.AuthPIN, pin); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := login(ctx, s); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}},
		{"panic", func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			s := find(t)
			defer s.Close()
			if err := s.Verify(t.Context(), card.AuthPIN, pin); err != nil {
				t.Fatal(err)
			}
			panic("in the middle of a login")
		}},
		{"another process that exits without a word", func(t *testing.T) { runVerifier(t, virtual, "exit") }},
		{"another process that is killed", func(t *testing.T) { runVerifier(t, virtual, "kill") }},
	} {
		t.Run(way.name, func(t *testing.T) {
			guard := program(t, desk.Readers[0], scard.ShareShared) // keeps the service from powering the card off by itself
			guard.begin().end(scard.LeaveCard)
			way.out(t)
			if got := guard.again().sign(); !bytes.Equal(got, notVerified) {
				t.Errorf("a second program signs: % X", got)
			}
			guard.end(scard.LeaveCard)
		})
	}
	if virtual.MyNumberTouched() {
		t.Error("the My Number file was selected")
	}
	in.Pull()
}

// runVerifier runs this test binary as another program, which verifies the PIN and goes without closing. pcscd ends the transaction of
// a dead program a moment before it resets the card; for that moment nothing can be promised.
func runVerifier(t *testing.T, virtual *counted, way string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestVerifierProcess$")
	cmd.Env = append(os.Environ(), "VERIFIER="+way)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said [8]byte
	if _, err := io.ReadFull(out, said[:]); err != nil || string(said[:]) != "verified" {
		t.Errorf("the process says %q, %v", said, err)
	}
	before := virtual.resets.Load()
	if way == "exit" {
		_ = in.Close() // it may go now
	} else {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
	for until := time.Now().Add(5 * time.Second); virtual.resets.Load() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the service does not reset the card of a dead program")
		}
	}
}

// TestVerifierProcess is the other program of runVerifier.
func TestVerifierProcess(t *testing.T) {
	if os.Getenv("VERIFIER") == "" {
		return
	}
	s, err := pcsc.Service{}.Find(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	fmt.Print("verified")
	_, _ = io.Copy(io.Discard, os.Stdin) // until it may go, or is killed
	os.Exit(0)
}

// Trap 34: nobody gets a command in between.
func TestAnotherProgramWaitsForTheSession(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	awaitCards(t, 1)
	another := program(t, desk.Readers[0], scard.ShareShared)
	s := find(t)
	if err := s.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- another.card.BeginTransaction() }()
	select {
	case <-answered:
		t.Fatal("another program got in")
	case <-time.After(300 * time.Millisecond):
	}
	if err := login(t.Context(), s); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; !errors.Is(err, scard.ErrResetCard) {
		t.Errorf("it is not told of the reset: %v", err)
	}
}

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

// Trap 42.
func TestASignatureThatTakesThreeSeconds(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, changed{newCard(t), func(command []byte, answer func() ([]byte, error)) ([]byte, error) {
		if command[1] == 0x2A {
			time.Sleep(3 * time.Second)
		}
		return answer()
	}}, cardtest.Faults{})
	mustLogin(t)
}

func TestASlowCard(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{Slow: 100 * time.Millisecond})
	mustLogin(t)
}

func TestAMuteCardIsGivenUpAndTheNextOneWorks(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	in := desk.Insert(0, newCard(t), cardtest.Faults{Mute: true})
	awaitCards(t, 1)
	start := time.Now()
	_, err := pcsc.Service{Limits: hasty}.Find(t.Context(), pcsc.Options{})
	if took := time.Since(start); !errors.Is(err, fail.CardRemoved) || !errors.Is(err, pcsc.ErrStuck) || took > 2*time.Second {
		t.Errorf("%v because of %v after %v", err, errors.Unwrap(err), took)
	}
	in.Pull()
	desk.Insert(0, newCard(t), cardtest.Faults{})
	mustLogin(t)
}

// The whole service hangs: nothing in PC/SC returns.
func TestAFrozenServiceIsGivenUp(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	awaitCards(t, 1)
	desk.Freeze()
	start := time.Now()
	_, err := pcsc.Service{Limits: hasty}.Find(t.Context(), pcsc.Options{})
	if took := time.Since(start); !errors.Is(err, fail.PCSCUnavailable) || !errors.Is(err, pcsc.ErrStuck) || took > 3*time.Second {
		t.Errorf("%v because of %v after %v", err, errors.Unwrap(err), took)
	}
	desk.Thaw()
	mustLogin(t)
}

// Traps 16 and 31.
func TestACardThatSpeaksT0(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{T0: true})
	s := find(t)
	if err := login(t.Context(), s); err != nil {
		t.Error(err)
	}
	if err := s.Verify(t.Context(), card.SignPassword, []byte("ABC123")); err != nil {
		t.Fatal(err)
	}
	der, err := s.SignCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("statement"))
	if _, err := s.SignSigner(t.Context(), cert).Sign(nil, digest[:], crypto.SHA256); err != nil {
		t.Error(err)
	}
	if left, err := s.Tries(t.Context(), card.CardInfoPIN); left != 3 || err != nil {
		t.Errorf("%d tries, %v", left, err)
	}
}

// Both keys, both applications, and never the My Number.
func TestEverythingACardCanDo(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	virtual := newCard(t)
	desk.Insert(0, virtual, cardtest.Faults{})
	s := find(t)
	if s.Kind() != card.Plastic {
		t.Errorf("kind %v", s.Kind())
	}
	if err := s.Verify(t.Context(), card.CardInfoPIN, []byte(taro(t).CardInfoPIN)); err != nil {
		t.Fatal(err)
	}
	files, err := s.ReadCardInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := card.ParseCardInfo(files.EF0002); err != nil || info.Name != taro(t).Name {
		t.Errorf("%v", err)
	}
	if err := login(t.Context(), s); err != nil {
		t.Error(err)
	}
	if s.HasPad(t.Context(), card.AuthPIN) {
		t.Error("a virtual reader has no keys")
	}
	if virtual.MyNumberTouched() {
		t.Error("the My Number file was selected")
	}
}

// Whatever a card answers, there is an error within the time, and no panic.
func TestACardThatTalksNonsense(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	for seed := range uint64(3) {
		in := desk.Insert(0, newCard(t), cardtest.Faults{Garbage: mathrand.NewChaCha8([32]byte{byte(seed)})})
		awaitCards(t, 1)
		_, err := pcsc.Service{Limits: hasty}.Find(t.Context(), pcsc.Options{})
		if !errors.Is(err, fail.CardUnsupported) && !errors.Is(err, fail.CardRemoved) {
			t.Errorf("seed %d: %v", seed, err)
		}
		in.Pull()
		awaitCards(t, 0)
	}
}

// Trap 13.
func TestErrorsTellNothing(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	desk.Insert(0, newCard(t), cardtest.Faults{})
	s := find(t)
	err := s.Verify(t.Context(), card.AuthPIN, []byte("8765"))
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "8765") {
			t.Error("the PIN is in an error")
		}
	}
	if !errors.Is(err, fail.PINWrong) || fail.From(err).Tries != 2 {
		t.Errorf("got %v", err)
	}
}
