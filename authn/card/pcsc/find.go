package pcsc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"tegata/authn/fail"
)

// Options say which card to look for.
type Options struct {
	Reader string        // look in this reader only, by its exact name; "" = in all
	Wait   time.Duration // how long to wait for the card; 0 = one look

	// Waiting is told, while Find waits, what is missing: fail.ReaderNone, fail.CardNone, fail.CardUnsupported, ...
	// It is called again only when that changes. nil = tell nobody.
	Waiting func(error)
}

// Choice is the cause of fail.ReaderChoice.
type Choice struct{ Readers []string } // sorted names of the readers that hold a My Number Card

// Error lists the names; readers are named after their maker, not their owner.
func (c *Choice) Error() string {
	return "My Number Cards in several readers: " + strings.Join(c.Readers, ", ")
}

// Find opens the one My Number Card that lies in a reader. Other cards get one SELECT that they do not know and are left
// alone. Two My Number Cards are fail.ReaderChoice: which of two people logs in is never guessed.
// It waits for readers and cards to appear, also for the service, until Options.Wait is over or ctx ends.
func (s Service) Find(ctx context.Context, o Options) (*Session, error) {
	s = s.withDefaults()
	look := &search{service: s, options: o, refused: map[Reader]error{}}
	watcher := s.watch()
	defer watcher.close()
	for until := time.Now().Add(o.Wait); ; {
		readers, missing := watcher.next(ctx)
		unseen := missing != nil
		if unseen {
			clear(look.refused) // a service that starts anew counts changes anew
		} else {
			var found *Session
			if found, missing = look.in(ctx, readers); found != nil {
				return found, nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !mayPass(missing) || !time.Now().Before(until):
			return nil, missing
		}
		look.tell(missing)
		if err := pause(ctx, unseen); err != nil {
			return nil, err
		}
	}
}

// pause waits for a slice when the watcher does not.
func pause(ctx context.Context, needed bool) error {
	if !needed {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(slice):
		return nil
	}
}

// patience lists what waiting can mend: something is plugged in, laid on, taken off or let go. Worst last: of several cards'
// errors the first in this list is told, as the nearest to a login.
var patience = []*fail.Error{
	fail.CardOldJuki, fail.CardDataBroken, fail.CardRemoved, fail.CardUnsupported, fail.CardNone, fail.ReaderBusy, fail.ReaderNone, fail.PCSCUnavailable,
}

func mayPass(err error) bool { return rank(err) < len(patience) }

// rank is the place of err in patience, or behind its end.
func rank(err error) int {
	for i, e := range patience {
		if errors.Is(err, e) {
			return i
		}
	}
	return len(patience)
}

// search remembers between looks which cards were judged already.
type search struct {
	service Service
	options Options
	refused map[Reader]error // by the state in which the reader was; a card that was changed for another has another state
	told    string
}

func (s *search) tell(missing error) {
	if code := fail.From(missing).Code; s.options.Waiting != nil && code != s.told {
		s.told = code
		s.options.Waiting(missing)
	}
}

// in tries every reader that holds a card it has not judged yet.
func (s *search) in(ctx context.Context, readers []Reader) (*Session, error) {
	if s.options.Reader != "" {
		readers = slices.DeleteFunc(readers, func(r Reader) bool { return r.Name != s.options.Reader })
	}
	if len(readers) == 0 {
		return nil, fail.ReaderNone.Because(UnknownReader)
	}
	var tries []*try
	var missing []error
	for _, r := range readers {
		switch {
		case !r.HasCard:
			missing = append(missing, fail.CardNone.Because(NoCard))
		case s.refused[r] != nil:
			missing = append(missing, s.refused[r])
		default:
			tries = append(tries, s.service.try(ctx, r))
		}
	}
	var found []*Session
	for _, t := range settle(tries) {
		if t.session != nil {
			found = append(found, t.session)
			continue
		}
		missing = append(missing, t.err)
		if errors.Is(t.err, fail.CardUnsupported) || errors.Is(t.err, fail.CardOldJuki) {
			s.refused[t.reader] = t.err
		}
	}
	return one(found, missing)
}

// one demands exactly one card; of several errors it returns the nearest to a login.
func one(found []*Session, missing []error) (*Session, error) {
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, slices.MinFunc(missing, func(a, b error) int { return rank(a) - rank(b) })
	}
	choice := &Choice{}
	for _, s := range found {
		choice.Readers = append(choice.Readers, s.Reader)
		_ = s.Close() // no PIN was entered; the choice is what matters now
	}
	slices.Sort(choice.Readers)
	return nil, fail.ReaderChoice.Because(choice)
}

// try is one reader being tried, in parallel with the others: one that hangs must not hold up the rest.
type try struct {
	reader   Reader
	acquired chan struct{} // closed when no other program is in the way
	done     chan struct{} // closed when session and err are set
	cancel   context.CancelFunc
	session  *Session
	err      error
}

func (s Service) try(ctx context.Context, r Reader) *try {
	trying, cancel := context.WithCancel(ctx)
	t := &try{reader: r, acquired: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(t.done)
		defer cancel()
		t.session, t.err = s.open(trying, r.Name, sync.OnceFunc(func() { close(t.acquired) }))
	}()
	return t
}

// grace is how long a card in hand waits for readers that other programs keep busy, security keys for example.
const grace = time.Second

var errGivenUp = fail.ReaderBusy.Because(ErrStuck)

// settle waits for all tries. Once one has a card, those that other programs hold up are given up after a while;
// a card that is merely slow is waited for, because it may be the second My Number Card.
func settle(tries []*try) []*try {
	first := make(chan struct{}, len(tries))
	for _, t := range tries {
		go func() {
			<-t.done
			if t.session != nil {
				first <- struct{}{}
			}
		}()
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		for _, t := range tries {
			<-t.done
		}
	}()
	select {
	case <-all:
		return tries
	case <-first:
	}
	select {
	case <-all:
		return tries
	case <-time.After(grace):
	}
	for _, t := range tries {
		select {
		case <-t.acquired:
		default:
			t.cancel()
		}
	}
	<-all
	for _, t := range tries {
		if errors.Is(t.err, context.Canceled) {
			t.err = errGivenUp
		}
	}
	return tries
}
