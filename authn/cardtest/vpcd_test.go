package cardtest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"tegata/authn/cardtest"
)

// slot is the reader's end of a virtual reader.
type slot struct {
	t    *testing.T
	conn net.Conn
}

// plug runs PlugVPCD and takes its connection.
func plug(t *testing.T, ctx context.Context, c cardtest.Inserted, faults cardtest.Faults) (s slot, next func() slot, ended <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	done := make(chan error, 1)
	go func() { done <- cardtest.PlugVPCD(ctx, listener.Addr().String(), c, faults) }()
	next = func() slot {
		t.Helper()
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return slot{t, conn}
	}
	return next(), next, done
}

func (s slot) send(message ...byte) {
	s.t.Helper()
	if _, err := s.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)); err != nil {
		s.t.Fatal(err)
	}
}

// ask returns the answer as hex-free bytes; nil when the card has gone.
func (s slot) ask(message ...byte) []byte {
	s.t.Helper()
	s.send(message...)
	var length [2]byte
	if _, err := io.ReadFull(s.conn, length[:]); err != nil {
		return nil
	}
	response := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(s.conn, response); err != nil {
		return nil
	}
	return response
}

func is(t *testing.T, got []byte, want ...byte) {
	t.Helper()
	if string(got) != string(want) {
		t.Errorf("got % X, want % X", got, want)
	}
}

var (
	jpkiBytes = []byte{0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}
	pinFile   = []byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x18}
)

func TestTheCardInAVirtualReader(t *testing.T) {
	ctx, pull := context.WithCancel(t.Context())
	s, _, ended := plug(t, ctx, issue(t, plain, nil), cardtest.Faults{})
	is(t, s.ask(4), 0x3B, 0x88, 0x80, 0x01, 0x00, 0x00, 0x05, 0xE0, 0xB3, 0x81, 0xA1, 0x00, 0x7F)
	s.send(1)
	is(t, s.ask(jpkiBytes...), 0x90, 0x00)
	is(t, s.ask(pinFile...), 0x90, 0x00)
	for name, control := range map[string]byte{"reset": 2, "power off": 0, "power on": 1} {
		s.send(control)
		if got := s.ask(pinFile...); string(got) != "\x6A\x82" {
			t.Errorf("the session outlives %s: % X", name, got)
		}
		is(t, s.ask(jpkiBytes...), 0x90, 0x00)
	}
	pull()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.ask(4) != nil {
		t.Error("it still answers")
	}
}

func TestAPulledCardAndTheNext(t *testing.T) {
	second := issue(t, `{"birthdate": "1990-04-01", "pin_tries": 1}`, nil)
	s, next, ended := plug(t, t.Context(), issue(t, plain, nil), cardtest.Faults{PullAt: 2, Swap: second})
	is(t, s.ask(jpkiBytes...), 0x90, 0x00)
	if got := s.ask(pinFile...); got != nil {
		t.Errorf("it answers % X", got)
	}
	s = next()
	is(t, s.ask(pinFile...), 0x6A, 0x82)
	is(t, s.ask(jpkiBytes...), 0x90, 0x00)
	is(t, s.ask(pinFile...), 0x90, 0x00)
	is(t, s.ask(0x00, 0x20, 0x00, 0x80), 0x63, 0xC1)
	s.conn.Close()
	if err := <-ended; err == nil || errors.Is(err, cardtest.ErrPulledOut) || !strings.Contains(err.Error(), "reader has gone") {
		t.Errorf("ended with %v", err)
	}
}

func TestAPulledCardEnds(t *testing.T) {
	s, _, ended := plug(t, t.Context(), issue(t, plain, nil), cardtest.Faults{PullAt: 1})
	if got := s.ask(jpkiBytes...); got != nil {
		t.Errorf("it answers % X", got)
	}
	if err := <-ended; !errors.Is(err, cardtest.ErrPulledOut) {
		t.Errorf("ended with %v", err)
	}
}

func TestAMuteCardStillHasAnATR(t *testing.T) {
	ctx, pull := context.WithCancel(t.Context())
	s, _, ended := plug(t, ctx, issue(t, plain, nil), cardtest.Faults{Mute: true})
	if len(s.ask(4)) == 0 {
		t.Error("no ATR")
	}
	s.send(jpkiBytes...)
	if err := s.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.conn.Read(make([]byte, 1)); n > 0 {
		t.Error("it answers")
	}
	pull()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestASlowCardTakesItsTime(t *testing.T) {
	s, _, _ := plug(t, t.Context(), issue(t, plain, nil), cardtest.Faults{Slow: 30 * time.Millisecond})
	start := time.Now()
	is(t, s.ask(jpkiBytes...), 0x90, 0x00)
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestACardOfT0(t *testing.T) {
	s, _, _ := plug(t, t.Context(), issue(t, plain, nil), cardtest.Faults{T0: true})
	is(t, s.ask(4), 0x3B, 0x00)
	is(t, s.ask(jpkiBytes...), 0x90, 0x00)
	is(t, s.ask(0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x08), 0x90, 0x00)
	is(t, s.ask(0x00, 0xB0, 0x00, 0x00, 0x00), 0x6C, 0x03) // three bytes are there, not 256
	is(t, s.ask(0x00, 0xB0, 0x00, 0x00, 0x03), 0x8F, 0x8F, 0x00, 0x90, 0x00)
	is(t, s.ask(pinFile...), 0x90, 0x00)
	is(t, s.ask(0x00, 0x20, 0x00, 0x80, 0x04, '1', '2', '3', '4'), 0x90, 0x00)
	is(t, s.ask(0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x17), 0x90, 0x00)
	is(t, s.ask(0x80, 0x2A, 0x00, 0x80, 0x02, 0x01, 0x02, 0x00), 0x61, 0x00)
	if got := s.ask(0x00, 0xC0, 0x00, 0x00, 0x00); len(got) != 258 {
		t.Errorf("a signature of %d bytes", len(got))
	}
}

func TestGarbageIsWhatWasGiven(t *testing.T) {
	s, _, ended := plug(t, t.Context(), issue(t, plain, nil), cardtest.Faults{Garbage: strings.NewReader("\x03abc\x00x")})
	is(t, s.ask(jpkiBytes...), []byte("abc")...)
	is(t, s.ask(jpkiBytes...), []byte("x")...)
	if s.ask(jpkiBytes...) != nil || <-ended == nil {
		t.Error("it answers from nowhere")
	}
}

func TestAReaderThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	err = cardtest.PlugVPCD(t.Context(), listener.Addr().String(), issue(t, plain, nil), cardtest.Faults{})
	if err == nil || !strings.Contains(err.Error(), "no virtual reader") {
		t.Errorf("got %v", err)
	}
}

func TestForgedMaterialKeepsTheCertificates(t *testing.T) {
	m := cardtest.Material{AuthKey: testKey(), AuthCert: authCert}
	forged, err := m.Forged()
	if err != nil || forged.AuthKey == m.AuthKey || string(forged.AuthCert) != string(authCert) || forged.SignKey != nil {
		t.Errorf("%v", err)
	}
}
