// Package revocation answers one question: is this certificate, whose path authn/jpki already
// checked, still good right now?
// It knows OCSP (RFC 6960, RFC 8954). It refuses to know people, logins, HTTP routes and certificate
// profiles, and it never tells why a certificate was revoked: the reason may be a death (R6, R9).
package revocation

import (
	"context"
	"crypto/x509"
	"time"

	"tegata/authn/fail"
)

// Status is what an authority says about a certificate.
type Status int

const (
	Unknown   Status = iota // no usable answer: callers treat it as a refusal
	Good                    // the authority said so, freshly
	Revoked                 // gone for good
	Suspended               // on hold, for example after a call to the hotline: may become Good again
)

// String is the word for logs and pages of the operator.
func (s Status) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	case Suspended:
		return "suspended"
	}
	return "unknown"
}

// Answer is a status and the time for which the authority gave it. The zero value is a refusal.
type Answer struct {
	Status     Status
	ThisUpdate time.Time // the status was known to be correct then
	NextUpdate time.Time // newer information comes by then; zero if the authority does not say
}

// Checker asks an authority about leaf, which issuer signed. Every login asks again (R12).
// An error means that there is no usable answer and leads to fail.RevocationUnavailable; a status
// other than Good is an answer, not an error. Callers pass both to Refuse.
type Checker interface {
	Check(ctx context.Context, leaf, issuer *x509.Certificate) (Answer, error)
}

// Refuse turns the result of a Checker into the coded error of the login. It is nil only for a Good
// answer without an error (R9: fail closed).
func Refuse(answer Answer, err error) error {
	switch {
	case err != nil:
		return fail.RevocationUnavailable.Because(err)
	case answer.Status == Good:
		return nil
	case answer.Status == Revoked:
		return fail.CertificateRevoked
	case answer.Status == Suspended:
		return fail.CertificateSuspended
	}
	return fail.RevocationUnavailable
}
