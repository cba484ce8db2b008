package claims

import (
	"slices"
	"time"
)

// Offer is one requested item with the value that would be sent. An unavailable offer has no value:
// what is not known is left out, never sent as false and never guessed.
type Offer struct {
	hidden
	Item      Item
	Available bool
	value     value
}

// value holds what its item needs and nothing else.
type value struct {
	text  string // name, address, gender
	birth Date   // birthdate
	yes   bool   // predicates
}

// Evaluate answers each requested item at an instant, in catalogue order, each once. Nothing is available from a
// Person whose attributes were not verified: anyone can type a birthdate.
func Evaluate(p Person, items []Item, at time.Time) []Offer {
	var offers []Offer
	for _, item := range Catalogue() {
		if !slices.Contains(items, item) {
			continue
		}
		offer := Offer{Item: item}
		if p.Verified() {
			offer.value, offer.Available = evaluate(p, item, at)
		}
		offers = append(offers, offer)
	}
	return offers
}

func evaluate(p Person, item Item, at time.Time) (value, bool) {
	switch item {
	case ItemName:
		return value{text: p.Name().Full()}, p.Name().Full() != ""
	case ItemAddress:
		return evaluateAddress(p.Address())
	case ItemBirthdate:
		return evaluateBirthdate(p.Birth(), at)
	case ItemGender:
		return value{text: string(p.Gender())}, p.Gender() != ""
	}
	answer := Attained(p.Birth(), item.years(), at)
	return value{yes: answer == Yes}, answer != Unknown
}

// evaluateAddress leaves out the note of someone who lives abroad: it is no address, and a country would be a guess.
func evaluateAddress(a Address) (value, bool) {
	if a.Formatted() == "" || a.Overseas() {
		return value{}, false
	}
	return value{text: a.Formatted()}, true
}

// evaluateBirthdate leaves out incomplete dates and days that have not come yet, which no one was born on.
func evaluateBirthdate(birth PartialDate, at time.Time) (value, bool) {
	day, complete := birth.Complete()
	if !complete || day.number() > dayOf(at).number() {
		return value{}, false
	}
	return value{birth: day}, true
}
