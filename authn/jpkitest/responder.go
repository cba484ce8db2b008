package jpkitest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

// Fault is how the authority's services misbehave: OCSP, lists and platform API alike.
type Fault string

const (
	FaultNone     Fault = "none"      // it works
	FaultOffline  Fault = "offline"   // it hangs up without an answer
	FaultLate     Fault = "late"      // it answers half a minute later
	FaultStale    Fault = "stale"     // it gives the news of an hour ago
	FaultUnknown  Fault = "unknown"   // it knows no certificate
	FaultWrongKey Fault = "wrong_key" // somebody else signs in the responder's name
	FaultNoNonce  Fault = "no_nonce"  // it does not repeat the nonce, so its answers can be replayed
	FaultSkew     Fault = "skew"      // its clock is an hour ahead
	FaultDelay    Fault = "delay"     // its change feed is DelayBy behind; all else works
)

var faults = []Fault{FaultNone, FaultOffline, FaultLate, FaultStale, FaultUnknown, FaultWrongKey, FaultNoNonce, FaultSkew, FaultDelay}

const (
	lateBy     = 30 * time.Second
	staleBy    = time.Hour
	nextUpdate = time.Minute // answers are for one login, not for a cache
)

var oidNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}

// The parts of RFC 6960 that x/crypto/ocsp cannot write: nonces, and times by our own clock.
type (
	certID struct {
		Algorithm         pkix.AlgorithmIdentifier
		NameHash, KeyHash []byte
		Serial            *big.Int
	}
	ocspRequest struct {
		TBS struct {
			Version    int           `asn1:"optional,explicit,default:0,tag:0"`
			Requestor  asn1.RawValue `asn1:"optional,explicit,tag:1"`
			List       []struct{ CertID certID }
			Extensions []pkix.Extension `asn1:"optional,explicit,tag:2"`
		}
	}
	revokedInfo struct {
		At     time.Time       `asn1:"generalized"`
		Reason asn1.Enumerated `asn1:"optional,explicit,tag:0"` // absent = unspecified
	}
	singleResponse struct {
		CertID     certID
		Status     asn1.RawValue
		ThisUpdate time.Time `asn1:"generalized"`
		NextUpdate time.Time `asn1:"generalized,explicit,tag:0"`
	}
	responseData struct {
		Responder  asn1.RawValue
		ProducedAt time.Time `asn1:"generalized"`
		Responses  []singleResponse
		Extensions []pkix.Extension `asn1:"optional,omitempty,explicit,tag:1"`
	}
	basicResponse struct {
		Data         asn1.RawValue
		Algorithm    pkix.AlgorithmIdentifier
		Signature    asn1.BitString
		Certificates []asn1.RawValue `asn1:"explicit,tag:0"`
	}
	responseBytes struct {
		Type  asn1.ObjectIdentifier
		Basic []byte
	}
	ocspResponse struct {
		Status asn1.Enumerated
		Bytes  responseBytes `asn1:"explicit,tag:0"`
	}
)

var errRequest = errors.New("jpkitest: not an OCSP request about one certificate")

// respond answers an OCSP request about a certificate of one purpose. Whatever cannot be read gets the
// responder's own error message (RFC 6960 2.3).
func (a *Authority) respond(purpose jpki.Purpose, request []byte) []byte {
	q, err := readRequest(request)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse
	}
	issuer := a.issuerNamed(purpose, q.parsed)
	if issuer == nil {
		return ocsp.UnauthorizedErrorResponse
	}
	answer, err := a.answer(issuer, q)
	if err != nil {
		return ocsp.InternalErrorErrorResponse
	}
	return answer
}

// query is an OCSP request about one certificate.
type query struct {
	parsed *ocsp.Request
	id     certID
	nonce  []pkix.Extension
}

