package clients

import (
	"slices"
	"strings"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// ProfileDAA is for relying parties that come from the Digital Authentication App or want to go there: the same addresses
// behind another host, the same scopes, limits and formats.
const ProfileDAA = "daa-compatible"

// daaScopes are all that the Digital Authentication App has for logins.
var daaScopes = []string{claims.ScopeOpenID, "name", "address", "birthdate", "gender"}

// maxDAA bounds client_id, redirect_uri, state and nonce in bytes.
const maxDAA = 255

// DAA says that a client speaks as with the Digital Authentication App.
func DAA(c storage.Client) bool { return c.Profile == ProfileDAA }

// daa holds a registration to what the Digital Authentication App takes.
func (r *registration) daa() {
	r.within(r.AuthMethod == AuthKey, "token_endpoint_auth_method", "must be private_key_jwt")
	r.within(len(r.ClientID) <= maxDAA && alphanumeric(r.ClientID), "client_id", "must be 1 to 255 letters and digits")
	for _, uri := range r.RedirectURIs {
		r.within(len(uri) <= maxDAA, "redirect_uris", "may hold 255 characters each")
	}
	for _, scope := range r.asked() {
		r.within(slices.Contains(daaScopes, scope), "scope", "may only contain: "+strings.Join(daaScopes, " "))
	}
	r.within(r.IDTokenAlg == "" || r.IDTokenAlg == "ES256", "id_token_signed_response_alg", "must be ES256")
	r.within(r.SubjectType == "" || r.SubjectType == SubjectPairwise, "subject_type", "must be pairwise")
	r.within(!r.DPoPBound, "dpop_bound_access_tokens", "must be left out: its tokens are Bearer tokens")
	r.within(!r.TLSBound, "tls_client_certificate_bound_access_tokens", "must be left out: its tokens are Bearer tokens")
}

func alphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// CheckDAA holds a request of a daa-compatible client to the limits that it would meet there; all others pass. scope is as it
// was asked: to sign documents is a service of its own, and a login in its place would deceive.
func CheckDAA(c storage.Client, r storage.AuthRequest, scope string) error {
	if !DAA(c) {
		return nil
	}
	for _, one := range []struct{ name, value string }{{"state", r.State}, {"nonce", r.Nonce}} {
		if one.value == "" || len(one.value) > maxDAA || strings.ContainsFunc(one.value, func(c rune) bool { return c < ' ' || c > '~' }) {
			return fail.RequestInvalid.At(one.name)
		}
	}
	if slices.Contains(strings.Fields(scope), "sign") {
		return fail.ScopeInvalid.At("scope")
	}
	return nil
}
