package cardtest

import (
	"context"
	"crypto"
	"crypto/rsa"
	"sync"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// Material is what an authority put on the card. Keys are RSA; certificates are DER.
type Material struct {
	AuthKey     crypto.Signer
	AuthCert    []byte
	AuthCA      []byte
	SignKey     crypto.Signer   // nil without a signature certificate
	SignCert    []byte          // nil = the card has none, and says so in EF 0008
	SignCA      []byte          // nil = a blank file
	CardInfoKey *rsa.PrivateKey // nil = no proof files in the card-info application
	CardInfoCVC []byte          // from CertifyCardInfoKey
}

// Card is a virtual plastic card. Its PIN counters last as long as it does; everything else lasts as
// long as a connection. It is safe for concurrent connections.
type Card struct {
	mu           sync.Mutex
	applications []*application
	counters     map[card.PIN]*counter
	touched      bool
}

// New issues a card to a persona of the loader.
func New(p Persona, m Material) *Card {
	counters := map[card.PIN]*counter{
		card.AuthPIN:      {p.PIN, p.PINTries, maxAuthTries},
		card.SignPassword: {p.Password, p.PasswordTries, maxPasswordTries},
		card.CardInfoPIN:  {p.CardInfoPIN, p.CardInfoTries, maxCardInfoTries},
		card.NumberB:      {p.NumberB(), p.NumberBTries, maxNumberBTries},
	}
	return &Card{applications: applications(p, m, counters), counters: counters}
}

// Connect puts the card on a reader, freshly reset: no application selected, no PIN verified.
// Connections do not see each other's state, as if each held the reader exclusively.
func (c *Card) Connect() card.Transport { return &connection{card: c} }

// Tries tells how many entries are left for a PIN; 0 is locked.
func (c *Card) Tries(p card.PIN) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if counter, ok := c.counters[p]; ok {
		return counter.left
	}
	return 0
}

// MyNumberTouched tells whether anyone ever selected the My Number file, the resident registry or the
// card face on this card, successfully or by accident. In this project it stays false (R1).
func (c *Card) MyNumberTouched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.touched
}

// connection is one session on the reader.
type connection struct {
	card   *Card
	state  session
	closed bool
}

// Transmit gives the card one command. After Close the card is gone: fail.CardRemoved.
func (c *connection) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.card.mu.Lock()
	defer c.card.mu.Unlock()
	if c.closed {
		return nil, fail.CardRemoved
	}
	a := c.state.answer(c.card, command)
	return append(a.data, byte(a.status>>8), byte(a.status)), nil
}

// Close resets the card and takes it off the reader.
func (c *connection) Close() error {
	c.card.mu.Lock()
	defer c.card.mu.Unlock()
	c.closed, c.state = true, session{}
	return nil
}
