package authn_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/authn/statement"
)

// nextCard is a card of the announced kind: keys on P-384, certificates signed with ECDSA over SHA-384, under two
// authorities of that kind. A virtual card of today's plastic speaks RSA alone, so the key signs here by itself.
func nextCard(t *testing.T) (cardtest.Material, jpki.Anchors) {
	t.Helper()
	var m cardtest.Material
	var anchors jpki.Anchors
	for purpose, oid := range map[jpki.Purpose]string{jpki.Authentication: "1.2.392.200149.8.5.1.3.30", jpki.Signature: "1.2.392.200149.8.5.1.0.20"} {
		caKey, key := p384(t), p384(t)
		ca := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"JPKI-TEST"}, CommonName: purpose.String()},
			NotBefore: today.AddDate(-1, 0, 0), NotAfter: today.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		anchor := issueP384(t, ca, ca, caKey, caKey)
		policy, err := x509.ParseOID(oid)
		if err != nil {
			t.Fatal(err)
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(0x5EED), Subject: pkix.Name{CommonName: "OPAQUE"}, NotBefore: today.AddDate(0, -1, 0), NotAfter: today.AddDate(9, 0, 0),
			KeyUsage: x509.KeyUsageDigitalSignature, Policies: []x509.OID{policy},
		}
		if purpose == jpki.Signature {
			leaf.KeyUsage |= x509.KeyUsageContentCommitment
			m.SignKey, m.SignCert = key, issueP384(t, leaf, anchor, key, caKey).Raw
			anchors.Sign = []*x509.Certificate{anchor}
		} else {
			m.AuthKey, m.AuthCert = key, issueP384(t, leaf, anchor, key, caKey).Raw
			anchors.Auth = []*x509.Certificate{anchor}
		}
	}
	return m, anchors
}

func p384(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issueP384(t *testing.T, template, issuer *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template.SignatureAlgorithm = x509.ECDSAWithSHA384
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Nothing between the statement and the evidence knows RSA, 256 bytes or SHA-256. And where nobody is asked about
// revocation, the same login is worth less and says so.
func TestTheNextCardLogsIn(t *testing.T) {
	m, anchors := nextCard(t)
	checked, err := jpki.NewAnchors(anchors.Auth, anchors.Sign)
	if err != nil {
		t.Fatal(err)
	}
	c := newCourt(t)
	c.Trust, c.Revocation = &jpki.Trust{Anchors: checked, Policies: jpki.TestPolicies()}, revocation.None{}
	login, _ := c.says()
	result := agent.ResultRequest{Login: c.login.ID, Statement: signed(t, m, statement.LoginType, login.Bytes())}
	e, err := c.Judge.Judge(t.Context(), c.login, result)
	if err != nil || e.ACR != authn.UncheckedACR || len(e.Index) != 32 {
		t.Fatalf("%+v, %v", e, err)
	}
	if bytes.Equal(m.AuthCert, m.SignCert) {
		t.Fatal("the purposes share a certificate")
	}
	wrong := m
	wrong.AuthKey, wrong.AuthCert = m.SignKey, m.SignCert
	result.Statement = signed(t, wrong, statement.LoginType, login.Bytes())
	if _, err := c.Judge.Judge(t.Context(), c.login, result); !errors.Is(err, jpki.Refusal{Reason: jpki.OtherPurpose}) || !errors.Is(err, fail.ChainUntrusted) {
		t.Fatalf("its signature key logs in: %v", err)
	}
}
