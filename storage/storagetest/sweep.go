package storagetest

import (
	"testing"
	"time"

	"tegata/storage"
)

// sweep: a login and a session of 8 hours, an unused code of a minute, a code used now, one used with a token that is
// revoked. Each step of time says how many rows go, and the reuse of a code is noticed for an hour.
func sweep(t *testing.T, s storage.Store) {
	approved(t, s, "unused", "account", "s1")
	used := approved(t, s, "used", "account", "s2")
	short := approved(t, s, "short", "account", "s3")
	revoked := approved(t, s, "revoked", "account", "s4")
	_, err := s.RedeemCode(ctx(t), hash(used.ID), "shop", now, storage.Issue{Access: hash("long access"), AccessExpires: now.Add(2 * time.Hour)})
	ok(t, err)
	_, err = s.RedeemCode(ctx(t), hash(short.ID), "shop", now, storage.Issue{Access: hash("short access"), AccessExpires: now.Add(5 * time.Minute)})
	ok(t, err)
	ok(t, s.RevokeGrant(ctx(t), revoked.CodeHash, now))

	gone := func(at time.Duration, want int64) {
		t.Helper()
		n, err := s.Sweep(ctx(t), now.Add(at))
		ok(t, err)
		same(t, n, want)
	}
	gone(0, 0)
	gone(time.Minute-time.Microsecond, 0)
	gone(time.Minute, 2) // the unused code and the revoked one
	_, err = redeem(ctx(t), s, short.ID, "shop", now, "again")
	is(t, err, storage.ErrSpent)
	gone(time.Hour-time.Microsecond, 0)
	gone(time.Hour, 1) // the spent code whose access token was short
	gone(70*time.Minute-time.Microsecond, 0)
	gone(70*time.Minute, 4) // the logins, an hour after their end
	_, err = s.GrantByAccess(ctx(t), hash("long access"), now.Add(70*time.Minute))
	ok(t, err)
	gone(2*time.Hour, 1)
	gone(8*time.Hour, 4) // the sessions
	gone(24*365*time.Hour, 0)

	link, err := s.Link(ctx(t), "account", "shop", shopSector)
	ok(t, err)
	same(t, link, storage.Link{Subject: "subject of account", Items: []string{"age_over_18"}, Texts: "en-1"})
}
