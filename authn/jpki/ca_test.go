package jpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC)

// authority is a CA of the tests. Several may share one name, like the real generations do.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// kit holds the keys that are slow to make, once per test binary.
type kit struct {
	auth1, auth2, sign1, sign2 authority // two generations of each purpose
	lapsed, coming             authority // authentication anchors out of their own validity
	impostor                   authority // the authentication CA's name, a stranger's key
	stranger                   authority // a stranger's name and key, like the CA stored on a forged card
	edward                     authority // the authentication CA's name, an Ed25519 key
	leaf                       *rsa.PrivateKey
}

var theKit = sync.OnceValue(func() *kit {
	auth, sign := caName("JPKI for user authentication"), caName("JPKI for digital signature")
	from, to := now.AddDate(-5, 0, 0), now.AddDate(5, 0, 0)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(0, err)
	return &kit{
		auth1: newAuthority(auth, ecKey(elliptic.P256()), from, to), auth2: newAuthority(auth, rsaKey(2048), from, to),
		sign1: newAuthority(sign, ecKey(elliptic.P384()), from, to), sign2: newAuthority(sign, rsaKey(2048), from, to),
		lapsed:   newAuthority(auth, ecKey(elliptic.P256()), from, now.AddDate(0, 0, -1)),
		coming:   newAuthority(auth, ecKey(elliptic.P256()), now.AddDate(0, 0, 1), to),
		impostor: newAuthority(auth, rsaKey(2048), from, to),
		stranger: newAuthority(caName("JPKI for nobody"), ecKey(elliptic.P256()), from, to),
		edward:   newAuthority(auth, ed, from, to),
		leaf:     rsaKey(2048),
	}
})

func (k *kit) trust() *Trust {
	return &Trust{
		Anchors: Anchors{
			Auth: []*x509.Certificate{k.auth1.cert, k.auth2.cert, k.lapsed.cert, k.coming.cert},
			Sign: []*x509.Certificate{k.sign1.cert, k.sign2.cert},
		},
		Policies: TestPolicies(),
	}
}

// caName is C, O, OU, OU, each in an RDN of its own as in the real certificates.
func caName(unit string) []byte {
	rdn := func(oid asn1.ObjectIdentifier, value string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: value}}
	}
	ou := asn1.ObjectIdentifier{2, 5, 4, 11}
	return must(asn1.Marshal(pkix.RDNSequence{
		rdn(asn1.ObjectIdentifier{2, 5, 4, 6}, "JP"), rdn(asn1.ObjectIdentifier{2, 5, 4, 10}, "JPKI-TEST"),
		rdn(ou, unit), rdn(ou, "Japan Agency for Local Authority Information Systems"),
	}))
}

func newAuthority(name []byte, key crypto.Signer, from, to time.Time) authority {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), RawSubject: name, NotBefore: from, NotAfter: to,
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return authority{cert: must(x509.ParseCertificate(der)), key: key}
}

// template is the certificate the profile asks for; the tests spoil one thing each.
func (k *kit) template(purpose Purpose) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(0x5EED01), Subject: pkix.Name{Country: []string{"JP"}, CommonName: "OPAQUE"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(4, 0, 0),
		BasicConstraintsValid: false, KeyUsage: x509.KeyUsageDigitalSignature, Policies: []x509.OID{authProduction},
		PublicKey: k.leaf.Public(),
	}
	if purpose == Signature {
		t.KeyUsage |= x509.KeyUsageContentCommitment
		t.Policies = []x509.OID{signTest}
	}
	return t
}

// issue signs what the template says, with its PublicKey.
func (a authority) issue(template *x509.Certificate) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, a.cert, template.PublicKey, a.key))))
}

// tbs is TBSCertificate as loose parts, for what crypto/x509 rightly refuses to create.
type tbs struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
}

// reissue lets edit spoil the parts of a certificate and signs the result with the same key over SHA-256.
func (a authority) reissue(good *x509.Certificate, edit func(*tbs)) []byte {
	return a.seal(good, edit, crypto.SHA256)
}

func (a authority) seal(good *x509.Certificate, edit func(*tbs), hash crypto.Hash) []byte {
	var parts tbs
	must(asn1.Unmarshal(good.RawTBSCertificate, &parts))
	edit(&parts)
	body := must(asn1.Marshal(parts))
	digest := hash.New()
	digest.Write(body)
	signature := must(a.key.Sign(rand.Reader, digest.Sum(nil), hash))
	return must(asn1.Marshal(struct {
		Body      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: body}, parts.Algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}}))
}

// sha1Signed is what the first JPKI cards of another decade looked like.
func (a authority) sha1Signed(good *x509.Certificate) *x509.Certificate {
	_ = sha1.New // links the hash
	return must(x509.ParseCertificate(a.seal(good, func(p *tbs) {
		p.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	}, crypto.SHA1)))
}

func rsaKey(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }
func ecKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func wantRefusal(t *testing.T, err error, want Reason) {
	t.Helper()
	if err != (Refusal{want}) {
		t.Fatalf("got %v, want a refusal because: %v", err, want)
	}
}
