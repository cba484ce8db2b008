package card

import (
	"bytes"
	"context"
	"errors"

	"tegata/authn/fail"
)

// Kind is what holds the certificates. The zero value is never returned without an error.
type Kind int

const (
	Unknown      Kind = iota
	Plastic           // the My Number Card itself
	AndroidPhone      // the certificates in a phone's secure element: no card-info application, and the authentication certificate only after the PIN
)

// Card is one session with one card, from Open to Close. It is for one goroutine at a time.
// A verified PIN lives in its application until the other application is selected: reading the
// card-info application ends the session of both JPKI PINs, and the other way round.
type Card struct {
	transport Transport
	kind      Kind
	selected  application
}

// Open puts the firewall around t, selects the JPKI application and finds out what kind of card this is.
// It touches no PIN. Errors: fail.CardUnsupported (licence, transit card, bank card, unknown
// generation), fail.CardOldJuki, fail.CardRemoved, or what the transport says.
// t stays the caller's to close when Open fails.
func Open(ctx context.Context, t Transport) (*Card, error) {
	c := &Card{transport: Guard(t)}
	label, err := c.readLabel(ctx)
	if errors.Is(err, fail.CardRefused) || errors.Is(err, fail.CardDataBroken) {
		return nil, fail.CardUnsupported.Because(err) // other cards answer whatever they like
	}
	if err != nil {
		return nil, err
	}
	c.kind, err = kindOf(label)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Card) readLabel(ctx context.Context) ([]byte, error) {
	if err := c.selectFile(ctx, jpki, fileToken); err != nil {
		return nil, err
	}
	return c.readRange(ctx, 0, labelLength)
}

// Kind tells what Open found.
func (c *Card) Kind() Kind { return c.kind }

// Close resets the card and ends the session.
func (c *Card) Close() error { return c.transport.Close() }

const labelLength = 32

// kindOf reads the token label, padded with spaces or zero bytes (card.md 1.2). ATRs are no help:
// licences share the card's prefix.
func kindOf(label []byte) (Kind, error) {
	switch string(bytes.Trim(label, " \x00")) {
	case "JPKIAPICCTOKEN2":
		return Plastic, nil
	case "JPKIAPGPSETOKEN":
		return AndroidPhone, nil
	case "JPKIAPICCTOKEN":
		return Unknown, fail.CardOldJuki
	}
	return Unknown, fail.CardUnsupported
}

// selectApplication leaves a selected application alone: selecting another one drops its verified PINs.
func (c *Card) selectApplication(ctx context.Context, app application) error {
	if c.selected == app {
		return nil
	}
	c.selected = noApplication
	id := applicationIDs[app]
	a, err := transmit(ctx, c.transport, append([]byte{0x00, insSelect, byDFName, 0x0C, byte(len(id))}, id...))
	if err != nil {
		return err
	}
	if a.status != statusOK {
		return fail.CardUnsupported.Because(a.status)
	}
	c.selected = app
	return nil
}

// selectFile selects a file of an application. Callers stop at its error: the command that follows
// would meet whatever file was current before.
func (c *Card) selectFile(ctx context.Context, app application, file uint16) error {
	if err := c.selectApplication(ctx, app); err != nil {
		return err
	}
	a, err := transmit(ctx, c.transport, []byte{0x00, insSelect, byFileID, 0x0C, 2, byte(file >> 8), byte(file)})
	if err != nil {
		return err
	}
	return a.refusal()
}

// refusal is nil for 9000, else fail.CardRefused with the status word as its cause.
func (a answer) refusal() error {
	if a.status == statusOK {
		return nil
	}
	return fail.CardRefused.Because(a.status)
}
