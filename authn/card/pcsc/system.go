package pcsc

import "time"

// system is PC/SC as far as this package uses it. Every call may block for ever; none is cancelled.
// Errors are Codes. The fake in the tests is the other implementation.
type system interface {
	establish() (session, error)
}

// session is a PC/SC context. Calls on one context wait for each other, so watching and working have one each.
type session interface {
	readers() ([]string, error)
	// status blocks until a state differs from what the states say, or until wait is over (TimedOut), and updates them.
	status(states []state, wait time.Duration) error
	connect(reader string) (handle, error) // shared, T=0 or T=1
	release() error
}

// handle is a connection to a card.
type handle interface {
	protocol() protocol
	begin() error
	reconnect() error // after ResetCard
	ping() error      // SCardStatus: does nothing, to a card that is still there
	transmit(command []byte) ([]byte, error)
	control(code uint32, in []byte) ([]byte, error)
	end(then disposition) error
	disconnect(then disposition) error
}

// disposition is what becomes of the card.
type disposition int

const (
	reset disposition = iota // the safe zero value: no verified PIN stays behind
	leave
)

type protocol int

const (
	noProtocol protocol = iota
	t0
	t1
)

// state of a reader. known is what the caller has seen before, current what the service says; zero is "nothing yet".
type state struct {
	reader         string
	known, current flags
}

// flags are SCARD_STATE_*; above the lower 16 bits lies a counter of insertions and removals.
type flags uint32

const (
	flagChanged   flags = 0x0002
	flagPresent   flags = 0x0020
	flagExclusive flags = 0x0080
	flagMute      flags = 0x0200
)

// controlCode is SCARD_CTL_CODE, which differs between Windows and pcsc-lite.
var controlCode func(function uint16) uint32
