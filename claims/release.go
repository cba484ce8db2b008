package claims

import "slices"

// country of every address in the Japanese resident register (ISO 3166-1 alpha-2).
const country = "JP"

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
	AgeOver13        *bool         `json:"age_over_13,omitempty"`
	AgeOver15        *bool         `json:"age_over_15,omitempty"`
	AgeOver16        *bool         `json:"age_over_16,omitempty"`
	AgeOver18        *bool         `json:"age_over_18,omitempty"`
	AgeOver20        *bool         `json:"age_over_20,omitempty"`
	AgeOver25        *bool         `json:"age_over_25,omitempty"`
	AgeOver60        *bool         `json:"age_over_60,omitempty"`
	AgeOver65        *bool         `json:"age_over_65,omitempty"`
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

// Answer to a predicate; nil when it is not released, and for other items.
func (c ClaimSet) Answer(i Item) *bool {
	if a := c.answer(i); a != nil {
		return *a
	}
	return nil
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

// Released is the outcome of a consent: what goes where, and what stays here.
type Released struct {
	IDToken  ClaimSet
	UserInfo ClaimSet
	Withheld []Withheld // every item of the catalogue that neither response carries, in its order
}

// Withheld is an item that stays here, with the reason for the person's own view.
type Withheld struct {
	Item   Item
	Reason Reason
}

// Release lets out the offers that are available and that the person consented to.
func Release(offers []Offer, consented []Item) Released {
	r := Released{Withheld: make([]Withheld, 0, len(catalogue))}
	for _, e := range catalogue {
		at := slices.IndexFunc(offers, func(o Offer) bool { return o.Item == e.item })
		if at < 0 {
			r.Withheld = append(r.Withheld, Withheld{e.item, NotAsked})
			continue
		}
		o := &offers[at]
		switch {
		case !o.Available:
			r.Withheld = append(r.Withheld, Withheld{e.item, o.Reason})
		case !slices.Contains(consented, e.item):
			r.Withheld = append(r.Withheld, Withheld{e.item, NotConsented})
		default:
			r.let(o)
		}
	}
	return r
}

func (r *Released) let(o *Offer) {
	r.UserInfo.put(o)
	if o.Item.InIDToken() {
		r.IDToken.put(o)
	}
}

func (c *ClaimSet) put(o *Offer) {
	switch o.Item {
	case ItemName:
		c.Name, c.NameSubstituted = o.value.text, o.value.substituted
	case ItemAddress:
		p := o.value.place
		c.Address = &AddressClaim{Formatted: o.value.text, Street: p.Rest, Locality: p.Locality(), Region: p.Prefecture, Country: country}
	case ItemPrefecture:
		c.Prefecture, c.PrefectureCode = o.value.place.Prefecture, o.value.place.PrefectureCode
	case ItemMunicipality:
		c.Municipality, c.MunicipalityCode = o.value.place.Locality(), o.value.place.Code
	case ItemBirthdate:
		c.Birthdate = o.value.birth.ISO()
	case ItemGender:
		c.Gender = Gender(o.value.text)
	default:
		yes := o.value.yes
		*c.answer(o.Item) = &yes
	}
}
