package jpki

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"tegata/authn/fail"
)

func TestCheckAcceptsWhatTheProfileAllows(t *testing.T) {
	k := theKit()
	for _, tc := range []struct {
		name    string
		by      authority
		purpose Purpose
		spoil   func(*x509.Certificate)
		at      time.Time
	}{
		{"an authentication certificate of the current generation", k.auth2, Authentication, nil, now},
		{"an authentication certificate of the older generation under the same name", k.auth1, Authentication, nil, now},
		{"a signature certificate of the current generation", k.sign2, Signature, nil, now},
		{"a signature certificate of the older generation, on P-384", k.sign1, Signature, nil, now},
		{"the next card's key on P-384", k.auth2, Authentication, func(c *x509.Certificate) { c.PublicKey = ecKey(elliptic.P384()).Public() }, now},
		{"a key on P-256", k.auth2, Authentication, func(c *x509.Certificate) { c.PublicKey = ecKey(elliptic.P256()).Public() }, now},
		{"a longer RSA key", k.auth2, Authentication, func(c *x509.Certificate) { c.PublicKey = rsaKey(3072).Public() }, now},
		{"a certificate in its first second", k.auth2, Authentication, func(c *x509.Certificate) { c.NotBefore = now }, now},
		{"a certificate in its last second", k.auth2, Authentication, func(c *x509.Certificate) { c.NotAfter = now }, now.Add(999 * time.Millisecond)},
		{"the last second in Tokyo, asked from another zone", k.auth2, Authentication,
			func(c *x509.Certificate) { c.NotAfter = time.Date(2027, 2, 17, 14, 59, 59, 0, time.UTC) },
			time.Date(2027, 2, 17, 23, 59, 59, 0, time.FixedZone("JST", 9*3600))},
		{"an extended key usage nobody is sure about", k.auth2, Authentication,
			func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, now},
		{"an unknown extension that is not critical", k.auth2, Authentication,
			func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 9}, Value: []byte{5, 0}}}
			}, now},
		{"a serial number of twenty bytes", k.auth2, Authentication,
			func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 158) }, now},
	} {
		t.Run(tc.name, func(t *testing.T) {
			template := k.template(tc.purpose)
			if tc.spoil != nil {
				tc.spoil(template)
			}
			issuer, err := k.trust().Check(tc.by.issue(template), tc.purpose, tc.at)
			if err != nil || !issuer.Equal(tc.by.cert) {
				t.Fatalf("refused: %v", err)
			}
		})
	}
}

// badLeaf is one way a certificate can be wrong. make gets the conforming one of the purpose.
type badLeaf struct {
	name    string
	purpose Purpose
	make    func(k *kit, good *x509.Certificate) *x509.Certificate
	want    Reason
}

// by issues the spoiled template under the purpose's current generation.
func by(spoil func(*x509.Certificate)) func(*kit, *x509.Certificate) *x509.Certificate {
	return func(k *kit, good *x509.Certificate) *x509.Certificate {
		spoil(good)
		if good.KeyUsage&x509.KeyUsageContentCommitment != 0 && len(good.Policies) > 0 && good.Policies[0].Equal(signTest) {
			return k.sign2.issue(good)
		}
		return k.auth2.issue(good)
	}
}

// under issues the conforming certificate by another authority.
func under(pick func(*kit) authority) func(*kit, *x509.Certificate) *x509.Certificate {
	return func(k *kit, good *x509.Certificate) *x509.Certificate { return pick(k).issue(good) }
}

// raw rebuilds an authentication certificate part by part.
func raw(edit func(*tbs)) func(*kit, *x509.Certificate) *x509.Certificate {
	return func(k *kit, good *x509.Certificate) *x509.Certificate {
		return must(x509.ParseCertificate(k.auth2.reissue(k.auth2.issue(good), edit)))
	}
}

func usage(u x509.KeyUsage) func(*kit, *x509.Certificate) *x509.Certificate {
	return func(k *kit, good *x509.Certificate) *x509.Certificate {
		ca := k.auth2
		if good.Policies[0].Equal(signTest) {
			ca = k.sign2
		}
		good.KeyUsage = u
		return ca.issue(good)
	}
}

func key(make func() any) func(*kit, *x509.Certificate) *x509.Certificate {
	return by(func(c *x509.Certificate) { c.PublicKey = make() })
}

