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
)

// The nonce is written by hand because x/crypto/ocsp does not know extensions of requests and responses.
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

type singleRequest struct{ CertID certID }

type tbsRequest struct {
	Requests   []singleRequest
	Extensions []pkix.Extension `asn1:"explicit,tag:2"`
}

type request struct{ TBS tbsRequest }

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
	value := append([]byte{asn1.TagOctetString, nonceSize}, nonce...) // an OCTET STRING inside the extension's own
	der, err := asn1.Marshal(request{tbsRequest{
		Requests:   []singleRequest{{id}},
		Extensions: []pkix.Extension{{Id: oidNonce, Value: value}},
	}})
	if err != nil {
		return nil, err
	}
	return &question{id: id, nonce: nonce, der: der}, nil
}

func identify(serial *big.Int, issuer *x509.Certificate) (certID, error) {
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Bits      asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &key); err != nil {
		return certID{}, errBadIssuer
	}
	name, bits := sha256.Sum256(issuer.RawSubject), sha256.Sum256(key.Bits.RightAlign())
	return certID{
		HashAlgorithm:  pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue},
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
