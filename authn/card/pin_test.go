package card_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

// wide shifts ASCII to the full-width block, as a Japanese keyboard does.
func wide(s string) string {
	return strings.Map(func(r rune) rune { return r - '!' + 0xFF01 }, s)
}

// Trap 1: each wrong entry is one VERIFY and carries what is left; the last one locks (trap 3).
func TestWrongEntriesCountDownToLocked(t *testing.T) {
	for _, tt := range []struct {
		pin          card.PIN
		wrong, right string
		most         int
	}{
		{card.AuthPIN, "9999", "1234", 3},
		{card.SignPassword, "WRONG1", "ABC123", 5},
		{card.CardInfoPIN, "9999", "1234", 3},
		{card.NumberB, strings.Repeat("7", 14), persona(t, "taro").NumberB(), 10},
	} {
		t.Run(fmt.Sprint(tt.pin), func(t *testing.T) {
			virtual := taro(t)
			transport := &tap{Transport: virtual.Connect()}
			c := open(t, transport)
			for left := tt.most - 1; left > 0; left-- {
				err := c.Verify(t.Context(), tt.pin, []byte(tt.wrong))
				if !errors.Is(err, fail.PINWrong) || fail.From(err).Tries != left {
					t.Fatalf("got %v with %d left, want %d", err, fail.From(err).Tries, left)
				}
			}
			if n := transport.verifies(); n != tt.most-1 {
				t.Errorf("%d VERIFY for %d entries", n, tt.most-1)
			}
			if err := c.Verify(t.Context(), tt.pin, []byte(tt.right)); err != nil || virtual.Tries(tt.pin) != tt.most {
				t.Fatalf("the last try with the right entry: %v, %d tries", err, virtual.Tries(tt.pin))
			}
			for range tt.most {
				_ = c.Verify(t.Context(), tt.pin, []byte(tt.wrong))
			}
			sent := transport.verifies()
			err := c.Verify(t.Context(), tt.pin, []byte(tt.right))
			if !errors.Is(err, fail.PINLocked) || fail.From(err).Tries != 0 || transport.verifies() != sent {
				t.Errorf("locked: %v, %d more VERIFY", err, transport.verifies()-sent)
			}
			if left, err := c.Tries(t.Context(), tt.pin); left != 0 || err != nil {
				t.Errorf("locked: %d tries, %v", left, err)
			}
		})
	}
}

func TestTheEntryThatLocksSaysSo(t *testing.T) {
	p := persona(t, "taro")
	p.PINTries = 1
	c := open(t, cardtest.New(p, material(t)).Connect())
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("9999")); !errors.Is(err, fail.PINLocked) {
		t.Errorf("got %v", err)
	}
}

// Traps 3, 4 and 10.
func TestStatusWordsOfTheCounter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sw     [2]byte
		tries  int
		triesE error
		verify error // what Verify says when the counter answers so
	}{
		{"three left", [2]byte{0x63, 0xC3}, 3, nil, nil},
		{"fifteen left", [2]byte{0x63, 0xCF}, 15, nil, nil},
		{"locked as 63C0", [2]byte{0x63, 0xC0}, 0, nil, fail.PINLocked},
		{"locked as 6983", [2]byte{0x69, 0x83}, 0, nil, fail.PINLocked},
		{"locked as 6984", [2]byte{0x69, 0x84}, 0, nil, fail.PINLocked},
		{"verified already is not zero tries", [2]byte{0x90, 0x00}, fail.NoTries, nil, nil},
		{"unlimited is not zero tries", [2]byte{0x63, 0x00}, fail.NoTries, nil, nil},
		{"our mistake", [2]byte{0x6A, 0x88}, fail.NoTries, fail.CardRefused, fail.CardRefused},
		{"wrong length", [2]byte{0x67, 0x00}, fail.NoTries, fail.CardRefused, fail.CardRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport := &tap{Transport: taro(t).Connect(), instead: answering(isQuery, tt.sw[:]...)}
			c := open(t, transport)
			if left, err := c.Tries(t.Context(), card.AuthPIN); left != tt.tries || !errors.Is(err, tt.triesE) {
				t.Errorf("tries %d, %v", left, err)
			}
			err := c.Verify(t.Context(), card.AuthPIN, []byte("1234"))
			if !errors.Is(err, tt.verify) {
				t.Errorf("verify: %v, want %v", err, tt.verify)
			}
			if sent := transport.verifies(); (sent == 1) != (tt.verify == nil) {
				t.Errorf("%d VERIFY", sent)
			}
		})
	}
}

func TestStatusWordsOfVerify(t *testing.T) {
	for _, tt := range []struct {
		sw   [2]byte
		want *fail.Error
		left int
	}{
		{[2]byte{0x63, 0xC2}, fail.PINWrong, 2},
		{[2]byte{0x63, 0xC1}, fail.PINWrong, 1},
		{[2]byte{0x63, 0xC0}, fail.PINLocked, 0},
		{[2]byte{0x69, 0x83}, fail.PINLocked, 0},
		{[2]byte{0x69, 0x84}, fail.PINLocked, 0},
		{[2]byte{0x63, 0x00}, fail.PINUnknown, fail.NoTries},
		{[2]byte{0x6F, 0x00}, fail.PINUnknown, fail.NoTries},
		{[2]byte{0x61, 0x10}, fail.PINUnknown, fail.NoTries},
		{[2]byte{0x6C, 0x04}, fail.PINUnknown, fail.NoTries},
		{[2]byte{0x6A, 0x88}, fail.CardRefused, fail.NoTries},
		{[2]byte{0x67, 0x00}, fail.CardRefused, fail.NoTries},
	} {
		t.Run(fmt.Sprintf("%X", tt.sw), func(t *testing.T) {
			transport := &tap{Transport: taro(t).Connect(), instead: answering(isVerify, tt.sw[:]...)}
			err := open(t, transport).Verify(t.Context(), card.AuthPIN, []byte("1234"))
			if !errors.Is(err, tt.want) || fail.From(err).Tries != tt.left {
				t.Errorf("got %v with %d left, want %v with %d", err, fail.From(err).Tries, tt.want, tt.left)
			}
			if transport.verifies() != 1 {
				t.Errorf("%d VERIFY, must be exactly one", transport.verifies())
			}
		})
	}
}

