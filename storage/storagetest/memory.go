package storagetest

import (
	"testing"
	"time"

	"tegata/storage"
)

// remember answers a login of the account that lets facts be remembered, in a browser with the hint.
func remember(t *testing.T, s storage.Store, id, account, facts, hint string, until time.Time) {
	t.Helper()
	opened := session("session of "+id, account)
	ok(t, s.ApproveLogin(ctx(t), storage.Approval{
		Grant: grant(id, account, opened.ID), Session: &opened, Memory: &storage.Memory{ACR: "urn:acr", Facts: []byte(facts), Until: until, Hint: hash(hint)}}))
}

func remembered(t *testing.T, s storage.Store) {
	later := now.Add(time.Hour)
	memory := func(account, facts string, until time.Time) storage.Memory {
		return storage.Memory{AccountID: account, ACR: "urn:acr", Facts: []byte(facts), Until: until}
	}
	_, err := s.Memory(ctx(t), "account", now)
	is(t, err, storage.ErrNotFound)
	remember(t, s, "one", "account", "facts", "laptop", later)
	remember(t, s, "two", "stranger", "theirs", "phone", later)
	for hint, want := range map[string]storage.Memory{"laptop": memory("account", "facts", later), "phone": memory("stranger", "theirs", later)} {
		got, err := s.Hinted(ctx(t), hash(hint), now)
		ok(t, err)
		same(t, got, want)
	}
	_, err = s.Hinted(ctx(t), hash("guess"), now)
	is(t, err, storage.ErrNotFound)
	_, err = s.Hinted(ctx(t), hash("laptop"), later)
	is(t, err, storage.ErrNotFound)
	_, err = s.Memory(ctx(t), "account", later)
	is(t, err, storage.ErrNotFound)

	remember(t, s, "three", "account", "newer", "desktop", later.Add(time.Hour))
	for _, hint := range []string{"laptop", "desktop"} {
		got, err := s.Hinted(ctx(t), hash(hint), now)
		ok(t, err)
		same(t, got, memory("account", "newer", later.Add(time.Hour)))
	}
	ok(t, s.ForgetHint(ctx(t), hash("laptop")))
	ok(t, s.ForgetHint(ctx(t), hash("laptop")))
	_, err = s.Hinted(ctx(t), hash("laptop"), now)
	is(t, err, storage.ErrNotFound)
	_, err = s.Hinted(ctx(t), hash("desktop"), now)
	ok(t, err)
}

func forgotten(t *testing.T, s storage.Store) {
	later := now.Add(time.Hour)
	remember(t, s, "one", "account", "facts", "laptop", later)
	remember(t, s, "two", "stranger", "theirs", "phone", later)
	ok(t, s.Forget(ctx(t), "account"))
	ok(t, s.Forget(ctx(t), "account"))
	_, err := s.Memory(ctx(t), "account", now)
	is(t, err, storage.ErrNotFound)
	_, err = s.Hinted(ctx(t), hash("laptop"), now)
	is(t, err, storage.ErrNotFound)
	facts := func(id string) string {
		t.Helper()
		session, _, err := s.SessionLink(ctx(t), id, "shop", shopSector, now, time.Time{})
		ok(t, err)
		return string(session.Facts)
	}
	same(t, facts("session of one"), "") // she stays logged in, and is asked for her card where facts are asked for
	same(t, facts("session of two") != "", true)
	_, err = s.Hinted(ctx(t), hash("phone"), now)
	ok(t, err)

	ok(t, s.DeleteAccount(ctx(t), "stranger"))
	_, err = s.Memory(ctx(t), "stranger", now)
	is(t, err, storage.ErrNotFound)
	remember(t, s, "three", "account", "facts", "laptop", later)
	gone, err := s.Sweep(ctx(t), later)
	ok(t, err)
	same(t, gone >= 3, true)
	_, err = s.Memory(ctx(t), "account", now) // not even for a clock that goes wrong
	is(t, err, storage.ErrNotFound)
}
