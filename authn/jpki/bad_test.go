package jpki

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
	"time"
)

// badBytes is one way the bytes that a card or an agent hands over can be wrong.
type badBytes struct {
	name    string
	purpose Purpose
	make    func(k *kit) []byte
	want    Reason
}

// good is the conforming authentication certificate.
func (k *kit) good() *x509.Certificate { return k.auth2.issue(k.template(Authentication)) }

// spoiled rebuilds the conforming authentication certificate part by part and signs it again.
func spoiled(edit func(*tbs)) func(*kit) []byte {
	return func(k *kit) []byte { return k.auth2.reissue(k.good(), edit) }
}

// altered exchanges bytes under the old signature.
func altered(from, to []byte) func(*kit) []byte {
	return func(k *kit) []byte {
		good := k.good().Raw
		if bytes.Count(good, from) != 1 {
			panic("the bytes to alter are not there once")
		}
		return bytes.Replace(good, from, to, 1)
	}
}

// holder issues a signature certificate with this subject alternative name; nil for none.
func holder(value []byte) func(*kit) []byte {
	return func(k *kit) []byte {
		template := k.template(Signature)
		if value != nil {
			template.ExtraExtensions = []pkix.Extension{{Id: subjectAltName, Value: value}}
		}
		return k.sign2.issue(template).Raw
	}
}

// issuerName replaces the issuer's name by one that a person would read as the same.
func issuerName(edit func(pkix.RDNSequence) pkix.RDNSequence) func(*kit) []byte {
	return spoiled(func(p *tbs) {
		var name pkix.RDNSequence
		must(asn1.Unmarshal(p.Issuer.FullBytes, &name))
		p.Issuer = asn1.RawValue{FullBytes: must(asn1.Marshal(edit(name)))}
	})
}

