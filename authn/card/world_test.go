package card_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/testdata/personas"
)

// keys are made once: five RSA keys are most of this package's test time.
var keys = sync.OnceValue(func() [5]*rsa.PrivateKey {
	var made [5]*rsa.PrivateKey
	for i := range made {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return made
})

// Names of the keys by their place.
const (
	authKey = iota
	signKey
	cardInfoKey
	issuerKey
	strangerKey
)

func certificate(t testing.TB, key *rsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "card test"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func material(t testing.TB) cardtest.Material {
	t.Helper()
	cvc, err := cardtest.CertifyCardInfoKey(&keys()[cardInfoKey].PublicKey, keys()[issuerKey])
	if err != nil {
		t.Fatal(err)
	}
	return cardtest.Material{
		AuthKey: keys()[authKey], AuthCert: certificate(t, keys()[authKey]), AuthCA: certificate(t, keys()[issuerKey]),
		SignKey: keys()[signKey], SignCert: certificate(t, keys()[signKey]), SignCA: certificate(t, keys()[issuerKey]),
		CardInfoKey: keys()[cardInfoKey], CardInfoCVC: cvc,
	}
}

func persona(t testing.TB, id string) cardtest.Persona {
	t.Helper()
	all, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no persona %s", id)
	return cardtest.Persona{}
}

func taro(t testing.TB) *cardtest.Card { return cardtest.New(persona(t, "taro"), material(t)) }

func open(t testing.TB, transport card.Transport) *card.Card {
	t.Helper()
	c, err := card.Open(t.Context(), transport)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c
}

// tap sees every command that reaches the card, and may answer in its place.
type tap struct {
	card.Transport
	commands [][]byte
	instead  func(command []byte) (response []byte, err error, taken bool)
}

func (w *tap) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	w.commands = append(w.commands, bytes.Clone(command))
	if w.instead != nil {
		if response, err, taken := w.instead(command); taken {
			return response, err
		}
	}
	return w.Transport.Transmit(ctx, command)
}

// verifies counts the commands that present a secret.
func (w *tap) verifies() int {
	n := 0
	for _, c := range w.commands {
		if isVerify(c) {
			n++
		}
	}
	return n
}

func isVerify(command []byte) bool { return command[1] == 0x20 && len(command) > 4 }

func isQuery(command []byte) bool { return command[1] == 0x20 && len(command) == 4 }

func isRead(command []byte) bool { return command[1] == 0xB0 }

func isSign(command []byte) bool { return command[1] == 0x2A }

// answering replaces the card's answer to the commands that fit.
func answering(fits func([]byte) bool, response ...byte) func([]byte) ([]byte, error, bool) {
	return func(command []byte) ([]byte, error, bool) { return response, nil, fits(command) }
}

// memory is a card of one file with free access, so that tests decide each byte a reader sees.
type memory struct {
	file    []byte
	atMost  int  // bytes per answer, 0 = as asked
	missing bool // the file cannot be selected
	reads   int
}

var label = append([]byte("JPKIAPICCTOKEN2"), bytes.Repeat([]byte{' '}, 17)...)

// over wraps the virtual card and lays the memory's bytes over one of its files.
func (m *memory) over(next card.Transport, id byte) *tap {
	current := byte(0)
	return &tap{Transport: next, instead: func(command []byte) ([]byte, error, bool) {
		switch {
		case command[1] == 0xA4 && command[2] == 0x02:
			current = command[6]
			if m.missing && current == id {
				return []byte{0x6A, 0x82}, nil, true
			}
		case isRead(command) && current == id:
			m.reads++
			return m.read(command), nil, true
		}
		return nil, nil, false
	}}
}

func (m *memory) read(command []byte) []byte {
	offset, n := int(command[2])<<8|int(command[3]), int(command[4])
	if n == 0 {
		n = 256
	}
	if m.atMost > 0 {
		n = min(n, m.atMost)
	}
	if offset >= len(m.file) {
		return []byte{0x6B, 0x00}
	}
	rest := m.file[offset:]
	if len(rest) < n {
		return append(bytes.Clone(rest), 0x62, 0x82)
	}
	return append(bytes.Clone(rest[:n]), 0x90, 0x00)
}
