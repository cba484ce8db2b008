//go:build linux && cgo

package pcsc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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
