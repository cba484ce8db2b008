package authn_test

import (
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
)

// says answers every question in one way.
type says struct {
	answer revocation.Answer
	err    error
	asked  *revocation.Question
}

func (s says) Check(_ context.Context, q revocation.Question) (revocation.Answer, error) {
	*s.asked = q
	return s.answer, s.err
}

func TestRememberedFactsAreAsGoodAsTheirCertificate(t *testing.T) {
	anchor := &x509.Certificate{Raw: []byte("anchor")}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: today.AddDate(0, 1, 0)}
	proof := jpki.NumberOf(leaf, anchor).Encode()
	for name, tt := range map[string]struct {
		proof     []byte
		at        time.Time
		untrusted bool
		answer    revocation.Status
		err       error
		want      error
	}{
		"good":                                {proof: proof, at: today, answer: revocation.Good},
		"nobody is ever asked":                {proof: proof, at: today, answer: revocation.NotChecked},
		"revoked, as by moving house":         {proof: proof, at: today, answer: revocation.Revoked, want: fail.CertificateRevoked},
		"suspended":                           {proof: proof, at: today, answer: revocation.Suspended, want: fail.CertificateSuspended},
		"nobody answers":                      {proof: proof, at: today, err: errors.New("down"), want: fail.RevocationUnavailable},
		"unknown":                             {proof: proof, at: today, answer: revocation.Unknown, want: fail.RevocationUnavailable},
		"past its end":                        {proof: proof, at: today.AddDate(0, 1, 1), answer: revocation.Good, want: fail.CertificateExpired},
		"under an anchor that is not trusted": {proof: proof, at: today, untrusted: true, answer: revocation.Good, want: fail.ChainUntrusted},
		"garbage":                             {proof: []byte("garbage"), at: today, want: fail.Internal},
		"card-info data, which has none":      {at: today, answer: revocation.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			var asked revocation.Question
			s := authn.Sources{Revocation: says{revocation.Answer{Status: tt.answer}, tt.err, &asked}, Now: func() time.Time { return tt.at },
				Issuer: func(_ jpki.Number, purpose jpki.Purpose) *x509.Certificate {
					if tt.untrusted || purpose != jpki.Signature {
						return nil
					}
					return anchor
				}}
			err := s.Good(t.Context(), tt.proof, "shop")
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.want == nil && tt.proof != nil && (asked.Serial.Cmp(leaf.SerialNumber) != 0 || asked.Purpose != jpki.Signature.String() || asked.Client != "shop") {
				t.Errorf("asked %+v", asked)
			}
		})
	}
}
