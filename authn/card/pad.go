package card

import (
	"bytes"
	"context"
	"errors"

	"tegata/authn/fail"
)

// Pad is what a Transport also is when its reader may have keys of its own: a PIN typed there never enters this computer.
type Pad interface {
	// HasPad asks the reader.
	HasPad(ctx context.Context) bool
	// EnterPIN lets the person type as many digits as the VERIFY command has placeholders, bytes FF behind its fifth, puts
	// the digits in their place and sends the command, once. The answer is the card's, or one of the reader's own status words.
	EnterPIN(ctx context.Context, verify []byte) ([]byte, error)
}

// Status words of a reader with keys (PC/SC part 10 2.5.2): the card has seen nothing.
const (
	statusPadTimeout   Status = 0x6400
	statusPadCancelled Status = 0x6401
	statusPadLength    Status = 0x6403
)

// HasPad tells whether VerifyOnPad can take this PIN: the reader has keys, and the PIN is all digits of a fixed number.
func (c *Card) HasPad(ctx context.Context, p PIN) bool {
	pad, ok := c.transport.(Pad)
	return ok && pinRules[p].isDigits() && pad.HasPad(ctx)
}

func (r pinRule) isDigits() bool { return r.alphabet == digits && r.min == r.max }

var errNoPad = errors.New("no keypad for this PIN")

// VerifyOnPad is Verify with the secret typed on the reader, which says so on its own display if it has one. Besides Verify's
// errors it returns fail.UserCancelled (also when nobody typed; the cause tells) and fail.PINFormat, both without a try spent.
func (c *Card) VerifyOnPad(ctx context.Context, p PIN) error {
	rule := pinRules[p]
	if !c.HasPad(ctx, p) {
		return fail.Internal.Because(errNoPad)
	}
	if err := c.readyFor(ctx, rule); err != nil {
		return err
	}
	verify := append([]byte{0x00, 0x20, 0x00, 0x80, byte(rule.max)}, bytes.Repeat([]byte{placeholder}, rule.max)...)
	raw, err := c.transport.(Pad).EnterPIN(ctx, verify)
	a, err := split(raw, err)
	if errors.Is(err, fail.APDUForbidden) {
		return err
	}
	if err != nil {
		return fail.PINUnknown.Because(err)
	}
	switch a.status {
	case statusPadTimeout, statusPadCancelled:
		return fail.UserCancelled.Because(a.status)
	case statusPadLength:
		return fail.PINFormat.Because(a.status)
	}
	return verdict(a.status)
}

// placeholder stands in a command where the reader puts a digit; no PIN contains it.
const placeholder = 0xFF

// HasPad asks the reader behind the firewall.
func (g *guard) HasPad(ctx context.Context) bool {
	pad, ok := g.next.(Pad)
	return ok && pad.HasPad(ctx)
}

// EnterPIN lets nothing pass but a VERIFY of placeholders alone, to a selected PIN.
func (g *guard) EnterPIN(ctx context.Context, verify []byte) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pad, ok := g.next.(Pad)
	_, permitted := g.now.permit(verify)
	if !ok || !permitted || len(verify) < 6 || verify[1] != 0x20 || len(bytes.Trim(verify[5:], "\xFF")) > 0 {
		return nil, fail.APDUForbidden
	}
	return pad.EnterPIN(ctx, verify)
}
