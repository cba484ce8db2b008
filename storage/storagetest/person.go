package storagetest

import (
	"testing"
	"time"

	"tegata/storage"
)

// approveOwn: a login for the person's own pages gives nobody a code, a subject or a consent.
func approveOwn(t *testing.T, s storage.Store) {
	login := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), login))
	answered, opened := next(login, storage.Answered), session("session", "account")
	own := storage.Approval{Login: &answered, Session: &opened}
	ok(t, s.ApproveLogin(ctx(t), own))
	got, link, err := s.SessionLink(ctx(t), "session", "shop", "shop.example", now, time.Time{})
	ok(t, err)
	same(t, got, opened)
	same(t, link, storage.Link{})
	again := session("second", "account")
	own.Session = &again
	is(t, s.ApproveLogin(ctx(t), own), storage.ErrStale)
	_, _, err = s.SessionLink(ctx(t), "second", "shop", "shop.example", now, time.Time{})
	is(t, err, storage.ErrNotFound)
}
