// Package fetch gets the small documents that clients keep at addresses of their own: their keys at a jwks_uri,
// the list of their sector; and it posts small ones to them. The addresses are strangers' words, so every connection is
// looked at when it is made, after names were resolved.
// It knows HTTP and addresses. It refuses to know what a document means to the client, databases and people.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Limits of one document.
const (
	MaxSize = 64 << 10
	Timeout = 3 * time.Second

	PostTimeout = 5 * time.Second // from the first byte of the connection to the answer
)

var (
	// ErrAddress: the address is not one that we go to.
	ErrAddress = errors.New("fetch: not a public https address")
	// ErrAnswer: the server there gave no document.
	ErrAnswer = errors.New("fetch: no document")
)

// Outside reaches public https servers and nothing else. The zero value is ready and strict.
type Outside struct {
	Loopback bool              // plain http and this machine too: for development and the sandbox
	Base     http.RoundTripper // nil: connections of our own; tests put theirs
}

// Get fetches one document: status 200, at most MaxSize bytes, within Timeout. It follows no redirect, uses no proxy
// (which would make the connection for us, unseen), and sends nothing but the request.
func (o Outside) Get(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	r, err := o.request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := o.do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if len(body) > MaxSize {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrAnswer, MaxSize)
	}
	return body, nil
}

// Post sends one document and gives the status of the answer, within PostTimeout; what the answer says beyond that is not
// read. A redirect is an answer like any other.
func (o Outside) Post(ctx context.Context, address, contentType string, body []byte) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, PostTimeout)
	defer cancel()
	r, err := o.request(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", contentType)
	response, err := o.do(r)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close() // it was not read
	return response.StatusCode, nil
}

func (o Outside) request(ctx context.Context, method, address string, body io.Reader) (*http.Request, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && !(o.Loopback && u.Scheme == "http") || u.Host == "" || u.User != nil {
		return nil, ErrAddress
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, ErrAddress
	}
	return r, nil
}

func (o Outside) do(r *http.Request) (*http.Response, error) {
	client := &http.Client{Transport: o.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	switch {
	case errors.Is(err, ErrAddress):
		return nil, ErrAddress
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return response, nil
}

// transport makes a connection for one request: addresses are checked at every one, so that a name which answers
// differently the second time (DNS rebinding) wins nothing.
func (o Outside) transport() http.RoundTripper {
	if o.Base != nil {
		return o.Base
	}
	dialer := &net.Dialer{Timeout: Timeout, Control: func(_, address string, _ syscall.RawConn) error { return o.check(address) }}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: Timeout, ResponseHeaderTimeout: PostTimeout,
		MaxResponseHeaderBytes: 16 << 10, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}
}

// check is asked with the resolved address of each connection.
func (o Outside) check(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !Public(at.Addr()) && !(o.Loopback && at.Addr().Unmap().IsLoopback()) {
		return ErrAddress
	}
	return nil
}

// inside are the ranges that belong to networks around us and not to the internet, besides those that netip knows
// (IANA special-purpose address registries, RFC 6890), and those that embed an IPv4 address which could be one of them.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"),
}

// Public says whether an address is on the internet.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.Zone() != "" {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
