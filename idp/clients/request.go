package clients

import (
	"slices"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// CheckRequest is the last look at an authorization request that is valid by itself: does it stay within what was agreed
// with the client? asked are all items that it asks for, wherever it names them. The error is for the client's engineers, before
// anyone is asked, so it holds nothing of a person.
func CheckRequest(c storage.Client, asked []claims.Item) error {
	switch {
	case AgeOnly(c):
		return checkAgeOnly(c, asked)
	case len(c.Policy.Items) == 0:
		return nil
	}
	for _, item := range asked {
		if _, agreed := c.Policy.Items[string(item)]; !agreed && !item.Open() {
			return fail.BeyondPolicy.At(string(item))
		}
	}
	return checkPredicates(c, asked)
}

// checkAgeOnly wants the one question of the registration: to ask nothing would be to look who is there.
func checkAgeOnly(c storage.Client, asked []claims.Item) error {
	if len(asked) != 1 || !asked[0].Predicate() || !slices.Contains(c.Scopes, asked[0].Scope()) {
		return fail.BeyondPolicy.At("scope")
	}
	return nil
}

// checkPredicates refuses what makes predicates pointless or a yardstick: one beside the birthdate, and several ages at
// once. Clients without a policy are spared: whoever may ask for a birthdate learns nothing new by an age, and a person can
// leave the birthdate out and still send the age.
func checkPredicates(c storage.Client, asked []claims.Item) error {
	var predicates []claims.Item
	for _, item := range asked {
		if item.Predicate() {
			predicates = append(predicates, item)
		}
	}
	switch {
	case len(predicates) > 0 && slices.Contains(asked, claims.ItemBirthdate):
		return fail.BeyondPolicy.At(string(claims.ItemBirthdate))
	case len(predicates) > max(1, c.Policy.Predicates):
		return fail.BeyondPolicy.At(string(predicates[len(predicates)-1]))
	}
	return nil
}
