//go:build linux && cgo

package pcsc_test

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
)

// timed is a card that keeps the time it took itself, so that what the layers between add can be told apart.
func timed(t testing.TB) (cardtest.Inserted, *atomic.Int64) {
	spent := new(atomic.Int64)
	return changed{newCard(t), func(_ []byte, answer func() ([]byte, error)) ([]byte, error) {
		start := time.Now()
		defer func() { spent.Add(int64(time.Since(start))) }()
		return answer()
	}}, spent
}

// bench runs do b.N times on one session and tells how much of each was the card's own work and how much was added by
// authn/card, this package, pcscd and the virtual reader.
func bench(b *testing.B, do func(s *pcsc.Session) error) {
	b.Helper()
	desk := pcsctest.Start(b, 1)
	inserted, spent := timed(b)
	desk.Insert(0, inserted, cardtest.Faults{})
	s := find(b)
	if err := s.Verify(b.Context(), card.AuthPIN, []byte("1234")); err != nil {
		b.Fatal(err)
	}
	spent.Store(0)
	for b.Loop() {
		if err := do(s); err != nil {
			b.Fatal(err)
		}
	}
	report(b, spent)
}

func report(b *testing.B, spent *atomic.Int64) {
	own := float64(spent.Load()) / float64(b.N) / 1e6
	b.ReportMetric(own, "card-ms/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6-own, "added-ms/op")
}

func BenchmarkReadCertificate(b *testing.B) {
	bench(b, func(s *pcsc.Session) error {
		_, err := s.AuthCertificate(b.Context())
		return err
	})
}

func BenchmarkSign(b *testing.B) {
	digest := sha256.Sum256([]byte("statement"))
	cert := &x509.Certificate{PublicKey: &keys()[0].PublicKey}
	bench(b, func(s *pcsc.Session) error {
		_, err := s.AuthSigner(b.Context(), cert).Sign(nil, digest[:], crypto.SHA256)
		return err
	})
}

// BenchmarkLogin is everything between PIN entry and result: find the card, VERIFY, certificate, signature, reset.
func BenchmarkLogin(b *testing.B) {
	desk := pcsctest.Start(b, 1)
	inserted, spent := timed(b)
	desk.Insert(0, inserted, cardtest.Faults{})
	awaitCards(b, 1)
	spent.Store(0)
	for b.Loop() {
		s, err := pcsc.Service{}.Find(b.Context(), here)
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(login(b.Context(), s), s.Close()); err != nil {
			b.Fatal(err)
		}
	}
	report(b, spent)
}
