package keys

import (
	"context"
	"errors"
	"time"

	"tegata/storage"
)

const (
	feed = "signing_keys"
	hold = 5 * time.Minute // making a key takes seconds; who died over it is replaced after that
)

type leases interface {
	TakeFeed(ctx context.Context, name string, now, before, until time.Time) (storage.Feed, error)
	KeepFeed(ctx context.Context, f storage.Feed, now time.Time, done bool) error
}

// Rotation replaces keys that have signed for long enough, so that nobody has to remember it.
type Rotation struct {
	Ring   *Ring
	Leases leases        // of all replicas one makes a key; a PKCS #11 token would keep what the others made for nothing
	Period time.Duration // how long a key signs, much longer than PublishAhead; 0: until an operator rotates
}

// Once publishes the successors of the keys that are due and returns them. It asks nobody while nothing is due, and does
// nothing while another replica is at it.
func (j *Rotation) Once(ctx context.Context) ([]storage.SigningKey, error) {
	if j.Period <= 0 || len(j.due()) == 0 {
		return nil, nil
	}
	now := j.Ring.now()
	lease, err := j.Leases.TakeFeed(ctx, feed, now, now, now.Add(hold))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	made, err := j.round(ctx)
	return made, errors.Join(err, j.Leases.KeepFeed(context.WithoutCancel(ctx), lease, j.Ring.now(), true))
}

// round looks again first: who held the lease before may have done the work.
func (j *Rotation) round(ctx context.Context) ([]storage.SigningKey, error) {
	var made []storage.SigningKey
	if err := j.Ring.Load(ctx); err != nil {
		return nil, err
	}
	for _, alg := range j.due() {
		next, err := j.Ring.Rotate(ctx, alg)
		if errors.Is(err, ErrRaced) { // an operator at the same moment: it is done
			continue
		}
		if err != nil {
			return made, err
		}
		made = append(made, next)
	}
	return made, nil
}

// due are the algorithms whose newest key will have signed for a period when its successor may sign.
func (j *Rotation) due() []string {
	var algs []string
	for _, alg := range Algorithms {
		k, ok := j.Ring.openEnded(alg)
		if ok && !j.Ring.now().Add(PublishAhead).Before(k.ActivateAt.Add(j.Period)) {
			algs = append(algs, alg)
		}
	}
	return algs
}