func extension(id asn1.ObjectIdentifier, critical bool, value []byte) func(*kit) []byte {
	return spoiled(func(p *tbs) {
		p.Extensions = slices.DeleteFunc(p.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
		p.Extensions = append(p.Extensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	})
}

var (
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicies         = asn1.ObjectIdentifier{2, 5, 29, 32}
)

var badEncodings = []badBytes{
	// Not one certificate.
	{"nothing", Authentication, func(*kit) []byte { return nil }, NoCertificate},
	{"the filler of a blank file", Authentication, func(*kit) []byte { return bytes.Repeat([]byte{0xFF}, 1600) }, Malformed},
	{"a certificate and one byte of filler", Authentication, func(k *kit) []byte { return append(bytes.Clone(k.good().Raw), 0) }, Malformed},
	{"two certificates", Authentication, func(k *kit) []byte { return append(bytes.Clone(k.good().Raw), k.good().Raw...) }, Malformed},
	{"a certificate cut short", Authentication, func(k *kit) []byte { return k.good().Raw[:600] }, Malformed},
	{"a certificate in PEM", Authentication, func(k *kit) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.good().Raw})
	}, Malformed},
	{"a public key alone", Authentication, func(k *kit) []byte { return k.good().RawSubjectPublicKeyInfo }, Malformed},
	{"more than the cap", Authentication, func(k *kit) []byte { return append(bytes.Clone(k.good().Raw), make([]byte, MaxLeafSize)...) }, TooLarge},

	// Odd encodings.
	{"an indefinite length", Authentication, func(k *kit) []byte { return append([]byte{0x30, 0x80}, k.good().Raw[4:]...) }, Malformed},
	{"a length with a leading zero", Authentication, func(k *kit) []byte {
		raw := k.good().Raw
		return slices.Concat([]byte{0x30, 0x83, 0, raw[2], raw[3]}, raw[4:])
	}, Malformed},
	{"a boolean that is neither 00 nor FF", Authentication, altered([]byte{0x55, 0x1D, 0x0F, 1, 1, 0xFF}, []byte{0x55, 0x1D, 0x0F, 1, 1, 1}), Malformed},
	{"a negative serial number", Authentication, spoiled(func(p *tbs) { p.Serial = big.NewInt(-5) }), Malformed},
	{"an extension given twice", Authentication, spoiled(func(p *tbs) { p.Extensions = append(p.Extensions, p.Extensions[0]) }), Malformed},
	{"another algorithm inside than outside", Authentication, func(k *kit) []byte {
		inside := spoiled(func(p *tbs) { p.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12} })(k)
		at := bytes.LastIndex(inside, []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12})
		inside[at+8] = 11
		return inside
	}, Malformed},
	{"a validity that is no time", Authentication, spoiled(func(p *tbs) {
		p.Validity = asn1.RawValue{FullBytes: names(tlv(0, asn1.TagUTCTime, false, []byte("2613010000Z")), tlv(0, asn1.TagUTCTime, false, []byte("301301000000Z")))}
	}), Malformed},
	{"a key usage that is no bit string", Authentication, extension(oidKeyUsage, true, []byte{4, 1, 0x80}), Malformed},
	{"basic constraints that are no sequence", Authentication, extension(oidBasicConstraints, true, []byte{5, 0}), Malformed},
	{"policies that are no sequence", Authentication, extension(oidPolicies, true, []byte{5, 0}), Malformed},
	{"an RSA key with a negative modulus", Authentication, spoiled(func(p *tbs) { p.PublicKey = rsaInfo(big.NewInt(-77), 65537) }), Malformed},
	{"an RSA key with exponent zero", Authentication, spoiled(func(p *tbs) { p.PublicKey = rsaInfo(theKit().leaf.N, 0) }), Malformed},
	{"a version of the future", Authentication, spoiled(func(p *tbs) { p.Version = 3 }), Malformed},
	{"a version 2 certificate", Authentication, spoiled(func(p *tbs) { p.Version, p.Extensions = 1, nil }), OldVersion},

	// Altered after signing.
	{"a later end under the old signature", Authentication, altered([]byte("300701030000Z"), []byte("310701030000Z")), ForgedSignature},
	{"another serial number under the old signature", Authentication, altered([]byte{2, 3, 0x5E, 0xED, 1}, []byte{2, 3, 0x5E, 0xED, 2}), ForgedSignature},
	{"another subject under the old signature", Authentication, altered([]byte("OPAQUE"), []byte("OPAQUF")), ForgedSignature},
	{"another policy under the old signature", Authentication, altered([]byte{8, 5, 1, 3, 30}, []byte{8, 5, 1, 1, 20}), ForgedSignature},
	{"another key under the old signature", Authentication, func(k *kit) []byte {
		return bytes.Replace(k.good().Raw, k.leaf.N.Bytes(), k.impostor.cert.RawSubjectPublicKeyInfo[33:289], 1)
	}, ForgedSignature},

	// Names that a person would read as the issuer's.
	{"the issuer's name in another kind of string", Authentication, issuerName(func(name pkix.RDNSequence) pkix.RDNSequence {
		text := name[2][0].Value.(string)
		name[2][0].Value = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(text)}
		return name
	}), UnknownIssuer},
	{"the issuer's name with a space at its end", Authentication, issuerName(func(name pkix.RDNSequence) pkix.RDNSequence {
		name[3][0].Value = name[3][0].Value.(string) + " "
		return name
	}), UnknownIssuer},
	{"the issuer's name in small letters", Authentication, issuerName(func(name pkix.RDNSequence) pkix.RDNSequence {
		name[1][0].Value = "jpki-test"
		return name
	}), UnknownIssuer},
	{"the issuer's units in one part", Authentication, issuerName(func(name pkix.RDNSequence) pkix.RDNSequence {
		return append(name[:2:2], append(name[2], name[3]...))
	}), UnknownIssuer},
	{"the name of the real issuer", Authentication, issuerName(func(name pkix.RDNSequence) pkix.RDNSequence {
		name[1][0].Value = "JPKI"
		return name
	}), UnknownIssuer},
	{"an issuer without a name", Authentication, issuerName(func(pkix.RDNSequence) pkix.RDNSequence { return nil }), UnknownIssuer},
	{"a leaf under an intermediate that took its issuer's name", Authentication, func(k *kit) []byte {
		template := k.caTemplate()
		template.RawSubject, template.PublicKey = k.auth2.cert.RawSubject, k.impostor.key.Public()
		return authority{cert: k.auth2.issue(template), key: k.impostor.key}.issue(k.template(Authentication)).Raw
	}, UnknownGeneration},

	// Algorithms.
	{"an MD5 signature", Authentication, spoiled(func(p *tbs) { p.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4} }), WeakSignature},
	{"a signature algorithm nobody knows", Authentication, spoiled(func(p *tbs) { p.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 3, 9, 9} }), WeakSignature},
	{"ECDSA over SHA-1", Authentication, spoiled(func(p *tbs) {
		p.Algorithm = pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}}
	}), WeakSignature},

	// The profile.
	{"a validity that ends before it begins", Authentication, spoiled(func(p *tbs) {
		p.Validity = asn1.RawValue{FullBytes: must(asn1.Marshal([]time.Time{now.AddDate(0, 0, 1), now.AddDate(0, 0, -1)}))}
	}), NotYetValid},
	{"a serial number of a thousand bits", Authentication, spoiled(func(p *tbs) { p.Serial = new(big.Int).Lsh(big.NewInt(1), 1000) }), BadSerial},
	{"a key of no kind", Authentication, spoiled(func(p *tbs) {
		p.PublicKey = asn1.RawValue{FullBytes: names(names(must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 9}))), tlv(0, asn1.TagBitString, false, []byte{0, 1}))}
	}), UnsupportedKey},
	{"a key for agreement only", Authentication, spoiled(func(p *tbs) {
		p.PublicKey = asn1.RawValue{FullBytes: names(names(must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 101, 110}))), tlv(0, asn1.TagBitString, false, append([]byte{0}, make([]byte, ed25519.PublicKeySize)...)))}
	}), UnsupportedKey},
	{"name constraints, which only an authority may have", Authentication, extension(oidNameConstraints, true, names(tlv(asn1.ClassContextSpecific, 0, true, names(tlv(asn1.ClassContextSpecific, 4, true, caName("x")))))), UnhandledCritical},
	{"the policy of a phone on a server for cards", Authentication, func(k *kit) []byte {
		template := k.template(Authentication)
		template.Policies = []x509.OID{authPhone}
		return k.auth2.issue(template).Raw
	}, PhonePolicy},
	{"the policies of a card and a phone at once", Signature, func(k *kit) []byte {
		template := k.template(Signature)
		template.Policies = []x509.OID{signPhone, signTest}
		return k.sign2.issue(template).Raw
	}, PhonePolicy},

	// The four attributes.
	{"no attributes", Signature, holder(nil), MissingAttributes},
	{"a name given twice", Signature, holder(san(attribute{1, "A"}, attribute{4, "319800217"}, attribute{1, "B"})), RepeatedAttribute},
	{"an address given twice, the same", Signature, holder(san(attribute{5, "X"}, attribute{5, "X"})), RepeatedAttribute},
	{"a name in another kind of string", Signature, holder(names(otherName(oidOf(1), inner(tlv(0, asn1.TagPrintableString, false, []byte("A")))))), MalformedAttributes},
	{"a name that is no UTF-8", Signature, holder(names(otherName(oidOf(1), inner(utf8String("\xff"))))), MalformedAttributes},
	{"a name with something hidden behind it", Signature, holder(names(otherName(oidOf(1), inner(append(utf8String("A"), utf8String("B")...))))), MalformedAttributes},
	{"attributes with something behind them", Signature, holder(append(san(attribute{1, "A"}), 5, 0)), MalformedAttributes},
}

