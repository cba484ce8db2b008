package storagetest

import (
	"context"
	"testing"
	"time"

	"tegata/storage"
)

func redeem(ctx context.Context, s storage.Store, id, client string, at time.Time, access string) (storage.Grant, error) {
	return s.RedeemCode(ctx, hash(id), client, at, access1h(access, at))
}

func access1h(access string, at time.Time) storage.Issue {
	return storage.Issue{Access: hash(access), AccessExpires: at.Add(time.Hour)}
}

// ofToken is what GrantByAccess says of a grant.
func ofToken(g storage.Grant) storage.Grant {
	return storage.Grant{
		ID: g.ID, ClientID: g.ClientID, AccountID: g.AccountID, SessionID: g.SessionID, Subject: g.Subject, Scopes: g.Scopes, UserInfo: g.UserInfo,
		CodeHash: g.CodeHash, AccessHash: g.AccessHash, AccessExpires: g.AccessExpires, AccessScopes: g.AccessScopes, Certificate: g.Certificate, DPoPKey: g.DPoPKey,
		Offline: g.Offline, SID: g.SID,
	}
}

func redeemTwice(t *testing.T, s storage.Store) {
	g := approved(t, s, "login", "account", "session")
	other := approved(t, s, "other", "account", "other session")
	first, err := redeem(ctx(t), s, g.ID, "shop", now, "first")
	ok(t, err)
	got, err := s.GrantByAccess(ctx(t), hash("first"), now)
	ok(t, err)
	same(t, got, ofToken(first))

	_, err = redeem(ctx(t), s, g.ID, "thief", now, "second")
	is(t, err, storage.ErrNotFound) // another client's attempt changes nothing
	_, err = s.GrantByAccess(ctx(t), hash("first"), now)
	ok(t, err)

	_, err = redeem(ctx(t), s, g.ID, "shop", now.Add(2*time.Minute), "third")
	is(t, err, storage.ErrSpent) // past its time it is still noticed
	_, err = redeem(ctx(t), s, g.ID, "shop", now, "fourth")
	is(t, err, storage.ErrSpent)
	for _, access := range []string{"first", "second", "third", "fourth"} {
		_, err = s.GrantByAccess(ctx(t), hash(access), now)
		is(t, err, storage.ErrNotFound)
	}
	_, err = redeem(ctx(t), s, other.ID, "shop", now, "other")
	ok(t, err)
}

func redeemRefused(t *testing.T, s storage.Store) {
	g := approved(t, s, "login", "account", "session")
	revoked := approved(t, s, "revoked", "account", "another session")
	ok(t, s.RevokeGrant(ctx(t), revoked.CodeHash, now))
	for _, attempt := range []struct {
		name, code, client string
		at                 time.Time
	}{
		{"an unknown code", "nothing", "shop", now},
		{"another client's code", g.ID, "thief", now},
		{"an expired code", g.ID, "shop", now.Add(time.Minute)},
		{"a revoked code", revoked.ID, "shop", now},
	} {
		_, err := redeem(ctx(t), s, attempt.code, attempt.client, attempt.at, attempt.name)
		is(t, err, storage.ErrNotFound)
	}
	_, err := s.RedeemCode(ctx(t), nil, "shop", now, access1h("access", now))
	is(t, err, storage.ErrNotFound)
	_, err = redeem(ctx(t), s, g.ID, "shop", now.Add(time.Minute-time.Microsecond), "at last")
	ok(t, err)
}

