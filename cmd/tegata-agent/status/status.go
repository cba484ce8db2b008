// Package status looks at readers and cards without spending anything: what lies where, whether its certificates are in
// force, and how many tries each PIN has left. It reads no name, number or serial, and never a My Number.
// It refuses to know logins.
package status

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
)

// Card is what a look needs; *pcsc.Session is one.
type Card interface {
	Kind() card.Kind
	Tries(ctx context.Context, p card.PIN) (int, error)
	AuthCertificate(ctx context.Context) ([]byte, error)
	HasSignCertificate(ctx context.Context) (bool, error)
	Close() error
}

// Stack is the machine's readers.
type Stack interface {
	Readers(ctx context.Context) ([]pcsc.Reader, error)
	Open(ctx context.Context, reader string) (Card, error)
}

// Machine is the Stack of PC/SC.
type Machine struct{ pcsc.Service }

// Open takes the card in a reader.
func (m Machine) Open(ctx context.Context, reader string) (Card, error) {
	s, err := m.Service.Open(ctx, reader)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Reader is one reader and what lies in it.
type Reader struct {
	Name string `json:"name"`
	Card string `json:"card"`            // My Number Card, phone, none, or Unknown
	Code string `json:"error,omitempty"` // code of authn/fail: why there is no more to tell

	AuthCertificate *Certificate `json:"auth_certificate,omitempty"`
	SignCertificate string       `json:"signature_certificate,omitempty"` // present or absent; when it ends only its password tells
	Tries           *Tries       `json:"tries,omitempty"`
}

// What Reader.Card can say.
const (
	MyNumberCard = "my_number_card"
	Phone        = "phone"
	NoCard       = "none"
	Unknown      = "unknown"
)

// Certificate is when the login certificate is in force.
type Certificate struct {
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	State     string    `json:"state"` // valid, expired, not_yet_valid
}

// Tries are the entries left; nil where the card does not tell. EF 0012 of the card-info application, which is blocked
// on every card as issued, is none of them and is never asked.
type Tries struct {
	AuthPIN      *int `json:"auth_pin"`
	SignPassword *int `json:"signature_password"`
	CardInfoPIN  *int `json:"card_info_pin"`
	NumberB      *int `json:"number_b"`
}

// Look lists the readers. The error is fail.PCSCUnavailable or fail.ReaderNone; what is wrong with one reader is in it.
func Look(ctx context.Context, s Stack, only string, now time.Time) ([]Reader, error) {
	found, err := s.Readers(ctx)
	if err != nil {
		return nil, err
	}
	out := []Reader{}
	for _, r := range found {
		if only == "" || r.Name == only {
			out = append(out, look(ctx, s, r, now))
		}
	}
	if len(out) == 0 {
		return nil, fail.ReaderNone
	}
	return out, nil
}

func look(ctx context.Context, s Stack, r pcsc.Reader, now time.Time) Reader {
	out := Reader{Name: r.Name, Card: NoCard}
	if !r.HasCard {
		return out
	}
	out.Card = Unknown
	c, err := s.Open(ctx, r.Name)
	if err == nil {
		err = errors.Join(out.read(ctx, c, now), c.Close())
	}
	if err != nil {
		out.Code = fail.From(err).Code
	}
	return out
}

// read asks the certificates' application first and the other last: phones do not have it, and it ends the first one's session.
func (r *Reader) read(ctx context.Context, c Card, now time.Time) error {
	r.Card = MyNumberCard
	if c.Kind() == card.AndroidPhone {
		r.Card = Phone
	}
	if err := r.certificates(ctx, c, now); err != nil {
		return err
	}
	r.Tries = &Tries{}
	for _, ask := range []struct {
		pin  card.PIN
		into **int
	}{{card.AuthPIN, &r.Tries.AuthPIN}, {card.SignPassword, &r.Tries.SignPassword}, {card.CardInfoPIN, &r.Tries.CardInfoPIN}, {card.NumberB, &r.Tries.NumberB}} {
		n, err := c.Tries(ctx, ask.pin)
		if errors.Is(err, fail.CardRemoved) {
			return err
		}
		if err == nil && n != fail.NoTries { // a PIN that is not there has no tries to tell
			*ask.into = &n
		}
	}
	return nil
}

func (r *Reader) certificates(ctx context.Context, c Card, now time.Time) error {
	has, err := c.HasSignCertificate(ctx)
	if err != nil {
		return err
	}
	r.SignCertificate = "absent"
	if has {
		r.SignCertificate = "present"
	}
	der, err := c.AuthCertificate(ctx)
	if errors.Is(err, fail.CardRefused) && r.Card == Phone {
		return nil // a phone shows it after the PIN only
	}
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fail.CardDataBroken.Because(err)
	}
	r.AuthCertificate = &Certificate{cert.NotBefore, cert.NotAfter, stateAt(cert, now)}
	return nil
}

func stateAt(cert *x509.Certificate, now time.Time) string {
	switch {
	case now.Before(cert.NotBefore):
		return "not_yet_valid"
	case now.After(cert.NotAfter):
		return "expired"
	}
	return "valid"
}
