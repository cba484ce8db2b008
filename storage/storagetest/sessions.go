package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"tegata/storage"
)

// endSession ends one session, whether it is there or not.
func endSession(ctx context.Context, s storage.Store, id string, now time.Time) error {
	_, err := s.EndSessions(ctx, storage.Ending{SessionID: id}, now, nil)
	return err
}

// visits are sessions of an account, one a second, each with a redeemed grant of its name.
func visits(t *testing.T, s storage.Store, account string, ids ...string) {
	t.Helper()
	for i, id := range ids {
		login := newLogin("login of " + id)
		ok(t, s.CreateLogin(ctx(t), login))
		login = next(login, storage.Answered)
		a := answer(&login, grant("grant of "+id, account, id))
		a.Session.CreatedAt = now.Add(time.Duration(i) * time.Second)
		a.Session.SeenAt = a.Session.CreatedAt
		ok(t, s.ApproveLogin(ctx(t), a))
		_, err := redeem(ctx(t), s, "grant of "+id, "shop", now, "access of "+id)
		ok(t, err)
	}
}

func living(t *testing.T, s storage.Store, account string, at, idleSince time.Time) []string {
	t.Helper()
	list, err := s.Sessions(ctx(t), account, at, idleSince)
	ok(t, err)
	ids := []string{}
	for _, one := range list {
		ids = append(ids, one.ID)
	}
	return ids
}

func sessionsListed(t *testing.T, s storage.Store) {
	visits(t, s, "account", "first", "second", "third")
	visits(t, s, "another", "elsewhere")
	same(t, living(t, s, "account", now, time.Time{}), []string{"third", "second", "first"})
	same(t, living(t, s, "account", now, now), []string{"third", "second"}) // the first has been idle since
	same(t, living(t, s, "account", now.Add(8*time.Hour), time.Time{}), []string{})
	same(t, living(t, s, "nobody", now, time.Time{}), []string{})
	list, err := s.Sessions(ctx(t), "another", now, time.Time{})
	ok(t, err)
	want := session("elsewhere", "another")
	want.CreatedAt = now // and everything else as visited
	same(t, full(t, list[0]), want)
}

func sessionsEnded(t *testing.T, s storage.Store) {
	visits(t, s, "account", "a", "b", "c", "d")
	visits(t, s, "another", "elsewhere")
	ends := func(e storage.Ending, want int) {
		t.Helper()
		done, err := s.EndSessions(ctx(t), e, now, nil)
		ok(t, err)
		same(t, done, storage.Ended{Sessions: want}) // nobody called the sessions anything
	}
	alive := func(id string) bool {
		_, err := s.GrantByAccess(ctx(t), hash("access of "+id), now)
		return err == nil
	}
	ends(storage.Ending{}, 0)
	ends(storage.Ending{Except: "a"}, 0)
	ends(storage.Ending{SessionID: "elsewhere", AccountID: "account"}, 0) // another's
	ends(storage.Ending{SessionID: "a", AccountID: "account"}, 1)
	ends(storage.Ending{SessionID: "a", AccountID: "account"}, 0)
	same(t, living(t, s, "account", now, time.Time{}), []string{"d", "c", "b"})
	ends(storage.Ending{AccountID: "account", Except: "c"}, 2)
	same(t, living(t, s, "account", now, time.Time{}), []string{"c"})
	same(t, []bool{alive("a"), alive("b"), alive("c"), alive("d"), alive("elsewhere")}, []bool{false, false, true, false, true})
	ends(storage.Ending{AccountID: "account"}, 1)
	same(t, []bool{alive("c"), alive("elsewhere")}, []bool{false, true})
	same(t, living(t, s, "another", now, time.Time{}), []string{"elsewhere"})
}

func accountFound(t *testing.T, s storage.Store) {
	approved(t, s, "login", "account", "session")
	id, err := s.AccountBySubject(ctx(t), "shop.example", "subject of account")
	ok(t, err)
	same(t, id, "account")
	for _, miss := range [][2]string{{"bank.example", "subject of account"}, {"shop.example", "somebody"}, {"shop.example", "\x00"}, {"", ""}} {
		_, err := s.AccountBySubject(ctx(t), miss[0], miss[1])
		is(t, err, storage.ErrNotFound)
	}
}

