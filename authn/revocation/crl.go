package revocation

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"tegata/authn/fail"
)

const (
	maxList      = 64 << 20 // bytes; a list of a million entries has about 40 MB
	fetchTimeout = time.Minute
	refreshEvery = 30 * time.Second // how often the sources are looked through for lists that are due
	refreshAtMax = time.Hour        // no list is used for longer without asking for a newer one
)

// CRL answers from certificate revocation lists (RFC 5280 5) that it fetches in the background: a login waits for
// nobody. A list is used until its nextUpdate and not a second longer, and only for the certificates in its scope:
// JPKI's lists are partitioned, one for each municipality, by the directory name of the distribution point.
type CRL struct {
	// URLs are all partitions, as the operator's contract names them; what a certificate names is never fetched.
	URLs []string
	// Issuers gives the authorities whose lists are believed.
	Issuers func() []*x509.Certificate
	// HTTP fetches; nil means a client with default settings.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// MaxAge is how old a list may be even if it says that it is still good; 0 leaves it to the list.
	MaxAge time.Duration

	mu    sync.RWMutex
	lists map[string]*list     // by URL
	due   map[string]time.Time // by URL: when to ask again
}

var (
	errNoList    = errors.New("revocation: there is no list for this certificate")
	errOlderList = errors.New("revocation: the list is older than the one at hand")
)

// Check looks the certificate up. Its error is always fail.RevocationUnavailable with the cause inside.
func (c *CRL) Check(_ context.Context, q Question) (Answer, error) {
	if q.number() == nil || q.Issuer == nil {
		return Answer{}, fail.RevocationUnavailable.Because(errNoCertificate)
	}
	now := c.now()
	problem, missing := errNoList, false
	answer := Answer{}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, l := range c.about(q) {
		if err := c.fresh(l, now); err != nil {
			problem, missing = err, true
			continue
		}
		// A certificate may stand on two lists; the worse news count.
		if status := l.status(q); answer.Status == Unknown || status != Good {
			answer = Answer{Status: status, ThisUpdate: l.thisUpdate, NextUpdate: l.nextUpdate}
		}
		if answer.Status == Revoked {
			break
		}
	}
	// Without the certificate nobody knows on which partition it would stand: only all of them can say that it is good.
	missing = missing || len(c.lists) < len(c.URLs)
	if answer.Status == Unknown || answer.Status == Good && q.Leaf == nil && missing {
		return Answer{}, fail.RevocationUnavailable.Because(problem)
	}
	return answer, nil
}

// about lists the lists on which a certificate may stand; c.mu is held.
func (c *CRL) about(q Question) []*list {
	var out []*list
	var points []string
	if q.Leaf != nil {
		points = distributionPoints(q.Leaf)
	}
	for _, l := range c.lists {
		if l.issuer.Equal(q.Issuer) && (q.Leaf == nil || l.covers(points)) {
			out = append(out, l)
		}
	}
	return out
}

func (l *list) status(q Question) Status {
	switch serial := q.number(); {
	case l.gone.has(serial):
		return Revoked
	case l.held.has(serial):
		return Suspended
	}
	return Good
}

func (c *CRL) fresh(l *list, now time.Time) error {
	switch {
	case l.thisUpdate.After(now.Add(maxSkew)):
		return errFuture
	case now.After(l.nextUpdate):
		return errOverdue
	case c.MaxAge > 0 && now.Sub(l.thisUpdate) > c.MaxAge:
		return errStale
	}
	return nil
}

// Run fetches what is due until ctx ends. failed hears which URL could not be read and why, without the answer's text.
func (c *CRL) Run(ctx context.Context, failed func(url string, err error)) {
	t := time.NewTicker(refreshEvery)
	defer t.Stop()
	for {
		for _, url := range c.URLs {
			if err := c.refresh(ctx, url); err != nil && ctx.Err() == nil {
				failed(url, err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Refresh fetches every list that is due, and joins what went wrong. An old list stays in use while it may.
func (c *CRL) Refresh(ctx context.Context) error {
	var all error
	for _, url := range c.URLs {
		all = errors.Join(all, c.refresh(ctx, url))
	}
	return all
}

func (c *CRL) refresh(ctx context.Context, url string) error {
	now := c.now()
	c.mu.RLock()
	old, due := c.lists[url], c.due[url]
	c.mu.RUnlock()
	if now.Before(due) {
		return nil
	}
	l, err := c.fetch(ctx, url)
	if err != nil {
		return err
	}
	if err := c.fresh(l, now); err != nil {
		return err
	}
	if old != nil && l.thisUpdate.Before(old.thisUpdate) {
		return errOlderList
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil {
		c.lists, c.due = map[string]*list{}, map[string]time.Time{}
	}
	c.lists[url] = l
	c.due[url] = now.Add(min(l.nextUpdate.Sub(now)/2, refreshAtMax))
	return nil
}

func (c *CRL) fetch(ctx context.Context, url string) (*list, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := direct(c.HTTP).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, errStatusCode
	case resp.ContentLength > maxList:
		return nil, errTooLong
	}
	body, err := readSized(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, err
	}
	return parseList(body, c.Issuers())
}

// readSized allocates once where the length is known.
func readSized(body io.Reader, length int64) ([]byte, error) {
	if length >= 0 {
		buffer := make([]byte, length)
		_, err := io.ReadFull(body, buffer)
		return buffer, err
	}
	buffer, err := io.ReadAll(io.LimitReader(body, maxList+1))
	if err == nil && len(buffer) > maxList {
		return nil, errTooLong
	}
	return buffer, err
}

func (c *CRL) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
