package claims

import "strings"

// country of every address in the Japanese resident register (ISO 3166-1 alpha-2).
const country = "JP"

// countryCode is the same in the words of OpenID Identity Assurance (ISO 3166-1 alpha-3).
const countryCode = "JPN"

// ClaimSet is what a relying party hears about a person in one response. It is a closed type: a claim
// without a field here has no way out. Absent claims are absent from the JSON.
type ClaimSet struct {
	hidden
	Name             string        `json:"name,omitempty"`
	NameSubstituted  bool          `json:"name_substituted,omitempty"` // true or absent: do not compare this name
	Address          *AddressClaim `json:"address,omitempty"`
	Prefecture       string        `json:"address_prefecture,omitempty"`
	PrefectureCode   string        `json:"address_prefecture_code,omitempty"` // two digits (JIS X 0401)
	Municipality     string        `json:"address_municipality,omitempty"`
	MunicipalityCode string        `json:"address_municipality_code,omitempty"` // six digits with check digit
	Birthdate        string        `json:"birthdate,omitempty"`                 // YYYY-MM-DD
	Gender           Gender        `json:"gender,omitempty"`
	Unverified       bool          `json:"claims_unverified,omitempty"` // true or absent: nobody could check who signed for the claims beside it
	AgeOver13        *bool         `json:"age_over_13,omitempty"`
	AgeOver15        *bool         `json:"age_over_15,omitempty"`
	AgeOver16        *bool         `json:"age_over_16,omitempty"`
	AgeOver18        *bool         `json:"age_over_18,omitempty"`
	AgeOver20        *bool         `json:"age_over_20,omitempty"`
	AgeOver25        *bool         `json:"age_over_25,omitempty"`
	AgeOver60        *bool         `json:"age_over_60,omitempty"`
	AgeOver65        *bool         `json:"age_over_65,omitempty"`

	// What is only sent when it was asked for by this very name.
	FamilyName  string `json:"family_name,omitempty"`
	GivenName   string `json:"given_name,omitempty"`
	Age13OrOver *bool  `json:"::age_13_or_over,omitempty"`
	Age15OrOver *bool  `json:"::age_15_or_over,omitempty"`
	Age16OrOver *bool  `json:"::age_16_or_over,omitempty"`
	Age18OrOver *bool  `json:"::age_18_or_over,omitempty"`
	Age20OrOver *bool  `json:"::age_20_or_over,omitempty"`
	Age25OrOver *bool  `json:"::age_25_or_over,omitempty"`
	Age60OrOver *bool  `json:"::age_60_or_over,omitempty"`
	Age65OrOver *bool  `json:"::age_65_or_over,omitempty"`
	Scripts
}

// AddressClaim is the address claim of OIDC Core 5.1.1. Formatted is the register's own text; the parts are there when
// the table of municipalities knows them. There is no postal code on the card.
type AddressClaim struct {
	hidden
	Formatted string `json:"formatted"`
	Street    string `json:"street_address,omitempty"` // what stands behind the municipality
	Locality  string `json:"locality,omitempty"`       // county, municipality and ward
	Region    string `json:"region,omitempty"`         // prefecture
	Country   string `json:"country,omitempty"`

	CountryCode string `json:"country_code,omitempty"` // in place of Country inside verified_claims (ISO 3166-1 alpha-3)
}

// Encode gives the JSON object; {} when nothing is released.
func (c ClaimSet) Encode() []byte { return encode(c) }

// DecodeClaimSet reads what Encode wrote; it refuses members that no item has. Error: ErrEncoding.
func DecodeClaimSet(b []byte) (ClaimSet, error) {
	var c *ClaimSet
	if !decode(b, &c) || c == nil {
		return ClaimSet{}, ErrEncoding
	}
	return *c, nil
}

// Answer to a predicate, under either of its names; nil when it is not released, and for other items.
func (c ClaimSet) Answer(i Item) *bool {
	a := c.answer(i)
	switch {
	case a == nil:
		return nil
	case *a == nil:
		return *c.transformed(i)
	}
	return *a
}

// answer is where a predicate's claim stands, nil for other items.
func (c *ClaimSet) answer(i Item) **bool {
	switch i {
	case ItemAgeOver13:
		return &c.AgeOver13
	case ItemAgeOver15:
		return &c.AgeOver15
	case ItemAgeOver16:
		return &c.AgeOver16
	case ItemAgeOver18:
		return &c.AgeOver18
	case ItemAgeOver20:
		return &c.AgeOver20
	case ItemAgeOver25:
		return &c.AgeOver25
	case ItemAgeOver60:
		return &c.AgeOver60
	case ItemAgeOver65:
		return &c.AgeOver65
	}
	return nil
}

// Unverified is the member that stands beside claims for whose source nobody could check a signature.
const Unverified = "claims_unverified"

// set puts one claim under one name, as far as it is known in that form, and says if it is unverified.
func (c *ClaimSet) set(n Claim, o *Offer) {
	before := *c
	c.put(n, o)
	c.Unverified = c.Unverified || o.Unverified && *c != before
}

func (c *ClaimSet) put(n Claim, o *Offer) {
	v := &o.value
	switch {
	case n.tag != untagged && !n.written(): // it has no language
	case n.form == transformed:
		*c.transformed(n.item) = new(v.yes)
	case o.Item == ItemName && n.form == substituted:
		c.NameSubstituted = v.substituted
	case o.Item == ItemName:
		c.setText(n, v.name(n.form))
	case o.Item == ItemAddress:
		if to := c.place(n.tag); to != nil && n.tag.fits(v.text) {
			p := v.place
			*to = &AddressClaim{Formatted: v.text, Street: p.Rest, Locality: p.Locality(), Region: p.Prefecture, Country: country}
		}
	case o.Item == ItemPrefecture:
		*pick(n.form == code, &c.PrefectureCode, &c.Prefecture) = pick(n.form == code, v.place.PrefectureCode, v.place.Prefecture)
	case o.Item == ItemMunicipality:
		*pick(n.form == code, &c.MunicipalityCode, &c.Municipality) = pick(n.form == code, v.place.Code, v.place.Locality())
	case o.Item == ItemBirthdate:
		c.Birthdate = v.birth.ISO()
	case o.Item == ItemGender:
		c.Gender = Gender(v.text)
	default:
		*c.answer(o.Item) = new(v.yes)
	}
}

func (c *ClaimSet) setText(n Claim, text string) {
	if to := c.text(n); to != nil && text != "" && n.tag.fits(text) {
		*to = text
	}
}

// name is the part of a name that a form gives; "" when nobody can say where the family name ends.
func (v *value) name(f form) string {
	switch f {
	case family:
		return v.family
	case given:
		return v.given
	}
	return v.text
}

// FullestName is the most that the set says of a name, under whatever names; "" when nothing.
func (c ClaimSet) FullestName() string {
	most := ""
	for t := untagged; t < tagElsewhere; t++ {
		row := func(f form) string { return *c.text(Claim{item: ItemName, form: f, tag: t}) }
		parts := strings.TrimSpace(row(family) + wideSpace + row(given))
		for _, text := range []string{row(whole), strings.Trim(parts, wideSpace)} {
			if len(text) > len(most) {
				most = text
			}
		}
	}
	return most
}

// Formatted is the address in the set, under whatever name; "" when there is none.
func (c ClaimSet) Formatted() string {
	for t := untagged; t < tagElsewhere; t++ {
		if a := *c.place(t); a != nil {
			return a.Formatted
		}
	}
	return ""
}
