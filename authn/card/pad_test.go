package card_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

// keypad is a reader with keys; typed replaces the placeholders.
type keypad struct {
	card.Transport
	typed   string
	entries int
}

func (k *keypad) HasPad(context.Context) bool { return true }

func (k *keypad) EnterPIN(ctx context.Context, verify []byte) ([]byte, error) {
	k.entries++
	filled := bytes.Clone(verify)
	copy(filled[5:], k.typed)
	return k.Transmit(ctx, filled)
}

func openWithKeys(t *testing.T, typed string) (*card.Card, *keypad, *cardtest.Card) {
	t.Helper()
	virtual := cardtest.New(persona(t, "taro"), material(t))
	pad := &keypad{Transport: virtual.Connect(), typed: typed}
	c, err := card.Open(t.Context(), pad)
	if err != nil {
		t.Fatal(err)
	}
	return c, pad, virtual
}

func TestVerifyOnPad(t *testing.T) {
	c, pad, virtual := openWithKeys(t, "1234")
	for p, want := range map[card.PIN]bool{card.AuthPIN: true, card.CardInfoPIN: true, card.NumberB: true, card.SignPassword: false, 0: false} {
		if c.HasPad(t.Context(), p) != want {
			t.Errorf("PIN %d: keys are %v", p, !want)
		}
	}
	if err := c.VerifyOnPad(t.Context(), card.AuthPIN); err != nil {
		t.Error(err)
	}
	pad.typed = "9876"
	if err := c.VerifyOnPad(t.Context(), card.CardInfoPIN); !errors.Is(err, fail.PINWrong) || fail.From(err).Tries != 2 {
		t.Errorf("got %v", err)
	}
	if err := c.VerifyOnPad(t.Context(), card.SignPassword); !errors.Is(err, fail.Internal) {
		t.Errorf("letters on a keypad: %v", err)
	}
	if pad.entries != 2 || virtual.Tries(card.CardInfoPIN) != 2 {
		t.Errorf("%d entries, %d tries left", pad.entries, virtual.Tries(card.CardInfoPIN))
	}
}

// Trap 3: nobody is asked to type a PIN that is locked.
func TestALockedPINIsNotAskedForOnTheReader(t *testing.T) {
	virtual := cardtest.New(persona(t, "locked"), material(t))
	pad := &keypad{Transport: virtual.Connect()}
	c, err := card.Open(t.Context(), pad)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.VerifyOnPad(t.Context(), card.AuthPIN); !errors.Is(err, fail.PINLocked) || pad.entries != 0 {
		t.Errorf("%v after %d entries", err, pad.entries)
	}
}

func TestAReaderWithoutKeysIsNotAsked(t *testing.T) {
	c, err := card.Open(t.Context(), cardtest.New(persona(t, "taro"), material(t)).Connect())
	if err != nil {
		t.Fatal(err)
	}
	if c.HasPad(t.Context(), card.AuthPIN) {
		t.Error("it has")
	}
	if err := c.VerifyOnPad(t.Context(), card.AuthPIN); !errors.Is(err, fail.Internal) {
		t.Errorf("got %v", err)
	}
}

// The reader sends the command by itself, so the firewall stands before it, too (R1).
func TestTheFirewallBeforeTheKeys(t *testing.T) {
	_, pad, _ := openWithKeys(t, "1234")
	guard := card.Guard(pad)
	for _, command := range [][]byte{
		{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01},
		{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x18},
	} {
		if _, err := guard.Transmit(t.Context(), command); err != nil {
			t.Fatal(err)
		}
	}
	for name, command := range map[string][]byte{
		"digits of our own": {0x00, 0x20, 0x00, 0x80, 0x04, '1', '2', '3', '4'},
		"one digit of ours": {0x00, 0x20, 0x00, 0x80, 0x04, 0xFF, 0xFF, 0xFF, '4'},
		"the counter query": {0x00, 0x20, 0x00, 0x80},
		"no digits":         {0x00, 0x20, 0x00, 0x80, 0x00},
		"a wrong length":    {0x00, 0x20, 0x00, 0x80, 0x05, 0xFF, 0xFF, 0xFF, 0xFF},
		"a change of PIN":   {0x00, 0x24, 0x01, 0x80, 0x04, 0xFF, 0xFF, 0xFF, 0xFF},
		"a named PIN":       {0x00, 0x20, 0x00, 0x98, 0x04, 0xFF, 0xFF, 0xFF, 0xFF},
		"a SELECT":          {0x00, 0xA4, 0x02, 0x0C, 0x02, 0xFF, 0xFF},
	} {
		if _, err := guard.(card.Pad).EnterPIN(t.Context(), command); !errors.Is(err, fail.APDUForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	verify := []byte{0x00, 0x20, 0x00, 0x80, 0x04, 0xFF, 0xFF, 0xFF, 0xFF}
	if got, err := guard.(card.Pad).EnterPIN(t.Context(), verify); err != nil || !bytes.Equal(got, []byte{0x90, 0x00}) {
		t.Errorf("% X, %v", got, err)
	}
	if _, err := guard.Transmit(t.Context(), []byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x0A}); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.(card.Pad).EnterPIN(t.Context(), verify); !errors.Is(err, fail.APDUForbidden) {
		t.Errorf("with a certificate selected: %v", err)
	}
	if pad.entries != 1 {
		t.Errorf("%d entries", pad.entries)
	}
}
