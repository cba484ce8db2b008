package cardtest

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
)

// EncodeCardInfo makes EF 0002 of the card-info application: the four attributes and, first, the
// table of their positions in the file (card.md 1.3). The persona comes from the loader.
func EncodeCardInfo(p Persona) []byte {
	attributes := [][]byte{
		tlv(0xDF22, []byte(p.Name)),
		tlv(0xDF23, []byte(p.Address)),
		tlv(0xDF24, []byte(p.BirthDigits())),
		tlv(0xDF25, []byte(p.Gender.Digit())),
	}
	const tableSize = 3 + 8
	length := tableSize
	for _, a := range attributes {
		length += len(a)
	}
	at := len(head(0xFF20, length)) + tableSize
	var table []byte
	for _, a := range attributes {
		table = binary.BigEndian.AppendUint16(table, uint16(at))
		at += len(a)
	}
	return tlv(0xFF20, append([][]byte{tlv(0xDF21, table)}, attributes...)...)
}

// SignCardInfo makes EF 0003 for an EF 0002: the hash of the My Number file (here of its filler), the
// hash of the attributes without their table, and the signature, as card.VerifyCardInfo documents it.
func SignCardInfo(ef0002 []byte, key *rsa.PrivateKey) ([]byte, error) {
	table := bytes.Index(ef0002, []byte{0xDF, 0x21, 8})
	hashed := sha256.Sum256(ef0002[table+3+8:])
	hashObject := tlv(0xDF32, hashed[:])
	sum := sha256.Sum256(hashObject)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, err
	}
	numberHash := sha256.Sum256(numberFiller())
	members := [][]byte{tlv(0xDF31, numberHash[:]), hashObject, tlv(0xDF33, signature)}
	return tlv(0xFF30, members...), nil
}

// CertifyCardInfoKey makes EF 0004: the issuer's certificate over a card's key, in the test issuer's
// layout (card.VerifyCardInfo). It is what belongs in Material.CardInfoCVC.
func CertifyCardInfoKey(key *rsa.PublicKey, issuer *rsa.PrivateKey) ([]byte, error) {
	body := tlv(0x7F4E, tlv(0x90, big.NewInt(int64(key.E)).Bytes()), tlv(0x91, key.N.Bytes()))
	sum := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(nil, issuer, crypto.SHA256, sum[:])
	if err != nil {
		return nil, err
	}
	return tlv(0x7F21, body, tlv(0x5F37, signature)), nil
}

// numberFiller is the whole of the My Number file on a virtual card: its size is real, its content is not.
func numberFiller() []byte { return bytes.Repeat([]byte{0xFF}, 17) }
