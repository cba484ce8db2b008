package clients

import (
	"fmt"
	"net/url"
	"slices"
)

func (r *registration) native() bool { return r.ApplicationType == "native" }

func (r *registration) checkURIs() {
	if len(r.RedirectURIs) == 0 {
		r.refuse("redirect_uris", "must name at least one URI.")
	}
	r.checkRedirects("redirect_uris", r.RedirectURIs)
	r.checkRedirects("post_logout_redirect_uris", r.PostLogoutRedirectURIs)
	r.checkPage("client_uri", r.ClientURI)
}

func (r *registration) checkRedirects(field string, uris []string) {
	if len(uris) > maxURIs {
		r.refuse(field, "may name at most 50 URIs.")
		return
	}
	for i, raw := range uris {
		if text := r.checkRedirect(raw); text != "" {
			r.refuse(fmt.Sprintf("%s[%d]", field, i), text)
		}
	}
}

// checkRedirect accepts https everywhere, http where it stays on the machine, and for apps a scheme of their own
// (RFC 8252 section 7). The text is a sentence, "" when the URI is good.
func (r *registration) checkRedirect(raw string) string {
	u, text := plainURI(raw)
	switch {
	case text != "":
		return text
	case u.Scheme != "https" && u.Scheme != "http":
		return r.checkOwnScheme(u)
	}
	if _, text := webURI(raw); text != "" {
		return text
	}
	return r.checkPlainHTTP(u)
}

func (r *registration) checkOwnScheme(u *url.URL) string {
	switch {
	case !r.native() && r.AuthMethod != AuthNone:
		return "must be https; a scheme of its own is for native and public clients."
	case !reverseDomain(u.Scheme):
		return "must be https, or a scheme that is a domain name in reverse (RFC 8252 section 7.1)."
	}
	return ""
}

func (r *registration) checkPlainHTTP(u *url.URL) string {
	local := loopbackLiteral(u.Hostname()) || u.Hostname() == "localhost" && (r.native() || r.AllowLoopbackHTTP)
	if u.Scheme == "http" && !local {
		return "must be https; plain http is only for http://127.0.0.1 and http://[::1]."
	}
	return ""
}

// sector finds the name that pairwise subjects are computed for (OIDC Core section 8.1): the host of
// sector_identifier_uri, or the one host of all redirect URIs. What stands at sector_identifier_uri is looked at by
// fetch.Outside. Apps with a scheme of their own have that scheme and a colon, which no host has. The loopback address of a
// native app names nobody, so such an app is a sector of its own; else all of them would share one subject.
func (r *registration) sector() string {
	if r.SectorIdentifierURI != "" {
		return r.registeredSector()
	}
	var sectors []string
	for _, raw := range r.RedirectURIs {
		if s := r.sectorOf(raw); s != "" && !slices.Contains(sectors, s) {
			sectors = append(sectors, s)
		}
	}
	switch len(sectors) {
	case 0:
		return "native:" + r.ClientID
	case 1:
		return sectors[0]
	}
	r.refuse("sector_identifier_uri", "is needed, because the redirect URIs have several hosts (OpenID Connect Core section 8.1).")
	return ""
}

func (r *registration) registeredSector() string {
	u, text := webURI(r.SectorIdentifierURI)
	if text == "" && u.Scheme != "https" && !r.onThisMachine(u) {
		text = "must be an https URI."
	}
	if text != "" {
		r.refuse("sector_identifier_uri", text)
		return ""
	}
	return u.Hostname()
}

// onThisMachine says that a document may come from here, without TLS: for development and the sandbox.
func (r *registration) onThisMachine(u *url.URL) bool {
	return r.AllowLoopbackHTTP && (loopbackLiteral(u.Hostname()) || u.Hostname() == "localhost")
}

// sectorOf gives "" for what has its own problem already and for the loopback addresses of native apps.
func (r *registration) sectorOf(raw string) string {
	u, text := plainURI(raw)
	switch {
	case text != "":
		return ""
	case u.Scheme != "https" && u.Scheme != "http":
		return u.Scheme + ":"
	case r.native() && (loopbackLiteral(u.Hostname()) || u.Hostname() == "localhost"):
		return ""
	}
	return u.Hostname()
}
