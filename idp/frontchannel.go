package idp

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"tegata/authn/fail"
	"tegata/storage"
)

// frames are the pages that the browser of an ended session has to load, so that relying parties which asked for it forget
// what they keep there (OpenID Connect Front-Channel Logout 1.0 section 3). iss and sid are always said: without them
// anybody who frames such a page would sign people out.
func (p *Provider) frames(parties []storage.Party) []string {
	var list []string
	for _, party := range parties {
		if c := party.Client; !c.Disabled && c.Logout.FrontURI != "" {
			list = append(list, AddQuery(c.Logout.FrontURI, url.Values{"iss": {p.IssuerOf(c)}, "sid": {party.SID}}.Encode()))
		}
	}
	return list
}

// Farewell is what a browser still has to tell one relying party's page: which of its sessions has ended.
type Farewell struct{ Client, SID string }

// Farewells are those that a browser can say for sessions that were ended in it: of its own session, here, all of them. Of a
// session in another browser only to pages that asked for sessions' names, and so can tell that it is not this one's.
func (p *Provider) Farewells(parties []storage.Party, here string) []Farewell {
	var list []Farewell
	for _, party := range parties {
		c := party.Client
		if c.Logout.FrontURI != "" && (c.Logout.FrontSID || party.SID == p.sid(c, here)) {
			list = append(list, Farewell{c.ID, party.SID})
		}
	}
	return list
}

// FarewellPages are the pages to load, as those clients are registered now.
func (p *Provider) FarewellPages(ctx context.Context, list []Farewell) ([]string, error) {
	var parties []storage.Party
	for _, f := range list {
		c, err := p.Client(ctx, f.Client)
		switch {
		case errors.Is(err, fail.ClientUnknown), errors.Is(err, fail.ClientInactive):
		case err != nil:
			return nil, err
		default:
			parties = append(parties, storage.Party{Client: c, SID: f.SID})
		}
	}
	return p.frames(parties), nil
}

// AddQuery adds to the query that a registered URI already has, which stays byte for byte (RFC 6749 section 3.1.2).
func AddQuery(uri, query string) string {
	switch {
	case !strings.Contains(uri, "?"):
		return uri + "?" + query
	case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
		return uri + query
	}
	return uri + "&" + query
}
