// Package source owns the choice of where the facts of a login come from: the cheapest source that is good enough for the
// request, that the operator accepts and that the card at hand can serve, with the reason. Everything in it is a pure
// function. It refuses to know cards' commands, PINs, claims and who asks.
//
// Remembered facts, which take the least effort of all, are no entry of an order: whether they come to mind is known once, from
// a browser's cookie before any card is there, while an order is made anew at each step of a login; an agent cannot try them
// and go on to the next; and when they turn out to be somebody else's the login starts over, so that nobody learns whose.
// idp decides about them before it asks here (its recall).
package source

import (
	"slices"

	"tegata/authn/statement"
)

// Unverified is card-info data whose signature nobody here can check, for whoever takes that. An agent knows no difference:
// see ForAgent.
const Unverified = "card_info_unverified"

// Effort is what a source wants from its holder.
type Effort string

// Efforts, the least first.
const (
	FourDigits Effort = "four_digits" // a PIN of four digits
	Password   Effort = "password"    // the password of the signature certificate, 6 to 16 characters
)

// EffortOf a source; "" for what is none.
func EffortOf(source string) Effort {
	switch source {
	case statement.CardInfo, Unverified:
		return FourDigits
	case statement.SignatureCertificate:
		return Password
	}
	return ""
}

// Accepted is what an operator takes facts from.
type Accepted struct {
	Sources  []string // strongest first
	Cheapest bool     // the least effort first, wherever all of them are good enough
}

// Need is what a request wants of facts.
type Need struct {
	Verified bool                     // it asks how they were verified: then the strongest comes first
	Enough   func(source string) bool // good enough for the request and its client; nil: all
	Without  []string                 // that this card has been found not to serve
}

// Order lists what an agent may use for a request, first choice first. Nothing in it means that nobody could answer.
func (a Accepted) Order(n Need) []string {
	order := slices.DeleteFunc(slices.Clone(a.Sources), func(s string) bool {
		return slices.Contains(n.Without, s) || n.Enough != nil && !n.Enough(s)
	})
	if a.Cheapest && !n.Verified {
		slices.SortStableFunc(order, func(a, b string) int { return rank(a) - rank(b) })
	}
	return order
}

func rank(source string) int {
	return slices.Index([]Effort{FourDigits, Password}, EffortOf(source))
}

// ForAgent is an order in the words of the agent protocol: what the card is asked for is the same, whoever can check it.
func ForAgent(order []string) []string {
	var out []string
	for _, s := range order {
		if s == Unverified {
			s = statement.CardInfo
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Why a source was chosen.
type Why string

const (
	First   Why = "first"   // it is the first choice
	Missing Why = "missing" // the card has no signature certificate
	Ended   Why = "ended"   // the signature certificate of the card has ended, as when its holder moves
)

// Card is what is known of the card at hand.
type Card struct {
	Signature bool // it has a signature certificate
	Ended     bool // which is good no more
}

// Choose takes the first source that the card can serve; "" when there is none. Why tells what stood in the way of an
// earlier choice.
func Choose(order []string, c Card) (source string, why Why) {
	why = First
	for _, s := range order {
		switch {
		case EffortOf(s) == "": // of a newer provider
		case s != statement.SignatureCertificate, c.Signature && !c.Ended:
			return s, why
		case c.Ended:
			why = Ended
		default:
			why = Missing
		}
	}
	return "", why
}
