package revocation

import (
	"context"
	"crypto/x509"
	"math/big"

	"tegata/authn/fail"
)

// Purposes of the questions about how certificates belong together, for bill and circuit.
const (
	PurposeCorrespondence = "correspondence"
	PurposeLink           = "link"
)

// Relations asks a platform operator which certificates are of one person. Both questions need that person's consent,
// whose text's version goes with them (R10). What comes back are serial numbers: they find an account, and are forgotten.
type Relations struct {
	Platform *Platform
	Breaker  *Breaker // its Next is not used
	Ledger   *Ledger  // nil counts nothing
}

// Correspondence asks for the serial number of the authentication certificate that belongs to a signature certificate.
// Its error is always fail.RevocationUnavailable with the cause inside.
func (r *Relations) Correspondence(ctx context.Context, signature *x509.Certificate, consent, client string) (*big.Int, error) {
	q := Question{Leaf: signature, Purpose: PurposeCorrespondence, Client: client}
	in, err := r.ask(ctx, correspondencePath, q, consent)
	if err != nil {
		return nil, err
	}
	serial, ok := parseSerial(in.Authentication)
	if !ok {
		return nil, fail.RevocationUnavailable.Because(errJSON)
	}
	return serial, nil
}

// Previous asks for the serial numbers that the holder of an authentication certificate had before, newest first; q has
// the certificate, or its number, and its issuer. Its error is always fail.RevocationUnavailable with the cause inside.
func (r *Relations) Previous(ctx context.Context, q Question, consent string) ([]*big.Int, error) {
	q.Purpose = PurposeLink
	in, err := r.ask(ctx, linkPath, q, consent)
	if err != nil {
		return nil, err
	}
	out := make([]*big.Int, len(in.Previous))
	for i, text := range in.Previous {
		var ok bool
		if out[i], ok = parseSerial(text); !ok {
			return nil, fail.RevocationUnavailable.Because(errJSON)
		}
	}
	return out, nil
}

func (r *Relations) ask(ctx context.Context, path string, q Question, consent string) (platformAnswer, error) {
	about, err := about(q)
	if err != nil {
		return platformAnswer{}, fail.RevocationUnavailable.Because(err)
	}
	about.Consent = consent
	var in platformAnswer
	err = r.Breaker.do(ctx, q.Purpose, func() error {
		if r.Ledger != nil {
			r.Ledger.count(q)
		}
		var err error
		in, err = r.Platform.ask(ctx, path, about)
		return err
	})
	if err != nil {
		return platformAnswer{}, fail.RevocationUnavailable.Because(err)
	}
	return in, nil
}

// parseSerial reads the lower-case hexadecimal of the API.
func parseSerial(text string) (*big.Int, bool) {
	if len(text) == 0 || len(text) > 2*maxSerial {
		return nil, false
	}
	serial, ok := new(big.Int).SetString(text, 16)
	return serial, ok && serial.Sign() > 0 && serial.Text(16) == text
}
