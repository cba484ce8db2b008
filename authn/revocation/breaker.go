package revocation

import (
	"context"
	"errors"
	"sync"
	"time"

	"tegata/authn/fail"
)

const (
	breakAfter = 3
	restFor    = 10 * time.Second
)

// Breaker stops asking an authority that does not answer: after three failures in a row nobody waits for a timeout
// any more, and after a rest a single question probes whether it is back. A refusal while it is open is a refusal
// like any other (R9). Each purpose has a circuit of its own, because each has a responder of its own.
type Breaker struct {
	Next Checker
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rest is how long nobody is asked; 0 means ten seconds.
	Rest time.Duration
	// Changed hears when a circuit opens and closes; nil for nobody.
	Changed func(purpose string, open bool)

	mu       sync.Mutex
	circuits map[string]*circuit
}

// circuit counts the failures in a row; at breakAfter it is open until a probe succeeds.
type circuit struct {
	failures int
	until    time.Time
	probing  bool
}

var errOpen = errors.New("revocation: the authority did not answer lately and is left alone for a while")

// Check asks if the circuit lets it.
func (b *Breaker) Check(ctx context.Context, q Question) (Answer, error) {
	var answer Answer
	err := b.do(ctx, q.Purpose, func() (err error) {
		answer, err = b.Next.Check(ctx, q)
		return err
	})
	return answer, err
}

// do asks one question of a purpose, unless its circuit is open.
func (b *Breaker) do(ctx context.Context, purpose string, ask func() error) error {
	if !b.enter(purpose) {
		return fail.RevocationUnavailable.Because(errOpen)
	}
	err := ask()
	// A person who went away says nothing about the authority.
	b.leave(purpose, err, err != nil && errors.Is(ctx.Err(), context.Canceled))
	return err
}

func (b *Breaker) enter(purpose string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.circuits == nil {
		b.circuits = map[string]*circuit{}
	}
	c := b.circuits[purpose]
	if c == nil {
		c = &circuit{}
		b.circuits[purpose] = c
	}
	switch {
	case c.failures < breakAfter:
		return true
	case c.probing || b.now().Before(c.until):
		return false
	}
	c.probing = true
	return true
}

func (b *Breaker) leave(purpose string, err error, abandoned bool) {
	b.mu.Lock()
	c := b.circuits[purpose]
	wasOpen := c.failures >= breakAfter
	switch {
	case abandoned:
		c.probing = false
	case err == nil:
		*c = circuit{}
	default:
		c.failures, c.probing, c.until = c.failures+1, false, b.now().Add(positive(b.Rest, restFor))
	}
	isOpen := c.failures >= breakAfter
	b.mu.Unlock()
	if isOpen != wasOpen && b.Changed != nil {
		b.Changed(purpose, isOpen)
	}
}

func (b *Breaker) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}
