package claims

import "slices"

// country of every address in the Japanese resident register (ISO 3166-1 alpha-2).
const country = "JP"

// ClaimSet is what a relying party hears about a person in one response. It is a closed type: a claim
// without a field here has no way out. Absent claims are absent from the JSON.
type ClaimSet struct {
	hidden
	Name      string        `json:"name,omitempty"`
	Address   *AddressClaim `json:"address,omitempty"`
	Birthdate string        `json:"birthdate,omitempty"` // YYYY-MM-DD
	Gender    Gender        `json:"gender,omitempty"`
	AgeOver18 *bool         `json:"age_over_18,omitempty"`
	AgeOver20 *bool         `json:"age_over_20,omitempty"`
}

// AddressClaim is the address claim of OIDC Core 5.1.1.
type AddressClaim struct {
	hidden
	Formatted string `json:"formatted"`
	Country   string `json:"country,omitempty"`
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

// Released is the outcome of a consent: what goes where, and what stays here.
type Released struct {
	IDToken  ClaimSet
	UserInfo ClaimSet
	Withheld []Item // every item of the catalogue that neither response carries
}

// Release lets out the offers that are available and that the person consented to.
func Release(offers []Offer, consented []Item) Released {
	r := Released{Withheld: Catalogue()}
	for _, o := range offers {
		if !o.Available || !slices.Contains(consented, o.Item) {
			continue
		}
		r.UserInfo.put(o)
		if o.Item.InIDToken() {
			r.IDToken.put(o)
		}
		r.Withheld = slices.DeleteFunc(r.Withheld, func(i Item) bool { return i == o.Item })
	}
	return r
}

func (c *ClaimSet) put(o Offer) {
	switch o.Item {
	case ItemName:
		c.Name = o.value.text
	case ItemAddress:
		c.Address = &AddressClaim{Formatted: o.value.text, Country: country}
	case ItemBirthdate:
		c.Birthdate = o.value.birth.ISO()
	case ItemGender:
		c.Gender = Gender(o.value.text)
	case ItemAgeOver18:
		c.AgeOver18 = &o.value.yes
	case ItemAgeOver20:
		c.AgeOver20 = &o.value.yes
	}
}
