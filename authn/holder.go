package authn

import (
	"context"
	"crypto/x509"
	"math/big"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

// Holder says how it is known that the attributes are about whoever logged in. Two good cards of two people can be used
// together, one for each certificate; only the authority knows that they are two people's.
type Holder string

const (
	// HolderUnasked: nobody was asked. The attributes are somebody's whose card and password, or card-info PIN, were at
	// hand; whoever needs more must not take them for the person's own.
	HolderUnasked Holder = ""
	// HolderAlone: there are no attributes, so there is one certificate.
	HolderAlone Holder = "alone"
	// HolderConfirmed: the platform operator's correspondence service says that both certificates are of one person.
	HolderConfirmed Holder = "confirmed"
)

// correspondence is the one question about two certificates; revocation.Relations asks it.
type correspondence interface {
	Correspondence(ctx context.Context, signature *x509.Certificate, consent, client string) (*big.Int, error)
}

func (j *Judge) holder(b brought) Holder {
	switch {
	case b.leaf == nil && b.files == nil:
		return HolderAlone
	case b.leaf != nil && j.Correspondence != nil:
		return HolderConfirmed
	}
	return HolderUnasked
}

// oneHolder refuses the certificates of two people, and fails closed where nobody answers. The consent is the sentence
// that the signature certificate itself declares (R8, R10).
func (j *Judge) oneHolder(ctx context.Context, authentication, signature *x509.Certificate, client string) error {
	serial, err := j.Correspondence.Correspondence(ctx, signature, statement.ShareAttributes, client)
	if err != nil {
		return fail.RevocationUnavailable.Because(err)
	}
	if serial.Cmp(authentication.SerialNumber) != 0 {
		return fail.CardsDiffer
	}
	return nil
}
