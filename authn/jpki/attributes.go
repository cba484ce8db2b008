package jpki

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"unicode/utf8"
)

// Attributes are what a signature certificate says about its holder, raw: package claims knows what
// the strings mean. An attribute that the certificate does not carry is empty.
type Attributes struct {
	Name                string // .1 full-width, U+3000 between family and given name
	NameSubstitution    string // .2 one digit per character of Name: 1 = a substitute for a character outside the set
	Sex                 string // .3 one digit
	Birth               string // .4 era digit, then YYYYMMDD in the Gregorian calendar
	Address             string // .5 full-width, prefecture first
	AddressSubstitution string // .6 as NameSubstitution, for Address
}

var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// attributeArc is followed by 1 to 6, in the order of the fields of Attributes.
const attributeArc = "1.2.392.200149.8.5.5."

var attributeOIDs = []x509.OID{
	mustOID(attributeArc + "1"), mustOID(attributeArc + "2"), mustOID(attributeArc + "3"),
	mustOID(attributeArc + "4"), mustOID(attributeArc + "5"), mustOID(attributeArc + "6"),
}

// ReadAttributes reads the otherNames of the subject alternative name, in any order. Unknown kinds of
// names are ignored (new attributes are announced), everything else must be strict DER.
// The error is always a Refusal. What it reads is only as true as Check says the certificate is.
func ReadAttributes(leaf *x509.Certificate) (Attributes, error) {
	if leaf == nil {
		return Attributes{}, Refusal{NoCertificate}
	}
	for _, extension := range leaf.Extensions {
		if extension.Id.Equal(subjectAltName) {
			return readNames(extension.Value)
		}
	}
	return Attributes{}, Refusal{MissingAttributes}
}

// readNames walks GeneralNames ::= SEQUENCE OF GeneralName (RFC 5280 4.2.1.6).
func readNames(der []byte) (Attributes, error) {
	names, rest, ok := element(der, asn1.ClassUniversal, asn1.TagSequence, true)
	if !ok || len(rest) > 0 {
		return Attributes{}, Refusal{MalformedAttributes}
	}
	var found [6]*string
	for len(names) > 0 {
		var name asn1.RawValue
		after, err := asn1.Unmarshal(names, &name)
		if err != nil || name.Class != asn1.ClassContextSpecific {
			return Attributes{}, Refusal{MalformedAttributes}
		}
		names = after
		if name.Tag != 0 {
			continue // not an otherName
		}
		if err := readOther(name, &found); err != nil {
			return Attributes{}, err
		}
	}
	return collect(found), nil
}

// readOther reads otherName [0] IMPLICIT SEQUENCE { type-id OID, value [0] EXPLICIT ANY }.
func readOther(name asn1.RawValue, found *[6]*string) error {
	kind, rest, ok := element(name.Bytes, asn1.ClassUniversal, asn1.TagOID, false)
	var oid x509.OID
	if !ok || !name.IsCompound || oid.UnmarshalBinary(kind) != nil {
		return Refusal{MalformedAttributes}
	}
	value, rest, ok := element(rest, asn1.ClassContextSpecific, 0, true)
	if !ok || len(rest) > 0 {
		return Refusal{MalformedAttributes}
	}
	i := slices.IndexFunc(attributeOIDs, oid.Equal)
	if i < 0 {
		return nil
	}
	text, rest, ok := element(value, asn1.ClassUniversal, asn1.TagUTF8String, false)
	switch {
	case !ok || len(rest) > 0 || !utf8.Valid(text):
		return Refusal{MalformedAttributes}
	case found[i] != nil:
		return Refusal{RepeatedAttribute}
	}
	s := string(text)
	found[i] = &s
	return nil
}

// element splits off one DER element of exactly this kind. encoding/asn1 refuses long forms of short lengths.
func element(der []byte, class, tag int, compound bool) (content, rest []byte, ok bool) {
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(der, &raw)
	if err != nil || raw.Class != class || raw.Tag != tag || raw.IsCompound != compound {
		return nil, nil, false
	}
	return raw.Bytes, rest, true
}

func collect(found [6]*string) Attributes {
	at := func(i int) string {
		if found[i] == nil {
			return ""
		}
		return *found[i]
	}
	return Attributes{
		Name: at(0), NameSubstitution: at(1), Sex: at(2), Birth: at(3), Address: at(4), AddressSubstitution: at(5),
	}
}
