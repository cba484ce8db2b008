// Package status asks, for people who stay signed in, whether their cards are still good. A card that was reported lost
// must not go on opening doors through sessions and refresh tokens that it once started.
// It knows credentials, the clock and whom to ask. It refuses to know why a card is not good any more, and it changes
// nothing where nobody answers: an outage of the authority logs nobody out.
package status

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/storage"
)

const (
	batch = 20          // credentials that one replica takes at once
	hold  = time.Minute // how long they are its own: a batch takes a few timeouts at most
	wide  = 4           // questions at once
)

// store is what the job needs of storage.Store.
type store interface {
	TakeDue(ctx context.Context, d storage.Due) ([]storage.Credential, error)
	NoteAsked(ctx context.Context, index []byte, at time.Time) error
	RevokeAccount(ctx context.Context, accountID string, now time.Time) error
	Forget(ctx context.Context, accountID string) error
}

// Job asks about everybody who has a live session or offline grants. Replicas share the work through the store.
type Job struct {
	Store      store
	End        func(context.Context, storage.Ending) (int, error) // ends sessions, for whoever has to hear of it
	Revocation revocation.Checker
	Issuer     func(jpki.Number) *x509.Certificate // nil for an anchor that is not trusted any more
	Period     time.Duration                       // nobody's card is left unasked for longer; 0 asks about nobody
	Idle       time.Duration                       // sessions not seen for that long are over
	Now        func() time.Time
	Log        *slog.Logger
}

// Every is how often Once is to be called, so that the period holds.
func (j *Job) Every() time.Duration { return max(min(j.Period/10, time.Minute), time.Second) }

// Once asks about what is due. Its error is the store's.
func (j *Job) Once(ctx context.Context) error {
	if j.Period <= 0 {
		return nil
	}
	for {
		now := j.Now()
		taken, err := j.Store.TakeDue(ctx, storage.Due{
			Now: now, AskedBefore: now.Add(j.Every() - j.Period), IdleSince: now.Add(-j.Idle), Until: now.Add(hold), Most: batch})
		if err != nil || len(taken) == 0 {
			return err
		}
		answered, err := j.askAll(ctx, taken)
		if err != nil || answered == 0 || ctx.Err() != nil { // nobody answers: the leases end, and the next round tries again
			return err
		}
	}
}

func (j *Job) askAll(ctx context.Context, taken []storage.Credential) (answered int, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, wide)
	for _, c := range taken {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			done, failed := j.ask(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			if err = errors.Join(err, failed); done {
				answered++
			}
		})
	}
	all.Wait()
	return answered, err
}

// ask settles one credential, and says whether it could.
func (j *Job) ask(ctx context.Context, c storage.Credential) (bool, error) {
	n, err := jpki.ParseNumber(c.Card)
	if err != nil {
		return true, errors.Join(err, j.Store.NoteAsked(ctx, c.Index, j.Now()))
	}
	issuer := j.Issuer(n)
	// Of an expired certificate authorities say nothing. What it opened lasts as long as it would anyway: an earlier end
	// would tell a relying party when the certificate ended.
	if issuer == nil || j.Now().After(n.NotAfter) {
		return true, j.Store.NoteAsked(ctx, c.Index, j.Now())
	}
	answer, err := j.Revocation.Check(ctx, revocation.Question{
		Serial: n.Serial, Issuer: issuer, Purpose: jpki.Authentication.String(), Client: revocation.StatusJob})
	switch {
	case err != nil:
		return false, nil
	case answer.Status == revocation.Revoked, answer.Status == revocation.Suspended:
		return true, j.end(ctx, c)
	case answer.Status != revocation.Good:
		return false, nil
	}
	return true, j.Store.NoteAsked(ctx, c.Index, j.Now())
}

// end logs the account out everywhere. It is the same for a lost card, a suspended one and a dead person; when a
// suspension is lifted, a login finds the same account.
func (j *Job) end(ctx context.Context, c storage.Credential) error {
	_, err := j.End(ctx, storage.Ending{AccountID: c.AccountID})
	if err != nil {
		return err
	}
	if err := j.Store.RevokeAccount(ctx, c.AccountID, j.Now()); err != nil {
		return err
	}
	if err := j.Store.Forget(ctx, c.AccountID); err != nil { // a fact is as good as the card that said it
		return err
	}
	j.Log.InfoContext(ctx, "a card is not good at the moment; what it had opened is closed", "event", "card_closed")
	return j.Store.NoteAsked(ctx, c.Index, j.Now())
}
