package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Why a list is not believed.
var (
	errListForm      = errors.New("revocation: not a certificate revocation list")
	errListSigner    = errors.New("revocation: the list is not signed by a configured authority")
	errListVersion   = errors.New("revocation: not a version 2 list")
	errListExtension = errors.New("revocation: the list has a critical extension that is not understood")
	errListScope     = errors.New("revocation: the list is partial in a way that is not supported")
	errListOpenEnd   = errors.New("revocation: the list does not say when the next one comes")
)

// list is one certificate revocation list (RFC 5280 5) in the form that answers questions: crypto/x509's would take
// some hundred bytes for each of a million entries.
type list struct {
	issuer     *x509.Certificate
	thisUpdate time.Time
	nextUpdate time.Time
	scope      []string // DER of the distribution point's names; none: all certificates of the issuer
	gone, held serials  // held are the suspended ones
}

var oidDistribution = asn1.ObjectIdentifier{2, 5, 29, 31}

// Contents of object identifiers: reading a million of them properly would take tens of megabytes.
var (
	idReasonCode        = []byte{0x55, 0x1D, 0x15} // 2.5.29.21
	idDistributionPoint = []byte{0x55, 0x1D, 0x1C} // 2.5.29.28
)

// parseList believes a list that one of the issuers signed. The signature comes first: what a stranger wrote is not
// even looked at.
func parseList(raw []byte, issuers []*x509.Certificate) (*list, error) {
	input := cryptobyte.String(raw)
	var whole, signed, outer, tbs cryptobyte.String
	var signature asn1.BitString
	if !input.ReadASN1(&whole, der.SEQUENCE) || !input.Empty() || !whole.ReadASN1Element(&signed, der.SEQUENCE) ||
		!whole.ReadASN1Element(&outer, der.SEQUENCE) || !whole.ReadASN1BitString(&signature) || !whole.Empty() || signature.BitLength%8 != 0 {
		return nil, errListForm
	}
	issuer, err := signerOf(signed, outer, signature.Bytes, issuers)
	if err != nil {
		return nil, err
	}
	if !signed.ReadASN1(&tbs, der.SEQUENCE) {
		return nil, errListForm
	}
	l := &list{issuer: issuer}
	return l, l.read(tbs, outer)
}

// signerOf finds the generation that signed; all share one name.
func signerOf(signed, algorithm, signature []byte, issuers []*x509.Certificate) (*x509.Certificate, error) {
	a := signatureAlgorithm(algorithm)
	if a == x509.UnknownSignatureAlgorithm {
		return nil, errWeakSignature
	}
	for _, issuer := range issuers {
		if issuer.KeyUsage&x509.KeyUsageCRLSign != 0 && issuer.CheckSignature(a, signed, signature) == nil {
			return issuer, nil
		}
	}
	return nil, errListSigner
}

// signatureAlgorithm knows the strong ones alone.
func signatureAlgorithm(identifier cryptobyte.String) x509.SignatureAlgorithm {
	var algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !identifier.ReadASN1(&algorithm, der.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return x509.UnknownSignatureAlgorithm
	}
	return strongAlgorithms[oid.String()]
}

var strongAlgorithms = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.11": x509.SHA256WithRSA, "1.2.840.113549.1.1.12": x509.SHA384WithRSA, "1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.3.2": x509.ECDSAWithSHA256, "1.2.840.10045.4.3.3": x509.ECDSAWithSHA384, "1.2.840.10045.4.3.4": x509.ECDSAWithSHA512,
}

// read takes TBSCertList apart (RFC 5280 5.1.2).
func (l *list) read(tbs, outer cryptobyte.String) error {
	var version int
	var inner, name, entries, extensions cryptobyte.String
	var hasEntries, hasExtensions bool
	if !tbs.ReadASN1Integer(&version) || version != 1 {
		return errListVersion
	}
	if !tbs.ReadASN1Element(&inner, der.SEQUENCE) || !bytes.Equal(inner, outer) || !tbs.ReadASN1Element(&name, der.SEQUENCE) {
		return errListForm
	}
	if !bytes.Equal(name, l.issuer.RawSubject) {
		return errListSigner
	}
	if !readTime(&tbs, &l.thisUpdate) {
		return errListForm
	}
	if !readTime(&tbs, &l.nextUpdate) {
		return errListOpenEnd
	}
	if !tbs.ReadOptionalASN1(&entries, &hasEntries, der.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&extensions, &hasExtensions, der.Tag(0).ContextSpecific().Constructed()) || !tbs.Empty() {
		return errListForm
	}
	if err := l.readEntries(entries); err != nil || !hasExtensions {
		return err
	}
	return l.readExtensions(extensions)
}

// readEntries counts first: growing a slice to a million would take twice the memory.
func (l *list) readEntries(entries cryptobyte.String) error {
	n, rest := 0, entries
	for ; !rest.Empty(); n++ {
		if !rest.SkipASN1(der.SEQUENCE) {
			return errListForm
		}
	}
	l.gone.short = make([]uint64, 0, n)
	for !entries.Empty() {
		var entry, serial, extensions cryptobyte.String
		if !entries.ReadASN1(&entry, der.SEQUENCE) || !entry.ReadASN1(&serial, der.INTEGER) || !skipTime(&entry) || !positiveInteger(serial) {
			return errListForm
		}
		reason := 0
		if !entry.Empty() {
			if !entry.ReadASN1(&extensions, der.SEQUENCE) || !entry.Empty() {
				return errListForm
			}
			var err error
			if reason, err = readReason(extensions); err != nil {
				return err
			}
		}
		if reason == certificateHold {
			l.held.add(serial)
		} else {
			l.gone.add(serial)
		}
	}
	l.gone.settle()
	l.held.settle()
	return nil
}

