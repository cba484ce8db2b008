//go:build linux && cgo

package pcsc_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/cardtest"
	"tegata/testdata/personas"
)

// keys are made once: RSA keys are most of a card.
var keys = sync.OnceValue(func() [4]*rsa.PrivateKey {
	var made [4]*rsa.PrivateKey
	for i := range made {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return made
})

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
	auth, sign, info, issuer := keys()[0], keys()[1], keys()[2], keys()[3]
	cvc, err := cardtest.CertifyCardInfoKey(&info.PublicKey, issuer)
	if err != nil {
		t.Fatal(err)
	}
	return cardtest.Material{
		AuthKey: auth, AuthCert: certificate(t, auth), AuthCA: certificate(t, issuer),
		SignKey: sign, SignCert: certificate(t, sign), SignCA: certificate(t, issuer), CardInfoKey: info, CardInfoCVC: cvc,
	}
}

// taro has the usual PINs.
func taro(t testing.TB) cardtest.Persona {
	t.Helper()
	all, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(p cardtest.Persona) bool { return p.ID == "taro" })
	if i < 0 {
		t.Fatal("no taro")
	}
	return all[i]
}

func newCard(t testing.TB) *cardtest.Card { return cardtest.New(taro(t), material(t)) }

// here is the service with a wait that covers what pcscd needs to notice a card.
var here = pcsc.Options{Wait: 5 * time.Second}

func find(t testing.TB) *pcsc.Session {
	t.Helper()
	s, err := pcsc.Service{}.Find(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// await asks until the readers look as wanted.
func await(t testing.TB, wanted func([]pcsc.Reader) bool) {
	t.Helper()
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if readers, err := (pcsc.Service{}).Readers(t.Context()); err == nil && wanted(readers) {
			return
		}
	}
	t.Fatal("the readers never look as wanted")
}

func awaitCards(t testing.TB, want int) {
	t.Helper()
	await(t, func(readers []pcsc.Reader) bool {
		return len(slices.DeleteFunc(readers, func(r pcsc.Reader) bool { return !r.HasCard })) == want
	})
}

// login does what a login does with a card, and checks the signature by the certificate.
func login(ctx context.Context, s *pcsc.Session) error {
	der, err := s.AuthCertificate(ctx)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if err := s.Verify(ctx, card.AuthPIN, []byte("1234")); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte("statement"))
	_, err = s.AuthSigner(ctx, cert).Sign(nil, digest[:], crypto.SHA256)
	return err
}

func mustLogin(t testing.TB) {
	t.Helper()
	s := find(t)
	if err := login(t.Context(), s); err != nil {
		t.Errorf("login: %v because of %v", err, errors.Unwrap(err))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// other is another program on the same machine.
type other struct {
	t    testing.TB
	ctx  *scard.Context
	card *scard.Card
}

func program(t testing.TB, reader string, mode scard.ShareMode) *other {
	t.Helper()
	ctx, err := scard.EstablishContext()
	if err != nil {
		t.Fatal(err)
	}
	card, err := ctx.Connect(reader, mode, scard.ProtocolT0|scard.ProtocolT1)
	if err != nil {
		t.Fatal(err)
	}
	o := &other{t, ctx, card}
	t.Cleanup(o.leave)
	return o
}

func (o *other) begin() *other {
	o.t.Helper()
	if err := o.card.BeginTransaction(); err != nil {
		o.t.Fatal(err)
	}
	return o
}

// again begins anew after the reset of another.
func (o *other) again() *other {
	o.t.Helper()
	if err := o.card.Reconnect(scard.ShareShared, scard.ProtocolT0|scard.ProtocolT1, scard.LeaveCard); err != nil {
		o.t.Fatal(err)
	}
	return o.begin()
}

func (o *other) end(then scard.Disposition) {
	o.t.Helper()
	if err := o.card.EndTransaction(then); err != nil {
		o.t.Error(err)
	}
}

func (o *other) leave() {
	_ = o.card.Disconnect(scard.LeaveCard)
	_ = o.ctx.Release()
}

// send returns the status word, or the whole answer.
func (o *other) send(command ...byte) []byte {
	o.t.Helper()
	response, err := o.card.Transmit(command)
	if err != nil {
		o.t.Fatal(err)
	}
	return response
}

var (
	selectJPKI    = []byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}
	selectAuthKey = []byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x17}
	notVerified   = []byte{0x69, 0x82}
)

// sign tries to use the authentication key without a PIN.
func (o *other) sign() []byte {
	o.t.Helper()
	o.send(selectJPKI...)
	o.send(selectAuthKey...)
	return o.send(append([]byte{0x80, 0x2A, 0x00, 0x80, 3, 1, 2, 3}, 0x00)...)
}

// foreign is a card of another kind. It remembers what it was told.
type foreign struct {
	mu       sync.Mutex
	resets   int
	commands [][]byte
	status   []byte
}

func (f *foreign) Connect() card.Transport {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resets++
	return f
}

func (f *foreign) Transmit(_ context.Context, command []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = append(f.commands, slices.Clone(command))
	return f.status, nil
}

func (f *foreign) Close() error { return nil }

func (f *foreign) heard() (resets int, commands [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.resets, slices.Clone(f.commands)
}

// counted is a card that counts how often it was switched on or reset.
type counted struct {
	*cardtest.Card
	resets atomic.Int64
}

func (c *counted) Connect() card.Transport {
	c.resets.Add(1)
	return c.Card.Connect()
}

// changed is a card whose answers are changed on their way.
type changed struct {
	*cardtest.Card
	by func(command []byte, answer func() ([]byte, error)) ([]byte, error)
}

func (c changed) Connect() card.Transport { return changedWire{c.Card.Connect(), c.by} }

type changedWire struct {
	card.Transport
	by func([]byte, func() ([]byte, error)) ([]byte, error)
}

func (w changedWire) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return w.by(command, func() ([]byte, error) { return w.Transport.Transmit(ctx, command) })
}
