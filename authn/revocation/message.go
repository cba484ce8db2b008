package revocation

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// An OCSP response (RFC 6960 4.2.1) is read in two parts, the second once the first has proved who wrote it.

var oidBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}

// message is a response as far as it says who signed it.
type message struct {
	signed      cryptobyte.String // ResponseData
	algorithm   x509.SignatureAlgorithm
	signature   []byte
	certificate []byte // the first one that came along, which is the signer's; nil for none
}

// explicitly is the tag of a member that is wrapped in another.
func explicitly(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }

func readMessage(body []byte) (message, error) {
	input := cryptobyte.String(body)
	var response, wrapped, typed, octets, basic, algorithm, certificates cryptobyte.String
	var status int
	if !input.ReadASN1(&response, der.SEQUENCE) || !input.Empty() || !response.ReadASN1Enum(&status) {
		return message{}, errUnreadable
	}
	if status != 0 {
		return message{}, errErrorAnswer
	}
	var kind asn1.ObjectIdentifier
	if !response.ReadASN1(&wrapped, explicitly(0)) || !response.Empty() || !wrapped.ReadASN1(&typed, der.SEQUENCE) || !wrapped.Empty() ||
		!typed.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidBasic) || !typed.ReadASN1(&octets, der.OCTET_STRING) || !typed.Empty() {
		return message{}, errUnreadable
	}
	var m message
	var accompanied bool
	if !octets.ReadASN1(&basic, der.SEQUENCE) || !octets.Empty() || !basic.ReadASN1Element(&m.signed, der.SEQUENCE) ||
		!basic.ReadASN1Element(&algorithm, der.SEQUENCE) || !basic.ReadASN1BitStringAsBytes(&m.signature) ||
		!basic.ReadOptionalASN1(&certificates, &accompanied, explicitly(0)) || !basic.Empty() {
		return message{}, errUnreadable
	}
	m.algorithm = signatureAlgorithm(algorithm)
	if accompanied {
		var all, first cryptobyte.String
		if !certificates.ReadASN1(&all, der.SEQUENCE) || !certificates.Empty() || !all.ReadASN1Element(&first, der.SEQUENCE) {
			return message{}, errUnreadable
		}
		m.certificate = first
	}
	return m, nil
}

// news is what a response says, about one certificate.
type news struct {
	responder, key         []byte // the signer's name, or else the hash of its key
	id                     certID
	status                 Status
	thisUpdate, nextUpdate time.Time // the second may be zero
	extensions             []extension
}

type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    cryptobyte.String
}

// readNews reads ResponseData.
func readNews(signed cryptobyte.String) (news, error) {
	var n news
	var data, version, responder, responses, single, extensions cryptobyte.String
	var versioned, extended bool
	var producedAt time.Time
	if !signed.ReadASN1(&data, der.SEQUENCE) || !data.ReadOptionalASN1(&version, &versioned, explicitly(0)) {
		return news{}, errUnreadable
	}
	switch {
	case data.PeekASN1Tag(explicitly(1)):
		if !data.ReadASN1(&responder, explicitly(1)) {
			return news{}, errUnreadable
		}
		n.responder = responder
	case !data.ReadASN1(&responder, explicitly(2)) || !responder.ReadASN1((*cryptobyte.String)(&n.key), der.OCTET_STRING) || !responder.Empty():
		return news{}, errUnreadable
	}
	if !readMoment(&data, &producedAt) || !data.ReadASN1(&responses, der.SEQUENCE) || !responses.ReadASN1(&single, der.SEQUENCE) || !responses.Empty() ||
		!data.ReadOptionalASN1(&extensions, &extended, explicitly(1)) || !data.Empty() {
		return news{}, errUnreadable
	}
	var ok bool
	if n.extensions, ok = readExtensions(extensions, extended); !ok {
		return news{}, errUnreadable
	}
	return n, n.readSingle(single)
}

// readSingle reads SingleResponse.
func (n *news) readSingle(single cryptobyte.String) error {
	if !readCertID(&single, &n.id) {
		return errUnreadable
	}
	if err := n.readStatus(&single); err != nil {
		return err
	}
	var next, extensions cryptobyte.String
	var ends, extended bool
	if !readMoment(&single, &n.thisUpdate) || !single.ReadOptionalASN1(&next, &ends, explicitly(0)) ||
		!single.ReadOptionalASN1(&extensions, &extended, explicitly(1)) || !single.Empty() || ends && (!readMoment(&next, &n.nextUpdate) || !next.Empty()) {
		return errUnreadable
	}
	all, ok := readExtensions(extensions, extended)
	for _, e := range all {
		ok = ok && !e.critical
	}
	if !ok {
		return errUnreadable
	}
	return nil
}

