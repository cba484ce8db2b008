package jpkitest

import (
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

// Event is something that happens to a person or a card.
type Event string

const (
	Revoke  Event = "revoke"  // the card is lost or given back
	Suspend Event = "suspend" // a call to the hotline
	Lift    Event = "lift"    // the card was found again
	Renew   Event = "renew"   // new certificates on the card: other serial numbers, the same person
	Move    Event = "move"    // a new signature certificate with a new address; the old one is revoked
	Rename  Event = "rename"  // the same with a new name
	Die     Event = "die"     // everything is revoked, for good and without a reason
)

// Refused events.
var (
	ErrEvent   = errors.New("event must be revoke, suspend, lift, renew, move, rename or die")
	ErrNoCard  = errors.New("no card was issued to this persona yet")
	ErrDead    = errors.New("this persona is dead")
	ErrAddress = errors.New("address must be 1 to 200 characters")
	ErrName    = errors.New("name must be 1 to 100 characters")
)

// Happen makes an event take place, from the next answer on. to is the new address of Move and the new name of Rename. What
// it changes on the card is there when the card is equipped again.
func (a *Authority) Happen(persona string, event Event, to string) error {
	switch event {
	case Revoke:
		return a.Switch(persona, cardtest.Revoked)
	case Suspend:
		return a.Switch(persona, cardtest.Suspended)
	case Lift:
		return a.Switch(persona, cardtest.Good)
	case Renew, Die, Move, Rename:
	default:
		return ErrEvent
	}
	switch {
	case event == Move && !line(to, 200):
		return ErrAddress
	case event == Rename && !line(to, 100):
		return ErrName
	}
	a.equipping.Lock()
	defer a.equipping.Unlock()
	card, p := a.cardOf(persona), a.resident(persona)
	switch {
	case card == nil || p.ID == "":
		return ErrNoCard
	case card.Dead:
		return ErrDead
	case event == Die:
		return a.change(func() { card.Dead = true })
	case event == Move:
		p.Address, p.AddressSubstitution = to, zeros(to)
		return a.reissue(card, p, jpki.Signature)
	case event == Rename:
		return a.reissue(card, renamed(p, to), jpki.Signature)
	}
	return a.reissue(card, p, jpki.Authentication, jpki.Signature)
}

// line says whether a text of at most so many characters is there.
func line(text string, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= 1 && n <= most && utf8.ValidString(text)
}

// zeros is the map of a text without replaced characters.
func zeros(text string) string { return strings.Repeat("0", utf8.RuneCountInString(text)) }

// reissue puts new certificates on the card and keeps the old ones as past.
func (a *Authority) reissue(card *issuedCard, p cardtest.Persona, purposes ...jpki.Purpose) error {
	purposes = slices.DeleteFunc(purposes, func(purpose jpki.Purpose) bool { return card.of(purpose) == nil })
	keys, err := rsaKeys(len(purposes))
	if err != nil {
		return err
	}
	fresh := make([]*issuedCertificate, len(purposes))
	for i, purpose := range purposes {
		if fresh[i], err = a.issueNow(p, purpose, keys[i]); err != nil {
			return err
		}
	}
	return a.change(func() {
		if !slices.Contains(purposes, jpki.Authentication) { // else nothing but the card has changed
			a.tellOf(card.Persona)
		}
		card.Address, card.Name, card.Moved = p.Address, p.Name, card.Moved && !slices.Contains(purposes, jpki.Signature)
		for i, purpose := range purposes {
			card.Past = append(card.Past, pastCertificate{purpose, *card.of(purpose)})
			*card.of(purpose) = *fresh[i]
		}
	})
}

func (a *Authority) issueNow(p cardtest.Persona, purpose jpki.Purpose, key *rsa.PrivateKey) (*issuedCertificate, error) {
	return a.issue(p, purpose, key, a.now().In(jst).Truncate(time.Second))
}

// change alters a card and saves.
func (a *Authority) change(alter func()) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	alter()
	return a.vault.save(a.snapshot())
}

// Resident is the persona as the register has it now: who moved or was renamed by a switch is not as the file says.
// What a card says in text must be made from this.
func (a *Authority) Resident(p cardtest.Persona) cardtest.Persona {
	card := a.cardOf(p.ID)
	if card != nil && card.Address != "" && card.Address != p.Address {
		p.Address, p.AddressSubstitution = card.Address, zeros(card.Address)
	}
	if card != nil && card.Name != "" && card.Name != p.Name {
		p = renamed(p, card.Name)
	}
	return p
}

// resident finds a persona by name; the zero Persona if nobody ever named it.
func (a *Authority) resident(name string) cardtest.Persona {
	a.mu.Lock()
	p := a.known[name]
	a.mu.Unlock()
	if i := slices.IndexFunc(a.personas, func(p cardtest.Persona) bool { return p.ID == name }); p.ID == "" && i >= 0 {
		p = a.personas[i]
	}
	return a.Resident(p)
}

func (a *Authority) remember(p cardtest.Persona) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[p.ID] = p
}
