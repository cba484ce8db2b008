package clients

import "tegata/storage"

// logout checks where a client's server hears of the end of a session. It may be any server: we go to it ourselves,
// behind the guard of idp/clients/fetch.
func (r *registration) logout() storage.ClientLogout {
	l := storage.ClientLogout{BackURI: r.BackLogoutURI, BackSID: r.BackLogoutSID}
	switch {
	case l.BackURI == "" && l.BackSID:
		r.refuse("backchannel_logout_session_required", "needs backchannel_logout_uri.")
	case l.BackURI == "":
	case r.SubjectType == SubjectTransient || r.Profile == ProfileAgeOnly:
		// One logout would tell which of its logins were of one person.
		r.refuse("backchannel_logout_uri", "does not go with subjects that are transient.")
	default:
		r.checkServerURI("backchannel_logout_uri", l.BackURI)
	}
	return l
}
