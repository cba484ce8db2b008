package jpki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"time"
)

// Trust is an operator's decision whom to believe. Its methods are safe for concurrent use as long as
// nobody changes the fields.
type Trust struct {
	Anchors  Anchors
	Policies Policies // zero value: the production policies
}

// Check decides whether leaf may be used for purpose at the instant at, and returns the anchor that
// issued it. It proves neither that the holder is present nor that the certificate is not revoked.
// The error is always a Refusal.
//
// The path comes first: nothing that a stranger wrote into a certificate decides what we answer.
func (t *Trust) Check(leaf *x509.Certificate, purpose Purpose, at time.Time) (issuer *x509.Certificate, err error) {
	switch {
	case leaf == nil:
		return nil, Refusal{NoCertificate}
	case purpose != Authentication && purpose != Signature:
		return nil, Refusal{NoPurpose}
	case leaf.Version != 3:
		return nil, Refusal{OldVersion}
	case !strongSignature(leaf.SignatureAlgorithm):
		return nil, Refusal{WeakSignature}
	}
	anchor, err := t.issuer(leaf, purpose)
	if err != nil {
		return nil, err
	}
	if err := checkValidity(leaf, anchor, at); err != nil {
		return nil, err
	}
	if err := checkProfile(leaf, purpose); err != nil {
		return nil, err
	}
	if err := t.Policies.check(leaf, purpose); err != nil {
		return nil, err
	}
	return anchor, nil
}

// issuer finds the generation that signed leaf and says as precisely as possible why there is none.
func (t *Trust) issuer(leaf *x509.Certificate, purpose Purpose) (*x509.Certificate, error) {
	anchor, reason := signedBy(leaf, t.Anchors.Of(purpose))
	if reason == 0 {
		return anchor, nil
	}
	if _, none := signedBy(leaf, t.Anchors.Of(purpose.other())); none == 0 {
		return nil, Refusal{OtherPurpose}
	}
	return nil, Refusal{reason}
}

// signedBy narrows the anchors by name, then by key identifier, and lets the signature decide: all
// generations share one name, and a re-keyed CA may share an identifier.
func signedBy(leaf *x509.Certificate, anchors []*x509.Certificate) (*x509.Certificate, Reason) {
	reason := UnknownIssuer
	for _, anchor := range anchors {
		switch {
		case !bytes.Equal(leaf.RawIssuer, anchor.RawSubject):
		case !sameKeyID(leaf.AuthorityKeyId, anchor.SubjectKeyId):
			reason = max(reason, UnknownGeneration)
		case leaf.CheckSignatureFrom(anchor) != nil:
			reason = max(reason, ForgedSignature)
		default:
			return anchor, 0
		}
	}
	return nil, reason
}

// sameKeyID lets an absent identifier pass, because only the signature is proof.
func sameKeyID(authority, subject []byte) bool {
	return len(authority) == 0 || len(subject) == 0 || bytes.Equal(authority, subject)
}

// checkValidity compares instants, both ends included (RFC 5280 4.1.2.5): a card that is good until
// 23:59:59 in Tokyo ends at 14:59:59Z wherever the server stands.
func checkValidity(leaf, anchor *x509.Certificate, at time.Time) error {
	switch {
	case at.Before(anchor.NotBefore):
		return Refusal{AnchorNotYetValid}
	case ended(anchor, at):
		return Refusal{AnchorExpired}
	case at.Before(leaf.NotBefore):
		return Refusal{NotYetValid}
	case ended(leaf, at):
		return Refusal{Expired}
	}
	return nil
}

// ended gives the last second of a validity to its holder entirely: certificates know no fractions.
func ended(c *x509.Certificate, at time.Time) bool {
	return !at.Before(c.NotAfter.Add(time.Second))
}

func checkProfile(leaf *x509.Certificate, purpose Purpose) error {
	switch {
	case leaf.SerialNumber == nil || leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.BitLen() > 159:
		return Refusal{BadSerial}
	case leaf.IsCA || leaf.KeyUsage&x509.KeyUsageCertSign != 0:
		return Refusal{IsAuthority}
	case leaf.KeyUsage == 0:
		return Refusal{MissingKeyUsage}
	case leaf.KeyUsage != keyUsage(purpose):
		return Refusal{WrongKeyUsage}
	case len(leaf.UnhandledCriticalExtensions) > 0:
		return Refusal{UnhandledCritical}
	}
	return checkKey(leaf.PublicKey)
}

// keyUsage is exact: a signature key that could also log in would turn a login into a legal signature.
func keyUsage(purpose Purpose) x509.KeyUsage {
	if purpose == Authentication {
		return x509.KeyUsageDigitalSignature
	}
	return x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
}

// checkKey accepts today's RSA-2048 and the elliptic curves announced for the next card.
func checkKey(key any) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 || key.E != 65537 {
			return Refusal{WeakKey}
		}
		return nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
	}
	return Refusal{UnsupportedKey}
}

func strongSignature(algorithm x509.SignatureAlgorithm) bool {
	switch algorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return true
	}
	return false
}
