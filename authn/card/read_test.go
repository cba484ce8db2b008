package card_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// der is a SEQUENCE with a length field of the given form around n bytes.
func der(lengthForm []byte, n int) []byte {
	return append(append([]byte{0x30}, lengthForm...), bytes.Repeat([]byte{0xA5}, n)...)
}

// Traps 14 to 19: whatever way a card hands out a certificate, the certificate comes out, alone.
func TestReadingACertificate(t *testing.T) {
	usual := der([]byte{0x82, 0x06, 0x2B}, 1579) // 1583 bytes in all
	for _, tt := range []struct {
		name   string
		object []byte
		filler []byte
		atMost int
	}{
		{"one hundred bytes per answer", usual, make([]byte, 100), 100},
		{"one byte per answer", usual, make([]byte, 9), 1},
		{"as asked, filler 00", usual, make([]byte, 600), 0},
		{"as asked, filler FF", usual, bytes.Repeat([]byte{0xFF}, 600), 0},
		{"no filler: the file ends with the certificate", usual, nil, 0},
		{"a length in one byte", der([]byte{0x20}, 0x20), make([]byte, 50), 0},
		{"shorter than the header that is read first", der([]byte{0x01}, 1), make([]byte, 50), 0},
		{"a length of form 81", der([]byte{0x81, 0xC8}, 0xC8), make([]byte, 50), 0},
		{"the largest file there is", der([]byte{0x82, 0x7F, 0xFC}, 0x7FFC), nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &memory{file: append(bytes.Clone(tt.object), tt.filler...), atMost: tt.atMost}
			transport := m.over(taro(t).Connect(), 0x0A)
			got, err := open(t, transport).AuthCertificate(t.Context())
			if err != nil || !bytes.Equal(got, tt.object) {
				t.Fatalf("%d bytes, %v; want %d", len(got), err, len(tt.object))
			}
			for _, c := range transport.commands {
				if len(c) > 5+51+1 || (isRead(c) && c[2]&0x80 != 0) {
					t.Errorf("not a short APDU with a plain offset: %X", c) // traps 18 and 21
				}
			}
		})
	}
}

func TestBrokenCertificateFilesAreBoundedErrors(t *testing.T) {
	for name, file := range map[string][]byte{
		"64 kB":                 der([]byte{0x82, 0xFF, 0xFF}, 100),
		"one byte past 7FFF":    der([]byte{0x82, 0x7F, 0xFD}, 0x7FFD),
		"three length bytes":    der([]byte{0x83, 0x01, 0x00, 0x00}, 100),
		"four length bytes":     der([]byte{0x84, 0x7F, 0xFF, 0xFF, 0xFF}, 100),
		"indefinite length":     der([]byte{0x80}, 100),
		"blank FF":              bytes.Repeat([]byte{0xFF}, 500),
		"blank 00":              make([]byte, 500),
		"another tag":           {0x31, 0x03, 1, 2, 3, 4, 5, 6},
		"ends in the middle":    der([]byte{0x82, 0x06, 0x2B}, 700),
		"ends in the header":    {0x30, 0x82},
		"an empty file":         {},
		"ends behind the head ": {0x30, 0x82, 0x06, 0x2B},
	} {
		t.Run(name, func(t *testing.T) {
			m := &memory{file: file}
			_, err := open(t, m.over(taro(t).Connect(), 0x0A)).AuthCertificate(t.Context())
			if !errors.Is(err, fail.CardDataBroken) || m.reads > 12 {
				t.Errorf("%v after %d reads", err, m.reads)
			}
		})
	}
}

// Traps 15 and 16: answers that would keep a careless loop turning.
func TestOddAnswersToReadEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		response []byte
		want     error
	}{
		"success without data":       {[]byte{0x90, 0x00}, fail.CardDataBroken},
		"end of file without data":   {[]byte{0x62, 0x82}, fail.CardDataBroken},
		"6C for ever":                {[]byte{0x6C, 0x04}, fail.CardDataBroken},
		"61 for ever":                {[]byte{0x30, 0x61, 0x04}, fail.CardDataBroken},
		"61 without data for ever":   {[]byte{0x61, 0x00}, fail.CardDataBroken},
		"more bytes than asked for":  {[]byte{0x30, 0x03, 1, 2, 3, 0x90, 0x00}, fail.CardDataBroken},
		"security status":            {[]byte{0x69, 0x82}, fail.CardRefused},
		"data with an unknown state": {[]byte{1, 2, 3, 4, 0x63, 0x10}, fail.CardRefused},
	} {
		t.Run(name, func(t *testing.T) {
			virtual := taro(t)
			transport := &tap{Transport: virtual.Connect()}
			c := open(t, transport)
			transport.commands = nil
			transport.instead = answering(func(c []byte) bool { return isRead(c) || c[1] == 0xC0 }, tt.response...)
			if _, err := c.AuthCertificate(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
			if len(transport.commands) > 10 {
				t.Errorf("%d commands", len(transport.commands))
			}
		})
	}
}

