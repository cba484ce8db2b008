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

// ends is how sessions end, so that whoever has to hear of it does.
type ends interface {
	EndSessions(ctx context.Context, e storage.Ending) (int, error)
}

// Desk is where people see to their own affairs. It is safe for concurrent use.
type Desk struct {
	Store storage.Store
	Ends  ends
	Rule  session.Rule // when a session is over
	Now   func() time.Time
}

// Session finds the live session of a browser's cookie. fail.LoginRequired when there is none.
func (d *Desk) Session(ctx context.Context, cookie authn.Secret) (storage.Session, error) {
	now := d.Now()
	s, _, err := d.Store.SessionLink(ctx, session.ID(cookie.Hash()), "", "", now, now.Add(-d.Rule.Idle))
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
	now := d.Now()
	all, err := d.Store.Sessions(ctx, own.AccountID, now, now.Add(-d.Rule.Idle))
	if err != nil {
		return nil, unavailable(err)
	}
	return all, nil
}

// EndSession ends one session of the same person. fail.NotFound for everybody else's.
func (d *Desk) EndSession(ctx context.Context, own storage.Session, id string) error {
	if id == "" {
		return fail.NotFound
	}
	ended, err := d.Ends.EndSessions(ctx, storage.Ending{SessionID: id, AccountID: own.AccountID})
	if err == nil && ended == 0 {
		return fail.NotFound
	}
	return err
}

// EndSessions ends every session of the same person, this one too.
func (d *Desk) EndSessions(ctx context.Context, own storage.Session) error {
	_, err := d.Ends.EndSessions(ctx, storage.Ending{AccountID: own.AccountID})
	return err
}

func unavailable(err error) error { return fail.Unavailable.Because(err) }
