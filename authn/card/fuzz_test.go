package card_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"tegata/authn/card"
	"tegata/authn/cardtest"
)

// script answers commands from fuzzed bytes: a length byte, then that many bytes, over and over.
type script struct {
	rest     []byte
	commands int
	verifies int
}

func (s *script) Close() error { return nil }

func (s *script) Transmit(_ context.Context, command []byte) ([]byte, error) {
	s.commands++
	if isVerify(command) {
		s.verifies++
	}
	if len(s.rest) == 0 {
		return nil, nil
	}
	n := min(int(s.rest[0]), len(s.rest)-1)
	response := s.rest[1 : 1+n]
	s.rest = s.rest[1+n:]
	return response, nil
}

// FuzzResponses lets a card answer anything to anything: no panic, no command without an answer to
// it, and one VERIFY per entry.
func FuzzResponses(f *testing.F) {
	opened := append([]byte{2, 0x90, 0, 2, 0x90, 0, 34}, append(label, 0x90, 0)...)
	f.Add(opened)
	f.Add(append(opened, 2, 0x90, 0, 6, 0x30, 3, 1, 2, 0x90, 0, 2, 0x62, 0x82))
	f.Add(append(opened, 2, 0x6C, 1, 2, 0x61, 0, 2, 0x63, 0xC1))
	f.Fuzz(func(t *testing.T, answers []byte) {
		s := &script{rest: answers}
		c, err := card.Open(t.Context(), s)
		if err == nil {
			everything(t, c)
		}
		if s.commands > len(answers)+20 || s.verifies > 3 {
			t.Errorf("%d commands, %d VERIFY for %d bytes of answers", s.commands, s.verifies, len(answers))
		}
	})
}

func everything(t *testing.T, c *card.Card) {
	ctx := t.Context()
	_, _ = c.AuthCertificate(ctx)
	_, _ = c.Tries(ctx, card.AuthPIN)
	_ = c.Verify(ctx, card.AuthPIN, []byte("1234"))
	digest := sha256.Sum256(nil)
	signer := c.AuthSigner(ctx, &x509.Certificate{PublicKey: &keys()[authKey].PublicKey})
	if _, err := signer.Sign(nil, digest[:], crypto.SHA256); err == nil {
		t.Error("a signature out of nothing")
	}
	_ = c.Verify(ctx, card.SignPassword, []byte("ABC123"))
	_, _ = c.SignCertificate(ctx)
	_ = c.Verify(ctx, card.CardInfoPIN, []byte("1234"))
	_, _ = c.ReadCardInfo(ctx)
}

func FuzzParseCardInfo(f *testing.F) {
	f.Add(cardtest.EncodeCardInfo(persona(f, "taro")))
	f.Add(cardtest.EncodeCardInfo(persona(f, "henkan")))
	f.Add([]byte{0xFF, 0x20, 0x82, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, file []byte) {
		info, err := card.ParseCardInfo(file)
		if err == nil && (info.Name == "" || len(info.Birth) != 8 || len(info.Sex) != 1) {
			t.Error("accepted without its attributes")
		}
	})
}

func FuzzVerifyCardInfo(f *testing.F) {
	good := readCardInfo(f, taro(f), card.CardInfoPIN, "1234")
	f.Add(good.EF0002, good.EF0003, good.EF0004)
	f.Add([]byte{}, []byte{0xFF, 0x30, 0x00}, []byte{0x7F, 0x21, 0x00})
	f.Fuzz(func(t *testing.T, ef0002, ef0003, ef0004 []byte) {
		files := card.CardInfoFiles{EF0002: ef0002, EF0003: ef0003, EF0004: ef0004}
		err := card.VerifyCardInfo(files, issuers())
		if info, parsed := card.ParseCardInfo(ef0002); err == nil && parsed == nil {
			if want, _ := card.ParseCardInfo(good.EF0002); info != want {
				t.Error("forged")
			}
		}
	})
}
