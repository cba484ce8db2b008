package show

import (
	"strconv"

	"tegata/claims"
)

// value is what would be sent for an item, read from the very set that would be sent.
func value(set claims.ClaimSet, item claims.Item) string {
	switch item {
	case claims.ItemName:
		return set.Name
	case claims.ItemAddress:
		if set.Address != nil {
			return set.Address.Formatted
		}
	case claims.ItemPrefecture:
		return set.Prefecture
	case claims.ItemMunicipality:
		return set.Municipality
	case claims.ItemBirthdate:
		return set.Birthdate
	case claims.ItemGender:
		return string(set.Gender)
	}
	return boolean(set.Answer(item))
}

func boolean(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}
