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
	NotMatching  Reason = "not_matching" // the relying party wanted it under a condition, or in a form, that it does not have

	OnlyYes       Reason = "only_yes"        // the answer is no, and this relying party hears a yes or nothing
	AskedTooOften Reason = "asked_too_often" // one more answer would help to find out the birthdate; see package ledger
)

// Offer is one requested item with the value that would be sent. An unavailable offer has no value but a reason:
// what is not known is left out, never sent as false and never guessed.
type Offer struct {
	hidden
	Item      Item
	Available bool
	Reason    Reason // "" when available
	// Unverified says that nobody could check who signed for it. It is never sent in verified_claims, and elsewhere with a
	// member that says so.
	Unverified bool
	value      value
}

// Withheld is the offer without its value.
func (o Offer) Withheld(r Reason) Offer { return Offer{Item: o.Item, Reason: r} }

// No says that the answer to a predicate is no.
func (o Offer) No() bool { return o.Available && o.Item.Predicate() && !o.value.yes }

// value holds what its item needs and nothing else.
type value struct {
	text        string // name, address, gender
	substituted bool   // name
	family      string // name, where it is known where it ends
	given       string
	place       *Place // address and its parts
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
// Person whose attributes were not verified, unless she is Tolerated.
func (r AgeRules) Evaluate(p Person, items []Item, at time.Time) []Offer {
	e := evaluation{facts: p.known(), rules: r, at: at}
	offers := make([]Offer, 0, len(items))
	for i := range catalogue {
		if !slices.Contains(items, catalogue[i].item) {
			continue
		}
		offer := Offer{Item: catalogue[i].item, Reason: NotVerified}
		if e.facts.verified || e.facts.source == CardInfoUnverified && p.tolerant {
			offer.value, offer.Reason = e.evaluate(catalogue[i])
			offer.Unverified = !e.facts.verified
		}
		offer.Available = offer.Reason == ""
		offers = append(offers, offer)
	}
	return offers
}

// evaluation is one person at one instant.
type evaluation struct {
	facts facts
	rules AgeRules
	at    time.Time
	place *Place // of the address, once it was asked for
}

func (e *evaluation) evaluate(asked entry) (value, Reason) {
	switch asked.item {
	case ItemName:
		return evaluateName(e.facts.name)
	case ItemAddress, ItemPrefecture, ItemMunicipality:
		return e.evaluateAddress(asked.item)
	case ItemBirthdate:
		return evaluateBirthdate(e.facts.birth, e.at)
	case ItemGender:
		return value{text: string(e.facts.gender)}, unless(e.facts.gender != "", NotKnown)
	}
	if e.facts.birth == (PartialDate{}) {
		return value{}, NotKnown
	}
	answer := e.rules[asked.item].Attained(e.facts.birth, asked.years, e.at)
	return value{yes: answer == Yes}, unless(answer != Unknown, NotDecided)
}

func unless(known bool, r Reason) Reason {
	if known {
		return ""
	}
	return r
}

func evaluateName(n Name) (value, Reason) {
	family, given, _ := n.Split()
	return value{text: n.Full(), substituted: n.Substituted(), family: family, given: given}, unless(n.Full() != "", NotKnown)
}

// evaluateAddress leaves out the note of someone who lives abroad: it is no address. The whole address may be sent even
// when the table does not know the municipality; a part of it never as raw text.
func (e *evaluation) evaluateAddress(item Item) (value, Reason) {
	full := e.facts.address.Formatted()
	if full == "" {
		return value{}, NotKnown
	}
	if e.place == nil {
		located := Locate(full)
		e.place = &located
	}
	switch {
	case e.place.Placement == Abroad:
		return value{}, LivesAbroad
	case item == ItemPrefecture && e.place.Prefecture == "", item == ItemMunicipality && e.place.Placement != Placed:
		return value{}, NotDecided
	}
	return value{text: full, place: e.place}, ""
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
