package clients

import (
	"slices"

	"tegata/claims"
)

// latest checks where a client's server hears of changed attributes. That people may be asked at all is part of its policy,
// which an operator approves; the address and the policy come together.
func (r *registration) latest() string {
	const field = "latest_attributes_uri"
	switch {
	case r.LatestURI == "" && !r.Policy.LatestAttributes:
	case r.LatestURI == "":
		r.refuse("policy.latest_attributes", "needs latest_attributes_uri.")
	case !r.Policy.LatestAttributes:
		r.refuse(field, "needs policy.latest_attributes to be true.")
	case r.SubjectType == SubjectTransient || r.Profile == ProfileAgeOnly:
		r.refuse(field, "does not go with subjects that are transient.")
	case !slices.ContainsFunc(claims.Items(r.asked()), func(i claims.Item) bool { return !i.Predicate() }):
		r.refuse(field, "needs a scope of which changes can be told: an age is none.")
	default:
		r.checkServerURI(field, r.LatestURI)
	}
	return r.LatestURI
}
