// Package outbox brings messages to relying parties that have to arrive: it takes what is due, has it written out, posts
// it, and tries again for a day. What waits is in the database, so that it survives a restart; whoever takes a message is
// alone with it for Lease, so that replicas do not send twice at once.
// It knows attempts, answers and pauses. It refuses to know what a message says: its Kind writes it.
package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"tegata/idp/clients/fetch"
	"tegata/storage"
)

// Times of a delivery.
const (
	// Life is how long a message is tried.
	Life = 24 * time.Hour
	// Lease is how long who took messages has for them, and thus how long one waits whose sender has died: longer than a
	// whole batch of timeouts.
	Lease = time.Minute
	// Poll is how often a replica looks for what others have put in.
	Poll = 2 * time.Second

	firstPause, longestPause = 5 * time.Second, time.Hour

	hands = 8 // rounds that run at once
	batch = 8 // messages of a round
)

// ErrMoot says that nobody wants a message any more: its client is gone or has no address for it.
var ErrMoot = errors.New("outbox: nobody wants it any more")

// Letter is a message as it is posted.
type Letter struct {
	URL, ContentType string
	Body             []byte
}

// Writer writes a delivery out, anew for each attempt: addresses change and signatures grow old. ErrMoot.
type Writer func(ctx context.Context, d storage.Delivery) (Letter, error)

type store interface {
	TakeDeliveries(ctx context.Context, now, until time.Time, n int) ([]storage.Delivery, error)
	PostponeDelivery(ctx context.Context, d storage.Delivery, next time.Time) error
	DropDelivery(ctx context.Context, d storage.Delivery) error
}

// Office sends what waits. Make it with New; it is safe for concurrent use.
type Office struct {
	Store   store
	Writers map[string]Writer // by kind; a delivery of another kind waits for a replica that knows it
	Outside fetch.Outside
	Now     func() time.Time
	Log     *slog.Logger

	wake chan struct{}
}

// New makes an Office whose fields are to be filled in before use.
func New() *Office { return &Office{wake: make(chan struct{}, 1)} }

// Wake says that something was put in. It never blocks.
func (o *Office) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // somebody is awake already
	}
}

// Run sends until ctx ends.
func (o *Office) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range hands {
		all.Go(func() { o.work(ctx) })
	}
	all.Go(func() { o.poll(ctx) })
	all.Wait()
}

func (o *Office) poll(ctx context.Context) {
	t := time.NewTicker(Poll)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			o.Wake()
		}
	}
}

// work does rounds as long as there is something, each time it is woken. A full round wakes a colleague: there is more.
func (o *Office) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		}
		for more := true; more && ctx.Err() == nil; {
			n, err := o.round(ctx, o.Wake)
			if err != nil && ctx.Err() == nil {
				o.Log.ErrorContext(ctx, "the outbox could not be read", "cause", err.Error())
			}
			more = err == nil && n == batch
		}
	}
}

// Round sends what is due, at most one batch, and returns how much it was.
func (o *Office) Round(ctx context.Context) (int, error) { return o.round(ctx, func() {}) }

func (o *Office) round(ctx context.Context, full func()) (int, error) {
	now := o.Now()
	due, err := o.Store.TakeDeliveries(ctx, now, now.Add(Lease), batch)
	if err != nil {
		return 0, err
	}
	if len(due) == batch {
		full()
	}
	clients := map[string][]storage.Delivery{}
	for _, d := range due {
		clients[d.ClientID] = append(clients[d.ClientID], d)
	}
	var all sync.WaitGroup
	for _, row := range clients {
		all.Go(func() { o.sendRow(ctx, row) })
	}
	all.Wait()
	return len(due), nil
}

// sendRow sends the messages for one client one after the other. When one fails, the client's server is in trouble: the
// others wait without being tried, so that a dead server costs a round one timeout.
func (o *Office) sendRow(ctx context.Context, row []storage.Delivery) {
	trouble := false
	for _, d := range row {
		if trouble {
			o.postpone(ctx, d)
			continue
		}
		trouble = !o.send(ctx, d)
	}
}

// send tries one message. It says whether the client's server is well.
func (o *Office) send(ctx context.Context, d storage.Delivery) bool {
	if o.Now().After(d.GiveUp) {
		o.Log.WarnContext(ctx, "a message to a relying party was given up", "event", "delivery_given_up", "kind", d.Kind, "client", d.ClientID, "attempts", d.Attempts)
		o.drop(ctx, d)
		return true
	}
	write, known := o.Writers[d.Kind]
	if !known {
		o.postpone(ctx, d)
		return true
	}
	letter, err := write(ctx, d)
	switch {
	case errors.Is(err, ErrMoot):
		o.drop(ctx, d)
		return true
	case err != nil:
		o.Log.ErrorContext(ctx, "a message could not be written", "kind", d.Kind, "client", d.ClientID, "cause", err.Error())
		o.postpone(ctx, d)
		return true
	}
	status, err := o.Outside.Post(ctx, letter.URL, letter.ContentType, letter.Body)
	return o.judge(ctx, d, status, err)
}

// judge decides by the answer: 2xx is delivered, 400 is the receiver's last word (Back-Channel Logout 1.0 section 2.8),
// anything else is trouble that may pass. It says whether the client's server is well.
func (o *Office) judge(ctx context.Context, d storage.Delivery, status int, err error) bool {
	log := o.Log.With("kind", d.Kind, "client", d.ClientID, "attempts", d.Attempts)
	switch {
	case err == nil && status/100 == 2:
		log.InfoContext(ctx, "a relying party was told", "event", "delivery_made", "ms", o.Now().Sub(d.CreatedAt).Milliseconds())
		o.drop(ctx, d)
		return true
	case err == nil && status == http.StatusBadRequest:
		log.WarnContext(ctx, "a relying party refused a message", "event", "delivery_refused")
		o.drop(ctx, d)
		return true
	}
	log.InfoContext(ctx, "a relying party could not be told yet", "event", "delivery_failed", "status", status, "reached", err == nil)
	o.postpone(ctx, d)
	return false
}

// postpone gives a message back, for longer each time.
func (o *Office) postpone(ctx context.Context, d storage.Delivery) {
	ctx = context.WithoutCancel(ctx)                                                              // the outcome counts even when the work is being stopped
	o.note(ctx, o.Store.PostponeDelivery(ctx, d, o.Now().Add(pause(d.Attempts, rand.Float64())))) //nolint:gosec // it spreads retries; nothing depends on nobody guessing it
}

func (o *Office) drop(ctx context.Context, d storage.Delivery) {
	ctx = context.WithoutCancel(ctx) // as in postpone
	o.note(ctx, o.Store.DropDelivery(ctx, d))
}

// note hears what the store says to an outcome. A stale lease means that another replica has taken over; after a failure
// of the database the lease ends by itself.
func (o *Office) note(ctx context.Context, err error) {
	if err != nil && !errors.Is(err, storage.ErrStale) {
		o.Log.ErrorContext(ctx, "the outcome of a delivery could not be noted", "cause", err.Error())
	}
}

// pause grows threefold with each attempt, up to an hour. shake, 0 to 1, spreads those that failed together over a fifth.
func pause(attempts int, shake float64) time.Duration {
	p := firstPause
	for range attempts - 1 {
		if p *= 3; p >= longestPause {
			p = longestPause
			break
		}
	}
	return p + time.Duration(shake*float64(p)/5)
}
