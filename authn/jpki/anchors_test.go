package jpki

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
)

func TestNewAnchorsRefusesWhatIsNoAnchor(t *testing.T) {
	k := theKit()
	alter := func(edit func(*x509.Certificate)) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(2), RawSubject: k.auth1.cert.RawSubject, NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
			BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign, PublicKey: k.auth1.key.Public(),
		}
		edit(template)
		self := authority{cert: template, key: k.auth1.key}
		return self.issue(template)
	}
	for _, tc := range []struct {
		name string
		auth []*x509.Certificate
		sign []*x509.Certificate
		want string
	}{
		{"nothing", []*x509.Certificate{nil}, nil, "no certificate"},
		{"a leaf", []*x509.Certificate{k.auth2.issue(k.template(Authentication))}, nil, "not a CA"},
		{"a CA that may not sign certificates", []*x509.Certificate{alter(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })}, nil, "may not sign"},
		{"a CA with a critical extension nobody understands", nil, []*x509.Certificate{alter(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 9}, Critical: true, Value: []byte{5, 0}}}
		})}, "critical"},
		{"a CA certificate signed by another CA", []*x509.Certificate{k.auth2.issue(k.caTemplate())}, nil, "not self-signed"},
		{"an old CA signed with SHA-1", []*x509.Certificate{k.auth2.sha1Signed(k.auth2.cert)}, nil, "signature algorithm"},
		{"a CA with a short key", []*x509.Certificate{newAuthority(k.auth1.cert.RawSubject, rsaKey(1024), now, now).cert}, nil, "too weak"},
		{"a CA on a curve nobody announced", []*x509.Certificate{newAuthority(k.auth1.cert.RawSubject, ecKey(elliptic.P521()), now, now).cert}, nil, "kind of key"},
		{"one CA for both purposes", []*x509.Certificate{k.auth1.cert}, []*x509.Certificate{k.auth1.cert}, "both purposes"},
		{"one CA key under two names", []*x509.Certificate{k.auth1.cert}, []*x509.Certificate{newAuthority(caName("another"), k.auth1.key, now, now).cert}, "both purposes"},
		{"a test hierarchy beside a real one", []*x509.Certificate{k.auth1.cert}, []*x509.Certificate{realLooking()}, "test hierarchy"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := NewAnchors(tc.auth, tc.sign)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestNewAnchorsNamesTheOffendingOne(t *testing.T) {
	k := theKit()
	_, err := NewAnchors([]*x509.Certificate{k.auth1.cert}, []*x509.Certificate{k.sign1.cert, nil})
	if err == nil || !strings.Contains(err.Error(), "signature anchor 2") {
		t.Fatalf("got %v", err)
	}
}

func TestAnchorsKnowTheirPurpose(t *testing.T) {
	k := theKit()
	auth := []*x509.Certificate{k.auth1.cert, k.lapsed.cert}
	anchors, err := NewAnchors(auth, []*x509.Certificate{k.sign1.cert})
	if err != nil {
		t.Fatalf("an expired generation may be configured: %v", err)
	}
	auth[0] = k.stranger.cert // the caller's slice is its own
	for _, tc := range []struct {
		cert *x509.Certificate
		want Purpose
	}{{k.auth1.cert, Authentication}, {k.sign1.cert, Signature}, {k.stranger.cert, 0}, {k.auth2.cert, 0}, {nil, 0}} {
		if got := anchors.PurposeOf(tc.cert); got != tc.want {
			t.Errorf("got %v, want %v", got, tc.want)
		}
	}
	if !anchors.Test() || (Anchors{Sign: []*x509.Certificate{realLooking()}}).Test() {
		t.Error("test and real hierarchies look alike")
	}
	if anchors.Of(0) != nil || Purpose(0).String() != "no purpose" {
		t.Error("no purpose has anchors")
	}
}

func (k *kit) caTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{Organization: []string{"JPKI-TEST"}}, NotBefore: now, NotAfter: now,
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign, PublicKey: k.leaf.Public(),
	}
}

func realLooking() *x509.Certificate {
	key := ecKey(elliptic.P256())
	template := theKit().caTemplate()
	template.Subject, template.PublicKey = pkix.Name{Organization: []string{"JPKI"}}, key.Public()
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
}
