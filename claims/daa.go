package claims

import "strings"

// daaSet is a claim set in the formats of the Digital Authentication App: digits for dates and genders, and the address as
// one text. The outer member hides the one of the set.
type daaSet struct {
	ClaimSet
	Address string `json:"address,omitempty"`
}

// EncodeDAA is Encode in the formats of the Digital Authentication App: birthdate YYYYMMDD, gender "1" or "2" (male,
// female), address one text.
func (c ClaimSet) EncodeDAA() []byte {
	set := daaSet{ClaimSet: c}
	set.Birthdate = strings.ReplaceAll(c.Birthdate, "-", "")
	if c.Address != nil {
		set.Address = c.Address.Formatted
	}
	switch c.Gender {
	case Male:
		set.Gender = "1"
	case Female:
		set.Gender = "2"
	}
	return encode(set)
}