// Trap 16: T=0 cards answer in two steps.
func TestWrongLeAndGetResponseAreFollowed(t *testing.T) {
	object := der([]byte{0x82, 0x02, 0x00}, 0x200)
	var pending []byte
	inner := &memory{file: append(object, make([]byte, 40)...)}
	transport := inner.over(taro(t).Connect(), 0x0A)
	plain := transport.instead
	transport.instead = func(c []byte) ([]byte, error, bool) {
		if c[1] == 0xC0 {
			return append(pending, 0x90, 0x00), nil, true
		}
		response, err, taken := plain(c)
		switch {
		case !taken || !isRead(c):
			return response, err, taken
		case c[4] > 100:
			return []byte{0x6C, 100}, nil, true
		}
		pending = response[:len(response)-2]
		return []byte{0x61, byte(len(pending))}, nil, true
	}
	got, err := open(t, transport).AuthCertificate(t.Context())
	if err != nil || !bytes.Equal(got, object) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func signer(t *testing.T, transport card.Transport, public crypto.PublicKey) crypto.Signer {
	t.Helper()
	c := open(t, transport)
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	return c.AuthSigner(t.Context(), &x509.Certificate{PublicKey: public})
}

// Traps 30 and 36: a card that answers 9000 with something else than the signature.
func TestEverySignatureIsCheckedAgainstTheCertificate(t *testing.T) {
	digest := sha256.Sum256([]byte("statement"))
	other, err := rsa.SignPKCS1v15(nil, keys()[strangerKey], crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	ok := []byte{0x90, 0x00}
	for name, response := range map[string][]byte{
		"256 zero bytes":                 append(make([]byte, 256), ok...),
		"another key's signature":        append(bytes.Clone(other), ok...),
		"a signature that is too short":  append(bytes.Clone(other[:255]), ok...),
		"a signature with a byte behind": append(append(bytes.Clone(other), 0), ok...),
		"nothing":                        ok,
	} {
		transport := &tap{Transport: taro(t).Connect(), instead: answering(isSign, response...)}
		_, err := signer(t, transport, &keys()[authKey].PublicKey).Sign(nil, digest[:], crypto.SHA256)
		if !errors.Is(err, fail.SignatureInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = signer(t, taro(t).Connect(), &keys()[strangerKey].PublicKey).Sign(nil, digest[:], crypto.SHA256)
	if !errors.Is(err, fail.SignatureInvalid) {
		t.Errorf("swapped card: %v", err)
	}
}

func TestASignatureThatWaitsForGetResponse(t *testing.T) {
	virtual := taro(t)
	transport := &tap{Transport: virtual.Connect()}
	transport.instead = func(c []byte) ([]byte, error, bool) {
		if !isSign(c) {
			return nil, nil, false
		}
		response, err := transport.Transport.Transmit(t.Context(), c[:len(c)-1]) // T=0: no Le
		return response, err, true
	}
	digest := sha256.Sum256([]byte("statement"))
	s := signer(t, transport, &keys()[authKey].PublicKey)
	if _, err := s.Sign(nil, digest[:], crypto.SHA256); err != nil {
		t.Error(err)
	}
	if last := transport.commands[len(transport.commands)-1]; last[1] != 0xC0 {
		t.Errorf("no GET RESPONSE: the test tests nothing (%X)", last)
	}
}

// Trap 39: no raw input, no other hash, no other padding.
func TestTheSignerTakesSHA256AndPKCS1v15Only(t *testing.T) {
	transport := &tap{Transport: taro(t).Connect()}
	s := signer(t, transport, &keys()[authKey].PublicKey)
	before := len(transport.commands)
	for name, try := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
	}{
		"SHA-1": {make([]byte, 20), crypto.SHA1}, "SHA-384": {make([]byte, 48), crypto.SHA384},
		"raw": {make([]byte, 32), crypto.Hash(0)}, "PSS": {make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256}},
		"a digest of another length": {make([]byte, 31), crypto.SHA256}, "no options": {make([]byte, 32), nil},
	} {
		if _, err := s.Sign(nil, try.digest, try.opts); !errors.Is(err, fail.Internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(transport.commands) != before {
		t.Error("the card was asked")
	}
	next := signer(t, taro(t).Connect(), "no key")
	if _, err := next.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, fail.CardUnsupported) {
		t.Errorf("a certificate of the next generation: %v", err)
	}
}
