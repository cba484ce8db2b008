package claims

import (
	"errors"
	"slices"
	"time"
)

// Reason says why an item was not sent. It is for the person's own eyes: to a relying party every reason looks the same,
// an absent claim (R28).
type Reason string

const (
	NotAsked     Reason = "not_asked"
	NotConsented Reason = "not_consented"
	NotKnown     Reason = "not_known"    // the card does not say
	NotVerified  Reason = "not_verified" // nobody signed for it: anyone can type a birthdate
	NotDecided   Reason = "not_decided"  // the card says too little to be sure: a part of a date, an address without a municipality
	LivesAbroad  Reason = "lives_abroad" // there is no address in Japan, and a country would be a guess
)

// Offer is one requested item with the value that would be sent. An unavailable offer has no value but a reason:
// what is not known is left out, never sent as false and never guessed.
type Offer struct {
	hidden
	Item      Item
	Available bool
	Reason    Reason // "" when available
	value     value
}

// value holds what its item needs and nothing else.
type value struct {
	text        string // name, address, gender
	substituted bool   // name
	place       Place  // address and its parts
	birth       Date   // birthdate
	yes         bool   // predicates
}

// AgeRules are the operator's choice of a rule per predicate (R20). What they do not name is counted ByInstant.
type AgeRules map[Item]AgeRule

// ErrAgeRule: a rule for something that is no predicate, or by the day for alcohol and tobacco.
var ErrAgeRule = errors.New("claims: this item cannot be counted by that rule")

// Check refuses rules that no law supports: at 20 the later of the two readings is the safe one for selling.
func (r AgeRules) Check() error {
	for item, rule := range r {
		if !item.Predicate() || rule != ByInstant && (rule != ByDay || item == ItemAgeOver20) {
			return ErrAgeRule
		}
	}
	return nil
}

// Evaluate answers each requested item at an instant by the default rules.
func Evaluate(p Person, items []Item, at time.Time) []Offer {
	return AgeRules(nil).Evaluate(p, items, at)
}

// Evaluate answers each requested item at an instant, in catalogue order, each once. Nothing is available from a
// Person whose attributes were not verified.
func (r AgeRules) Evaluate(p Person, items []Item, at time.Time) []Offer {
	offers := make([]Offer, 0, len(items))
	for _, e := range catalogue {
		if !slices.Contains(items, e.item) {
			continue
		}
		offer := Offer{Item: e.item, Reason: NotVerified}
		if p.Verified() {
			offer.value, offer.Reason = r.evaluate(p, e, at)
		}
		offer.Available = offer.Reason == ""
		offers = append(offers, offer)
	}
	return offers
}

func (r AgeRules) evaluate(p Person, e entry, at time.Time) (value, Reason) {
	switch e.item {
	case ItemName:
		return evaluateName(p.Name())
	case ItemAddress, ItemPrefecture, ItemMunicipality:
		return evaluateAddress(p.Address(), e.item)
	case ItemBirthdate:
		return evaluateBirthdate(p.Birth(), at)
	case ItemGender:
		return value{text: string(p.Gender())}, unless(p.Gender() != "", NotKnown)
	}
	if p.Birth() == (PartialDate{}) {
		return value{}, NotKnown
	}
	answer := r[e.item].Attained(p.Birth(), e.years, at)
	return value{yes: answer == Yes}, unless(answer != Unknown, NotDecided)
}

func unless(known bool, r Reason) Reason {
	if known {
		return ""
	}
	return r
}

func evaluateName(n Name) (value, Reason) {
	return value{text: n.Full(), substituted: n.Substituted()}, unless(n.Full() != "", NotKnown)
}

// evaluateAddress leaves out the note of someone who lives abroad: it is no address. The whole address may be sent even
// when the table does not know the municipality; a part of it never as raw text.
func evaluateAddress(a Address, item Item) (value, Reason) {
	if a.Formatted() == "" {
		return value{}, NotKnown
	}
	v := value{text: a.Formatted(), place: Locate(a.Formatted())}
	switch {
	case v.place.Placement == Abroad:
		return value{}, LivesAbroad
	case item == ItemPrefecture && v.place.Prefecture == "", item == ItemMunicipality && v.place.Placement != Placed:
		return value{}, NotDecided
	}
	return v, ""
}

// evaluateBirthdate leaves out incomplete dates and days that have not come yet, which no one was born on.
func evaluateBirthdate(birth PartialDate, at time.Time) (value, Reason) {
	if birth == (PartialDate{}) {
		return value{}, NotKnown
	}
	day, complete := birth.Complete()
	if !complete || day.number() > dayOf(at).number() {
		return value{}, NotDecided
	}
	return value{birth: day}, ""
}
