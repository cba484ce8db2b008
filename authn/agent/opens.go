package agent

import (
	"slices"

	"tegata/authn/card"
	"tegata/authn/statement"
)

var openers = map[string]card.PIN{statement.CardInfoPIN: card.CardInfoPIN, statement.NumberB: card.NumberB}

// Opens lists what the provider lets open the card-info application, first choice first: card.CardInfoPIN, card.NumberB.
func (s *Session) Opens() []card.PIN {
	if ways := opens(s.context); len(ways) > 0 {
		return ways
	}
	return []card.PIN{card.CardInfoPIN} // providers that know nothing else do not say so
}

// opens leaves out what a newer provider may name.
func opens(c Context) []card.PIN {
	var ways []card.PIN
	for _, name := range c.CardInfoBy {
		if p, known := openers[name]; known && !slices.Contains(ways, p) {
			ways = append(ways, p)
		}
	}
	return ways
}

// opener is which of its secrets an attempt opens the card-info application with.
func (s Secrets) opener() card.PIN {
	if len(s.NumberB) > 0 {
		return card.NumberB
	}
	return card.CardInfoPIN
}
