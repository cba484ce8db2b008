// Package cards is the sandbox's card reader: a box of virtual cards, the web pages on which a person lays one on the
// reader and types its PIN, and a wire for `sandbox login` that carries plain APDUs. Its pages are an agent like any
// other: it speaks the agent protocol to the one provider it trusts and brings the browser back over loopback.
// It refuses to know the provider's insides and the relying party.
package cards

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"tegata/authn/cardtest"
)

// Issuer puts keys and certificates on a persona's card, the same ones until something happens to it; authn/jpkitest does.
type Issuer interface {
	Equip(p cardtest.Persona) (cardtest.Material, error)
	// Resident is the persona as the register has it now.
	Resident(p cardtest.Persona) cardtest.Persona
}

// Box holds the personas' cards. A card is made when somebody first picks it up, because its keys take time.
type Box struct {
	issuer   Issuer
	personas []cardtest.Persona
	mu       sync.Mutex
	cards    map[string]boxed
}

// boxed is a card and what was on it when it was made.
type boxed struct {
	card       *cardtest.Card
	auth, sign []byte
}

// NewBox fills a box; personas later in the list replace earlier ones of the same name.
func NewBox(issuer Issuer, personas []cardtest.Persona) *Box {
	b := &Box{issuer: issuer, cards: map[string]boxed{}}
	for _, p := range personas {
		b.personas = slices.DeleteFunc(b.personas, func(old cardtest.Persona) bool { return old.ID == p.ID })
		b.personas = append(b.personas, p)
	}
	return b
}

// Personas lists whose cards are in the box.
func (b *Box) Personas() []cardtest.Persona { return b.personas }

// Persona finds one by name.
func (b *Box) Persona(name string) (cardtest.Persona, bool) {
	i := slices.IndexFunc(b.personas, func(p cardtest.Persona) bool { return p.ID == name })
	if i < 0 {
		return cardtest.Persona{}, false
	}
	return b.personas[i], true
}

// Card picks up a persona's card. One that was renewed or written anew since is another card, with fresh counters.
func (b *Box) Card(name string) (*cardtest.Card, error) {
	p, ok := b.Persona(name)
	if !ok {
		return nil, fmt.Errorf("there is no persona %q", name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.issuer.Equip(p)
	if err != nil {
		return nil, fmt.Errorf("persona %s: %w", name, err)
	}
	if c, ok := b.cards[name]; ok && bytes.Equal(c.auth, m.AuthCert) && bytes.Equal(c.sign, m.SignCert) {
		return c.card, nil
	}
	c := cardtest.New(b.issuer.Resident(p), m)
	b.cards[name] = boxed{c, m.AuthCert, m.SignCert}
	return c, nil
}
