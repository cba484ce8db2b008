//go:build cgo || windows

package pcsc

import (
	"errors"
	"time"

	"github.com/ebfe/scard"
)

func init() { controlCode = scard.CtlCode }

// machine is the smart card service of this computer.
var machine system = scardSystem{}

type scardSystem struct{}

func (scardSystem) establish() (session, error) {
	ctx, err := scard.EstablishContext()
	if err != nil {
		return nil, code(err)
	}
	return scardSession{ctx}, nil
}

// code turns the library's error, whose text differs from system to system, into ours.
func code(err error) error {
	var result scard.Error
	if errors.As(err, &result) {
		return Code(result)
	}
	return err
}

type scardSession struct{ ctx *scard.Context }

func (s scardSession) readers() ([]string, error) {
	names, err := s.ctx.ListReaders()
	return names, code(err)
}

// status never passes an empty list on: the library indexes the first element.
func (s scardSession) status(states []state, wait time.Duration) error {
	if len(states) == 0 {
		return NoReaders
	}
	all := make([]scard.ReaderState, len(states))
	for i, st := range states {
		all[i] = scard.ReaderState{Reader: st.reader, CurrentState: scard.StateFlag(st.known)}
	}
	if err := s.ctx.GetStatusChange(all, wait); err != nil {
		return code(err)
	}
	for i := range states {
		states[i].current = flags(all[i].EventState)
	}
	return nil
}

// connect asks for both protocols: contact cards speak T=1, some readers only T=0, contactless readers pretend either.
func (s scardSession) connect(reader string) (handle, error) {
	card, err := s.ctx.Connect(reader, scard.ShareShared, scard.ProtocolT0|scard.ProtocolT1)
	if err != nil {
		return nil, code(err)
	}
	return scardHandle{card}, nil
}

func (s scardSession) release() error { return code(s.ctx.Release()) }

type scardHandle struct{ card *scard.Card }

func (h scardHandle) protocol() protocol {
	switch h.card.ActiveProtocol() {
	case scard.ProtocolT0:
		return t0
	case scard.ProtocolT1:
		return t1
	}
	return noProtocol
}

func (h scardHandle) begin() error { return code(h.card.BeginTransaction()) }

func (h scardHandle) reconnect() error {
	return code(h.card.Reconnect(scard.ShareShared, scard.ProtocolT0|scard.ProtocolT1, scard.LeaveCard))
}

func (h scardHandle) ping() error {
	_, err := h.card.Status()
	return code(err)
}

// transmit is only called with a protocol and a command: the library panics without either.
func (h scardHandle) transmit(command []byte) ([]byte, error) {
	response, err := h.card.Transmit(command)
	return response, code(err)
}

func (h scardHandle) control(function uint32, in []byte) ([]byte, error) {
	out, err := h.card.Control(function, in)
	return out, code(err)
}

func (h scardHandle) end(then disposition) error { return code(h.card.EndTransaction(then.scard())) }

func (h scardHandle) disconnect(then disposition) error { return code(h.card.Disconnect(then.scard())) }

func (d disposition) scard() scard.Disposition {
	if d == leave {
		return scard.LeaveCard
	}
	return scard.ResetCard
}
