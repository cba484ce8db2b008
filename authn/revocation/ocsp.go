package revocation

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"time"

	"tegata/authn/fail"
)

const (
	defaultTimeout = 3 * time.Second  // the person hears of an outage within 4 s (acceptance 19)
	defaultMaxAge  = 2 * time.Minute  // a login needs news, not a snapshot of this morning
	maxSkew        = 60 * time.Second // how far the authority's clock may be ahead of ours
	maxResponse    = 64 << 10         // bytes; a real response has about 2 kB
)

// OCSP asks an OCSP responder over HTTP. No answer is cached and nothing is retried: an answer belongs
// to one login (R12), and the person can press the button again.
// The address comes from the operator; what a certificate names as its responder is never contacted.
type OCSP struct {
	// URL gives the responder for certificates of this issuer, or "" if there is none.
	URL func(issuer *x509.Certificate) string
	// HTTP carries the requests; nil means a client with default settings. Its redirects are not followed.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand feeds the nonces; nil means crypto/rand.
	Rand io.Reader
	// MaxAge is how old an answer may be; 0 means two minutes.
	MaxAge time.Duration
	// Timeout limits the whole exchange; 0 means three seconds.
	Timeout time.Duration

	responders delegates
}

// What can go wrong on the way to a usable answer. The texts are fixed and quote nobody.
var (
	errNoCertificate  = errors.New("revocation: no certificate or issuer to ask about")
	errNoResponder    = errors.New("revocation: no responder configured for this issuer")
	errStatusCode     = errors.New("revocation: the responder answered with an HTTP error")
	errRefusedRequest = fmt.Errorf("%w: it refused the request", errStatusCode)
	errMediaType      = errors.New("revocation: the answer is not an OCSP response")
	errTooLong        = errors.New("revocation: the answer is too long")
)

// Check asks once and believes only an answer to this very question. Its error is always
// fail.RevocationUnavailable with the cause inside.
func (o *OCSP) Check(ctx context.Context, q Question) (Answer, error) {
	answer, err := o.check(ctx, q.number(), q.Issuer)
	if err != nil {
		return Answer{}, fail.RevocationUnavailable.Because(err)
	}
	return answer, nil
}

func (o *OCSP) check(ctx context.Context, serial *big.Int, issuer *x509.Certificate) (Answer, error) {
	if serial == nil || issuer == nil {
		return Answer{}, errNoCertificate
	}
	url := ""
	if o.URL != nil {
		url = o.URL(issuer)
	}
	if url == "" {
		return Answer{}, errNoResponder
	}
	q, err := ask(serial, issuer, o.random())
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, positive(o.Timeout, defaultTimeout))
	defer cancel()
	body, err := o.post(ctx, url, q.der)
	if err != nil {
		return Answer{}, err
	}
	return q.read(body, issuer, &o.responders, o.now(), positive(o.MaxAge, defaultMaxAge))
}

// post sends by POST only (RFC 6960 A.1): a GET would put the serial number into a URL.
func (o *OCSP) post(ctx context.Context, url string, request []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	req.Header.Set("Accept", "application/ocsp-response")
	body, _, err := exchange(o.HTTP, req, "application/ocsp-response", errMediaType)
	return body, err
}

// exchange sends a question and reads an answer of the one media type; misfit is the error for any other.
func exchange(client *http.Client, req *http.Request, media string, misfit error) ([]byte, http.Header, error) {
	resp, err := direct(client).Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	got, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode == http.StatusBadRequest:
		return nil, nil, errRefusedRequest
	case resp.StatusCode != http.StatusOK:
		return nil, nil, errStatusCode
	case err != nil || got != media:
		return nil, nil, misfit
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(body) > maxResponse:
		return nil, nil, errTooLong
	}
	return body, resp.Header, nil
}

// direct keeps the caller's transport but follows no redirect: nobody but the operator chooses whom we ask.
func direct(client *http.Client) *http.Client {
	var c http.Client
	if client != nil {
		c = *client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

func (o *OCSP) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

func (o *OCSP) random() io.Reader {
	if o.Rand != nil {
		return o.Rand
	}
	return rand.Reader
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
