package clients

import "tegata/storage"

// NeedsPKCE says whether every request of a client must have a code_challenge. Only the operator spares a client that (RFC 9700
// section 2.1.1 recommends PKCE to clients with credentials, and demands it of all others): one whose library is too old for it, or
// the certification suite, whose OpenID Connect plans do without. A challenge that it does send is held against it as any other.
func NeedsPKCE(c storage.Client) bool { return !c.WithoutPKCE }

// withoutPKCE checks a request for that exception.
func (r *registration) withoutPKCE() bool {
	if r.RequirePKCE == nil || *r.RequirePKCE {
		return false
	}
	switch {
	case r.AuthMethod == AuthNone:
		r.refuse("require_pkce", "may not be false for public clients (RFC 9700 section 2.1.1).")
	case r.Profile != "" && r.Profile != ProfileBasic:
		r.within(false, "require_pkce", "may not be false")
	case !r.AllowWithoutPKCE:
		r.refuse("require_pkce", "false is the operator's decision: tegata client create --metadata FILE.")
	}
	return true
}
