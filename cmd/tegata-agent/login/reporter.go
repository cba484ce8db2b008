package login

import (
	"context"
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

// pending is how many notes may wait for a slow network.
const pending = 16

func report(session *agent.Session, say func(string)) *reporter {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reporter{notes: make(chan note, pending), say: say, cancel: cancel, done: make(chan struct{})}
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
	select {
	case r.notes <- note{code, tries}:
	default:
	}
}

// stop ends it. What was not sent yet is out of date.
func (r *reporter) stop() {
	r.cancel()
	<-r.done
}
