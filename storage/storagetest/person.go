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
	got, link, err := s.SessionLink(ctx(t), "session", "shop", shopSector, now, time.Time{})
	ok(t, err)
	same(t, got, opened)
	same(t, link, storage.Link{})
	again := session("second", "account")
	own.Session = &again
	is(t, s.ApproveLogin(ctx(t), own), storage.ErrStale)
	_, _, err = s.SessionLink(ctx(t), "second", "shop", shopSector, now, time.Time{})
	is(t, err, storage.ErrNotFound)
}

func consentsListed(t *testing.T, s storage.Store) {
	list, err := s.Consents(ctx(t), "account")
	ok(t, err)
	same(t, list, []storage.Consent{})
	approved(t, s, "login", "account", "session")
	approved(t, s, "another", "stranger", "another")
	g := grant("bank", "account", "session")
	g.ClientID = "bank"
	ok(t, s.ApproveLogin(ctx(t), storage.Approval{Grant: g, Items: []string{}, Texts: "ja-2"}))
	list, err = s.Consents(ctx(t), "account")
	ok(t, err)
	same(t, list, []storage.Consent{
		{ClientID: "bank", Items: []string{}, Texts: "ja-2", GivenAt: now},
		{ClientID: "shop", Items: []string{"age_over_18"}, Texts: "en-1", GivenAt: now},
	})
}

func takenBack(t *testing.T, s storage.Store) {
	approved(t, s, "login", "account", "session")
	approved(t, s, "other login", "stranger", "another")
	redeemed := func(id, session string, offline bool) {
		t.Helper()
		g := grant(id, "account", session)
		g.Offline = offline
		if id == "bank" {
			g.ClientID = id
		}
		ok(t, s.ApproveLogin(ctx(t), storage.Approval{Grant: g}))
		_, err := s.RedeemCode(ctx(t), hash(id), g.ClientID, now, issue(id, "family of "+id, now))
		ok(t, err)
	}
	redeemed("shop", "session", false)
	redeemed("offline", "session", true)
	redeemed("bank", "session", false)
	ok(t, s.TakeBack(ctx(t), "account", "shop", now))
	ok(t, s.TakeBack(ctx(t), "account", "nowhere", now))

	for id, want := range map[string]error{"shop": storage.ErrNotFound, "offline": storage.ErrNotFound, "bank": nil} {
		_, err := s.GrantByAccess(ctx(t), hash("access "+id), now)
		is(t, err, want)
	}
	_, err := s.Refresh(ctx(t), hash("family of offline"), hash("offline"), "shop", now, issue("next", "", now))
	is(t, err, storage.ErrNotFound)
	_, err = redeem(ctx(t), s, "grant of login", "shop", now, "late") // the code that was still out
	is(t, err, storage.ErrNotFound)
	_, err = redeem(ctx(t), s, "grant of other login", "shop", now, "theirs")
	ok(t, err)
	link, err := s.Link(ctx(t), "account", "shop", shopSector)
	ok(t, err)
	same(t, link, storage.Link{Subject: "subject of account"}) // who she is there stays
}

// release has every field filled in.
func release(id, account string, at time.Time) storage.Release {
	return storage.Release{ID: id, AccountID: account, ClientID: "shop", At: at, Items: []string{"age_over_18"}, Method: []string{"mnc"}, Outcome: storage.Shared}
}

func historyKept(t *testing.T, s storage.Store) {
	list, err := s.Releases(ctx(t), "account")
	ok(t, err)
	same(t, list, []storage.Release{})
	first, second := full(t, release("first", "account", now)), release("second", "account", now.Add(time.Second))
	login := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), login))
	login = next(login, storage.Answered)
	a := answer(&login, grant("grant", "account", "session"))
	a.Release = &first
	ok(t, s.ApproveLogin(ctx(t), a))
	ok(t, s.AddRelease(ctx(t), second))
	ok(t, s.AddRelease(ctx(t), release("theirs", "stranger", now)))
	list, err = s.Releases(ctx(t), "account")
	ok(t, err)
	same(t, list, []storage.Release{second, first})

	stale := answer(&login, grant("stale", "account", "stale"))
	third := release("third", "account", now)
	stale.Release = &third
	is(t, s.ApproveLogin(ctx(t), stale), storage.ErrStale)
	list, err = s.Releases(ctx(t), "account")
	ok(t, err)
	same(t, len(list), 2) // what did not happen is no history
}

func historyFades(t *testing.T, s storage.Store) {
	left := func(account string) int {
		t.Helper()
		list, err := s.Releases(ctx(t), account)
		ok(t, err)
		return len(list)
	}
	for _, account := range []string{"usual", "short", "half"} {
		for i, days := range []int{0, 29, 31, 179, 181, 729, 731} {
			ok(t, s.AddRelease(ctx(t), release(account+string(rune('a'+i)), account, now.AddDate(0, 0, -days))))
		}
		days, err := s.Kept(ctx(t), account)
		ok(t, err)
		same(t, days, storage.KeepDays[0])
	}
	ok(t, s.Keep(ctx(t), "short", 30, now))
	same(t, left("short"), 2)
	ok(t, s.Keep(ctx(t), "half", 30, now.AddDate(-9, 0, 0)))
	ok(t, s.Keep(ctx(t), "half", 180, now.AddDate(-9, 0, 0)))
	days, err := s.Kept(ctx(t), "half")
	ok(t, err)
	same(t, days, 180)
	n, err := s.Sweep(ctx(t), now)
	ok(t, err)
	same(t, n, int64(1+3))
	same(t, []int{left("usual"), left("half"), left("short")}, []int{6, 4, 2})
	_, err = s.Sweep(ctx(t), now.AddDate(0, 0, 3))
	ok(t, err)
	same(t, []int{left("usual"), left("half"), left("short")}, []int{5, 3, 1})
}

func accountDeleted(t *testing.T, s storage.Store) {
	fill := func(account string) {
		t.Helper()
		login := newLogin("login of " + account)
		ok(t, s.CreateLogin(ctx(t), login))
		was := login
		login = next(login, storage.Verified)
		_, err := s.VerifyLogin(ctx(t), was, login, credential("card of "+account, account))
		ok(t, err)
		login.AccountID = account
		login = next(login, storage.Answered)
		a := answer(&login, grant("grant of "+account, account, "session of "+account))
		r := release("release of "+account, account, now)
		a.Release = &r
		ok(t, s.ApproveLogin(ctx(t), a))
		ok(t, s.Keep(ctx(t), account, 30, now))
		ok(t, s.PutLatest(ctx(t), latest("latest of "+account, account, "shop")))
	}
	fill("account")
	fill("stranger")
	ok(t, s.DeleteAccount(ctx(t), ""))
	ok(t, s.DeleteAccount(ctx(t), "account"))
	ok(t, s.DeleteAccount(ctx(t), "account"))
	nothingOf(t, s, "grant of account", "account", "session of account")
	_, err := s.Login(ctx(t), "login of account")
	is(t, err, storage.ErrNotFound)

	// The same card is somebody new; everybody else is still there.
	login := newLogin("again")
	ok(t, s.CreateLogin(ctx(t), login))
	id, err := s.VerifyLogin(ctx(t), login, next(login, storage.Verified), credential("card of account", "new account"))
	ok(t, err)
	same(t, id, "new account")
	_, err = redeem(ctx(t), s, "grant of stranger", "shop", now, "access")
	ok(t, err)
	list, err := s.Releases(ctx(t), "stranger")
	ok(t, err)
	same(t, len(list), 1)
}
