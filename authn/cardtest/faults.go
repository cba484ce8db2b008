package cardtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"time"

	"tegata/authn/card"
)

// Faults make a card in a reader misbehave. The zero value is a good card.
type Faults struct {
	PullAt  int           // the card is pulled out during this command, counted from 1; 0 = it stays
	Swap    Inserted      // put into the reader after the pull
	Slow    time.Duration // before each answer
	Mute    bool          // it is there, but answers no command
	T0      bool          // it speaks the older protocol: 61xx before data, 6Cxx for a wrong Le
	Garbage io.Reader     // the answers come from here; nil = from the card
}

// Inserted is a card that can be put into a reader; *Card is one, and tests have foreign ones.
type Inserted interface{ Connect() card.Transport }

// Forged returns the material with other private keys than the certificates': the card signs, and nobody should believe it.
func (m Material) Forged() (Material, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Material{}, err
	}
	m.AuthKey = key
	if m.SignKey != nil {
		m.SignKey = key
	}
	return m, nil
}

// Answers to reset: how a card introduces itself. Nothing may depend on them.
var (
	atrContactless = []byte{0x3B, 0x88, 0x80, 0x01, 0x00, 0x00, 0x05, 0xE0, 0xB3, 0x81, 0xA1, 0x00, 0x7F}
	atrT0          = []byte{0x3B, 0x00} // no interface bytes: T=0 alone
)

// contact is a card under power. It counts commands over its whole stay in the reader.
type contact struct {
	faults Faults
	card   Inserted
	wire   card.Transport // nil = no power
	count  int
}

func (c *contact) atr() []byte {
	if c.faults.T0 {
		return atrT0
	}
	return atrContactless
}

// reset forgets the session, as a card without power does.
func (c *contact) reset() { c.wire = c.card.Connect() }

// answer is nil when the card was pulled out or ctx ended.
func (c *contact) answer(ctx context.Context, command []byte) ([]byte, error) {
	c.count++
	switch {
	case c.count == c.faults.PullAt:
		return nil, ErrPulledOut
	case c.faults.Mute:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := sleep(ctx, c.faults.Slow); err != nil {
		return nil, err
	}
	if c.faults.Garbage != nil {
		return garbage(c.faults.Garbage)
	}
	if c.wire == nil {
		c.reset()
	}
	if c.faults.T0 {
		return c.answerT0(ctx, command)
	}
	return c.wire.Transmit(ctx, command)
}

// answerT0 never returns data to a command that carries some: the reader fetches it by GET RESPONSE. A read of more than there is
// gets the right length instead of the bytes.
func (c *contact) answerT0(ctx context.Context, command []byte) ([]byte, error) {
	if len(command) > 5 && len(command) == int(command[4])+6 {
		command = command[:len(command)-1]
	}
	response, err := c.wire.Transmit(ctx, command)
	if err != nil || !bytes.HasSuffix(response, []byte{0x62, 0x82}) {
		return response, err
	}
	return []byte{0x6C, byte(len(response) - 2)}, nil
}

// garbage is 1 to 255 bytes: none would mean that the card has gone.
func garbage(from io.Reader) ([]byte, error) {
	var length [1]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	response := make([]byte, max(1, length[0]))
	_, err := io.ReadFull(from, response)
	return response, err
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