// readStatus reads CertStatus. That it is given exactly once is looked at, though the syntax leaves no choice.
func (n *news) readStatus(single *cryptobyte.String) error {
	var good, revoked, unknown, reason cryptobyte.String
	var isGood, isRevoked, isUnknown, reasoned bool
	var at time.Time
	var code int
	if !single.ReadOptionalASN1(&good, &isGood, der.Tag(0).ContextSpecific()) || !single.ReadOptionalASN1(&revoked, &isRevoked, explicitly(1)) ||
		!single.ReadOptionalASN1(&unknown, &isUnknown, der.Tag(2).ContextSpecific()) {
		return errUnreadable
	}
	switch {
	case isGood && !isRevoked && !isUnknown:
		n.status = Good
		return nil
	case isUnknown && !isGood && !isRevoked:
		n.status = Unknown
		return nil
	case !isRevoked || isGood || isUnknown:
		return errOneAnswer
	}
	if !readMoment(&revoked, &at) || !revoked.ReadOptionalASN1(&reason, &reasoned, explicitly(0)) || !revoked.Empty() ||
		reasoned && (!reason.ReadASN1Enum(&code) || !reason.Empty()) {
		return errUnreadable
	}
	n.status = Revoked
	if code == certificateHold {
		n.status = Suspended
	}
	return nil
}

func readCertID(from *cryptobyte.String, id *certID) bool {
	var all, algorithm, name, key cryptobyte.String
	id.Serial = new(big.Int)
	ok := from.ReadASN1(&all, der.SEQUENCE) && all.ReadASN1(&algorithm, der.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&id.HashAlgorithm.Algorithm) &&
		(algorithm.Empty() || bytes.Equal(algorithm, asn1.NullBytes)) && all.ReadASN1(&name, der.OCTET_STRING) && all.ReadASN1(&key, der.OCTET_STRING) && all.ReadASN1Integer(id.Serial) && all.Empty()
	id.IssuerNameHash, id.IssuerKeyHash = name, key
	return ok
}

func readExtensions(wrapped cryptobyte.String, there bool) ([]extension, bool) {
	if !there {
		return nil, true
	}
	var all cryptobyte.String
	if !wrapped.ReadASN1(&all, der.SEQUENCE) || !wrapped.Empty() {
		return nil, false
	}
	var list []extension
	for !all.Empty() {
		var e extension
		var one cryptobyte.String
		if !all.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.id) ||
			one.PeekASN1Tag(der.BOOLEAN) && !one.ReadASN1Boolean(&e.critical) || !one.ReadASN1(&e.value, der.OCTET_STRING) || !one.Empty() {
			return nil, false
		}
		list = append(list, e)
	}
	return list, true
}

// readMoment reads a GeneralizedTime; fractions of a second, which RFC 5280 4.1.2.5.2 forbids, are no reason to know nothing.
func readMoment(from *cryptobyte.String, t *time.Time) bool {
	var text cryptobyte.String
	if !from.ReadASN1(&text, der.GeneralizedTime) {
		return false
	}
	at, err := time.Parse("20060102150405Z0700", string(text))
	*t = at.UTC()
	return err == nil
}

// names says whether the responder ID inside the signed part is that of who signed.
func (n news) names(signer *x509.Certificate) bool {
	if n.responder != nil {
		return bytes.Equal(n.responder, signer.RawSubject)
	}
	bits, ok := keyBits(signer)
	hash := sha1.Sum(bits) // a name, not a proof: RFC 6960 4.2.1 fixes SHA-1
	return ok && bytes.Equal(n.key, hash[:])
}

// keyBits is the public key inside of SubjectPublicKeyInfo, which responders hash.
func keyBits(c *x509.Certificate) (bits []byte, ok bool) {
	info := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var inner cryptobyte.String
	ok = info.ReadASN1(&inner, der.SEQUENCE) && inner.SkipASN1(der.SEQUENCE) && inner.ReadASN1BitStringAsBytes(&bits)
	return bits, ok
}
