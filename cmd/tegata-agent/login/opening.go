package login

import (
	"context"
	"errors"
	"slices"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/authn/statement"
)

// opening asks for what opens the card-info application, and for the next thing when the person does not know one.
func (a *attempt) opening(ctx context.Context, h *hand, s *agent.Secrets) error {
	for {
		p, err := a.opener(ctx, h)
		if err != nil {
			return err
		}
		into := &s.CardInfoPIN
		if p == card.NumberB {
			into = &s.NumberB
		}
		*into, err = a.one(ctx, h, statement.CardInfo, p)
		if !errors.Is(err, prompt.ErrOtherWay) {
			return err
		}
		h.unknown[p] = true
	}
}

// opener is the first choice that is not locked and that the person has not said to be unknown. The counters are the
// card's own, read at every look: what locks after ten entries locks all the same.
func (a *attempt) opener(ctx context.Context, h *hand) (card.PIN, error) {
	ways := a.session.Opens()
	for i, p := range ways[:len(ways)-1] {
		if h.unknown[p] {
			continue
		}
		left, err := h.Tries(ctx, p)
		if err != nil || left != 0 {
			return p, err
		}
		if ways[i+1] == card.NumberB && h.wrong[card.NumberB] == nil {
			h.wrong[card.NumberB] = fail.PINLocked // said where the number is asked for
		}
	}
	return ways[len(ways)-1], nil
}

// otherWay says whether the application that p opens can be opened in a way that comes after it. What the card does not
// tell counts as no.
func (a *attempt) otherWay(ctx context.Context, h *hand, p card.PIN) bool {
	ways := a.session.Opens()
	i := slices.Index(ways, p)
	if i < 0 || i == len(ways)-1 {
		return false
	}
	left, err := h.Tries(ctx, ways[i+1])
	return err == nil && left != 0
}
