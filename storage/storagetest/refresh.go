package storagetest

import (
	"fmt"
	"testing"
	"time"

	"tegata/storage"
)

const (
	idle = 7 * 24 * time.Hour
	life = 30 * 24 * time.Hour
)

// issue is what a client gets at a time: access and refresh token of one name, of one family.
func issue(name, family string, at time.Time) storage.Issue {
	return storage.Issue{Access: hash("access " + name), AccessExpires: at.Add(time.Hour), Refresh: hash(name), RefreshExpires: at.Add(idle),
		RefreshFamily: hash(family), RefreshUntil: at.Add(life), Certificate: hash("certificate"), DPoPKey: hash("key")}
}

// offline is a redeemed grant with a family of refresh tokens, the first of which is "first of" its id.
func offline(t *testing.T, s storage.Store, id, session string) storage.Grant {
	t.Helper()
	g := grant(id, "account", session)
	g.Offline = true
	approveGrant(t, s, "login of "+id, g)
	g, err := s.RedeemCode(ctx(t), hash(id), "shop", now, issue("first of "+id, id, now))
	ok(t, err)
	return g
}

func refresh(t *testing.T, s storage.Store, family, old, fresh string, at time.Time) (storage.Grant, error) {
	t.Helper()
	return s.Refresh(ctx(t), hash(family), hash(old), "shop", at, issue(fresh, "not used", at))
}

func grantBound(t *testing.T, s storage.Store) {
	g := offline(t, s, "g", "session")
	same(t, g.Certificate, hash("certificate"))
	bound := grant("bound", "account", "another session")
	bound.DPoPKey = hash("another key")
	approveGrant(t, s, "login of bound", bound)
	kept, err := s.RedeemCode(ctx(t), hash("bound"), "shop", now, issue("x", "y", now))
	ok(t, err)
	same(t, kept.DPoPKey, hash("another key"))
	left := full(t, storage.Issue{Access: g.AccessHash, AccessExpires: g.AccessExpires, Refresh: g.RefreshHash, RefreshExpires: g.RefreshExpires,
		RefreshFamily: g.RefreshFamily, RefreshUntil: g.RefreshUntil, Certificate: g.Certificate, DPoPKey: g.DPoPKey, Rebind: true, Scopes: []string{"openid"}})
	left.Rebind, left.Scopes = false, nil // which are for refreshing alone
	same(t, left, issue("first of g", "g", now))
}

func refreshRotates(t *testing.T, s storage.Store) {
	before := offline(t, s, "g", "session")
	at := now.Add(time.Hour)
	got, err := refresh(t, s, "g", "first of g", "second", at)
	ok(t, err)
	want := before
	want.AccessHash, want.AccessExpires, want.RefreshHash, want.RefreshExpires = hash("access second"), at.Add(time.Hour), hash("second"), at.Add(idle)
	same(t, got, want) // nothing else has changed: not the claims, not the family's end
	found, err := s.GrantByAccess(ctx(t), hash("access second"), at)
	ok(t, err)
	same(t, found, ofToken(want))
	_, err = s.GrantByAccess(ctx(t), hash("access first of g"), now)
	is(t, err, storage.ErrNotFound)

	_, err = refresh(t, s, "g", "second", "third", at)
	ok(t, err)
	_, err = refresh(t, s, "g", "first of g", "thief's", at)
	is(t, err, storage.ErrSpent)
	for _, access := range []string{"third", "thief's"} {
		_, err = s.GrantByAccess(ctx(t), hash("access "+access), at)
		is(t, err, storage.ErrNotFound)
	}
	_, err = refresh(t, s, "g", "third", "fourth", at)
	is(t, err, storage.ErrNotFound)
}