func rsaInfo(n *big.Int, e int) asn1.RawValue {
	key := must(asn1.Marshal(struct {
		N *big.Int
		E int
	}{n, e}))
	algorithm := must(asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, Parameters: asn1.NullRawValue}))
	return asn1.RawValue{FullBytes: names(algorithm, tlv(0, asn1.TagBitString, false, append([]byte{0}, key...)))}
}

// verdict is all that this package says about bytes from a card: form, trust and, where there are any, the attributes.
func verdict(t *Trust, der []byte, purpose Purpose) error {
	leaf, err := ParseLeaf(der)
	if err != nil {
		return err
	}
	if _, err := t.Check(leaf, purpose, now); err != nil {
		return err
	}
	if purpose == Signature {
		_, err = ReadAttributes(leaf)
	}
	return err
}

func TestBadBytesAreRefused(t *testing.T) {
	k := theKit()
	for _, tc := range badEncodings {
		t.Run(tc.name, func(t *testing.T) {
			wantRefusal(t, verdict(k.trust(), tc.make(k), tc.purpose), tc.want)
		})
	}
}

// Acceptance 18 asks for sixty: each row of the two tables has a name and a verdict of its own.
func TestThereAreEnoughBadCertificates(t *testing.T) {
	seen := map[string]bool{}
	for _, tc := range badLeaves {
		seen[tc.name] = true
	}
	for _, tc := range badEncodings {
		if seen[tc.name] {
			t.Errorf("%q is there twice", tc.name)
		}
		seen[tc.name] = true
	}
	if len(seen) < 60 {
		t.Fatalf("only %d", len(seen))
	}
	t.Logf("%d bad certificates", len(seen))
}

