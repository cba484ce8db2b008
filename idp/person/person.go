// Package person owns what people decide about themselves: which of their sessions go on, what was shared with whom, and
// what is remembered of them. Everything here is asked for by the owner of a live session, about herself alone.
// It refuses to know pages, cookies' names, logins and the protocol that relying parties speak.
package person

import (
	"context"
	"errors"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/idp/session"
	"tegata/storage"
)

// sessions is how they are listed and end, so that whoever has to hear of an end does; idp.Provider.
type sessions interface {
	Sessions(ctx context.Context, accountID string) ([]storage.Session, error)
	End(ctx context.Context, e storage.Ending) (storage.Ended, error)
}

// Desk is where people see to their own affairs. It is safe for concurrent use.
type Desk struct {
	Store storage.Store
	All   sessions
	Rule  session.Rule // when a session is over
	Now   func() time.Time
}

// Session finds the live session of a browser's cookie. fail.LoginRequired when there is none.
func (d *Desk) Session(ctx context.Context, cookie authn.Secret) (storage.Session, error) {
	now := d.Now()
	s, _, err := d.Store.SessionLink(ctx, session.ID(cookie.Hash()), "", storage.Sector{}, now, now.Add(-d.Rule.Idle))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Session{}, fail.LoginRequired
	case err != nil:
		return storage.Session{}, unavailable(err)
	}
	return s, nil
}

// Sessions are all live ones of the same person, newest first.
func (d *Desk) Sessions(ctx context.Context, own storage.Session) ([]storage.Session, error) {
	return d.All.Sessions(ctx, own.AccountID)
}

// EndSession ends one session of the same person and says who knew it. fail.NotFound for everybody else's.
func (d *Desk) EndSession(ctx context.Context, own storage.Session, id string) ([]storage.Party, error) {
	if id == "" {
		return nil, fail.NotFound
	}
	ended, err := d.All.End(ctx, storage.Ending{SessionID: id, AccountID: own.AccountID})
	if err == nil && ended.Sessions == 0 {
		return nil, fail.NotFound
	}
	return ended.Parties, err
}

// EndSessions ends every session of the same person, this one too, and says who knew them.
func (d *Desk) EndSessions(ctx context.Context, own storage.Session) ([]storage.Party, error) {
	ended, err := d.All.End(ctx, storage.Ending{AccountID: own.AccountID})
	return ended.Parties, err
}

func unavailable(err error) error { return fail.Unavailable.Because(err) }
