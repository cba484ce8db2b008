package revocation

import (
	"bytes"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
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

// read believes an answer if the issuer or its delegate signed it, to this question, just now.
// The signature comes first: what a stranger wrote is not even looked at.
func (q *question) read(body []byte, issuer *x509.Certificate, known *delegates, now time.Time, maxAge time.Duration) (Answer, error) {
	m, err := readMessage(body)
	if err != nil {
		return Answer{}, err
	}
	signer, err := m.signedBy(issuer, known, now)
	if err != nil {
		return Answer{}, err
	}
	n, err := readNews(m.signed)
	switch {
	case err != nil:
		return Answer{}, err
	case !n.names(signer):
		return Answer{}, errOtherResponder
	case !q.id.same(n.id):
		return Answer{}, errOtherQuestion
	}
	if err := q.checkNonce(n.extensions); err != nil {
		return Answer{}, err
	}
	if err := n.checkFresh(now, maxAge); err != nil {
		return Answer{}, err
	}
	return Answer{Status: n.status, ThisUpdate: n.thisUpdate, NextUpdate: n.nextUpdate}, nil
}

// signedBy finds who signed: the issuer itself or a responder it named directly (RFC 6960 4.2.2.2). Without the check of
// a delegate every cardholder could vouch for every card.
func (m message) signedBy(issuer *x509.Certificate, known *delegates, now time.Time) (*x509.Certificate, error) {
	signer := issuer
	delegated := m.certificate != nil && !bytes.Equal(m.certificate, issuer.Raw)
	if delegated {
		var err error
		if signer, err = known.parse(m.certificate, issuer); err != nil {
			return nil, errUnreadable
		}
	}
	switch {
	case m.algorithm == x509.UnknownSignatureAlgorithm:
		return nil, errWeakSignature
	case signer.CheckSignature(m.algorithm, m.signed, m.signature) != nil:
		return nil, errUnreadable
	case delegated:
		return signer, known.check(signer, issuer, now)
	}
	return signer, nil
}

// delegates remembers who was last found to be an issuer's responder: it is the same one for weeks, and reading and
// verifying its certificate again at each answer would cost as much as the answer itself. Only what the issuer signed gets in.
type delegates struct {
	mu   sync.Mutex
	last map[string]*x509.Certificate // the delegate's certificate by the issuer's DER
}

// of is the last delegate of an issuer; nil for none.
func (d *delegates) of(issuer *x509.Certificate) *x509.Certificate {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last[string(issuer.Raw)]
}

// parse reads the certificate of what may be a delegate, unless it is the very one that is known.
func (d *delegates) parse(raw []byte, issuer *x509.Certificate) (*x509.Certificate, error) {
	if last := d.of(issuer); last != nil && bytes.Equal(last.Raw, raw) {
		return last, nil
	}
	return x509.ParseCertificate(raw)
}

// check is checkDelegate, except for what cannot change; the validity is looked at each time.
func (d *delegates) check(delegate, issuer *x509.Certificate, now time.Time) error {
	if last := d.of(issuer); last == nil || !bytes.Equal(last.Raw, delegate.Raw) {
		if err := checkDelegate(delegate, issuer); err != nil {
			return err
		}
		d.mu.Lock()
		if d.last == nil {
			d.last = map[string]*x509.Certificate{}
		}
		d.last[string(issuer.Raw)] = delegate
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

// checkNonce insists on our nonce: without it an answer from before the revocation could be replayed.
func (q *question) checkNonce(extensions []extension) error {
	var nonces []cryptobyte.String
	for _, e := range extensions {
		switch {
		case e.id.Equal(oidNonce):
			nonces = append(nonces, e.value)
		case e.critical:
			return errExtension
		}
	}
	if len(nonces) != 1 {
		return errNonce
	}
	var nonce cryptobyte.String
	if !nonces[0].ReadASN1(&nonce, der.OCTET_STRING) || !nonces[0].Empty() || subtle.ConstantTimeCompare(nonce, q.nonce) != 1 {
		return errNonce
	}
	return nil
}

// checkFresh compares with our clock: the nonce proves that the message is new, not that its news are.
func (n news) checkFresh(now time.Time, maxAge time.Duration) error {
	switch {
	case n.thisUpdate.After(now.Add(maxSkew)):
		return errFuture
	case now.Sub(n.thisUpdate) > maxAge:
		return errStale
	case !n.nextUpdate.IsZero() && now.After(n.nextUpdate):
		return errOverdue
	}
	return nil
}
