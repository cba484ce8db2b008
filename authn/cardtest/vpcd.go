package cardtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ErrPulledOut ends PlugVPCD when Faults.PullAt came and no other card followed.
var ErrPulledOut = errors.New("the card was pulled out")

// HandTime is how long a hand takes to exchange cards. pcscd looks at a reader every 400 ms; a card that is exchanged faster,
// while a command was under way, it never sees.
const HandTime = 700 * time.Millisecond

// The reader's messages of one byte; longer ones are commands for the card.
const (
	vpcdPowerOff = 0x00
	vpcdPowerOn  = 0x01
	vpcdReset    = 0x02
	vpcdATR      = 0x04
)

// PlugVPCD puts a card into a virtual reader of pcscd: vpcd of the vsmartcard project, which listens at addr. It stays until ctx
// ends (nil), faults pull it out (ErrPulledOut), or the reader goes away (another error, which says so).
//
// Each message is a big-endian length of two bytes and as many bytes. The reader asks for the ATR several times a second, which is how
// it sees that a card is there; closing the connection is pulling the card out.
func PlugVPCD(ctx context.Context, addr string, inserted Inserted, faults Faults) error {
	c := &contact{faults: faults, card: inserted}
	err := plug(ctx, addr, c)
	if errors.Is(err, ErrPulledOut) && faults.Swap != nil {
		if sleep(ctx, HandTime) != nil {
			return nil
		}
		c.card, c.wire = faults.Swap, nil
		err = plug(ctx, addr, c)
	}
	return err
}

func plug(ctx context.Context, addr string, c *contact) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("no virtual reader: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	err = c.serve(ctx, conn)
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, ErrPulledOut):
		return err
	}
	return fmt.Errorf("the virtual reader has gone: %w", err)
}

func (c *contact) serve(ctx context.Context, conn net.Conn) error {
	for {
		message, err := receive(conn)
		if err != nil {
			return err
		}
		if len(message) == 1 {
			if err := c.control(conn, message[0]); err != nil {
				return err
			}
			continue
		}
		response, err := c.answer(ctx, message)
		if err != nil {
			return err
		}
		if err := send(conn, response); err != nil {
			return err
		}
	}
}

func (c *contact) control(conn net.Conn, message byte) error {
	switch message {
	case vpcdPowerOff:
		c.wire = nil
	case vpcdPowerOn, vpcdReset:
		c.reset()
	case vpcdATR:
		return send(conn, c.atr())
	}
	return nil
}

// receive acknowledges at once after each read: the reader sends length and body apart, and would wait some 40 ms
// for the acknowledgement of the first before it sends the second.
func receive(conn net.Conn) ([]byte, error) {
	var length [2]byte
	acknowledgeAtOnce(conn)
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	acknowledgeAtOnce(conn)
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, message)
	return message, err
}

func send(conn net.Conn, message []byte) error {
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	return err
}
