package revocation

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Why an answer is not believed.
var (
	errUnreadable      = errors.New("revocation: the answer cannot be read or its signature does not hold")
	errErrorAnswer     = errors.New("revocation: the responder reports an error of its own")
	errOneAnswer       = errors.New("revocation: not exactly one status for one certificate")
	errOtherQuestion   = errors.New("revocation: the answer is about another certificate")
	errNonce           = errors.New("revocation: the answer does not repeat our nonce")
	errExtension       = errors.New("revocation: the answer has a critical extension that is not understood")
	errWeakSignature   = errors.New("revocation: the answer is signed with a weak algorithm")
	errOtherResponder  = errors.New("revocation: the answer names another signer than its own")
	errDelegate        = errors.New("revocation: the signer is no OCSP responder of the issuer")
	errDelegateExpired = errors.New("revocation: the signer's certificate is out of its validity")
	errStale           = errors.New("revocation: the answer is too old")
	errFuture          = errors.New("revocation: the answer comes from the future")
	errOverdue         = errors.New("revocation: the answer says that newer news is out")
)

// responseData is what x/crypto/ocsp verified, read a second time for the parts it does not show:
// the full name of the certificate, the nonce, and that a status was given exactly once.
type responseData struct {
	Version    int `asn1:"optional,default:0,explicit,tag:0"`
	Responder  asn1.RawValue
	ProducedAt time.Time `asn1:"generalized"`
	Responses  []singleResponse
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:1"`
}

type singleResponse struct {
	CertID     certID
	Good       asn1.Flag     `asn1:"optional,tag:0"`
	Revoked    asn1.RawValue `asn1:"optional,tag:1"`
	Unknown    asn1.Flag     `asn1:"optional,tag:2"`
	ThisUpdate time.Time     `asn1:"generalized"`
}

// read believes an answer if the issuer or its delegate signed it, to this question, just now.
// The signature comes first: what a stranger wrote is not even looked at.
func (q *question) read(body []byte, issuer *x509.Certificate, known *delegates, now time.Time, maxAge time.Duration) (Answer, error) {
	resp, err := ocsp.ParseResponse(body, nil) // verifies with the certificate inside, if there is one; whose that is, is asked next
	if err != nil {
		return Answer{}, unreadable(err)
	}
	if err := checkSigner(resp, issuer, known, now); err != nil {
		return Answer{}, err
	}
	if err := q.checkAbout(resp.TBSResponseData); err != nil {
		return Answer{}, err
	}
	if err := checkFresh(resp, now, maxAge); err != nil {
		return Answer{}, err
	}
	return Answer{Status: status(resp), ThisUpdate: resp.ThisUpdate, NextUpdate: resp.NextUpdate}, nil
}

// unreadable drops the parser's text, which may quote the answer.
func unreadable(err error) error {
	if errors.As(err, new(ocsp.ResponseError)) {
		return errErrorAnswer
	}
	return errUnreadable
}

func status(resp *ocsp.Response) Status {
	switch {
	case resp.Status == ocsp.Good:
		return Good
	case resp.Status == ocsp.Revoked && resp.RevocationReason == ocsp.CertificateHold:
		return Suspended
	case resp.Status == ocsp.Revoked:
		return Revoked
	}
	return Unknown
}

// checkSigner allows the issuer itself or a responder it named directly (RFC 6960 4.2.2.2).
// ocsp.ParseResponse verified the answer with the certificate inside it, whosever that is. It would also take any
// certificate of the issuer as a responder's: without this check every cardholder could vouch for every card.
func checkSigner(resp *ocsp.Response, issuer *x509.Certificate, known *delegates, now time.Time) error {
	signer := issuer
	switch {
	case resp.Certificate == nil:
		if resp.CheckSignatureFrom(issuer) != nil {
			return errUnreadable
		}
	case !resp.Certificate.Equal(issuer):
		signer = resp.Certificate
		if err := known.check(signer, issuer, now); err != nil {
			return err
		}
	}
	switch {
	case !strong(resp.SignatureAlgorithm):
		return errWeakSignature
	case !named(resp, signer):
		return errOtherResponder
	}
	return nil
}

