package pcsc

import (
	"cmp"
	"context"
	"errors"
	"time"

	"tegata/authn/fail"
)

// Service is the machine's smart card service. The zero value works; it keeps nothing between calls, so a service that
// was restarted in between goes unnoticed.
type Service struct {
	Limits Limits
	system system // nil = the machine's
}

// Limits bound the calls; zero values mean the defaults.
type Limits struct {
	Service time.Duration // asking the service about readers: 5 s
	Acquire time.Duration // until the card is ours while another program has it: 8 s
	Command time.Duration // one command, a signature among them: 10 s (cards take up to 3)
	Pad     time.Duration // a person entering a PIN on the reader: 70 s
	Close   time.Duration // until the reset of Close is done: 2 s
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Service: cmp.Or(l.Service, 5*time.Second), Acquire: cmp.Or(l.Acquire, 8*time.Second), Command: cmp.Or(l.Command, 10*time.Second),
		Pad: cmp.Or(l.Pad, (padSeconds+10)*time.Second), Close: cmp.Or(l.Close, 2*time.Second),
	}
}

func (s Service) withDefaults() Service {
	s.Limits = s.Limits.withDefaults()
	if s.system == nil {
		s.system = machine
	}
	return s
}

// Reader is one slot that takes a card.
type Reader struct {
	Name      string
	HasCard   bool
	Mute      bool // the card does not answer: upside down, dirty or broken
	Exclusive bool // another program holds the card for itself

	change flags // counts insertions and removals
}

// Readers lists what is plugged in, in the service's order, which means nothing and changes.
// fail.ReaderNone when there is none, fail.PCSCUnavailable when there is no service.
func (s Service) Readers(ctx context.Context) ([]Reader, error) {
	w := s.withDefaults().watch()
	defer w.close()
	return w.next(ctx)
}

// watcher looks at the readers through a context of its own. When the service fails it starts anew at the next look.
type watcher struct {
	service Service
	line    *line
	session session // the line's
	seen    []state
}

// slice is how long one look waits for a change, and so how late a new reader is seen.
const slice = 500 * time.Millisecond

func (s Service) watch() *watcher { return &watcher{service: s} }

func (w *watcher) close() {
	if w.line != nil {
		w.line.close()
		w.line = nil
	}
}

// next tells the readers: at once at first, then when one has changed, and at the latest after a slice.
// With fail.ReaderNone and fail.PCSCUnavailable it returns at once every time.
func (w *watcher) next(ctx context.Context) ([]Reader, error) {
	err := w.look(ctx)
	if err != nil {
		w.close()
		return nil, coded(err, fail.PCSCUnavailable)
	}
	readers := make([]Reader, len(w.seen))
	for i, st := range w.seen {
		readers[i] = Reader{
			Name: st.reader, HasCard: st.current&flagPresent != 0, Mute: st.current&flagMute != 0, Exclusive: st.current&flagExclusive != 0,
			change: st.current >> 16,
		}
	}
	return readers, nil
}

func (w *watcher) look(ctx context.Context) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	session, limit := w.session, w.service.Limits.Service
	names, err := do(ctx, w.line, limit, session.readers)
	switch {
	case err != nil:
		return err
	case len(names) == 0:
		return NoReaders
	}
	states := merge(names, w.seen)
	err = run(ctx, w.line, limit+slice, func() error { return session.status(states, slice) })
	if errors.Is(err, TimedOut) { // nothing has changed
		for i := range states {
			states[i].current = states[i].known
		}
		err = nil
	}
	if err == nil {
		w.seen = states
	}
	return err
}

// open begins a context, unless there is one.
func (w *watcher) open(ctx context.Context) error {
	if w.line != nil {
		return nil
	}
	var opened session
	w.line = newLine(0, nil, func() {
		if opened != nil {
			_ = opened.release() // nothing depends on it
		}
	})
	var err error
	w.session, err = do(ctx, w.line, w.service.Limits.Service, func() (session, error) {
		var err error
		opened, err = w.service.system.establish()
		return opened, err
	})
	return err
}

// merge makes the question of the next look: what was known of each reader that is there. A reader that is new, like all of them
// at first, makes the service answer at once.
func merge(names []string, seen []state) []state {
	states := make([]state, len(names))
	for i, name := range names {
		states[i].reader = name
		for _, old := range seen {
			if old.reader == name {
				states[i].known = old.current &^ flagChanged
			}
		}
	}
	return states
}
