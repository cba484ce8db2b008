package clients

import (
	"fmt"
	"slices"
	"strings"

	"tegata/claims"
	"tegata/idp/jwt"
	"tegata/storage"
)

// Profiles that a client can register: a name for a whole set of rules, so that nobody has to know and to keep all of them.
const (
	ProfileBasic   = "basic"    // OpenID Connect with PKCE; the default
	ProfileFAPI2   = "fapi2"    // FAPI 2.0 Security Profile
	ProfileAgeOnly = "age-only" // one age predicate, a yes or nothing, of somebody who cannot be recognised
)

// Profiles are all of them.
var Profiles = []string{ProfileBasic, ProfileFAPI2, ProfileAgeOnly, ProfileDAA}

// fapiAlgs are the signatures of the FAPI 2.0 Security Profile (section 5.4.1) that all its clients have.
var fapiAlgs = []string{"ES256", "PS256"}

// AgeOnly says that a client learns one answer about an age and nothing else.
func AgeOnly(c storage.Client) bool { return c.Profile == ProfileAgeOnly }

// OnlyYes says that a client hears a yes or nothing: a no would tell it about children.
func OnlyYes(c storage.Client) bool { return AgeOnly(c) && !c.Policy.TellsNo }

// StrictAudience says that assertions of a client must be for the issuer itself, no endpoint of it (FAPI 2.0 section 5.3.2.1).
func StrictAudience(c storage.Client) bool { return c.Profile == ProfileFAPI2 }

// StartedObjects says that request objects of a client must tell from when they are good (FAPI 2.0 Message Signing section 5.3.1).
func StartedObjects(c storage.Client) bool { return c.Profile == ProfileFAPI2 }

// AcceptsAlg says whether a client may sign with alg where it registered one, or "" for any.
func AcceptsAlg(c storage.Client, registered, alg string) bool {
	return (registered == "" || registered == alg) && (c.Profile != ProfileFAPI2 || slices.Contains(fapiAlgs, alg))
}

// AcceptedAlgs are the algorithms that AcceptsAlg accepts.
func AcceptedAlgs(c storage.Client, registered string) []string {
	return slices.DeleteFunc(slices.Clone(jwt.Algorithms), func(alg string) bool { return !AcceptsAlg(c, registered, alg) })
}

// InIDToken says whether an item may stand in a client's ID tokens, which pass through more hands than userinfo: under FAPI
// 2.0 personal data is encrypted there, or not there at all.
func InIDToken(c storage.Client, item claims.Item) bool {
	return c.Profile != ProfileFAPI2 || item.Predicate() || c.Keys.IDTokenSeal.Alg != ""
}

// Rotates says that a client's refresh token changes at every use. Under FAPI 2.0 it must not: a lost answer would cost the
// client its grant, and the token is bound to the client's credentials anyway (section 5.3.2.1, item 9).
func Rotates(c storage.Client) bool { return c.Profile != ProfileFAPI2 }

// profile holds the metadata to its profile and fills in what the profile leaves no choice about. It comes before all
// other rules.
func (r *registration) profile() string {
	if r.Policy.TellsNo && r.Profile != ProfileAgeOnly {
		r.refuse("policy.tells_no", "is for the profile "+ProfileAgeOnly+"; all others hear a no.")
	}
	switch r.Profile {
	case "", ProfileBasic:
		return ""
	case ProfileFAPI2:
		r.fapi2()
	case ProfileAgeOnly:
		r.ageOnly()
	case ProfileDAA:
		r.daa()
	default:
		r.refuse("profile", "must be one of: "+strings.Join(Profiles, " ")+".")
	}
	return r.Profile
}

// within refuses a member that says something else than its profile allows.
func (r *registration) within(good bool, field, text string) {
	if !good {
		r.refuse(field, fmt.Sprintf("%s (profile %s).", text, r.Profile))
	}
}

// fapi2 is the FAPI 2.0 Security Profile as far as a registration can say it; idp/op does the rest for everybody.
func (r *registration) fapi2() {
	r.RequirePAR = true
	r.DPoPBound = r.DPoPBound || !r.TLSBound // tokens are bound to something
	r.within(slices.Contains([]string{AuthKey, AuthTLS, AuthSelfSigned}, r.AuthMethod), "token_endpoint_auth_method",
		"must be private_key_jwt or one of the certificates: no secret is shared")
	for _, one := range []struct{ field, alg string }{
		{"id_token_signed_response_alg", r.IDTokenAlg}, {"token_endpoint_auth_signing_alg", r.AssertionAlg},
		{"request_object_signing_alg", r.RequestAlg}, {"authorization_signed_response_alg", r.ResponseAlg},
		{"userinfo_signed_response_alg", r.UserInfoAlg}, {"introspection_signed_response_alg", r.IntrospectAlg},
	} {
		r.within(one.alg == "" || slices.Contains(fapiAlgs, one.alg), one.field, "must be ES256 or PS256")
	}
	personal := slices.DeleteFunc(claims.Items(r.asked()), claims.Item.Predicate)
	r.within(len(personal) == 0 || r.UserInfoEncAlg != "", "userinfo_encrypted_response_alg", "is needed by who asks for personal data")
}

// ageOnly leaves a client one question, and nothing to recognise somebody by.
func (r *registration) ageOnly() {
	r.RequirePAR = true
	r.within(r.SubjectType == "" || r.SubjectType == SubjectTransient, "subject_type", "must be transient")
	r.SubjectType = SubjectTransient
	asked := r.asked()
	about := claims.Items(asked)
	r.within(r.Scope != "" || len(r.Policy.Items) > 0, "scope", "must say which age is asked for")
	r.within(len(about) == 1 && about[0].Predicate() && len(asked) == 2, "scope", "must be openid and one age predicate")
	r.within(r.Policy.Predicates <= 1, "policy.predicates_per_request", "must be 1")
	r.within(!slices.Contains(r.GrantTypes, "refresh_token"), "grant_types", "may not contain refresh_token: an answer is for now")
}

// asked are the scopes that the metadata asks for.
func (r *registration) asked() []string { return strings.Fields(orDefault(r.Scope, r.defaultScope())) }
