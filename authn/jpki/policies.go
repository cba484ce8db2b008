package jpki

import (
	"crypto/x509"
	"slices"
)

// Policies are the certificate policy OIDs accepted per purpose. The zero value means the production policies.
type Policies struct{ Auth, Sign []x509.OID }

var (
	authProduction = mustOID("1.2.392.200149.8.5.1.3.30")
	signProduction = mustOID("1.2.392.200149.8.5.1.1.20")
	signTest       = mustOID("1.2.392.200149.8.5.1.0.20")
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

func (p Policies) of(purpose Purpose) []x509.OID {
	if p.Auth == nil && p.Sign == nil {
		p = ProductionPolicies()
	}
	if purpose == Authentication {
		return p.Auth
	}
	return p.Sign
}

// check asks for one accepted policy among those named. anyPolicy (RFC 5280 4.2.1.4) is none of them.
func (p Policies) check(leaf *x509.Certificate, purpose Purpose) error {
	accepted := func(oid x509.OID) bool { return slices.ContainsFunc(p.of(purpose), oid.Equal) }
	switch {
	case len(leaf.Policies) == 0:
		return Refusal{MissingPolicy}
	case slices.ContainsFunc(leaf.Policies, accepted):
		return nil
	case slices.ContainsFunc(leaf.Policies, signTest.Equal):
		return Refusal{TestPolicy}
	}
	return Refusal{WrongPolicy}
}

func mustOID(s string) x509.OID {
	oid, err := x509.ParseOID(s)
	if err != nil {
		panic(err)
	}
	return oid
}
