// Package par keeps authorization requests that clients push ahead of the browser (RFC 9126): a request_uri for a form,
// and the form for a request_uri. It owns the handle's form and life. It refuses to know HTTP, who the client is, and
// whether the request is a good one: its callers have looked at both before.
package par

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/storage"
)

const (
	// Life is how long a request_uri may be taken to the authorization endpoint.
	Life = 90 * time.Second
	// Prefix begins every request_uri of ours; 256 random bits follow, base64url.
	Prefix = "urn:ietf:params:oauth:request_uri:"
)

type store interface {
	PushRequest(ctx context.Context, p storage.Pushed) error
	PushedRequest(ctx context.Context, hash []byte, now time.Time) (storage.Pushed, error)
}

// Desk takes requests in and hands them out. It is safe for concurrent use.
type Desk struct {
	Store store
	Now   func() time.Time
	Rand  io.Reader
}

// Push keeps the parameters of a client and returns their request_uri, good for Life. fail.Unavailable.
func (d *Desk) Push(ctx context.Context, clientID string, params url.Values) (string, error) {
	handle, err := authn.NewSecret(d.Rand)
	if err != nil {
		return "", err
	}
	err = d.Store.PushRequest(ctx, storage.Pushed{
		Hash: handle.Hash(), ClientID: clientID, Params: []byte(params.Encode()), ExpiresAt: d.Now().Add(Life)})
	if err != nil {
		return "", fail.Unavailable.Because(err)
	}
	return Prefix + handle.Reveal(), nil
}

// Open gives the parameters behind a request_uri and the hash that its answer has to spend. Opening spends nothing, so a
// person may reload the page (RFC 9126 section 7.3). fail.RequestURINotSupp: not ours. fail.RequestURIInvalid: unknown, past
// its time, or another client's. fail.AlreadyUsed: a login answered it.
func (d *Desk) Open(ctx context.Context, clientID, uri string) (params url.Values, hash []byte, err error) {
	text, ours := strings.CutPrefix(uri, Prefix)
	if !ours {
		return nil, nil, fail.RequestURINotSupp
	}
	handle, ok := authn.ParseSecret(text)
	if !ok {
		return nil, nil, fail.RequestURIInvalid
	}
	p, err := d.Store.PushedRequest(ctx, handle.Hash(), d.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, fail.RequestURIInvalid
	case errors.Is(err, storage.ErrSpent):
		return nil, nil, fail.AlreadyUsed
	case err != nil:
		return nil, nil, fail.Unavailable.Because(err)
	case p.ClientID != clientID:
		return nil, nil, fail.RequestURIInvalid.Because(errors.New("par: another client pushed it"))
	}
	if params, err = url.ParseQuery(string(p.Params)); err != nil {
		return nil, nil, fail.Internal.Because(err)
	}
	return params, p.Hash, nil
}
