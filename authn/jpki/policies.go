package jpki

import (
	"crypto/x509"
	"slices"
)

// Medium is what holds a certificate's key. The zero value is no medium.
type Medium int

const (
	// Card is the plastic card, today's with RSA keys and the next one with keys on P-384.
	Card Medium = iota + 1
	// Phone is the secure element of a phone: certificates of their own, with serial numbers of their own, that end
	// when the card's do.
	Phone
)

// Policies are the certificate policy OIDs accepted per purpose: Auth and Sign on cards, PhoneAuth and PhoneSign on
// phones. The zero value means the production policies, which accept no phone.
type Policies struct{ Auth, Sign, PhoneAuth, PhoneSign []x509.OID }

var (
	authProduction = mustOID("1.2.392.200149.8.5.1.3.30")
	signProduction = mustOID("1.2.392.200149.8.5.1.1.20")
	signTest       = mustOID("1.2.392.200149.8.5.1.0.20")
	// The phones' policies are second-hand (the signature one) and by analogy (the other): this is why they must be
	// asked for with WithPhones.
	authPhone = mustOID("1.2.392.200149.8.5.1.3.40")
	signPhone = mustOID("1.2.392.200149.8.5.1.1.40")
)

// ProductionPolicies are those of the plastic cards in people's hands.
func ProductionPolicies() Policies {
	return Policies{Auth: []x509.OID{authProduction}, Sign: []x509.OID{signProduction}}
}

// TestPolicies are those of J-LIS's test cards and of authn/jpkitest. Test cards carry the production
// policy in their authentication certificate; only the test anchors keep them apart there.
func TestPolicies() Policies {
	return Policies{Auth: []x509.OID{authProduction}, Sign: []x509.OID{signTest}}
}

// WithPhones also accepts the certificates of phones.
func (p Policies) WithPhones() Policies {
	if p.none() {
		p = ProductionPolicies()
	}
	p.PhoneAuth, p.PhoneSign = []x509.OID{authPhone}, []x509.OID{signPhone}
	return p
}

func (p Policies) none() bool {
	return p.Auth == nil && p.Sign == nil && p.PhoneAuth == nil && p.PhoneSign == nil
}

// of are the accepted policies of a purpose, on cards and on phones.
func (p Policies) of(purpose Purpose) (card, phone []x509.OID) {
	if p.none() {
		p = ProductionPolicies()
	}
	if purpose == Authentication {
		return p.Auth, p.PhoneAuth
	}
	return p.Sign, p.PhoneSign
}

// MediumOf says what a certificate claims to live in. The claim is as true as Trust.Check finds the certificate.
func MediumOf(leaf *x509.Certificate) Medium {
	if namesPolicy(leaf, []x509.OID{authPhone, signPhone}) {
		return Phone
	}
	return Card
}

// check asks for one accepted policy among those named. anyPolicy (RFC 5280 4.2.1.4) is none of them.
// A certificate of card and phone at once is neither.
func (p Policies) check(leaf *x509.Certificate, purpose Purpose) error {
	card, phone := p.of(purpose)
	isPhone := MediumOf(leaf) == Phone
	switch {
	case len(leaf.Policies) == 0:
		return Refusal{MissingPolicy}
	case namesPolicy(leaf, card) && !isPhone, namesPolicy(leaf, phone) && !namesPolicy(leaf, card):
		return nil
	case namesPolicy(leaf, []x509.OID{signTest}) && !isPhone:
		return Refusal{TestPolicy}
	case isPhone && phone == nil:
		return Refusal{PhonePolicy}
	}
	return Refusal{WrongPolicy}
}

func namesPolicy(leaf *x509.Certificate, oids []x509.OID) bool {
	return slices.ContainsFunc(leaf.Policies, func(oid x509.OID) bool { return slices.ContainsFunc(oids, oid.Equal) })
}

func mustOID(s string) x509.OID {
	oid, err := x509.ParseOID(s)
	if err != nil {
		panic(err)
	}
	return oid
}
