package login

import (
	"context"
	"net/http"
	"time"

	"tegata/authn/agent"
	"tegata/authn/fail"
)

// reporter keeps the waiting page informed, in order and beside the work: no card waits for a network. What cannot be
// delivered is dropped; the next real call shows what is wrong.
type reporter struct {
	notes  chan note
	say    func(string)
	cancel context.CancelFunc
	done   chan struct{}
}

type note struct {
	code  string
	tries int
}

func report(session *agent.Session, say func(string)) *reporter {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reporter{notes: make(chan note, 1), say: say, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for {
			select {
			case n := <-r.notes:
				r.send(ctx, session, n)
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

func (r *reporter) send(ctx context.Context, session *agent.Session, n note) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = session.Progress(ctx, n.code, n.tries)
}

func (r *reporter) tell(code string, tries int) {
	if r.say != nil {
		r.say(code)
	}
	if code == "pin_locked" {
		tries = fail.NoTries
	}
	for n := (note{code, tries}); ; {
		select {
		case r.notes <- n:
			return
		default:
		}
		select {
		case <-r.notes: // what has not gone out yet is out of date
		default:
		}
	}
}

// stop ends it, sent or not.
func (r *reporter) stop() {
	r.cancel()
	<-r.done
}

// turns lets one call out at a time. The provider changes a login by compare and swap: a note on its way at the same
// moment as the result could make it look as if two agents were at work.
type turns struct {
	next http.RoundTripper
	turn chan struct{}
}

func inTurns(c *http.Client) *http.Client {
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return &http.Client{Transport: &turns{next, make(chan struct{}, 1)}}
}

// RoundTrip waits for its turn.
func (t *turns) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case t.turn <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-t.turn }()
	return t.next.RoundTrip(r)
}