// delegates remembers who was last found to be an issuer's responder: it is the same one for weeks, and verifying its
// certificate again at each answer would cost as much as the answer itself. Only what the issuer signed gets in.
type delegates struct {
	mu   sync.Mutex
	last map[string][]byte // the delegate's certificate by the issuer's, both DER
}

// check is checkDelegate, except for what cannot change; the validity is looked at each time.
func (d *delegates) check(delegate, issuer *x509.Certificate, now time.Time) error {
	d.mu.Lock()
	known := bytes.Equal(d.last[string(issuer.Raw)], delegate.Raw)
	d.mu.Unlock()
	if !known {
		if err := checkDelegate(delegate, issuer); err != nil {
			return err
		}
		d.mu.Lock()
		if d.last == nil {
			d.last = map[string][]byte{}
		}
		d.last[string(issuer.Raw)] = delegate.Raw
		d.mu.Unlock()
	}
	if now.Before(delegate.NotBefore) || now.After(delegate.NotAfter) {
		return errDelegateExpired
	}
	return nil
}

func checkDelegate(delegate, issuer *x509.Certificate) error {
	switch {
	case issuer.CheckSignature(delegate.SignatureAlgorithm, delegate.RawTBSCertificate, delegate.Signature) != nil:
		return errUnreadable // a stranger's
	case delegate.CheckSignatureFrom(issuer) != nil || !bytes.Equal(delegate.RawIssuer, issuer.RawSubject):
		return errDelegate
	case !slices.Contains(delegate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errDelegate
	case delegate.IsCA || delegate.KeyUsage != 0 && delegate.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errDelegate
	case len(delegate.UnhandledCriticalExtensions) > 0:
		return errDelegate
	}
	return nil
}

// named compares the responder ID inside the signed part with the one who signed.
func named(resp *ocsp.Response, signer *x509.Certificate) bool {
	if len(resp.RawResponderName) > 0 {
		return bytes.Equal(resp.RawResponderName, signer.RawSubject)
	}
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Bits      asn1.BitString
	}
	if _, err := asn1.Unmarshal(signer.RawSubjectPublicKeyInfo, &key); err != nil {
		return false
	}
	hash := sha1.Sum(key.Bits.RightAlign()) // a name, not a proof: RFC 6960 4.2.1 fixes SHA-1
	return bytes.Equal(resp.ResponderKeyHash, hash[:])
}

func strong(algorithm x509.SignatureAlgorithm) bool {
	switch algorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return true
	}
	return false
}

// checkAbout asks whether the signed part answers this question and no other.
func (q *question) checkAbout(tbs []byte) error {
	var data responseData
	if rest, err := asn1.Unmarshal(tbs, &data); err != nil || len(rest) > 0 || len(data.Responses) != 1 {
		return errUnreadable // ocsp.ParseResponse already said so; we do not depend on it
	}
	single := data.Responses[0]
	given := 0
	for _, is := range []bool{bool(single.Good), len(single.Revoked.FullBytes) > 0, bool(single.Unknown)} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return errOneAnswer
	case !q.id.same(single.CertID):
		return errOtherQuestion
	}
	return q.checkNonce(data.Extensions)
}

// checkNonce insists on our nonce: without it an answer from before the revocation could be replayed.
func (q *question) checkNonce(extensions []pkix.Extension) error {
	var nonces [][]byte
	for _, extension := range extensions {
		switch {
		case extension.Id.Equal(oidNonce):
			nonces = append(nonces, extension.Value)
		case extension.Critical:
			return errExtension
		}
	}
	if len(nonces) != 1 {
		return errNonce
	}
	var nonce []byte
	rest, err := asn1.Unmarshal(nonces[0], &nonce)
	if err != nil || len(rest) > 0 || subtle.ConstantTimeCompare(nonce, q.nonce) != 1 {
		return errNonce
	}
	return nil
}

// checkFresh compares with our clock: the nonce proves that the message is new, not that its news are.
func checkFresh(resp *ocsp.Response, now time.Time, maxAge time.Duration) error {
	switch {
	case resp.ThisUpdate.After(now.Add(maxSkew)):
		return errFuture
	case now.Sub(resp.ThisUpdate) > maxAge:
		return errStale
	case !resp.NextUpdate.IsZero() && now.After(resp.NextUpdate):
		return errOverdue
	}
	return nil
}
