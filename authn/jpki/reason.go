package jpki

import "tegata/authn/fail"

// Reason says why a certificate was refused, for the operator. Nobody else may learn it: to the
// relying party all refusals look the same (R28).
type Reason int

const (
	// NoCertificate results when there is no certificate to look at.
	NoCertificate Reason = iota + 1
	// NoPurpose results when the caller does not say what the certificate is to be used for.
	NoPurpose
	// TooLarge results when a certificate is longer than MaxLeafSize.
	TooLarge
	// Malformed results when the bytes are not exactly one DER certificate.
	Malformed
	// OldVersion results when a certificate is not X.509 version 3 and so cannot carry the profile.
	OldVersion
	// WeakSignature results when the issuer signed with anything but RSA PKCS#1 v1.5 or ECDSA over SHA-256 or longer.
	WeakSignature
	// UnknownIssuer results when no configured anchor carries the issuer's name.
	UnknownIssuer
	// OtherPurpose results when the path leads to an anchor of the other purpose.
	OtherPurpose
	// UnknownGeneration results when the issuer's name is configured, but no generation has the key identifier the certificate asks for.
	UnknownGeneration
	// ForgedSignature results when an anchor fits by name and key identifier, but did not make this signature.
	ForgedSignature
	// AnchorNotYetValid results when the anchor's own validity begins later.
	AnchorNotYetValid
	// AnchorExpired results when the anchor's own validity has ended.
	AnchorExpired
	// NotYetValid results when the certificate's validity begins later.
	NotYetValid
	// Expired results when the certificate's validity has ended.
	Expired
	// BadSerial results when the serial number is not a positive integer of at most 20 bytes (RFC 5280 4.1.2.2).
	BadSerial
	// IsAuthority results when the certificate is a CA's: an anchor must not log in.
	IsAuthority
	// WeakKey results when the key is RSA shorter than 2048 bits or with an exponent other than 65537.
	WeakKey
	// UnsupportedKey results when the key is neither RSA nor ECDSA on P-256 or P-384.
	UnsupportedKey
	// MissingKeyUsage results when the certificate does not say what its key may do.
	MissingKeyUsage
	// WrongKeyUsage results when the key may do more, less or other than its purpose needs.
	WrongKeyUsage
	// MissingPolicy results when the certificate names no certificate policy.
	MissingPolicy
	// TestPolicy results when the policy is one of the test cards and those are not configured.
	TestPolicy
	// PhonePolicy results when the policy is a phone's and those are not configured.
	PhonePolicy
	// WrongPolicy results when no named policy is one of the purpose's.
	WrongPolicy
	// UnhandledCritical results when a critical extension is not understood (RFC 5280 4.2).
	UnhandledCritical
	// MissingAttributes results when a certificate has no subject alternative name to read attributes from.
	MissingAttributes
	// MalformedAttributes results when the subject alternative name is not strict DER of the profile's shape.
	MalformedAttributes
	// RepeatedAttribute results when one attribute is given twice: which one would be true?
	RepeatedAttribute
)

var sentences = map[Reason]string{
	NoCertificate:       "no certificate",
	NoPurpose:           "no purpose given",
	TooLarge:            "certificate too large",
	Malformed:           "not one DER certificate",
	OldVersion:          "not an X.509 v3 certificate",
	WeakSignature:       "signature algorithm not accepted",
	UnknownIssuer:       "issuer not configured",
	OtherPurpose:        "issued for the other purpose",
	UnknownGeneration:   "issuer generation not configured",
	ForgedSignature:     "not signed by its issuer",
	AnchorNotYetValid:   "anchor not yet valid",
	AnchorExpired:       "anchor expired",
	NotYetValid:         "not yet valid",
	Expired:             "expired",
	BadSerial:           "serial number not accepted",
	IsAuthority:         "certificate of an authority",
	WeakKey:             "key too weak",
	UnsupportedKey:      "kind of key not accepted",
	MissingKeyUsage:     "no key usage",
	WrongKeyUsage:       "key usage of another purpose",
	MissingPolicy:       "no certificate policy",
	TestPolicy:          "policy of a test card",
	PhonePolicy:         "policy of a phone",
	WrongPolicy:         "policy of another purpose",
	UnhandledCritical:   "critical extension not understood",
	MissingAttributes:   "no attributes",
	MalformedAttributes: "attributes malformed",
	RepeatedAttribute:   "attribute given twice",
}

// String is a fixed sentence: nothing from the certificate is ever quoted.
func (r Reason) String() string {
	if s, ok := sentences[r]; ok {
		return s
	}
	return "unknown reason"
}

// Refusal is the error of this package. errors.Is(err, Refusal{Expired}) asks for one reason;
// errors.Is(err, fail.CertificateExpired) and fail.From(err) lead to the code for the outside.
type Refusal struct{ Reason Reason }

// Error is the reason's fixed sentence.
func (r Refusal) Error() string { return "jpki: " + r.Reason.String() }

// Unwrap gives the code: the person can renew an expired certificate, the operator can configure an
// anchor, and nothing but a conforming card helps with the rest.
func (r Refusal) Unwrap() error {
	switch r.Reason {
	case Expired:
		return fail.CertificateExpired
	case UnknownIssuer, OtherPurpose, UnknownGeneration, ForgedSignature, AnchorNotYetValid, AnchorExpired:
		return fail.ChainUntrusted
	}
	return fail.ProfileMismatch
}