func accessEnds(t *testing.T, s storage.Store) {
	g := approved(t, s, "login", "account", "session")
	_, err := s.GrantByAccess(ctx(t), nil, now)
	is(t, err, storage.ErrNotFound) // an unredeemed grant has no access token, not an empty one
	_, err = redeem(ctx(t), s, g.ID, "shop", now, "access")
	ok(t, err)
	_, err = s.GrantByAccess(ctx(t), hash("access"), now.Add(time.Hour-time.Microsecond))
	ok(t, err)
	_, err = s.GrantByAccess(ctx(t), hash("access"), now.Add(time.Hour))
	is(t, err, storage.ErrNotFound)
	_, err = s.GrantByAccess(ctx(t), hash("another"), now)
	is(t, err, storage.ErrNotFound)

	ok(t, s.RevokeGrant(ctx(t), hash("no such grant"), now))
	ok(t, s.RevokeGrant(ctx(t), g.CodeHash, now))
	ok(t, s.RevokeGrant(ctx(t), g.CodeHash, now))
	_, err = s.GrantByAccess(ctx(t), hash("access"), now)
	is(t, err, storage.ErrNotFound)
}

func sessionEnds(t *testing.T, s storage.Store) {
	approved(t, s, "login", "account", "session")
	for _, look := range []struct {
		name          string
		id            string
		at, idleSince time.Time
		want          error
	}{
		{"living", "session", now, now.Add(-time.Microsecond), nil},
		{"unknown", "another", now, now.Add(-time.Minute), storage.ErrNotFound},
		{"idle", "session", now, now, storage.ErrNotFound},
		{"in its last moment", "session", now.Add(8*time.Hour - time.Microsecond), now.Add(-1), nil},
		{"past its end", "session", now.Add(8 * time.Hour), now.Add(-time.Minute), storage.ErrNotFound},
	} {
		_, link, err := s.SessionLink(ctx(t), look.id, "shop", shopSector, look.at, look.idleSince)
		if is(t, err, look.want); err == nil {
			same(t, link, storage.Link{Subject: "subject of account", Items: []string{"age_over_18"}, Texts: "en-1"})
		}
	}
	_, link, err := s.SessionLink(ctx(t), "session", "bank", bankSector, now, now.Add(-time.Minute))
	ok(t, err)
	same(t, link, storage.Link{})
}

func sessionEnded(t *testing.T, s storage.Store) {
	redeemed := approved(t, s, "login", "account", "session")
	unredeemed := grant("unredeemed", "account", "session")
	ok(t, s.ApproveLogin(ctx(t), storage.Approval{Grant: unredeemed}))
	other := approved(t, s, "other", "account", "other session")
	_, err := redeem(ctx(t), s, redeemed.ID, "shop", now, "access")
	ok(t, err)
	_, err = redeem(ctx(t), s, other.ID, "shop", now, "other access")
	ok(t, err)

	ok(t, endSession(ctx(t), s, "session", now))
	ok(t, endSession(ctx(t), s, "session", now))
	ok(t, endSession(ctx(t), s, "no session", now))
	_, _, err = s.SessionLink(ctx(t), "session", "shop", shopSector, now, time.Time{})
	is(t, err, storage.ErrNotFound)
	_, err = s.GrantByAccess(ctx(t), hash("access"), now)
	is(t, err, storage.ErrNotFound)
	_, err = redeem(ctx(t), s, unredeemed.ID, "shop", now, "late")
	is(t, err, storage.ErrNotFound)

	_, link, err := s.SessionLink(ctx(t), "other session", "shop", shopSector, now, time.Time{})
	ok(t, err)
	same(t, link.Items, []string{"age_over_18"})
	_, err = s.GrantByAccess(ctx(t), hash("other access"), now)
	ok(t, err)
}

func cancelled(t *testing.T, s storage.Store) {
	g := approved(t, s, "login", "account", "session")
	gone, cancel := context.WithCancel(ctx(t))
	cancel()
	_, err := redeem(gone, s, g.ID, "shop", now, "access")
	is(t, err, context.Canceled)
	_, err = s.Login(gone, "login")
	is(t, err, context.Canceled)
	is(t, s.CreateLogin(gone, newLogin("late")), context.Canceled)
	is(t, endSession(gone, s, "session", now), context.Canceled)
	is(t, s.Ping(gone), context.Canceled)

	ok(t, s.Ping(ctx(t)))
	_, err = s.Login(ctx(t), "late")
	is(t, err, storage.ErrNotFound)
	_, err = redeem(ctx(t), s, g.ID, "shop", now, "access")
	ok(t, err)
}
