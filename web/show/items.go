package show

import (
	"cmp"
	"slices"
	"strconv"

	"tegata/claims"
	"tegata/web/ui"
)

// sets are all claim sets that would be sent, and of them those that come with how they were verified.
func sets(r claims.Released) (all, verified []claims.ClaimSet) {
	all = []claims.ClaimSet{r.UserInfo.ClaimSet, r.IDToken.ClaimSet}
	for _, response := range []claims.Response{r.UserInfo, r.IDToken} {
		for _, v := range response.Verified {
			verified = append(verified, v.Claims)
		}
	}
	return append(all, verified...), verified
}

// consentItem is one line of the page: whatever the names and the number of places that an item would be sent under, a
// person reads it once. shown is false for what would not be sent at all, although the card has it.
func consentItem(would claims.Released, o claims.Offer) (line ui.ConsentItem, shown bool) {
	all, verified := sets(would)
	line = ui.ConsentItem{Key: string(o.Item), Value: value(all, o.Item), Available: o.Available, Reason: string(o.Reason), Checked: true}
	line.Replaced = o.Item == claims.ItemName && slices.ContainsFunc(all, func(set claims.ClaimSet) bool { return set.NameSubstituted })
	line.Verified = value(verified, o.Item) != ""
	return line, line.Value != "" || !o.Available
}

// value is what would be sent for an item, read from the very sets that would be sent: the most that any of them says.
func value(sets []claims.ClaimSet, item claims.Item) string {
	most := ""
	for _, set := range sets {
		if v := valueIn(set, item); len(v) > len(most) {
			most = v
		}
	}
	return most
}

func valueIn(set claims.ClaimSet, item claims.Item) string {
	switch item {
	case claims.ItemName:
		return set.FullestName()
	case claims.ItemAddress:
		return set.Formatted()
	case claims.ItemPrefecture:
		return cmp.Or(set.Prefecture, set.PrefectureCode)
	case claims.ItemMunicipality:
		return cmp.Or(set.Municipality, set.MunicipalityCode)
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
