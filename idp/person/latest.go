package person

import (
	"context"
	"errors"
	"time"

	"tegata/authn/fail"
	"tegata/idp/latest"
	"tegata/storage"
)

// Latest is a word of a person that a client hears of changes.
type Latest struct {
	ID      string
	Client  storage.Client
	Items   []string
	Given   time.Time
	LastDay time.Time // in Japan
	Near    bool      // the last day is soon, and only she is told
	Over    bool      // it has passed
}

// Latest are all of them that she has not withdrawn.
func (d *Desk) Latest(ctx context.Context, own storage.Session) ([]Latest, error) {
	consents, err := d.Store.LatestConsents(ctx, own.AccountID)
	if err != nil {
		return nil, unavailable(err)
	}
	all := make([]Latest, len(consents))
	for i, consent := range consents {
		c, err := d.client(ctx, consent.ClientID)
		if err != nil {
			return nil, err
		}
		over := !d.Now().Before(consent.ExpiresAt)
		all[i] = Latest{ID: consent.ID, Client: c, Items: consent.Items, Given: consent.GivenAt, LastDay: latest.LastDay(consent.ExpiresAt),
			Near: !over && latest.Near(consent.ExpiresAt, d.Now()), Over: over}
	}
	return all, nil
}

// StopLatest withdraws one: from now on nobody is asked and nothing is sent. fail.NotFound for everybody else's.
func (d *Desk) StopLatest(ctx context.Context, own storage.Session, id string) error {
	err := d.Store.WithdrawLatest(ctx, id, own.AccountID, d.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return fail.NotFound
	case err != nil:
		return unavailable(err)
	}
	return nil
}
