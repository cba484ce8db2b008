package card_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

func TestAWholeLoginReadsVerifiesAndSigns(t *testing.T) {
	virtual := taro(t)
	c := open(t, virtual.Connect())
	if c.Kind() != card.Plastic {
		t.Errorf("kind %v", c.Kind())
	}
	der, err := c.AuthCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signWith(t, c, card.AuthPIN, "1234", der, c.AuthSigner)

	if err := c.Verify(t.Context(), card.SignPassword, []byte("ABC123")); err != nil {
		t.Fatal(err)
	}
	der, err = c.SignCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signWith(t, c, card.SignPassword, "ABC123", der, c.SignSigner)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if virtual.MyNumberTouched() {
		t.Error("the My Number was touched")
	}
}

func signWith(t *testing.T, c *card.Card, p card.PIN, secret string, der []byte, signer func(context.Context, *x509.Certificate) crypto.Signer) {
	t.Helper()
	if err := c.Verify(t.Context(), p, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der) // fails on filler behind the certificate
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a statement"))
	signature, err := signer(t.Context(), cert).Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

func TestOpenKnowsCardsByTheirLabel(t *testing.T) {
	pad := func(label string, filler byte) []byte {
		b := make([]byte, 160)
		for i := range b {
			b[i] = filler
		}
		copy(b, label)
		return b
	}
	for _, tt := range []struct {
		name string
		file []byte
		kind card.Kind
		want error
	}{
		{"the plastic card", pad("JPKIAPICCTOKEN2", ' '), card.Plastic, nil},
		{"a label padded with zero bytes", pad("JPKIAPICCTOKEN2", 0), card.Plastic, nil},
		{"an Android phone", pad("JPKIAPGPSETOKEN", ' '), card.AndroidPhone, nil},
		{"an old resident card", pad("JPKIAPICCTOKEN", ' '), card.Unknown, fail.CardOldJuki},
		{"an iPhone", pad("JPKIAPIOSTOKEN", ' '), card.Unknown, fail.CardUnsupported},
		{"a card of the future", pad("JPKIAPICCTOKEN3", ' '), card.Unknown, fail.CardUnsupported},
		{"a blank label", pad("", 0xFF), card.Unknown, fail.CardUnsupported},
		{"a file shorter than a label", []byte("JPKI"), card.Unknown, fail.CardUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &memory{file: tt.file}
			c, err := card.Open(t.Context(), m.over(taro(t).Connect(), 0x06))
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && c.Kind() != tt.kind {
				t.Errorf("kind %v, want %v", c.Kind(), tt.kind)
			}
		})
	}
}

// Trap 23: licences and transit cards share the card's ATR prefix; only the application tells.
func TestOpenRefusesOtherCardsWithoutTouchingAPIN(t *testing.T) {
	for name, sw := range map[string][2]byte{
		"no such application": {0x6A, 0x82}, "SELECT unknown": {0x6D, 0x00}, "class unknown": {0x6E, 0x00},
		"wrong parameters": {0x6A, 0x86}, "deactivated": {0x62, 0x83},
	} {
		t.Run(name, func(t *testing.T) {
			foreign := &tap{Transport: taro(t).Connect(), instead: answering(func([]byte) bool { return true }, sw[0], sw[1])}
			if _, err := card.Open(t.Context(), foreign); !errors.Is(err, fail.CardUnsupported) {
				t.Errorf("got %v", err)
			}
			for _, c := range foreign.commands {
				if c[1] == 0x20 {
					t.Error("a PIN was asked about")
				}
			}
		})
	}
}

// Trap 20: a card pulled during a command shows as an empty answer, or as an error of the reader.
func TestACardPulledAtAnyCommandIsAnErrorAndNeverAPanic(t *testing.T) {
	virtual := taro(t)
	for name, gone := range map[string]struct {
		response []byte
		err      error
	}{
		"empty answer": {nil, nil}, "one byte": {[]byte{0x90}, nil}, "reader error": {nil, errors.New("removed")},
	} {
		for at := range 40 {
			transport := &tap{Transport: virtual.Connect()}
			transport.instead = func([]byte) ([]byte, error, bool) {
				return gone.response, gone.err, len(transport.commands) > at
			}
			err := wholeLogin(t, transport)
			if len(transport.commands) <= at {
				break // the login has fewer commands
			}
			want := fail.CardRemoved
			if isVerify(transport.commands[at]) {
				want = fail.PINUnknown // trap 9
			}
			if !errors.Is(err, want) || len(transport.commands) != at+1 {
				t.Errorf("%s at command %d: %v after %d commands, want %v", name, at, err, len(transport.commands), want)
			}
		}
	}
}

// wholeLogin is every operation that needs a card, up to the first error.
func wholeLogin(t *testing.T, transport card.Transport) error {
	ctx := t.Context()
	c, err := card.Open(ctx, transport)
	if err != nil {
		return err
	}
	der, err := c.AuthCertificate(ctx)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if _, err := c.Tries(ctx, card.AuthPIN); err != nil {
		return err
	}
	if err := c.Verify(ctx, card.AuthPIN, []byte("1234")); err != nil {
		return err
	}
	digest := sha256.Sum256(nil)
	if _, err := c.AuthSigner(ctx, cert).Sign(nil, digest[:], crypto.SHA256); err != nil {
		return err
	}
	if err := c.Verify(ctx, card.CardInfoPIN, []byte("1234")); err != nil {
		return err
	}
	_, err = c.ReadCardInfo(ctx)
	return err
}