func refreshRefused(t *testing.T, s storage.Store) {
	offline(t, s, "g", "session")
	late := issue("x", "", now)
	for _, attempt := range []struct {
		name, family, client string
		refresh, certificate []byte
		at                   time.Time
		key                  string
	}{
		{"an unknown family", "h", "shop", hash("first of g"), hash("certificate"), now, "key"},
		{"another client", "g", "thief", hash("first of g"), hash("certificate"), now, "key"},
		{"another client with an old token", "g", "thief", hash("old"), hash("certificate"), now, "key"},
		{"another certificate", "g", "shop", hash("first of g"), hash("another"), now, "key"},
		{"no certificate", "g", "shop", hash("first of g"), nil, now, "key"},
		{"idle for too long", "g", "shop", hash("first of g"), hash("certificate"), now.Add(idle), "key"},
		{"another key", "g", "shop", hash("first of g"), hash("certificate"), now, "another"},
		{"no key", "g", "shop", hash("first of g"), hash("certificate"), now, ""},
	} {
		if late.Certificate, late.DPoPKey = attempt.certificate, nil; attempt.key != "" {
			late.DPoPKey = hash(attempt.key)
		}
		_, err := s.Refresh(ctx(t), hash(attempt.family), attempt.refresh, attempt.client, attempt.at, late)
		is(t, err, storage.ErrNotFound)
	}
	_, err := s.Refresh(ctx(t), nil, nil, "shop", now, issue("x", "", now))
	is(t, err, storage.ErrNotFound)
	_, err = refresh(t, s, "g", "first of g", "second", now.Add(idle-time.Microsecond))
	ok(t, err)
}

// Whoever proves to be the client in another way may change its key and certificate, and not do without them.
func refreshRebinds(t *testing.T, s storage.Store) {
	before := offline(t, s, "g", "session")
	next := issue("second", "", now)
	next.Rebind = true
	for _, missing := range []func(*storage.Issue){
		func(i *storage.Issue) { i.Certificate = nil }, func(i *storage.Issue) { i.DPoPKey = nil },
	} {
		less := next
		missing(&less)
		_, err := s.Refresh(ctx(t), hash("g"), hash("first of g"), "shop", now, less)
		is(t, err, storage.ErrNotFound)
	}
	next.Certificate, next.DPoPKey = hash("next certificate"), hash("next key")
	got, err := s.Refresh(ctx(t), hash("g"), hash("first of g"), "shop", now, next)
	ok(t, err)
	want := before
	want.AccessHash, want.RefreshHash, want.Certificate, want.DPoPKey = next.Access, next.Refresh, next.Certificate, next.DPoPKey
	same(t, got, want)
	found, err := s.GrantByAccess(ctx(t), next.Access, now)
	ok(t, err)
	same(t, found, ofToken(want))
	_, err = s.Refresh(ctx(t), hash("g"), hash("first of g"), "shop", now, next)
	is(t, err, storage.ErrSpent)
}

// An access token may be for less than its family, which stays as it is.
func refreshNarrows(t *testing.T, s storage.Store) {
	before := offline(t, s, "g", "session")
	last := "first of g"
	for n, scopes := range [][]string{{"openid"}, nil, {"openid"}, {}} {
		next := issue(fmt.Sprint(n), "", now)
		next.Scopes, next.Rebind = scopes, n%2 == 0
		got, err := s.Refresh(ctx(t), hash("g"), hash(last), "shop", now, next)
		ok(t, err)
		same(t, got.AccessScopes, scopes)
		same(t, got.Scopes, before.Scopes)
		found, err := s.GrantByAccess(ctx(t), next.Access, now)
		ok(t, err)
		same(t, found, ofToken(got))
		last = fmt.Sprint(n)
	}
	scopes, err := s.FamilyScopes(ctx(t), hash("g"), "shop")
	ok(t, err)
	same(t, scopes, before.Scopes)
	for family, client := range map[string]string{"g": "thief", "h": "shop"} {
		_, err := s.FamilyScopes(ctx(t), hash(family), client)
		is(t, err, storage.ErrNotFound)
	}
}