// The conforming certificates pass the same judgement, or the table above would prove nothing.
func TestGoodBytesAreAccepted(t *testing.T) {
	k := theKit()
	template := k.template(Signature)
	template.ExtraExtensions = []pkix.Extension{{Id: subjectAltName, Value: san(attribute{1, "A"})}}
	for purpose, der := range map[Purpose][]byte{Authentication: k.good().Raw, Signature: k.sign2.issue(template).Raw} {
		if err := verdict(k.trust(), der, purpose); err != nil {
			t.Errorf("%v: %v", purpose, err)
		}
	}
}

func TestPhonesAreAProfileOfTheirOwn(t *testing.T) {
	k := theKit()
	for _, tc := range []struct {
		name     string
		purpose  Purpose
		named    []x509.OID
		policies Policies
		want     error
	}{
		{"a phone's certificate where phones are configured", Authentication, []x509.OID{authPhone}, TestPolicies().WithPhones(), nil},
		{"a phone's signature certificate where phones are configured", Signature, []x509.OID{signPhone}, Policies{}.WithPhones(), nil},
		{"a card's certificate where phones are configured", Authentication, []x509.OID{authProduction}, Policies{}.WithPhones(), nil},
		{"a phone's certificate where nothing is configured", Authentication, []x509.OID{authPhone}, Policies{}, Refusal{PhonePolicy}},
		{"a phone's signature policy for a login", Authentication, []x509.OID{signPhone}, Policies{}.WithPhones(), Refusal{WrongPolicy}},
		{"a phone's login policy for a signature", Signature, []x509.OID{authPhone}, Policies{}.WithPhones(), Refusal{WrongPolicy}},
		{"card and phone at once", Authentication, []x509.OID{authProduction, authPhone}, Policies{}.WithPhones(), Refusal{WrongPolicy}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			template, ca := k.template(tc.purpose), k.auth2
			if tc.purpose == Signature {
				ca = k.sign2
			}
			template.Policies = tc.named
			leaf, trust := ca.issue(template), k.trust()
			trust.Policies = tc.policies
			if _, err := trust.Check(leaf, tc.purpose, now); err != tc.want {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			phone := slices.ContainsFunc(tc.named, authPhone.Equal) || slices.ContainsFunc(tc.named, signPhone.Equal)
			if got := MediumOf(leaf); (got == Phone) != phone {
				t.Errorf("it is said to live in %d", got)
			}
		})
	}
}
