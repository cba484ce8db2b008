package claims

// Scripts are the claims of a ClaimSet that carry a language tag.
type Scripts struct {
	hidden
	NameJa      string        `json:"name#ja,omitempty"`
	NameJaJP    string        `json:"name#ja-JP,omitempty"`
	NameHani    string        `json:"name#ja-Hani-JP,omitempty"`
	NameLatn    string        `json:"name#ja-Latn-JP,omitempty"`
	FamilyJa    string        `json:"family_name#ja,omitempty"`
	FamilyJaJP  string        `json:"family_name#ja-JP,omitempty"`
	FamilyHani  string        `json:"family_name#ja-Hani-JP,omitempty"`
	FamilyLatn  string        `json:"family_name#ja-Latn-JP,omitempty"`
	GivenJa     string        `json:"given_name#ja,omitempty"`
	GivenJaJP   string        `json:"given_name#ja-JP,omitempty"`
	GivenHani   string        `json:"given_name#ja-Hani-JP,omitempty"`
	GivenLatn   string        `json:"given_name#ja-Latn-JP,omitempty"`
	AddressJa   *AddressClaim `json:"address#ja,omitempty"`
	AddressJaJP *AddressClaim `json:"address#ja-JP,omitempty"`
	AddressHani *AddressClaim `json:"address#ja-Hani-JP,omitempty"`
	AddressLatn *AddressClaim `json:"address#ja-Latn-JP,omitempty"`
}

// text is where a name goes; nil for what is no tagged name.
func (c *ClaimSet) text(n Claim) *string {
	rows := map[form][5]*string{
		whole:  {&c.Name, &c.NameJa, &c.NameJaJP, &c.NameHani, &c.NameLatn},
		family: {&c.FamilyName, &c.FamilyJa, &c.FamilyJaJP, &c.FamilyHani, &c.FamilyLatn},
		given:  {&c.GivenName, &c.GivenJa, &c.GivenJaJP, &c.GivenHani, &c.GivenLatn},
	}
	row, ok := rows[n.form]
	if !ok || int(n.tag) >= len(row) {
		return nil
	}
	return row[n.tag]
}

// place is where an address goes.
func (c *ClaimSet) place(t tag) **AddressClaim {
	row := [...]**AddressClaim{&c.Address, &c.AddressJa, &c.AddressJaJP, &c.AddressHani, &c.AddressLatn}
	if int(t) >= len(row) {
		return nil
	}
	return row[t]
}

// transformed is where a predicate goes by its other name; nil for other items.
func (c *ClaimSet) transformed(i Item) **bool {
	switch i {
	case ItemAgeOver13:
		return &c.Age13OrOver
	case ItemAgeOver15:
		return &c.Age15OrOver
	case ItemAgeOver16:
		return &c.Age16OrOver
	case ItemAgeOver18:
		return &c.Age18OrOver
	case ItemAgeOver20:
		return &c.Age20OrOver
	case ItemAgeOver25:
		return &c.Age25OrOver
	case ItemAgeOver60:
		return &c.Age60OrOver
	case ItemAgeOver65:
		return &c.Age65OrOver
	}
	return nil
}
