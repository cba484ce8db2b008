package person

import (
	"context"
	"errors"
	"slices"
	"time"

	"tegata/authn/fail"
	"tegata/storage"
)

// Service is a relying party that has a person's consent.
type Service struct {
	Client  storage.Client
	Consent storage.Consent
}

// Services are all of them.
func (d *Desk) Services(ctx context.Context, own storage.Session) ([]Service, error) {
	consents, err := d.Store.Consents(ctx, own.AccountID)
	if err != nil {
		return nil, unavailable(err)
	}
	services := make([]Service, len(consents))
	for i, consent := range consents {
		c, err := d.client(ctx, consent.ClientID)
		if err != nil {
			return nil, err
		}
		services[i] = Service{c, consent}
	}
	return services, nil
}

// client finds whom a record is about. One that is switched off is still somebody; of one that is gone the id is left.
func (d *Desk) client(ctx context.Context, id string) (storage.Client, error) {
	c, err := d.Store.Client(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Client{ID: id, Name: id}, nil
	case err != nil:
		return storage.Client{}, unavailable(err)
	}
	return c, nil
}

// TakeBack ends what a person agreed to with one client, and its tokens.
func (d *Desk) TakeBack(ctx context.Context, own storage.Session, clientID string) error {
	if err := d.Store.TakeBack(ctx, own.AccountID, clientID, d.Now()); err != nil {
		return unavailable(err)
	}
	return nil
}

// Entry is one line of a person's history.
type Entry struct {
	At       time.Time `json:"time"`
	ClientID string    `json:"client_id"`
	Name     string    `json:"client_name"`
	NameJa   string    `json:"client_name#ja,omitempty"`
	Items    []string  `json:"items"`
	Method   []string  `json:"amr"`
	Outcome  string    `json:"outcome"`
}

// History is what went where, the latest first.
func (d *Desk) History(ctx context.Context, own storage.Session) ([]Entry, error) {
	releases, err := d.Store.Releases(ctx, own.AccountID)
	if err != nil {
		return nil, unavailable(err)
	}
	entries, known := make([]Entry, len(releases)), map[string]storage.Client{}
	for i, r := range releases {
		c, ok := known[r.ClientID]
		if !ok {
			if c, err = d.client(ctx, r.ClientID); err != nil {
				return nil, err
			}
			known[r.ClientID] = c
		}
		entries[i] = Entry{At: r.At, ClientID: c.ID, Name: c.Name, NameJa: c.NameJa, Items: r.Items, Method: r.Method, Outcome: r.Outcome}
	}
	return entries, nil
}

// Kept is for how many days the history is kept.
func (d *Desk) Kept(ctx context.Context, own storage.Session) (int, error) {
	days, err := d.Store.Kept(ctx, own.AccountID)
	if err != nil {
		return 0, unavailable(err)
	}
	return days, nil
}

// Keep sets for how many days the history is kept, one of storage.KeepDays. What is older goes at once.
func (d *Desk) Keep(ctx context.Context, own storage.Session, days int) error {
	if !slices.Contains(storage.KeepDays, days) {
		return fail.BadInput.At("days")
	}
	if err := d.Store.Keep(ctx, own.AccountID, days, d.Now()); err != nil {
		return unavailable(err)
	}
	return nil
}

// freshFor is how recently the card must have been used for what cannot be undone: the browser alone may be somebody
// else's by now.
const freshFor = 15 * time.Minute

// Fresh says whether the card was used just now.
func (d *Desk) Fresh(own storage.Session) bool { return d.Now().Sub(own.AuthTime) <= freshFor }

// DeleteAccount ends every session, removes every row about the person, and says who knew the sessions. fail.LoginRequired
// unless Fresh.
func (d *Desk) DeleteAccount(ctx context.Context, own storage.Session) ([]storage.Party, error) {
	if !d.Fresh(own) {
		return nil, fail.LoginRequired
	}
	knew, err := d.EndSessions(ctx, own)
	if err != nil {
		return nil, err
	}
	if err := d.Store.DeleteAccount(ctx, own.AccountID); err != nil {
		return nil, unavailable(err)
	}
	return knew, nil
}
