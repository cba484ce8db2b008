package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Requests and responses are written and read by hand, because x/crypto/ocsp does not know their extensions.
var (
	oidNonce  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

const nonceSize = 32 // RFC 8954 2.1: the longest allowed

// certID names a certificate to a responder (RFC 6960 4.1.1).
type certID struct {
	HashAlgorithm  pkix.AlgorithmIdentifier
	IssuerNameHash []byte
	IssuerKeyHash  []byte
	Serial         *big.Int
}

// question is one request and what its answer must repeat.
type question struct {
	id    certID
	nonce []byte
	der   []byte
}

var errBadIssuer = errors.New("revocation: the issuer's key cannot be hashed")

func ask(serial *big.Int, issuer *x509.Certificate, random io.Reader) (*question, error) {
	id, err := identify(serial, issuer)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, err
	}
	encoded, err := id.request(nonce)
	if err != nil {
		return nil, err
	}
	return &question{id: id, nonce: nonce, der: encoded}, nil
}

// request is an OCSPRequest about one certificate, with a nonce (RFC 6960 4.1.1, RFC 8954 2.1).
func (id certID) request(nonce []byte) ([]byte, error) {
	var b cryptobyte.Builder
	within(&b, []der.Tag{der.SEQUENCE, der.SEQUENCE}, func(tbs *cryptobyte.Builder) {
		within(tbs, []der.Tag{der.SEQUENCE, der.SEQUENCE, der.SEQUENCE}, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(id.HashAlgorithm.Algorithm)
				b.AddBytes(id.HashAlgorithm.Parameters.FullBytes)
			})
			b.AddASN1OctetString(id.IssuerNameHash)
			b.AddASN1OctetString(id.IssuerKeyHash)
			b.AddASN1BigInt(id.Serial)
		})
		within(tbs, []der.Tag{explicitly(2), der.SEQUENCE, der.SEQUENCE}, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidNonce)
			b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
		})
	})
	return b.Bytes()
}

// within adds what inner adds inside of all the tags, the first one outermost.
func within(b *cryptobyte.Builder, tags []der.Tag, inner func(*cryptobyte.Builder)) {
	if len(tags) == 0 {
		inner(b)
		return
	}
	b.AddASN1(tags[0], func(b *cryptobyte.Builder) { within(b, tags[1:], inner) })
}

func identify(serial *big.Int, issuer *x509.Certificate) (certID, error) {
	key, ok := keyBits(issuer)
	if !ok {
		return certID{}, errBadIssuer
	}
	name, bits := sha256.Sum256(issuer.RawSubject), sha256.Sum256(key)
	return certID{
		HashAlgorithm:  pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.RawValue{FullBytes: asn1.NullBytes}},
		IssuerNameHash: name[:], IssuerKeyHash: bits[:], Serial: serial,
	}, nil
}

// same ignores the parameters of the hash, which responders write as NULL or leave out.
func (id certID) same(other certID) bool {
	return id.HashAlgorithm.Algorithm.Equal(other.HashAlgorithm.Algorithm) &&
		bytes.Equal(id.IssuerNameHash, other.IssuerNameHash) &&
		bytes.Equal(id.IssuerKeyHash, other.IssuerKeyHash) &&
		other.Serial != nil && id.Serial.Cmp(other.Serial) == 0
}
