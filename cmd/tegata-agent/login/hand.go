package login

import (
	"context"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// hand is the card as Perform gets it: it remembers which PIN was presented last, to know which one was wrong, and
// sends those that are entered on the reader's own keys there.
type hand struct {
	Card
	last  card.PIN
	wrong map[card.PIN]*fail.Error
	pads  map[card.PIN]bool

	unknown map[card.PIN]bool // the person has said that she does not know these
}

// Verify presents an entry, or lets the reader take one.
func (h *hand) Verify(ctx context.Context, p card.PIN, secret []byte) error {
	h.last = p
	if h.pads[p] {
		return h.VerifyOnPad(ctx, p)
	}
	return h.Card.Verify(ctx, p, secret)
}

// placeholder stands for an entry that this computer never sees: it satisfies Perform's check of the form, and Verify does
// not look at it.
const placeholder = "0000"

// onPad leaves the PIN to the reader.
func (h *hand) onPad(p card.PIN) []byte {
	if h.pads == nil {
		h.pads = map[card.PIN]bool{}
	}
	h.pads[p] = true
	return []byte(placeholder)
}
