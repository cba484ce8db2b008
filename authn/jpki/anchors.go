package jpki

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// testOrganization is the O of J-LIS's test hierarchy, and of ours.
const testOrganization = "JPKI-TEST"

// Anchors are the self-signed CA certificates an operator decided to trust, by purpose. Several
// generations of one CA share one name and differ in their keys. The CA certificate stored on a card
// is never one of them: a forged card carries a forged CA.
type Anchors struct{ Auth, Sign []*x509.Certificate }

// NewAnchors checks what an operator configured. Expired generations are allowed here, because time
// passes after the start too: Check refuses them by its own clock.
func NewAnchors(auth, sign []*x509.Certificate) (Anchors, error) {
	a := Anchors{Auth: slices.Clone(auth), Sign: slices.Clone(sign)}
	for _, purpose := range []Purpose{Authentication, Signature} {
		for i, anchor := range a.Of(purpose) {
			if err := checkAnchor(anchor); err != nil {
				return Anchors{}, fmt.Errorf("jpki: %s anchor %d: %w", purpose, i+1, err)
			}
		}
	}
	switch {
	case shareKey(auth, sign):
		return Anchors{}, errors.New("jpki: one key is an anchor of both purposes")
	case mixesTest(slices.Concat(auth, sign)):
		return Anchors{}, errors.New("jpki: anchors of the test hierarchy and of a real one together")
	}
	return a, nil
}

// Of returns the anchors of one purpose.
func (a Anchors) Of(purpose Purpose) []*x509.Certificate {
	switch purpose {
	case Authentication:
		return a.Auth
	case Signature:
		return a.Sign
	}
	return nil
}

// PurposeOf tells what a configured anchor is for, so that a revocation service can be chosen by
// issuer. Anything that is not an anchor has no purpose: the zero value.
func (a Anchors) PurposeOf(anchor *x509.Certificate) Purpose {
	for _, purpose := range []Purpose{Authentication, Signature} {
		if slices.ContainsFunc(a.Of(purpose), anchor.Equal) {
			return purpose
		}
	}
	return 0
}

// Issued finds the anchor that a Number names; nil when the operator does not trust it any more.
func (a Anchors) Issued(n Number, purpose Purpose) *x509.Certificate {
	for _, anchor := range a.Of(purpose) {
		if sha256.Sum256(anchor.Raw) == n.Issuer {
			return anchor
		}
	}
	return nil
}

func checkAnchor(c *x509.Certificate) error {
	switch {
	case c == nil:
		return errors.New("no certificate")
	case !c.BasicConstraintsValid || !c.IsCA:
		return errors.New("not a CA certificate")
	case c.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("its key may not sign certificates")
	case len(c.UnhandledCriticalExtensions) > 0:
		return Refusal{UnhandledCritical}
	case !strongSignature(c.SignatureAlgorithm):
		return Refusal{WeakSignature}
	case c.CheckSignatureFrom(c) != nil:
		return errors.New("not self-signed: the profile has no intermediate CAs")
	}
	return checkKey(c.PublicKey)
}

// shareKey compares keys and not certificates: re-certifying one key must not unite the purposes.
func shareKey(auth, sign []*x509.Certificate) bool {
	return slices.ContainsFunc(auth, func(a *x509.Certificate) bool {
		return slices.ContainsFunc(sign, func(s *x509.Certificate) bool {
			return bytes.Equal(a.RawSubjectPublicKeyInfo, s.RawSubjectPublicKeyInfo)
		})
	})
}

func mixesTest(all []*x509.Certificate) bool {
	isReal := func(c *x509.Certificate) bool { return !isTest(c) }
	return slices.ContainsFunc(all, isTest) && slices.ContainsFunc(all, isReal)
}

// Test says that these are anchors of a test hierarchy: whoever trusts them trusts nobody's real card.
func (a Anchors) Test() bool { return slices.ContainsFunc(slices.Concat(a.Auth, a.Sign), isTest) }

func isTest(c *x509.Certificate) bool {
	return slices.Contains(c.Subject.Organization, testOrganization)
}
