package pcsc

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"sync"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/cardtest"
)

// desk is a PC/SC on which every call can hang or fail.
type desk struct {
	mu        sync.Mutex
	names     []string
	flags     map[string]flags
	cards     map[string]card.Transport
	speaks    protocol
	hang      map[string]chan struct{} // a call with this name waits until the channel is closed
	fails     map[string][]error       // what the next calls with this name return; nil = success
	log       []string
	commands  [][]byte // as handed over, not copied
	control   func(code uint32, in []byte) ([]byte, error)
	lastState []state
}

var authKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

const readerName = "Reader"

// newDesk has one reader with a My Number Card in it. Both must be made outside of a synctest bubble: keys take real time.
func newDesk(t testing.TB) (*desk, *cardtest.Card) {
	t.Helper()
	p, err := cardtest.ParsePersona("someone", []byte(`{"birthdate": "1990-04-01"}`))
	if err != nil {
		t.Fatal(err)
	}
	virtual := cardtest.New(p, cardtest.Material{AuthKey: authKey(), AuthCert: []byte{0x30, 0x03, 0x02, 0x01, 0x05}})
	return &desk{
		names: []string{readerName}, flags: map[string]flags{readerName: flagPresent}, cards: map[string]card.Transport{readerName: virtual.Connect()},
		speaks: t1, hang: map[string]chan struct{}{}, fails: map[string][]error{},
	}, virtual
}

func (d *desk) service() Service { return Service{system: d} }

// call notes a call, hangs and fails as told.
func (d *desk) call(name string) error {
	d.mu.Lock()
	d.log = append(d.log, name)
	hang := d.hang[name]
	d.mu.Unlock()
	if hang != nil {
		<-hang
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if left := d.fails[name]; len(left) > 0 {
		d.fails[name] = left[1:]
		return left[0]
	}
	return nil
}

func (d *desk) calls() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log)
}

func (d *desk) establish() (session, error) { return deskSession{d}, d.call("establish") }

type deskSession struct{ *desk }

func (s deskSession) readers() ([]string, error) { return s.names, s.call("readers") }

func (s deskSession) status(states []state, wait time.Duration) error {
	if err := s.call("status"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastState = slices.Clone(states)
	changed := false
	for i, st := range states {
		states[i].current = s.flags[st.reader]
		changed = changed || states[i].current != st.known
	}
	if !changed {
		s.mu.Unlock()
		time.Sleep(wait)
		s.mu.Lock()
		return TimedOut
	}
	return nil
}

func (s deskSession) connect(reader string) (handle, error) {
	if err := s.call("connect"); err != nil {
		return nil, err
	}
	return deskHandle{s.desk, reader}, nil
}

func (s deskSession) release() error { return s.call("release") }

type deskHandle struct {
	*desk
	reader string
}

func (h deskHandle) protocol() protocol { return h.speaks }
func (h deskHandle) begin() error       { return h.call("begin") }
func (h deskHandle) reconnect() error   { return h.call("reconnect") }
func (h deskHandle) ping() error        { return h.call("ping") }

func (h deskHandle) transmit(command []byte) ([]byte, error) {
	h.mu.Lock()
	h.commands = append(h.commands, command)
	h.mu.Unlock()
	if err := h.call("transmit"); err != nil {
		return nil, err
	}
	return h.cards[h.reader].Transmit(context.Background(), command)
}

func (h deskHandle) control(code uint32, in []byte) ([]byte, error) {
	if err := h.call("control"); err != nil {
		return nil, err
	}
	return h.desk.control(code, in)
}

var dispositions = map[disposition]string{reset: "reset", leave: "leave"}

func (h deskHandle) end(then disposition) error { return h.call("end " + dispositions[then]) }
func (h deskHandle) disconnect(then disposition) error {
	return h.call("disconnect " + dispositions[then])
}
