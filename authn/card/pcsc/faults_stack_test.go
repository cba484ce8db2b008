//go:build linux && cgo

package pcsc_test

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

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