func TestErrorsOfTheTransportKeepTheirCode(t *testing.T) {
	for _, want := range []error{fail.ReaderBusy, context.Canceled, context.DeadlineExceeded} {
		busy := &tap{Transport: taro(t).Connect(), instead: func([]byte) ([]byte, error, bool) { return nil, want, true }}
		if _, err := card.Open(t.Context(), busy); !errors.Is(err, want) || errors.Is(err, fail.CardRemoved) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestACancelledContextSendsNothing(t *testing.T) {
	transport := &tap{Transport: taro(t).Connect()}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := card.Open(ctx, transport); !errors.Is(err, context.Canceled) || len(transport.commands) != 0 {
		t.Errorf("got %v after %d commands", err, len(transport.commands))
	}
}

// Trap 35: what one program verified, the next must not inherit.
func TestCloseForgetsTheVerifiedPIN(t *testing.T) {
	virtual := taro(t)
	first := open(t, virtual.Connect())
	if err := first.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	err := signOnce(t, open(t, virtual.Connect()))
	if !errors.Is(err, card.Status(0x6982)) || !errors.Is(err, fail.CardRefused) {
		t.Errorf("a new session signed without a PIN: %v", err)
	}
	if _, err := first.Tries(t.Context(), card.AuthPIN); err == nil {
		t.Error("a closed session still answers")
	}
}

func signOnce(t *testing.T, c *card.Card) error {
	cert := &x509.Certificate{PublicKey: &keys()[authKey].PublicKey}
	digest := sha256.Sum256([]byte("once"))
	_, err := c.AuthSigner(t.Context(), cert).Sign(nil, digest[:], crypto.SHA256)
	return err
}

func TestSelectingTheOtherApplicationEndsTheSessionOfAPIN(t *testing.T) {
	c := open(t, taro(t).Connect())
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tries(t.Context(), card.SignPassword); err != nil {
		t.Fatal(err)
	}
	if err := signOnce(t, c); err != nil {
		t.Errorf("within the application the PIN stays verified: %v", err)
	}
	if _, err := c.Tries(t.Context(), card.CardInfoPIN); err != nil {
		t.Fatal(err)
	}
	if err := signOnce(t, c); !errors.Is(err, card.Status(0x6982)) {
		t.Errorf("got %v", err)
	}
}

// Trap 25: children and people who opted out.
func TestSignatureCertificateMissing(t *testing.T) {
	without := material(t)
	without.SignCert, without.SignKey = nil, nil
	child := cardtest.New(persona(t, "child"), without)
	c := open(t, child.Connect())
	if has, err := c.HasSignCertificate(t.Context()); err != nil || has {
		t.Errorf("has %v, %v", has, err)
	}
	if _, err := c.SignCertificate(t.Context()); !errors.Is(err, fail.SignCertMissing) {
		t.Errorf("got %v", err)
	}
	if _, err := c.AuthCertificate(t.Context()); err != nil {
		t.Errorf("the login must still work: %v", err)
	}
	for name, m := range map[string]*memory{
		"blank with FF": {file: []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}, "blank with 00": {file: make([]byte, 2048)},
		"an empty file": {}, "no file": {missing: true},
	} {
		c := open(t, m.over(taro(t).Connect(), 0x01))
		if _, err := c.SignCertificate(t.Context()); !errors.Is(err, fail.SignCertMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignatureCertificateNeedsItsPassword(t *testing.T) {
	c := open(t, taro(t).Connect())
	if has, err := c.HasSignCertificate(t.Context()); err != nil || !has {
		t.Errorf("has %v, %v", has, err)
	}
	if _, err := c.SignCertificate(t.Context()); !errors.Is(err, card.Status(0x6982)) || !errors.Is(err, fail.CardRefused) {
		t.Errorf("got %v", err)
	}
}

func TestACardWithoutTheCertificateListMayHoldOne(t *testing.T) {
	c := open(t, (&memory{missing: true}).over(taro(t).Connect(), 0x08))
	if has, err := c.HasSignCertificate(t.Context()); err != nil || !has {
		t.Errorf("has %v, %v", has, err)
	}
}

// A phone has no card-info application; asking for it must not spoil the rest of the session.
func TestACardWithoutTheCardInfoApplication(t *testing.T) {
	transport := &tap{Transport: taro(t).Connect()}
	transport.instead = answering(func(c []byte) bool { return bytes.Equal(c, selectAID(cardInfoAID)) }, 0x6A, 0x82)
	c := open(t, transport)
	if err := c.Verify(t.Context(), card.CardInfoPIN, []byte("1234")); !errors.Is(err, fail.CardUnsupported) {
		t.Errorf("got %v", err)
	}
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Errorf("the JPKI application is gone: %v", err)
	}
}
