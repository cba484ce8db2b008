package pcsc

import (
	"context"
	"errors"
	"sync"
	"time"
)

// line makes the PC/SC calls of one operation, one after another, on a goroutine of its own, so that callers can go
// away from a call that hangs. It knows deadlines. It does not know what is called.
type line struct {
	calls   chan func()
	closing chan struct{}
	done    chan struct{} // closed when finish has run
	once    sync.Once
}

// newLine starts a line. When nothing is asked for, beat runs every period (0: never).
// finish runs last, after close, and after a call that hung has come back.
func newLine(period time.Duration, beat, finish func()) *line {
	l := &line{calls: make(chan func()), closing: make(chan struct{}), done: make(chan struct{})}
	go l.run(period, beat, finish)
	return l
}

func (l *line) run(period time.Duration, beat, finish func()) {
	defer close(l.done)
	defer finish()
	var tick <-chan time.Time
	if period > 0 {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		tick = ticker.C
	}
	for !l.closed() {
		select {
		case <-l.closing:
			return
		case call := <-l.calls:
			call()
		case <-tick:
			beat()
		}
	}
}

// closed comes before each select, which takes any of the cases that are ready.
func (l *line) closed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// close lets nothing more in. It waits for nothing.
func (l *line) close() { l.once.Do(func() { close(l.closing) }) }

// wait waits until finish has run; ErrStuck when a call hangs for longer than limit.
func (l *line) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.done:
		return nil
	case <-timer.C:
		return ErrStuck
	}
}

// notStarted marks the error of a call that was never made.
type notStarted struct{ error }

func (e notStarted) Unwrap() error { return e.error }

type result[T any] struct {
	value T
	err   error
}

// do makes one call on the line and waits for it until limit (ErrStuck) or the end of ctx (its error).
// Nobody knows what an abandoned call has done, so it closes the line.
func do[T any](ctx context.Context, l *line, limit time.Duration, call func() (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrStuck)
	defer cancel()
	came := make(chan result[T], 1)
	if l.closed() {
		return none, notStarted{errClosed}
	}
	select {
	case l.calls <- func() { v, err := call(); came <- result[T]{v, err} }:
	case <-l.closing:
		return none, notStarted{errClosed}
	case <-ctx.Done():
		return none, notStarted{gaveUp(ctx)}
	}
	select {
	case r := <-came:
		return r.value, r.err
	case <-ctx.Done():
		l.close()
		return none, gaveUp(ctx)
	}
}

// gaveUp tells our deadline from the caller's wish.
func gaveUp(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ErrStuck) {
		return ErrStuck
	}
	return ctx.Err()
}

// run is do for calls without a value.
func run(ctx context.Context, l *line, limit time.Duration, call func() error) error {
	_, err := do(ctx, l, limit, func() (struct{}, error) { return struct{}{}, call() })
	return err
}