// called gives a grant of a session to a client that calls the session sid, and redeems its code.
func called(t *testing.T, s storage.Store, id, client, session, sid string) storage.Grant {
	t.Helper()
	g := grant(id, "account", session)
	g.ClientID, g.SID = client, sid
	ok(t, s.ApproveLogin(ctx(t), storage.Approval{Grant: g}))
	g, err := redeem(ctx(t), s, id, client, now, "access of "+id)
	ok(t, err)
	return g
}

func partiesTold(t *testing.T, s storage.Store) {
	shop, bank := client("shop"), client("bank")
	ok(t, s.PutClient(ctx(t), shop))
	ok(t, s.PutClient(ctx(t), bank))
	visits(t, s, "account", "s", "other")
	called(t, s, "g1", "shop", "s", "sid of shop")
	called(t, s, "g2", "shop", "s", "sid of shop") // the same session once more
	called(t, s, "g3", "bank", "s", "sid of bank")
	called(t, s, "g4", "nobody", "s", "sid of a client that is gone")
	called(t, s, "g5", "bank", "other", "another sid of bank")
	unredeemed := grant("g6", "account", "other")
	unredeemed.ClientID, unredeemed.SID = "shop", "told to nobody"
	ok(t, s.ApproveLogin(ctx(t), storage.Approval{Grant: unredeemed}))

	var heard []storage.Party
	tell := func(p []storage.Party) ([]storage.Delivery, error) {
		heard = p
		return []storage.Delivery{delivery("d of "+p[0].SID, now)}, nil
	}
	broken := errors.New("broken")
	_, err := s.EndSessions(ctx(t), storage.Ending{SessionID: "s"}, now, func([]storage.Party) ([]storage.Delivery, error) { return nil, broken })
	is(t, err, broken)
	same(t, living(t, s, "account", now, time.Time{}), []string{"other", "s"}) // nothing happened

	done, err := s.EndSessions(ctx(t), storage.Ending{SessionID: "s"}, now, tell)
	ok(t, err)
	same(t, done, storage.Ended{Sessions: 1, Parties: []storage.Party{
		{Client: bank, Subject: "subject of account", SID: "sid of bank"}, {Client: shop, Subject: "subject of account", SID: "sid of shop"}}})
	same(t, heard, done.Parties)
	heard = nil
	done, err = s.EndSessions(ctx(t), storage.Ending{SessionID: "s"}, now, tell)
	ok(t, err)
	same(t, done, storage.Ended{})
	done, err = s.EndSessions(ctx(t), storage.Ending{AccountID: "account"}, now, tell)
	ok(t, err)
	same(t, done.Parties, []storage.Party{{Client: bank, Subject: "subject of account", SID: "another sid of bank"}})
	same(t, taken(t, s, now), []string{"d of another sid of bank", "d of sid of bank"})
}

// A session that somebody takes over ends for nobody outside.
func sessionInherited(t *testing.T, s storage.Store) {
	ok(t, s.PutClient(ctx(t), client("shop")))
	visits(t, s, "account", "old", "new")
	visits(t, s, "another", "theirs")
	called(t, s, "g", "shop", "old", "sid")
	done, err := s.EndSessions(ctx(t), storage.Ending{SessionID: "old", Heir: "new"}, now, nil)
	ok(t, err)
	same(t, done, storage.Ended{Sessions: 1})
	_, err = s.GrantByAccess(ctx(t), hash("access of g"), now)
	ok(t, err)
	done, err = s.EndSessions(ctx(t), storage.Ending{SessionID: "new", Heir: "theirs"}, now, nil)
	ok(t, err)
	same(t, len(done.Parties), 1) // another account's session takes over nothing
	same(t, done.Parties[0].SID, "sid")
	_, err = s.GrantByAccess(ctx(t), hash("access of g"), now)
	is(t, err, storage.ErrNotFound)
}

// The grant of a client that has to hear of the end outlives its tokens, without what was personal in it.
func partiesRemembered(t *testing.T, s storage.Store) {
	ok(t, s.PutClient(ctx(t), client("shop")))
	visits(t, s, "account", "s")
	called(t, s, "g", "shop", "s", "sid")
	n, err := s.Sweep(ctx(t), now.Add(7*time.Hour))
	ok(t, err)
	same(t, n, 2) // the login and the plain grant
	done, err := s.EndSessions(ctx(t), storage.Ending{SessionID: "s"}, now.Add(7*time.Hour), nil)
	ok(t, err)
	same(t, len(done.Parties), 1)
	n, err = s.Sweep(ctx(t), now.Add(7*time.Hour))
	ok(t, err)
	same(t, n, 1)
}
