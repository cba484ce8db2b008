package op

import (
	"strings"

	"tegata/claims"
)

// identityAssurance is what discovery says of verified claims (OpenID Connect for Identity Assurance 1.0 section 9) and of
// transformed claims (Advanced Syntax for Claims, "OP Metadata").
type identityAssurance struct {
	VerifiedClaims    bool     `json:"verified_claims_supported,omitempty"` // of drafts; clients of that time look for it
	Frameworks        []string `json:"trust_frameworks_supported,omitempty"`
	ClaimsInVerified  []string `json:"claims_in_verified_claims_supported,omitempty"`
	Evidence          []string `json:"evidence_supported,omitempty"`
	Documents         []string `json:"documents_supported,omitempty"`
	CheckMethods      []string `json:"documents_check_methods_supported,omitempty"`
	Functions         []string `json:"transformed_claims_functions_supported"`
	MaxCount          int      `json:"transformed_claims_max_count"`
	Predefined        ptcs     `json:"transformed_claims_predefined"`
	SelectiveOmit     bool     `json:"selective_abort_omit_supported"`
	SelectiveBySchema bool     `json:"selective_abort_omit_schema_supported"` // absent, it would mean true
}

// ptcs are the predefined transformed claims by their names without the colons.
type ptcs map[string]ptc

type ptc struct {
	Claim     string `json:"claim"`
	Functions []any  `json:"fn"`
}

// assurance promises verified claims where there is a source of them. Predefined transformed claims are the predicates by
// another name; relying parties define none of their own.
func assurance(frameworks []string) identityAssurance {
	a := identityAssurance{SelectiveOmit: true, Functions: []string{"years_ago", "gte"}, Predefined: ptcs{}}
	for _, i := range claims.Catalogue() {
		if i.Predicate() {
			a.Predefined[strings.TrimPrefix(i.Transformed(), "::")] = ptc{"birthdate", []any{"years_ago", []any{"gte", i.Years()}}}
		}
	}
	if len(frameworks) == 0 {
		return a
	}
	a.VerifiedClaims, a.Frameworks, a.ClaimsInVerified = true, frameworks, claims.Names()
	a.Evidence, a.Documents = []string{claims.EvidenceDocument}, []string{claims.DocumentMyNumber}
	a.CheckMethods = []string{claims.CheckCrypt, claims.CheckToken}
	return a
}
