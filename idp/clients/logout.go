package clients

import (
	"net/url"
	"slices"

	"tegata/storage"
)

// logout checks where a client hears of the end of a session.
func (r *registration) logout() storage.ClientLogout {
	for _, way := range []struct {
		uri, field, required string
		asked                bool
		check                func(field, raw string)
	}{
		// It may be any server: we go to it ourselves, behind the guard of idp/clients/fetch.
		{r.BackLogoutURI, "backchannel_logout_uri", "backchannel_logout_session_required", r.BackLogoutSID, r.checkServerURI},
		{r.FrontLogoutURI, "frontchannel_logout_uri", "frontchannel_logout_session_required", r.FrontLogoutSID, r.checkFrame},
	} {
		switch {
		case way.uri == "" && way.asked:
			r.refuse(way.required, "needs "+way.field+".")
		case way.uri == "":
		case r.SubjectType == SubjectTransient || r.Profile == ProfileAgeOnly:
			// One logout would tell which of its logins were of one person.
			r.refuse(way.field, "does not go with subjects that are transient.")
		default:
			way.check(way.field, way.uri)
		}
	}
	return storage.ClientLogout{BackURI: r.BackLogoutURI, BackSID: r.BackLogoutSID, FrontURI: r.FrontLogoutURI, FrontSID: r.FrontLogoutSID}
}

// checkFrame accepts a page that our signed-out page shows to nobody: scheme, host and port are those of a redirect URI
// (OpenID Connect Front-Channel Logout 1.0 section 2), so that no third party is loaded by us.
func (r *registration) checkFrame(field, raw string) {
	u, text := webURI(raw)
	if text == "" && !slices.ContainsFunc(r.RedirectURIs, func(redirect string) bool {
		known, text := webURI(redirect)
		return text == "" && origin(known) == origin(u)
	}) {
		text = "must have the scheme, host and port of one of the redirect URIs."
	}
	if text != "" {
		r.refuse(field, text)
	}
}

// origin is scheme, host and port, with the port that the scheme means when there is none.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + " " + u.Hostname() + " " + port
}