func policies(oids ...string) func(*kit, *x509.Certificate) *x509.Certificate {
	return func(k *kit, good *x509.Certificate) *x509.Certificate {
		good.Policies = nil
		for _, s := range oids {
			good.Policies = append(good.Policies, mustOID(s))
		}
		if good.KeyUsage&x509.KeyUsageContentCommitment != 0 {
			return k.sign2.issue(good)
		}
		return k.auth2.issue(good)
	}
}

const (
	digital = x509.KeyUsageDigitalSignature
	commit  = x509.KeyUsageContentCommitment
)

var badLeaves = []badLeaf{
	// The path.
	{"no certificate at all", Authentication, func(*kit, *x509.Certificate) *x509.Certificate { return nil }, NoCertificate},
	{"a good certificate for no purpose", 0, under(func(k *kit) authority { return k.auth2 }), NoPurpose},
	{"a certificate under the CA of a forged card", Authentication, under(func(k *kit) authority { return k.stranger }), UnknownIssuer},
	{"a self-signed certificate", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		return authority{cert: good, key: k.leaf}.issue(good)
	}, UnknownIssuer},
	{"a certificate issued by another person's card", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		return authority{cert: k.auth2.issue(good), key: k.leaf}.issue(good)
	}, UnknownIssuer},
	{"an issuer name whose parts are in another order", Authentication, raw(func(p *tbs) {
		var name pkix.RDNSequence
		must(asn1.Unmarshal(p.Issuer.FullBytes, &name))
		name[2], name[3] = name[3], name[2]
		p.Issuer = asn1.RawValue{FullBytes: must(asn1.Marshal(name))}
	}), UnknownIssuer},
	{"a signature certificate presented for a login", Authentication, func(k *kit, _ *x509.Certificate) *x509.Certificate {
		return k.sign2.issue(k.template(Signature))
	}, OtherPurpose},
	{"an authentication certificate presented for a signature", Signature, func(k *kit, _ *x509.Certificate) *x509.Certificate {
		return k.auth2.issue(k.template(Authentication))
	}, OtherPurpose},
	{"an authentication profile signed by the signature CA", Authentication, under(func(k *kit) authority { return k.sign2 }), OtherPurpose},
	{"a generation that is not configured", Authentication, under(func(k *kit) authority { return k.impostor }), UnknownGeneration},
	{"a stranger who copies the CA's name and key identifier", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		forged := *k.impostor.cert
		forged.SubjectKeyId = k.auth2.cert.SubjectKeyId
		return authority{cert: &forged, key: k.impostor.key}.issue(good)
	}, ForgedSignature},
	{"a stranger who copies the CA's name and no key identifier", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		forged := *k.impostor.cert
		forged.SubjectKeyId = nil
		return authority{cert: &forged, key: k.impostor.key}.issue(good)
	}, ForgedSignature},
	{"a certificate with another serial number under the old signature", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		first, second := k.auth2.issue(good), *good
		second.SerialNumber = big.NewInt(0x5EED02)
		return splice(k.auth2.issue(&second), first.Signature)
	}, ForgedSignature},
	{"a signature with one bit turned", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		leaf := k.auth2.issue(good)
		leaf.Signature[17] ^= 1
		return splice(leaf, leaf.Signature)
	}, ForgedSignature},
	{"a signature of no bytes", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		return splice(k.auth2.issue(good), nil)
	}, ForgedSignature},

	// The issuer's signature algorithm.
	{"a SHA-1 signature", Authentication, func(k *kit, good *x509.Certificate) *x509.Certificate {
		return k.auth2.sha1Signed(k.auth2.issue(good))
	}, WeakSignature},
	{"an RSA-PSS signature", Authentication, by(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSAPSS }), WeakSignature},
	{"an Ed25519 signature", Authentication, under(func(k *kit) authority { return k.edward }), WeakSignature},

	// Time.
	{"an anchor whose validity has ended", Authentication, under(func(k *kit) authority { return k.lapsed }), AnchorExpired},
	{"an anchor whose validity has not begun", Authentication, under(func(k *kit) authority { return k.coming }), AnchorNotYetValid},
	{"a certificate one second after its end", Authentication, by(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), Expired},
	{"a signature certificate one second after its end", Signature, by(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), Expired},
	{"a certificate one second before its beginning", Authentication, by(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), NotYetValid},

	// The shape.
	{"a version 1 certificate", Authentication, raw(func(p *tbs) { p.Version, p.Extensions = 0, nil }), OldVersion},
	{"a serial number of zero", Authentication, raw(func(p *tbs) { p.Serial = new(big.Int) }), BadSerial},
	{"a serial number of twenty-one bytes", Authentication, raw(func(p *tbs) { p.Serial = new(big.Int).Lsh(big.NewInt(1), 160) }), BadSerial},
	{"the anchor itself", Authentication, func(k *kit, _ *x509.Certificate) *x509.Certificate { return k.auth2.cert }, IsAuthority},
	{"a leaf that calls itself a CA", Authentication, by(func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true }), IsAuthority},
	{"an intermediate CA", Authentication, by(func(c *x509.Certificate) {
		c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}), IsAuthority},
	{"a leaf whose key may sign certificates", Authentication, usage(digital | x509.KeyUsageCertSign), IsAuthority},

	// The key.
	{"an RSA key of 1024 bits", Authentication, key(func() any { return rsaKey(1024).Public() }), WeakKey},
	{"an RSA key of 2047 bits", Authentication, key(func() any {
		return &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).SetBit(new(big.Int), 2046, 1), 0, 1), E: 65537}
	}), WeakKey},
	{"an RSA key with exponent 3", Authentication, key(func() any { return &rsa.PublicKey{N: theKit().leaf.N, E: 3} }), WeakKey},
	{"an RSA key with exponent 1", Authentication, key(func() any { return &rsa.PublicKey{N: theKit().leaf.N, E: 1} }), WeakKey},
	{"an RSA key with a larger exponent", Authentication, key(func() any { return &rsa.PublicKey{N: theKit().leaf.N, E: 65539} }), WeakKey},
	{"an elliptic curve shorter than the profile's", Authentication, key(func() any { return ecKey(elliptic.P224()).Public() }), UnsupportedKey},
	{"an elliptic curve nobody announced", Authentication, key(func() any { return ecKey(elliptic.P521()).Public() }), UnsupportedKey},
	{"an Ed25519 key", Authentication, key(func() any { return make(ed25519.PublicKey, ed25519.PublicKeySize) }), UnsupportedKey},

	// Key usage.
	{"no key usage", Authentication, usage(0), MissingKeyUsage},
	{"a login key that may also sign contracts", Authentication, usage(digital | commit), WrongKeyUsage},
	{"a login key that may also encrypt", Authentication, usage(digital | x509.KeyUsageKeyEncipherment), WrongKeyUsage},
	{"a login key that may also agree on keys", Authentication, usage(digital | x509.KeyUsageKeyAgreement), WrongKeyUsage},
	{"a login key that may only encrypt", Authentication, usage(x509.KeyUsageDataEncipherment), WrongKeyUsage},
	{"a signature key without content commitment", Signature, usage(digital), WrongKeyUsage},
	{"a signature key with nothing but content commitment", Signature, usage(commit), WrongKeyUsage},
	{"a signature key that may also sign revocation lists", Signature, usage(digital | commit | x509.KeyUsageCRLSign), WrongKeyUsage},

	// The policy.
	{"no policy, like an OCSP responder's certificate", Authentication, policies(), MissingPolicy},
	{"the signature policy in an authentication certificate", Authentication, policies("1.2.392.200149.8.5.1.1.20"), WrongPolicy},
	{"the authentication policy in a signature certificate", Signature, policies("1.2.392.200149.8.5.1.3.30"), WrongPolicy},
	{"any policy", Authentication, policies("2.5.29.32.0"), WrongPolicy},
	{"a policy one arc longer than the profile's", Authentication, policies("1.2.392.200149.8.5.1.3.30.1"), WrongPolicy},
	{"the production signature policy where test cards are configured", Signature, policies("1.2.392.200149.8.5.1.1.20"), WrongPolicy},

	// Extensions.
	{"a critical extension nobody understands", Authentication, by(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 9}, Critical: true, Value: []byte{5, 0}}}
	}), UnhandledCritical},
	{"a critical subject alternative name of unknown kinds only", Signature, by(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: subjectAltName, Critical: true, Value: san(attribute{1, "name"})}}
	}), UnhandledCritical},
}

