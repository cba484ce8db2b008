package jpkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"time"

	"tegata/authn/jpki"
)

// Validity of the two generations, in years around the founding: like the real ones they live ten
// years and overlap, and the older one issued what has expired by now (card.md 2.1).
var generations = []struct{ from, to int }{{-8, 2}, {-3, 7}}

// ca is one generation of one purpose, with the delegate that answers OCSP for it.
type ca struct {
	purpose    jpki.Purpose
	generation int // from 1
	cert       *x509.Certificate
	key        *rsa.PrivateKey
	responder  *x509.Certificate
	signer     *ecdsa.PrivateKey
}

var jst = time.FixedZone("JST", 9*60*60)

// found makes the keys and certificates of a new authority.
func (a *Authority) found() (*state, error) {
	keys, err := rsaKeys(len(purposes)*len(generations) + 1)
	if err != nil {
		return nil, err
	}
	s := &state{CardInfoKey: x509.MarshalPKCS1PrivateKey(keys[0])}
	keys = keys[1:]
	for _, purpose := range purposes {
		for i, life := range generations {
			cert, err := a.rootCertificate(purpose, keys[i], a.now().AddDate(life.from, 0, 0), a.now().AddDate(life.to, 0, 0))
			if err != nil {
				return nil, err
			}
			s.CAs = append(s.CAs, caState{Purpose: purpose, Key: x509.MarshalPKCS1PrivateKey(keys[i]), Cert: cert})
		}
		keys = keys[len(generations):]
	}
	return s, a.vault.save(s)
}

// rootCertificate has the profile of card.md 2.1: self-signed, no path length, no authority key identifier.
func (a *Authority) rootCertificate(purpose jpki.Purpose, key *rsa.PrivateKey, from, to time.Time) ([]byte, error) {
	name, err := caName(purpose)
	if err != nil {
		return nil, err
	}
	serial, err := a.serial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, RawSubject: name, NotBefore: from, NotAfter: endOfDay(to),
		SignatureAlgorithm: x509.SHA256WithRSA, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true,
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

// caName is shared by all generations of a purpose. Each part is an RDN of its own; pkix.Name would put the two OUs into one.
func caName(purpose jpki.Purpose) ([]byte, error) {
	unit := "JPKI for user authentication"
	if purpose == jpki.Signature {
		unit = "JPKI for digital signature"
	}
	country, organization, ou := asn1.ObjectIdentifier{2, 5, 4, 6}, asn1.ObjectIdentifier{2, 5, 4, 10}, asn1.ObjectIdentifier{2, 5, 4, 11}
	return asn1.Marshal(pkix.RDNSequence{
		{{Type: country, Value: "JP"}}, {{Type: organization, Value: "JPKI-TEST"}},
		{{Type: ou, Value: unit}}, {{Type: ou, Value: "Japan Agency for Local Authority Information Systems"}},
	})
}

// delegate gives a generation its OCSP responder. It is made anew at every start, so it is kept nowhere.
func (a *Authority) delegate(c *ca) error {
	key, cert, err := responder(c.cert, c.key, a.now())
	if err != nil {
		return err
	}
	c.signer, c.responder = key, cert
	return nil
}

// responder is a certificate for OCSP answers alone; it is not asked about itself (RFC 6960 4.2.2.2.1).
func responder(issuer *x509.Certificate, by crypto.Signer, now time.Time) (*ecdsa.PrivateKey, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), // below every serial number of a card
		Subject:      pkix.Name{Country: []string{"JP"}, Organization: []string{"JPKI-TEST"}, CommonName: "OCSP responder"},
		NotBefore:    now.Add(-time.Hour), NotAfter: issuer.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: asn1.NullBytes}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}

// issuerAt is the newest generation that was at work at a time.
func (a *Authority) issuerAt(purpose jpki.Purpose, at time.Time) *ca {
	chosen := a.cas[purpose][0]
	for _, c := range a.cas[purpose] {
		if !at.Before(c.cert.NotBefore) {
			chosen = c
		}
	}
	return chosen
}

// rsaKeys makes keys on all processors at once.
func rsaKeys(n int) ([]*rsa.PrivateKey, error) {
	keys, errs := make([]*rsa.PrivateKey, n), make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { keys[i], errs[i] = rsa.GenerateKey(rand.Reader, 2048) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// serial draws a number like the real ones: a positive integer that fits in 31 bits, well above the first ones.
func (a *Authority) serial() (*big.Int, error) {
	n, err := rand.Int(a.rand, big.NewInt(1<<31-1<<24))
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1<<24)), nil
}

// endOfDay is 23:59:59 in Japan, the last second of every JPKI certificate.
func endOfDay(t time.Time) time.Time {
	y, m, d := t.In(jst).Date()
	return time.Date(y, m, d, 23, 59, 59, 0, jst)
}
