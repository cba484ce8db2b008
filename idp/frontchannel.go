package idp

import (
	"net/url"
	"strings"

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