// splice puts another signature under a certificate's body.
func splice(leaf *x509.Certificate, signature []byte) *x509.Certificate {
	c := *leaf
	c.Signature = signature
	return &c
}

func TestCheckRefuses(t *testing.T) {
	k := theKit()
	for _, tc := range badLeaves {
		t.Run(tc.name, func(t *testing.T) {
			leaf := tc.make(k, k.template(tc.purpose))
			issuer, err := k.trust().Check(leaf, tc.purpose, now)
			wantRefusal(t, err, tc.want)
			if issuer != nil {
				t.Fatal("a refused certificate has an issuer to go on with")
			}
		})
	}
}

// Every reason of Check has a certificate that provokes it, or the table above has a hole.
func TestEveryReasonOfCheckIsProvoked(t *testing.T) {
	seen := map[Reason]bool{TestPolicy: true} // its own test below, as it needs another configuration
	for _, tc := range badLeaves {
		seen[tc.want] = true
	}
	for _, tc := range badEncodings {
		seen[tc.want] = true
	}
	for reason := range sentences {
		switch reason {
		case TooLarge, Malformed: // ParseLeaf
		case MissingAttributes, MalformedAttributes, RepeatedAttribute: // ReadAttributes
		default:
			if !seen[reason] {
				t.Errorf("nothing provokes %q", reason)
			}
		}
	}
}