// positiveInteger is a DER INTEGER above zero that a certificate could have.
func positiveInteger(content []byte) bool {
	switch {
	case len(content) == 0 || content[0]&0x80 != 0:
		return false
	case content[0] == 0:
		return len(content) > 1 && content[1]&0x80 != 0 && len(content) <= maxSerial+1
	}
	return len(content) <= maxSerial
}

const certificateHold = 6 // RFC 5280 5.3.1

// readReason reads the extensions of an entry. Any reason but a hold is for good, and never leaves this file (R9).
func readReason(extensions cryptobyte.String) (int, error) {
	reason := 0
	err := eachExtension(extensions, func(id []byte, critical bool, value cryptobyte.String) error {
		switch {
		case bytes.Equal(id, idReasonCode):
			if !value.ReadASN1Enum(&reason) || !value.Empty() {
				return errListForm
			}
		case critical: // for example certificateIssuer, which would make the entry somebody else's
			return errListExtension
		}
		return nil
	})
	return reason, err
}

func (l *list) readExtensions(extensions cryptobyte.String) error {
	var all cryptobyte.String
	if !extensions.ReadASN1(&all, der.SEQUENCE) || !extensions.Empty() {
		return errListForm
	}
	return eachExtension(all, func(id []byte, critical bool, value cryptobyte.String) error {
		switch {
		case bytes.Equal(id, idDistributionPoint):
			return l.readScope(value)
		case critical: // for example a delta list, which says nothing of what is missing in it
			return errListExtension
		}
		return nil
	})
}

// readScope reads issuingDistributionPoint (RFC 5280 5.2.5). What the card's profile has no use for is refused, because
// it narrows what the list is silent about.
func (l *list) readScope(value cryptobyte.String) error {
	var scope, point cryptobyte.String
	var hasPoint bool
	if !value.ReadASN1(&scope, der.SEQUENCE) || !value.Empty() ||
		!scope.ReadOptionalASN1(&point, &hasPoint, der.Tag(0).ContextSpecific().Constructed()) {
		return errListForm
	}
	if !scope.SkipOptionalASN1(der.Tag(1).ContextSpecific()) || !scope.Empty() { // onlyContainsUserCerts is all right
		return errListScope
	}
	if !hasPoint {
		return nil
	}
	names, ok := fullNames(point)
	if !ok {
		return errListScope
	}
	l.scope = names
	return nil
}

// covers says whether the list's silence about a certificate of its issuer means something.
func (l *list) covers(points []string) bool {
	if len(l.scope) == 0 {
		return true
	}
	for _, name := range l.scope {
		for _, point := range points {
			if name == point {
				return true
			}
		}
	}
	return false
}

// distributionPoints are the names of the lists on which a certificate would stand (RFC 5280 4.2.1.13), as DER.
// Points for some reasons only, or of another issuer, are left out: such a list alone proves nothing.
func distributionPoints(leaf *x509.Certificate) []string {
	var found []string
	for _, extension := range leaf.Extensions {
		if !extension.Id.Equal(oidDistribution) {
			continue
		}
		value := cryptobyte.String(extension.Value)
		var points cryptobyte.String
		if !value.ReadASN1(&points, der.SEQUENCE) {
			return nil
		}
		for !points.Empty() {
			var point, name cryptobyte.String
			if !points.ReadASN1(&point, der.SEQUENCE) {
				return nil
			}
			if !point.ReadASN1(&name, der.Tag(0).ContextSpecific().Constructed()) || !point.Empty() {
				continue
			}
			names, _ := fullNames(name)
			found = append(found, names...)
		}
	}
	return found
}

// fullNames reads DistributionPointName's fullName: GeneralNames, of which the card's are directory names.
func fullNames(point cryptobyte.String) ([]string, bool) {
	var names cryptobyte.String
	if !point.ReadASN1(&names, der.Tag(0).ContextSpecific().Constructed()) || !point.Empty() || names.Empty() {
		return nil, false
	}
	var all []string
	for !names.Empty() {
		var name cryptobyte.String
		var tag der.Tag
		if !names.ReadAnyASN1Element(&name, &tag) {
			return nil, false
		}
		all = append(all, string(name))
	}
	return all, true
}

func eachExtension(extensions cryptobyte.String, read func([]byte, bool, cryptobyte.String) error) error {
	for !extensions.Empty() {
		var extension, id, value cryptobyte.String
		var critical bool
		if !extensions.ReadASN1(&extension, der.SEQUENCE) || !extension.ReadASN1(&id, der.OBJECT_IDENTIFIER) ||
			extension.PeekASN1Tag(der.BOOLEAN) && !extension.ReadASN1Boolean(&critical) || !extension.ReadASN1(&value, der.OCTET_STRING) || !extension.Empty() {
			return errListForm
		}
		if err := read(id, critical, value); err != nil {
			return err
		}
	}
	return nil
}

// skipTime passes over the time of a revocation: that it happened is enough.
func skipTime(s *cryptobyte.String) bool {
	return s.PeekASN1Tag(der.UTCTime) && s.SkipASN1(der.UTCTime) || s.PeekASN1Tag(der.GeneralizedTime) && s.SkipASN1(der.GeneralizedTime)
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(der.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.PeekASN1Tag(der.GeneralizedTime) && s.ReadASN1GeneralizedTime(t)
}
