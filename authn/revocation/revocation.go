// Package revocation answers one question: is this certificate, whose path authn/jpki already
// checked, still good right now?
// It knows four back ends (OCSP, CRL, the HTTP API of a platform operator, and None, which says so) and
// what belongs around them: sharing, breaking, metering. It refuses to know people, logins, HTTP routes and
// certificate profiles, and it never tells why a certificate was revoked: the reason may be a death (R6, R9).
//
// A server puts them together as Shared{Breaker{Metered{back end}}}: what is shared is not asked, and what
// is broken is not billed.
package revocation

import (
	"context"
	"crypto/x509"
	"math/big"
	"time"

	"tegata/authn/fail"
)

// Status is what an authority says about a certificate.
type Status int

const (
	Unknown    Status = iota // no usable answer: callers treat it as a refusal
	Good                     // the authority said so, freshly
	Revoked                  // gone for good
	Suspended                // on hold, for example after a call to the hotline: may become Good again
	NotChecked               // nobody was asked, by the operator's decision: see None
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
	case NotChecked:
		return "not checked"
	}
	return "unknown"
}

// Answer is a status and the time for which the authority gave it. The zero value is a refusal.
type Answer struct {
	Status     Status
	ThisUpdate time.Time // the status was known to be correct then
	NextUpdate time.Time // newer information comes by then; zero if the authority does not say
}

// Question is one certificate to ask about, and who pays for it.
type Question struct {
	Leaf   *x509.Certificate // nil when nothing but Serial is left of it
	Issuer *x509.Certificate // signed Leaf, as authn/jpki found
	Serial *big.Int          // of a certificate that was seen before; Leaf's own counts where there is one
	// Purpose and Client are for the bill and for choosing a service: the certificate's purpose in the words of
	// jpki.Purpose, and the relying party's client_id.
	Purpose string
	Client  string
}

// number is the certificate's serial number; nil if there is nothing to ask about.
func (q Question) number() *big.Int {
	if q.Leaf != nil {
		return q.Leaf.SerialNumber
	}
	return q.Serial
}

// StatusJob stands in Question.Client for the relying party where the provider asks on its own account.
const StatusJob = "(status job)"

// Checker asks an authority. Every login asks again (R12). It is safe for concurrent use.
// An error means that there is no usable answer and leads to fail.RevocationUnavailable; a status
// other than Good is an answer, not an error. Callers pass both to Refuse.
type Checker interface {
	Check(ctx context.Context, q Question) (Answer, error)
}

// ByPurpose asks the service of the question's purpose. For a purpose without one there is no answer.
type ByPurpose map[string]Checker

// Check passes the question on.
func (b ByPurpose) Check(ctx context.Context, q Question) (Answer, error) {
	next, ok := b[q.Purpose]
	if !ok {
		return Answer{}, fail.RevocationUnavailable.Because(errNoResponder)
	}
	return next.Check(ctx, q)
}

// None asks nobody. A login is then worth less (the caller caps its acr), and the answer never reads as Good.
type None struct{}

// Check says that nothing was checked.
func (None) Check(context.Context, Question) (Answer, error) {
	return Answer{Status: NotChecked}, nil
}

// Refuse turns the result of a Checker into the coded error of the login. It is nil only for a Good
// answer without an error (R9: fail closed). Who accepts NotChecked must say so before calling it.
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