func TestPoliciesDecideBetweenTestAndProductionCards(t *testing.T) {
	k := theKit()
	test := k.sign2.issue(k.template(Signature))
	productionTemplate := k.template(Signature)
	productionTemplate.Policies = []x509.OID{signProduction}
	production := k.sign2.issue(productionTemplate)
	for _, tc := range []struct {
		name     string
		leaf     *x509.Certificate
		policies Policies
		want     error
	}{
		{"a test card is refused when nothing is configured", test, Policies{}, Refusal{TestPolicy}},
		{"a test card is refused in production", test, ProductionPolicies(), Refusal{TestPolicy}},
		{"a test card is accepted when test policies are configured", test, TestPolicies(), nil},
		{"a production card is accepted when nothing is configured", production, Policies{}, nil},
		{"a production card is refused among test policies", production, TestPolicies(), Refusal{WrongPolicy}},
		{"nothing is accepted when the purpose has no policies", production, Policies{Auth: []x509.OID{authProduction}}, Refusal{WrongPolicy}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			trust := k.trust()
			trust.Policies = tc.policies
			if _, err := trust.Check(tc.leaf, Signature, now); err != tc.want {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestZeroTrustTrustsNobody(t *testing.T) {
	k := theKit()
	_, err := new(Trust).Check(k.auth2.issue(k.template(Authentication)), Authentication, now)
	wantRefusal(t, err, UnknownIssuer)
}

// Two generations with one name and, by mistake, one key identifier: only the signature can tell.
func TestGenerationsWithoutUsefulIdentifiersAreToldApartByTheSignature(t *testing.T) {
	k := theKit()
	for _, ca := range []authority{k.auth1, k.auth2} {
		anonymous := *ca.cert
		anonymous.SubjectKeyId = nil
		leaf := authority{cert: &anonymous, key: ca.key}.issue(k.template(Authentication))
		if len(leaf.AuthorityKeyId) != 0 {
			t.Fatal("the test needs a leaf without authority key identifier")
		}
		issuer, err := k.trust().Check(leaf, Authentication, now)
		if err != nil || !issuer.Equal(ca.cert) {
			t.Fatalf("wrong generation chosen: %v", err)
		}
	}
}

func TestRefusalsLeadToACodeAndQuoteNothing(t *testing.T) {
	for reason, code := range map[Reason]*fail.Error{
		Expired: fail.CertificateExpired, UnknownIssuer: fail.ChainUntrusted, ForgedSignature: fail.ChainUntrusted,
		OtherPurpose: fail.ChainUntrusted, UnknownGeneration: fail.ChainUntrusted, AnchorExpired: fail.ChainUntrusted,
		AnchorNotYetValid: fail.ChainUntrusted, NotYetValid: fail.ProfileMismatch, WeakKey: fail.ProfileMismatch,
		Malformed: fail.ProfileMismatch, TooLarge: fail.ProfileMismatch, Reason(0): fail.ProfileMismatch,
	} {
		err := error(Refusal{reason})
		if !errors.Is(err, code) || fail.From(err).Code != code.Code {
			t.Errorf("%v leads to %v, want %v", reason, fail.From(err), code)
		}
		if err.Error() != "jpki: "+reason.String() {
			t.Errorf("unexpected text %q", err)
		}
	}
	for reason := range sentences {
		if reason.String() == Reason(0).String() {
			t.Errorf("reason %d has no sentence", reason)
		}
	}
	if last := RepeatedAttribute; len(sentences) != int(last) {
		t.Errorf("%d sentences for %d reasons", len(sentences), last)
	}
}

func BenchmarkCheck(b *testing.B) {
	k := theKit()
	trust, leaf := k.trust(), k.auth2.issue(k.template(Authentication))
	for b.Loop() {
		if _, err := trust.Check(leaf, Authentication, now); err != nil {
			b.Fatal(err)
		}
	}
}
