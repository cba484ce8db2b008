package op

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"tegata/authn/fail"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/jwt"
	"tegata/idp/par"
	"tegata/storage"
)

// ObjectLife is how far ahead the exp of a request object may be (FAPI Message Signing section 5.3.1: 60 minutes).
const ObjectLife = time.Hour

// desk finds the parameters of an authorization request that count: those of the address, of a signed object, or those
// that were pushed.
type desk struct {
	issuer string
	acr    func() string // the best that a login here is worth
	keys   *fetch.Keys
	pushed *par.Desk
	now    func() time.Time
}

// source replaces the parameters of the browser's request by those that it stands for. pushed is the hash of a request_uri
// that the answer spends, nil without one. What stands outside of a request object or request_uri is not read, but for
// client_id, by which c was found (RFC 9101 section 5, RFC 9126 section 4).
func (d *desk) source(ctx context.Context, v url.Values, c storage.Client) (params url.Values, pushed []byte, err error) {
	uri, err := single(v, "request_uri")
	switch {
	case err != nil:
		return nil, nil, err
	case v.Has("request_uri") && v.Has("request"):
		return nil, nil, fail.RequestInvalid.At("request_uri")
	case v.Has("request_uri"):
		return d.pushed.Open(ctx, c.ID, uri)
	case c.RequirePAR:
		return nil, nil, fail.PARRequired.At("request_uri")
	}
	params, err = d.unwrapped(ctx, v, c)
	return params, nil, err
}

// unwrapped opens the request object, where there is one.
func (d *desk) unwrapped(ctx context.Context, v url.Values, c storage.Client) (url.Values, error) {
	compact, err := single(v, "request")
	switch {
	case err != nil:
		return nil, err
	case v.Has("request"):
		return d.object(ctx, compact, c)
	case c.RequireSignedRequest:
		return nil, fail.RequestInvalid.At("request")
	}
	return v, nil
}

// object opens a signed request object (RFC 9101). One that is a client assertion, or could become one, is refused
// (section 10.8).
func (d *desk) object(ctx context.Context, compact string, c storage.Client) (url.Values, error) {
	bad := fail.RequestObjectBad.At("request")
	t, err := jwt.Parse(compact, jwt.RequestObject)
	if err != nil {
		return nil, bad.Because(err)
	}
	if t.Text("iss") != c.ID || t.Text("sub") == c.ID || !clients.AcceptsAlg(c, c.Keys.RequestAlg, t.Header.Alg) {
		return nil, bad.Because(errors.New("op: the object's iss, sub or alg is another"))
	}
	keys, err := d.keys.Of(ctx, c, t.Header.KeyID)
	if err != nil {
		return nil, bad.Because(err)
	}
	err = errors.Join(t.Verify(keys), t.Fresh(d.now(), ObjectLife), t.Among(d.issuer))
	if clients.StartedObjects(c) {
		err = errors.Join(err, t.Started(d.now(), ObjectLife))
	}
	if err != nil {
		return nil, bad.Because(err)
	}
	return objectParams(t, c.ID)
}

// envelope are the claims of a request object that are about the object itself.
var envelope = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// objectParams turns claims into the parameters that they are (RFC 9101 section 4): numbers and JSON as their text.
func objectParams(t jwt.Token, clientID string) (url.Values, error) {
	v := url.Values{"client_id": {clientID}}
	for name, raw := range t.Claims {
		if slices.Contains(envelope, name) {
			continue
		}
		text := strings.TrimSpace(string(raw))
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, fail.RequestObjectBad.At(name).Because(err)
			}
		}
		if name == "request" || name == "request_uri" || name == "client_id" && text != clientID {
			return nil, fail.RequestObjectBad.At(name)
		}
		v.Set(name, text)
	}
	return v, nil
}
