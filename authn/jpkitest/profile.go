package jpkitest

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

const cpsURI = "http://www.jpki.go.jp/cps.html"

// Certificate policies: real test cards have the production policy for authentication and a test one for signatures.
var policyOf = map[jpki.Purpose]asn1.ObjectIdentifier{
	jpki.Authentication: {1, 2, 392, 200149, 8, 5, 1, 3, 30},
	jpki.Signature:      {1, 2, 392, 200149, 8, 5, 1, 0, 20},
}

// leafTemplate is what card.md 2.2 and 2.3 describe, but for serial number, validity and attributes.
func (a *Authority) leafTemplate(purpose jpki.Purpose) (*x509.Certificate, error) {
	name, err := opaque(a.rand)
	if err != nil {
		return nil, err
	}
	policies, err := certificatePolicies(policyOf[purpose])
	if err != nil {
		return nil, err
	}
	usage := x509.KeyUsageDigitalSignature
	if purpose == jpki.Signature {
		usage |= x509.KeyUsageContentCommitment
	}
	return &x509.Certificate{
		Subject:            pkix.Name{Country: []string{"JP"}, CommonName: name},
		SignatureAlgorithm: x509.SHA256WithRSA, KeyUsage: usage, ExtraExtensions: []pkix.Extension{policies},
	}, nil
}

// opaque is a subject that says nothing. The real one begins with a municipality's code.
func opaque(random io.Reader) (string, error) {
	name := make([]byte, 22)
	if _, err := io.ReadFull(random, name); err != nil {
		return "", err
	}
	for i := range name {
		name[i] = 'A' + name[i]%26
	}
	return string(name), nil
}

// certificatePolicies is written by hand because crypto/x509 writes no qualifiers and no critical policies.
func certificatePolicies(policy asn1.ObjectIdentifier) (pkix.Extension, error) {
	type qualifier struct {
		ID  asn1.ObjectIdentifier
		URI string `asn1:"ia5"`
	}
	value, err := asn1.Marshal([]struct {
		Policy     asn1.ObjectIdentifier
		Qualifiers []qualifier
	}{{policy, []qualifier{{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}, cpsURI}}}})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 32}, Critical: true, Value: value}, err
}

// attributes is the subject alternative name of a signature certificate, in the order of real test cards.
func attributes(p cardtest.Persona) (pkix.Extension, error) {
	var names []asn1.RawValue
	for _, attribute := range []struct {
		n    int
		text string
	}{
		{1, p.Name}, {4, eraBirth(p)}, {3, p.Gender.Digit()},
		{5, p.Address}, {2, p.NameSubstitution}, {6, p.AddressSubstitution},
	} {
		name, err := asn1.MarshalWithParams(struct {
			ID   asn1.ObjectIdentifier
			Text string `asn1:"utf8,explicit,tag:0"`
		}{asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 5, attribute.n}, attribute.text}, "tag:0")
		if err != nil {
			return pkix.Extension{}, err
		}
		names = append(names, asn1.RawValue{FullBytes: name})
	}
	value, err := asn1.Marshal(names)
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}, err
}
