package claims

// Response is what one response carries about a person: claims, and claims that come with how they were verified
// (OpenID Connect for Identity Assurance 1.0). It is as closed as ClaimSet.
type Response struct {
	ClaimSet
	Verified []VerifiedClaims
}

// VerifiedClaims is one element of verified_claims.
type VerifiedClaims struct {
	hidden
	Verification Verification `json:"verification"`
	Claims       ClaimSet     `json:"claims"`
}

// Verification says how claims were verified. It has no member for a number of the document or of a certificate, for an
// expiry date, which on this card tells the birthday, or for a time more precise than a day: none can be sent by mistake.
type Verification struct {
	TrustFramework string     `json:"trust_framework"`
	AssuranceLevel string     `json:"assurance_level,omitempty"`
	Time           string     `json:"time,omitempty"` // midnight UTC of the day
	Evidence       []Evidence `json:"evidence,omitempty"`
}

// Evidence is what was looked at.
type Evidence struct {
	Type     string    `json:"type"`
	Checks   []Check   `json:"check_details,omitempty"`
	Document *Document `json:"document_details,omitempty"`
}

// Check is one way in which evidence was checked.
type Check struct {
	Method string `json:"check_method"`
}

// Document is a kind of document, never a certain one.
type Document struct {
	Type   string          `json:"type"`
	Issuer *DocumentIssuer `json:"issuer,omitempty"`
}

// DocumentIssuer is who issues documents of the kind.
type DocumentIssuer struct {
	CountryCode string `json:"country_code"` // ISO 3166-1 alpha-3
}

// Words of OpenID Identity Assurance that this provider uses.
const (
	EvidenceDocument = "document"
	DocumentMyNumber = "jp_individual_number_card"
	CheckCrypt       = "vcrypt" // signature, path and revocation of what the card gave
	CheckToken       = "token"  // the card signed with the key of the certificate, after its PIN
)

// CardVerification is everything that can be said of attributes from one source under a trust framework. Which parts a
// relying party hears is its request's matter; when is midnight UTC of the day, as RFC 3339 writes it.
//
// It is a document and no electronic_signature: that type demands the serial number of the certificate, which would let
// relying parties compare their notes (R6).
func CardVerification(framework, level, when string, source Source) Verification {
	checks := []Check{{CheckCrypt}}
	if source == SignatureCertificate {
		checks = append(checks, Check{CheckToken})
	}
	return Verification{
		TrustFramework: framework, AssuranceLevel: level, Time: when,
		Evidence: []Evidence{{
			Type: EvidenceDocument, Checks: checks,
			Document: &Document{Type: DocumentMyNumber, Issuer: &DocumentIssuer{CountryCode: countryCode}},
		}},
	}
}

// Encode gives the JSON object; {} when nothing is released. Several verified elements are an array, one stands alone.
func (r Response) Encode() []byte {
	var verified any
	switch len(r.Verified) {
	case 0:
		return r.ClaimSet.Encode()
	case 1:
		verified = r.Verified[0]
	default:
		verified = r.Verified
	}
	return encode(struct {
		ClaimSet
		Verified any `json:"verified_claims"`
	}{r.ClaimSet, verified})
}

// registered writes the country as Identity Assurance has it, in every address of the set.
func (c ClaimSet) registered() ClaimSet {
	for t := untagged; t < tagElsewhere; t++ {
		if at := c.place(t); *at != nil {
			a := **at
			a.Country, a.CountryCode = "", countryCode
			*at = &a
		}
	}
	return c
}
