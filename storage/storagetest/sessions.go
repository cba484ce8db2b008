package storagetest

import (
	"context"
	"testing"
	"time"

	"tegata/storage"
)

// endSession ends one session, whether it is there or not.
func endSession(ctx context.Context, s storage.Store, id string, now time.Time) error {
	_, err := s.EndSessions(ctx, storage.Ending{SessionID: id}, now)
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
		n, err := s.EndSessions(ctx(t), e, now)
		ok(t, err)
		same(t, n, want)
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
