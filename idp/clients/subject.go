package clients

import (
	"slices"
	"strings"

	"tegata/storage"
)

// Types of subjects. There is no public one (R4).
const (
	SubjectPairwise  = "pairwise"  // one for each person and sector, the default
	SubjectTransient = "transient" // another one at every login: nobody can be followed, not even by the client itself
)

// SubjectTypes are those that a client can register. OpenID Connect says that valid types "include" pairwise and public, so
// there is room for a word of our own, and the one that SAML has for it is well understood.
var SubjectTypes = []string{SubjectPairwise, SubjectTransient}

// Transient says that a client gets a new subject at every login, and that nothing is remembered between it and a person.
func Transient(c storage.Client) bool { return c.SubjectType == SubjectTransient }

// subjectType checks what was asked for. The record says only what is not the default.
func (r *registration) subjectType() string {
	switch {
	case r.SubjectType == "" || r.SubjectType == SubjectPairwise:
		return ""
	case slices.Contains(SubjectTypes, r.SubjectType):
		return r.SubjectType
	case r.SubjectType == "public":
		r.refuse("subject_type", "public is not offered: one identifier for all services would let them follow a person (R4). Use pairwise.")
	default:
		r.refuse("subject_type", "must be one of: "+strings.Join(SubjectTypes, " ")+".")
	}
	return ""
}
