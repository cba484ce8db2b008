package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tegata/storage"
)

// visit verifies a login with a card and returns it as it stands then, and the account.
func visit(t testing.TB, s storage.Store, login, serial, offered string, at time.Time) storage.Login {
	t.Helper()
	l := newLogin(login)
	ok(t, s.CreateLogin(ctx(t), l))
	was := l
	l = next(l, storage.Verified)
	cred := credential(serial, offered)
	cred.SeenAt = at
	account, err := s.VerifyLogin(ctx(t), was, l, cred)
	ok(t, err)
	l.AccountID = account
	return l
}

func cardsKept(t *testing.T, s storage.Store) {
	none, err := s.Cards(ctx(t), "A")
	ok(t, err)
	same(t, len(none), 0)
	visit(t, s, "first", "card", "A", now)
	visit(t, s, "second", "card", "B", now.Add(time.Hour).In(tokyo))
	got, err := s.Cards(ctx(t), "A")
	ok(t, err)
	same(t, got, []storage.Credential{{Index: hash("card"), AccountID: "A", Card: []byte("card"), SeenAt: now.Add(time.Hour), AskedAt: now.Add(time.Hour)}})

	bare := storage.Credential{Index: hash("card"), AccountID: "A", SeenAt: now}
	ok(t, s.CreateLogin(ctx(t), newLogin("third")))
	_, err = s.VerifyLogin(ctx(t), newLogin("third"), next(newLogin("third"), storage.Verified), bare)
	ok(t, err)
	got, err = s.Cards(ctx(t), "A")
	ok(t, err)
	same(t, string(got[0].Card), "card") // what is known is not forgotten
}

// due is what a job takes at a time, with a period of an hour.
func due(t testing.TB, s storage.Store, at time.Time) []string {
	t.Helper()
	got, err := s.TakeDue(ctx(t), storage.Due{Now: at, AskedBefore: at.Add(-time.Hour), IdleSince: at.Add(-30 * time.Minute), Until: at.Add(time.Minute), Most: 9})
	ok(t, err)
	var serials []string
	for _, c := range got {
		serials = append(serials, string(c.Card))
	}
	slices.Sort(serials)
	return serials
}

func cardsDue(t *testing.T, s storage.Store) {
	for _, who := range []string{"signed in", "gone", "offline", "signed out", "unknown card"} {
		l := visit(t, s, "login of "+who, who, who, now)
		if who == "gone" {
			continue
		}
		g := grant("grant of "+who, who, "session of "+who)
		g.Offline = who == "offline"
		l = next(l, storage.Answered)
		a := answer(&l, g)
		a.Session.SeenAt = now.Add(45 * time.Minute)
		ok(t, s.ApproveLogin(ctx(t), a))
	}
	_, err := s.RedeemCode(ctx(t), hash("grant of offline"), "shop", now, issue("first", "family", now))
	ok(t, err)
	for _, over := range []string{"session of offline", "session of signed out"} {
		_, err := s.EndSessions(ctx(t), storage.Ending{SessionID: over}, now, nil)
		ok(t, err)
	}
	same(t, len(due(t, s, now.Add(time.Hour-time.Microsecond))), 0) // the login asked
	at := now.Add(time.Hour)
	same(t, due(t, s, at), []string{"offline", "signed in", "unknown card"})
	same(t, len(due(t, s, at.Add(time.Minute-time.Microsecond))), 0) // somebody is asking
	ok(t, s.NoteAsked(ctx(t), hash("offline"), at))
	same(t, due(t, s, at.Add(time.Minute)), []string{"signed in", "unknown card"}) // who asked has gone
	same(t, due(t, s, at.Add(20*time.Minute)), []string(nil))                      // they have not been seen for too long
	same(t, due(t, s, at.Add(time.Hour)), []string{"offline"})                     // an hour after the answer
	same(t, len(due(t, s, now.Add(idle))), 0)                                      // its refresh token has died
}

func raceDue(t *testing.T, s storage.Store) {
	for i := range 20 {
		account := fmt.Sprint("account ", i)
		l := next(visit(t, s, fmt.Sprint("login ", i), account, account, now), storage.Answered)
		a := answer(&l, grant(fmt.Sprint("grant ", i), account, fmt.Sprint("session ", i)))
		a.Session.SeenAt = now.Add(time.Hour)
		ok(t, s.ApproveLogin(ctx(t), a))
	}
	at := now.Add(time.Hour)
	taken := make([][]storage.Credential, 16)
	for _, err := range race(len(taken), func(i int) (err error) {
		taken[i], err = s.TakeDue(ctx(t), storage.Due{Now: at, AskedBefore: at, IdleSince: now, Until: at.Add(time.Minute), Most: 20})
		return err
	}) {
		ok(t, err)
	}
	seen := map[string]bool{}
	for _, c := range slices.Concat(taken...) {
		if seen[string(c.Index)] {
			t.Fatal("two replicas ask about one card")
		}
		seen[string(c.Index)] = true
	}
	same(t, len(seen), 20)
}

func accountRevoked(t *testing.T, s storage.Store) {
	offline(t, s, "g", "session")
	approved(t, s, "other", "stranger", "another session")
	for range 2 {
		ok(t, s.RevokeAccount(ctx(t), "account", now))
	}
	_, err := refresh(t, s, "g", "first of g", "second", now)
	is(t, err, storage.ErrNotFound)
	_, err = s.GrantByAccess(ctx(t), hash("access first of g"), now)
	is(t, err, storage.ErrNotFound)
	_, err = redeem(ctx(t), s, "grant of other", "shop", now, "access")
	ok(t, err)
}

func consentOf(l storage.Login) storage.LinkConsent {
	return storage.LinkConsent{LoginID: l.ID, GivenAt: now, AccountID: l.AccountID, ClientID: "shop", Wording: "v1"}
}

func linkConsentKept(t *testing.T, s storage.Store) {
	c := consentOf(storage.Login{ID: "login", AccountID: "A"})
	ok(t, s.PutLinkConsent(ctx(t), c))
	is(t, s.PutLinkConsent(ctx(t), c), storage.ErrExists)
	later := c
	later.GivenAt, later.TakenOver = now.Add(time.Second), true
	ok(t, s.PutLinkConsent(ctx(t), full(t, later)))
	got, err := s.LinkConsents(ctx(t), "A")
	ok(t, err)
	same(t, got, []storage.LinkConsent{c, later})
}
