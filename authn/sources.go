package authn

import (
	"context"
	"crypto/x509"
	"time"

	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
)

// Sources asks whether what remembered facts were read from is still good.
type Sources struct {
	Revocation revocation.Checker
	Issuer     func(n jpki.Number, purpose jpki.Purpose) *x509.Certificate // nil for an anchor that is not trusted any more
	Now        func() time.Time
}

// Good asks about a claims.Person's Proof, for a client. nil: it is. fail.RevocationUnavailable: nobody can say at present.
// Every other error says that it is not and will not be again. Facts without a proof are as good as the card that is
// shown with them.
func (s *Sources) Good(ctx context.Context, proof []byte, client string) error {
	if len(proof) == 0 {
		return nil
	}
	n, err := jpki.ParseNumber(proof)
	if err != nil {
		return fail.Internal.Because(err)
	}
	issuer := s.Issuer(n, jpki.Signature)
	if issuer == nil {
		return fail.ChainUntrusted.Because(errNoIssuer)
	}
	if s.Now().After(n.NotAfter) {
		return fail.CertificateExpired
	}
	answer, err := s.Revocation.Check(ctx, revocation.Question{Serial: n.Serial, Issuer: issuer, Purpose: jpki.Signature.String(), Client: client})
	if err == nil && answer.Status == revocation.NotChecked {
		return nil // whoever asks nobody says so with the login's worth
	}
	return revocation.Refuse(answer, err)
}
