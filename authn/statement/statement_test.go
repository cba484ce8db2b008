package statement

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/authn/fail"
)

var now = time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC)

// identity is a key with a self-signed certificate: chains are no business of this package.
type identity struct {
	key crypto.Signer
	der []byte
}

func issue(t testing.TB, key crypto.Signer) identity {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "test"}, NotBefore: now, NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return identity{key, der}
}

// people holds one identity per kind of key; RSA keys are slow to make, so they are made once.
var people = sync.OnceValue(func() map[string]identity {
	t := &testing.T{}
	out := map[string]identity{}
	for name, bits := range map[string]int{"rsa": 2048, "other": 2048, "small": 1024} {
		key, _ := rsa.GenerateKey(rand.Reader, bits)
		out[name] = issue(t, key)
	}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		key, _ := ecdsa.GenerateKey(curve, rand.Reader)
		out[name] = issue(t, key)
	}
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	out["ed25519"] = issue(t, edwards)
	return out
})

func example() Login {
	return Login{
		V: Version, Issuer: "https://id.example", Login: "login-1", TicketHash: Hash([]byte("ticket")), Client: "shop",
		Flow: FlowReader, Operations: []string{Authenticate}, Nonce: Hash([]byte("n")), AgentNonce: Hash([]byte("a")),
		AgentKey: Hash([]byte("k")), IssuedAt: now.Unix(), Expires: now.Unix() + 120,
	}
}

func TestASignedStatementOpens(t *testing.T) {
	for name, alg := range map[string]string{"rsa": "RS256", "p256": "ES256", "p384": "ES384"} {
		t.Run(name, func(t *testing.T) {
			who, payload := people()[name], example().Bytes()
			compact, err := Sign(who.key, who.der, LoginType, payload)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := Open(compact, LoginType)
			if err != nil {
				t.Fatal(err)
			}
			if string(opened.Payload) != string(payload) || string(opened.Leaf.Raw) != string(who.der) {
				t.Error("payload or leaf changed on the way")
			}
			raw, _ := segment(strings.Split(compact, ".")[0])
			if !strings.HasPrefix(string(raw), `{"alg":"`+alg+`","typ":"tegata-login+jwt","x5c":["`) {
				t.Errorf("header %s", raw)
			}
			if _, err := Open(compact, AttributesType); !errors.Is(err, fail.SignatureInvalid) {
				t.Errorf("a login statement passes for an attributes statement: %v", err)
			}
		})
	}
}

// spy records what a card would be asked to sign.
type spy struct {
	crypto.Signer
	digest []byte
	hash   crypto.Hash
}

func (s *spy) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.digest, s.hash = digest, opts.HashFunc()
	return s.Signer.Sign(r, digest, opts)
}

func TestTheSignerSeesOnlyADigest(t *testing.T) {
	who := people()["rsa"]
	card := &spy{Signer: who.key}
	compact, err := Sign(card, who.der, LoginType, example().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := crypto.SHA256.New()
	want.Write([]byte(compact[:strings.LastIndex(compact, ".")]))
	if card.hash != crypto.SHA256 || string(card.digest) != string(want.Sum(nil)) {
		t.Errorf("signer got %x with %v", card.digest, card.hash)
	}
}

// answers is a card that answers every request to sign with the same bytes.
type answers struct {
	crypto.Signer
	sig []byte
	err error
}

func (a answers) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return a.sig, a.err }

// trailing is a card that signs well and adds a byte.
type trailing struct{ crypto.Signer }

func (s trailing) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	sig, err := s.Signer.Sign(r, digest, opts)
	return append(sig, 0), err
}

func TestSignRefusesWhatOpenWouldRefuse(t *testing.T) {
	p := people()
	broken := errors.New("card pulled")
	tests := []struct {
		name   string
		signer crypto.Signer
		leaf   []byte
		want   error
	}{
		{"a key that is not the certificate's", p["other"].key, p["rsa"].der, fail.SignatureInvalid},
		{"a signature of noise", answers{p["rsa"].key, make([]byte, 256), nil}, p["rsa"].der, fail.SignatureInvalid},
		{"an ECDSA signature that is not ASN.1", answers{p["p256"].key, make([]byte, 64), nil}, p["p256"].der, fail.SignatureInvalid},
		{"an ECDSA signature with numbers larger than the curve", answers{p["p256"].key, bigSignature, nil}, p["p256"].der, fail.SignatureInvalid},
		{"an ECDSA signature with a byte after it", trailing{p["p256"].key}, p["p256"].der, fail.SignatureInvalid},
		{"a signer that fails", answers{p["rsa"].key, nil, broken}, p["rsa"].der, broken},
		{"a certificate that is not one", p["rsa"].key, []byte("filler"), fail.CardDataBroken},
		{"a certificate with filler after it", p["rsa"].key, append(p["rsa"].der[:len(p["rsa"].der):len(p["rsa"].der)], 0xff), fail.CardDataBroken},
		{"RSA of 1024 bit", p["small"].key, p["small"].der, fail.CardUnsupported},
		{"Ed25519", p["ed25519"].key, p["ed25519"].der, fail.CardUnsupported},
		{"P-521", p["p521"].key, p["p521"].der, fail.CardUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Sign(tt.signer, tt.leaf, LoginType, example().Bytes()); !errors.Is(err, tt.want) || got != "" {
				t.Errorf("Sign = %q, %v; want %v", got, err, tt.want)
			}
		})
	}
	if _, err := Sign(p["rsa"].key, p["rsa"].der, LoginType, make([]byte, MaxSize)); !errors.Is(err, fail.SignatureInvalid) {
		t.Errorf("a statement larger than anyone accepts was made: %v", err)
	}
}

// bigSignature is SEQUENCE { INTEGER of 33 bytes, INTEGER 1 }.
var bigSignature = append(append([]byte{0x30, 0x26, 0x02, 0x21, 0x01}, make([]byte, 32)...), 0x02, 0x01, 0x01)

func TestCardInfoHashSeparatesFiles(t *testing.T) {
	if CardInfoHash([]byte("ab"), []byte("c")) == CardInfoHash([]byte("a"), []byte("bc")) {
		t.Error("bytes can move from one file to the next")
	}
	if CardInfoHash([]byte("a")) == CardInfoHash([]byte("a"), nil) {
		t.Error("an empty file can be added")
	}
	if got := CardInfoRef([]byte("a"), []byte("b"), []byte("c")); got.Source != CardInfo || got.Hash != CardInfoHash([]byte("a"), []byte("b"), []byte("c")) {
		t.Errorf("CardInfoRef = %+v", got)
	}
	if got := CertificateRef([]byte("abc")); got.Source != SignatureCertificate || got.Hash != "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" {
		t.Errorf("CertificateRef = %+v", got)
	}
}