// A token that is replaced by itself stays good: its client may ask again when an answer was lost.
func refreshStays(t *testing.T, s storage.Store) {
	offline(t, s, "g", "session")
	for n, at := range []time.Time{now, now.Add(time.Hour), now.Add(time.Hour)} {
		again := issue(fmt.Sprint("access ", n), "", at)
		again.Refresh = hash("first of g")
		got, err := s.Refresh(ctx(t), hash("g"), hash("first of g"), "shop", at, again)
		ok(t, err)
		same(t, got.RefreshExpires, at.Add(idle))
	}
	_, err := refresh(t, s, "g", "guessed", "x", now)
	is(t, err, storage.ErrSpent)
}

func refreshOffline(t *testing.T, s storage.Store) {
	g := approved(t, s, "login", "account", "session")
	got, err := s.RedeemCode(ctx(t), hash(g.ID), "shop", now, issue("first", "family", now))
	ok(t, err)
	if got.RefreshHash != nil || got.RefreshFamily != nil || !got.RefreshExpires.IsZero() || !got.RefreshUntil.IsZero() {
		t.Fatalf("a grant of a session has refresh tokens: %+v", got)
	}
	_, err = refresh(t, s, "family", "first", "second", now)
	is(t, err, storage.ErrNotFound)
}

func refreshEnds(t *testing.T, s storage.Store) {
	for _, id := range []string{"of age", "revoked", "logged out", "disabled"} {
		offline(t, s, id, "session of "+id)
	}
	for at, name := now, "first of of age"; at.Before(now.Add(life)); at = at.Add(idle - time.Microsecond) {
		fresh := fmt.Sprint("at ", at)
		_, err := refresh(t, s, "of age", name, fresh, at)
		ok(t, err)
		name = fresh
	}
	_, err := refresh(t, s, "of age", fmt.Sprint("at ", now.Add(4*(idle-time.Microsecond))), "x", now.Add(life))
	is(t, err, storage.ErrNotFound) // though not idle

	ok(t, endSession(ctx(t), s, "session of logged out", now))
	_, err = refresh(t, s, "logged out", "first of logged out", "second", now)
	ok(t, err)

	ok(t, s.RevokeFamily(ctx(t), hash("revoked"), "thief", now))
	ok(t, s.RevokeFamily(ctx(t), hash("no family"), "shop", now))
	_, err = refresh(t, s, "revoked", "first of revoked", "last", now)
	ok(t, err)
	for range 2 {
		ok(t, s.RevokeFamily(ctx(t), hash("revoked"), "shop", now))
	}
	_, err = refresh(t, s, "revoked", "last", "third", now)
	is(t, err, storage.ErrNotFound)

	n, err := s.Sweep(ctx(t), now.Add(idle-time.Microsecond)) // the logins and sessions, but no family
	ok(t, err)
	same(t, n, 7)
	ok(t, s.CreateClient(ctx(t), storage.Client{ID: "shop", CreatedAt: now, UpdatedAt: now}))
	ok(t, s.DisableClient(ctx(t), "shop", true, now))
	ok(t, s.DisableClient(ctx(t), "shop", false, now))
	_, err = refresh(t, s, "disabled", "first of disabled", "second", now)
	is(t, err, storage.ErrNotFound)
	n, err = s.Sweep(ctx(t), now.Add(life))
	ok(t, err)
	same(t, n, 4)
}

func raceRefresh(t *testing.T, s storage.Store) {
	for round := range 5 {
		id := fmt.Sprint("g", round)
		offline(t, s, id, "session of "+id)
		errs := race(racers, func(i int) error {
			_, err := s.Refresh(ctx(t), hash(id), hash("first of "+id), "shop", now, issue(fmt.Sprint(id, " ", i), "", now))
			return err
		})
		same(t, winners(t, errs, storage.ErrSpent), 1)
		for i := range racers {
			_, err := s.GrantByAccess(ctx(t), hash(fmt.Sprint("access ", id, " ", i)), now)
			is(t, err, storage.ErrNotFound)
		}
	}
}