// Traps 5 to 8: what cannot be right never reaches the card.
func TestMalformedSecretsNeverReachTheCard(t *testing.T) {
	transport := &tap{Transport: taro(t).Connect()}
	c := open(t, transport)
	before := len(transport.commands)
	for pin, entries := range map[card.PIN][]string{
		card.AuthPIN:      {"", "123", "12345", "12a4", wide("1234"), "1234\n", "ABC123", " 1234"},
		card.SignPassword: {"", "1234", "ABC12", "ABC123DEF456GHI78", "abc123", "ABC-123", "ABC123\n", wide("ABC123")},
		card.CardInfoPIN:  {"", "12345", "ABCD"},
		card.NumberB:      {"", "1234", strings.Repeat("1", 13), strings.Repeat("1", 15)},
	} {
		for _, entry := range entries {
			if err := c.Verify(t.Context(), pin, []byte(entry)); !errors.Is(err, fail.PINFormat) {
				t.Errorf("%v %q: %v", pin, entry, err)
			}
		}
	}
	if len(transport.commands) != before {
		t.Errorf("%d commands sent", len(transport.commands)-before)
	}
	if err := c.Verify(t.Context(), card.PIN(0), []byte("1234")); err == nil {
		t.Error("no PIN kind, no error")
	}
}

// Trap 9: after the VERIFY has left nobody knows; nothing is sent again.
func TestAConnectionLostDuringVerifyIsUnknownAndNotRetried(t *testing.T) {
	for name, lost := range map[string]error{
		"reader error": errors.New("reset"), "a coded error": fail.ReaderBusy, "deadline": context.DeadlineExceeded,
	} {
		transport := &tap{Transport: taro(t).Connect(), instead: func(c []byte) ([]byte, error, bool) { return nil, lost, isVerify(c) }}
		err := open(t, transport).Verify(t.Context(), card.AuthPIN, []byte("1234"))
		if !errors.Is(err, fail.PINUnknown) || transport.verifies() != 1 {
			t.Errorf("%s: %v after %d VERIFY", name, err, transport.verifies())
		}
	}
}

// Trap 11: with the PIN file not selected, the secret would go to whatever file is current.
func TestVerifyStopsWhenThePINFileCannotBeSelected(t *testing.T) {
	transport := (&memory{missing: true}).over(taro(t).Connect(), 0x18)
	c := open(t, transport)
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("1234")); !errors.Is(err, card.Status(0x6A82)) {
		t.Errorf("got %v", err)
	}
	if transport.verifies() != 0 {
		t.Error("the PIN was sent")
	}
}

// Trap 13.
func TestASecretIsWipedAndInNoError(t *testing.T) {
	var sent []byte
	keep := &tap{Transport: taro(t).Connect()}
	keep.instead = func(c []byte) ([]byte, error, bool) {
		if isVerify(c) {
			sent = c
		}
		return nil, nil, false
	}
	secret := []byte("9876")
	err := open(t, keep).Verify(t.Context(), card.AuthPIN, secret)
	if len(sent) == 0 || bytes.Contains(sent, secret) {
		t.Errorf("the command still holds the secret: %X", sent)
	}
	if string(secret) != "9876" {
		t.Error("the caller's secret was changed")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), "9876") {
			t.Errorf("in the error: %v", e)
		}
	}
}

func TestNormalizeDigits(t *testing.T) {
	for entry, want := range map[string]string{
		"1234": "1234", wide("1234"): "1234", "12" + wide("34"): "1234",
		"": "", "12 34": "", "1234\n": "", "abcd": "", "\u0661\u0662\u0663\u0664": "", "\xFF\xFE": "", strings.Repeat("1", 17): "",
	} {
		got, err := card.NormalizeDigits(entry)
		if string(got) != want || (err == nil) != (want != "") || (err != nil && !errors.Is(err, fail.PINFormat)) {
			t.Errorf("%q: %q, %v", entry, got, err)
		}
	}
}

func TestNormalizePassword(t *testing.T) {
	for entry, want := range map[string]string{
		"ABC123": "ABC123", "abc123": "ABC123", wide("abc123"): "ABC123", wide("ABC") + "123": "ABC123",
		"ABCDEFGH12345678": "ABCDEFGH12345678",
		"":                 "", "1234": "", "ABC12": "", "ABCDEFGH123456789": "", "ABC-123": "", "ABC123\n": "", "ABC 123": "", "\u30A2BC1234": "",
	} {
		got, err := card.NormalizePassword(entry)
		if string(got) != want || (err == nil) != (want != "") || (err != nil && !errors.Is(err, fail.PINFormat)) {
			t.Errorf("%q: %q, %v", entry, got, err)
		}
	}
}
