package pcsc

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// Session is one card in one reader, ours alone from the first SELECT until Close.
type Session struct {
	*card.Card
	Reader string // the service's name for the reader
	wire   *wire
}

// Lost is closed when the card is found to have gone, also while nothing is asked of it (within two seconds).
func (s *Session) Lost() <-chan struct{} { return s.wire.lost }

// Open takes the card in the named reader. It waits for other programs up to Limits.Acquire.
// Errors: see the package.
func (s Service) Open(ctx context.Context, reader string) (*Session, error) {
	return s.withDefaults().open(ctx, reader, func() {})
}

const mostOpens = 3

// open tries again when the card was reset before it was known: when a program dies, pcscd ends its transaction first and resets the
// card then, in the middle of ours. No PIN was sent so far. acquired is called when the card is ours, before the first command.
func (s Service) open(ctx context.Context, reader string, acquired func()) (*Session, error) {
	var session *Session
	var err error
	for range mostOpens {
		session, err = s.openOnce(ctx, reader, acquired)
		if !errors.Is(err, ResetCard) {
			break
		}
	}
	return session, err
}

func (s Service) openOnce(ctx context.Context, reader string, acquired func()) (*Session, error) {
	w := &wire{limits: s.Limits, lost: make(chan struct{})}
	w.line = newLine(beatPeriod, w.beat, w.finish)
	var opened *card.Card
	defer func() {
		if opened == nil {
			_ = w.Close() // another error is the one to tell
		}
	}()
	if err := w.acquire(ctx, s.system, reader); err != nil {
		return nil, err
	}
	acquired()
	var err error
	if opened, err = card.Open(ctx, w); err != nil {
		// A foreign card has seen a SELECT that it did not know, and no PIN: other programs may go on with it.
		if errors.Is(err, fail.CardUnsupported) {
			w.leaveAlone()
		}
		return nil, err
	}
	return &Session{Card: opened, Reader: reader, wire: w}, nil
}

// beatPeriod keeps the transaction: Windows resets a card that nobody asks anything for five seconds inside one.
const beatPeriod = 2 * time.Second

// wire is the transport of one session. What is under "the line's" is touched by its goroutine alone.
type wire struct {
	limits Limits
	line   *line
	lost   chan struct{}
	gone   sync.Once

	// The line's:
	session session
	handle  handle
	ours    bool        // inside a transaction
	then    disposition // what becomes of the card at the end
	asked   bool        // the reader was asked for its keys
	pad     uint32      // control code of its PIN entry; 0 = it has no keys
}

// acquire connects to the card and begins the transaction, both within Limits.Acquire.
func (w *wire) acquire(ctx context.Context, s system, reader string) error {
	err := run(ctx, w.line, w.limits.Service, func() (err error) {
		w.session, err = s.establish()
		return err
	})
	if err != nil {
		return coded(err, fail.PCSCUnavailable)
	}
	until := time.Now().Add(w.limits.Acquire)
	if err := w.connect(ctx, reader, until); err != nil {
		return err
	}
	return w.begin(ctx, until)
}

const (
	retryPause  = 200 * time.Millisecond
	connectWait = 2 * time.Second // a program that holds a card for itself mostly keeps it
	mostResets  = 16              // by logins that were queued before this one
)

// connect tries again for a while when another program holds the card for itself.
func (w *wire) connect(ctx context.Context, reader string, until time.Time) error {
	for giveUp := time.Now().Add(min(connectWait, w.limits.Acquire)); ; {
		err := run(ctx, w.line, time.Until(until), func() (err error) {
			w.handle, err = w.session.connect(reader)
			if err == nil && w.handle.protocol() == noProtocol {
				return fail.CardUnsupported.Because(ErrProtocol)
			}
			return err
		})
		if !errors.Is(err, SharingViolation) || time.Now().After(giveUp) {
			return coded(err, fail.ReaderBusy)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause):
		}
	}
}

// begin waits for the transactions of other programs. Whoever ends theirs with a reset, as another login does,
// breaks our connection, which is then made anew.
func (w *wire) begin(ctx context.Context, until time.Time) error {
	var err error
	for range mostResets {
		err = run(ctx, w.line, time.Until(until), func() error {
			err := w.handle.begin()
			w.ours = err == nil
			if errors.Is(err, ResetCard) {
				return errors.Join(err, w.handle.reconnect())
			}
			return err
		})
		if !errors.Is(err, ResetCard) {
			break
		}
	}
	return coded(err, fail.ReaderBusy)
}

// Transmit brings one command to the card. fail.CardRemoved when the card is gone, was reset, or does not answer in time.
func (w *wire) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	own := tpdu(command, w.handle.protocol()) // the call may outlive the caller's interest
	response, err := do(ctx, w.line, w.limits.Command, func() ([]byte, error) {
		defer clear(own) // a PIN may be inside
		return w.transmit(own)
	})
	if errors.As(err, new(notStarted)) {
		clear(own)
	}
	return response, w.notice(err)
}

// transmit is the line's. A card that vanishes during a command leaves an empty answer and no error (card.md 3.5).
func (w *wire) transmit(command []byte) ([]byte, error) {
	response, err := w.handle.transmit(command)
	switch {
	case err == nil && len(response) < 2:
		return nil, RemovedCard
	case errors.Is(err, ProtocolMismatch): // what pcscd says first of a card that was reset behind our back
		return nil, ResetCard
	}
	return response, err
}

// notice remembers that a card has gone.
func (w *wire) notice(err error) error {
	err = coded(err, fail.CardRemoved)
	if errors.Is(err, fail.CardRemoved) || errors.Is(err, fail.PCSCUnavailable) {
		w.lose()
	}
	return err
}

func (w *wire) lose() { w.gone.Do(func() { close(w.lost) }) }

// beat asks the service whether the card is there, on the line.
func (w *wire) beat() {
	if w.ours && w.handle.ping() != nil {
		w.lose()
	}
}

// leaveAlone spares a foreign card the reset.
func (w *wire) leaveAlone() {
	_ = run(context.Background(), w.line, w.limits.Close, func() error { w.then = leave; return nil })
}

// Close resets the card, ends the transaction and the session. It waits up to Limits.Close; after that (fail.ReaderBusy) a
// call still hangs in PC/SC, and the reset follows it. A second Close does nothing more.
func (w *wire) Close() error {
	w.line.close()
	return coded(w.line.wait(w.limits.Close), fail.ReaderBusy)
}

// finish undoes what was done, in reverse, on the line. The reset belongs to the end of the transaction: after it,
// the card may be another program's already. Errors leave nothing to do: the card has gone, or the service has.
func (w *wire) finish() {
	if w.handle != nil {
		then := leave // before the transaction nothing was sent
		if w.ours && w.handle.end(w.then) != nil {
			then = w.then
		}
		_ = w.handle.disconnect(then)
	}
	if w.session != nil {
		_ = w.session.release()
	}
}

// tpdu forms a command for the card's protocol. At T=0 (ISO/IEC 7816-3 12.2) a command without a body carries a zero byte,
// and one with data carries no Le: the card says by 61xx that an answer waits.
func tpdu(command []byte, p protocol) []byte {
	own := slices.Clone(command)
	switch {
	case p != t0 || len(own) < 4:
		return own
	case len(own) == 4:
		return append(own, 0)
	case len(own) > 5 && len(own) == int(own[4])+6:
		return own[:len(own)-1]
	}
	return own
}
