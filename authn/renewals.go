package authn

import (
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"time"

	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/storage"
)

// Renewals asks which cards a renewed one replaces. The answer comes as indexes: serial numbers go no further than here.
type Renewals struct {
	Relations interface {
		Previous(ctx context.Context, q revocation.Question, consent string) ([]*big.Int, error)
	}
	Revocation revocation.Checker
	Issuer     func(jpki.Number) *x509.Certificate // nil for an anchor that is not trusted any more
	IndexKey   []byte                              // the Judge's
	Now        func() time.Time
}

var (
	errNoIssuer = errors.New("authn: the card's issuer is not trusted any more")
	errNoNumber = errors.New("authn: nothing is known of the card to ask by")
)

// Before gives the index of every card that the holder of card had before. consent is the version of the text by which
// she agreed to the question (R10). Errors: fail.RenewalUnavailable.
func (r *Renewals) Before(ctx context.Context, card []byte, consent, client string) ([][]byte, error) {
	q, _, err := r.question(card, client)
	if err != nil {
		return nil, fail.RenewalUnavailable.Because(err)
	}
	serials, err := r.Relations.Previous(ctx, q, consent)
	if err != nil {
		return nil, fail.RenewalUnavailable.Because(err)
	}
	indexes := make([][]byte, len(serials))
	for i, serial := range serials {
		indexes[i] = jpki.IndexOf(r.IndexKey, jpki.Authentication, serial)
	}
	return indexes, nil
}

// Over says whether none of the cards can be used any more. A card that its authority still calls good, or that is only
// suspended, was not replaced by another one, whatever is said about it elsewhere: its owner is somebody else.
// Errors: fail.RenewalUnavailable.
func (r *Renewals) Over(ctx context.Context, cards []storage.Credential, client string) (bool, error) {
	for _, c := range cards {
		q, ends, err := r.question(c.Card, client)
		if err != nil {
			return false, fail.RenewalUnavailable.Because(err)
		}
		if r.Now().After(ends) {
			continue
		}
		answer, err := r.Revocation.Check(ctx, q)
		switch {
		case err != nil, answer.Status == revocation.Unknown, answer.Status == revocation.NotChecked:
			return false, fail.RenewalUnavailable.Because(err)
		case answer.Status != revocation.Revoked:
			return false, nil
		}
	}
	return true, nil
}

func (r *Renewals) question(card []byte, client string) (revocation.Question, time.Time, error) {
	n, err := jpki.ParseNumber(card)
	if err != nil {
		return revocation.Question{}, time.Time{}, errNoNumber
	}
	issuer := r.Issuer(n)
	if issuer == nil {
		return revocation.Question{}, time.Time{}, errNoIssuer
	}
	return revocation.Question{Serial: n.Serial, Issuer: issuer, Purpose: jpki.Authentication.String(), Client: client}, n.NotAfter, nil
}