func readRequest(der []byte) (query, error) {
	parsed, err := ocsp.ParseRequest(der)
	if err != nil {
		return query{}, errRequest
	}
	var r ocspRequest
	if rest, err := asn1.Unmarshal(der, &r); err != nil || len(rest) > 0 || len(r.TBS.List) != 1 {
		return query{}, errRequest
	}
	q := query{parsed: parsed, id: r.TBS.List[0].CertID}
	for _, extension := range r.TBS.Extensions {
		if extension.Id.Equal(oidNonce) {
			q.nonce = append(q.nonce, extension)
		}
	}
	return q, nil
}

// issuerNamed finds the generation whose name and key the request hashes.
func (a *Authority) issuerNamed(purpose jpki.Purpose, q *ocsp.Request) *ca {
	for _, c := range a.cas[purpose] {
		own, err := ocsp.CreateRequest(c.cert, c.cert, &ocsp.RequestOptions{Hash: q.HashAlgorithm})
		if err != nil {
			return nil
		}
		if id, err := ocsp.ParseRequest(own); err == nil &&
			bytes.Equal(id.IssuerNameHash, q.IssuerNameHash) && bytes.Equal(id.IssuerKeyHash, q.IssuerKeyHash) {
			return c
		}
	}
	return nil
}

func (a *Authority) answer(issuer *ca, q query) ([]byte, error) {
	fault, now := a.Fault(), a.now().UTC().Truncate(time.Second)
	status, err := a.certStatus(issuer, q.id.Serial, fault, now)
	if err != nil {
		return nil, err
	}
	now = now.Add(shift(fault))
	data := responseData{
		Responder:  asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: issuer.responder.RawSubject},
		ProducedAt: now,
		Responses:  []singleResponse{{CertID: q.id, Status: status, ThisUpdate: now, NextUpdate: now.Add(nextUpdate)}},
	}
	if fault != FaultNoNonce {
		data.Extensions = q.nonce
	}
	signer := issuer.signer
	if fault == FaultWrongKey {
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
	}
	return sign(data, signer, issuer.responder)
}

// shift is how far a fault moves the times of an answer.
func shift(fault Fault) time.Duration {
	switch fault {
	case FaultStale:
		return -staleBy
	case FaultSkew:
		return staleBy
	}
	return 0
}

func sign(data responseData, key *ecdsa.PrivateKey, cert *x509.Certificate) ([]byte, error) {
	tbs, err := asn1.Marshal(data)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	basic, err := asn1.Marshal(basicResponse{
		Data:         asn1.RawValue{FullBytes: tbs},
		Algorithm:    pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, // ecdsa-with-SHA256
		Signature:    asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
		Certificates: []asn1.RawValue{{FullBytes: cert.Raw}},
	})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(ocspResponse{Bytes: responseBytes{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, basic}})
}

// certStatus encodes CertStatus (RFC 6960 4.2.1).
func (a *Authority) certStatus(issuer *ca, serial *big.Int, fault Fault, now time.Time) (asn1.RawValue, error) {
	const good, revoked, unknown = 0, 1, 2
	null := func(tag int) asn1.RawValue { return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag} }
	card, cert, past := a.find(issuer.purpose, serial)
	if card == nil || cert.Generation != issuer.generation || fault == FaultUnknown {
		return null(unknown), nil
	}
	info := revokedInfo{At: now.AddDate(0, 0, -1)}
	switch a.statusOf(card, past) {
	case cardtest.Revoked:
	case cardtest.Suspended:
		info.Reason = ocsp.CertificateHold
	default:
		return null(good), nil
	}
	der, err := asn1.MarshalWithParams(info, "tag:1")
	return asn1.RawValue{FullBytes: der}, err
}

// statusOf: what was replaced stays revoked, and so does what a dead person left; then the switch decides, then the
// persona's file.
func (a *Authority) statusOf(card *issuedCard, past bool) cardtest.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.statusNow(card, past)
}

// statusNow is statusOf for who holds mu.
func (a *Authority) statusNow(card *issuedCard, past bool) cardtest.Status {
	if card.Replaced || card.Dead || past {
		return cardtest.Revoked
	}
	if status, ok := a.switched[card.Persona]; ok {
		return status
	}
	return card.Status
}
