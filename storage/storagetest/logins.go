package storagetest

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tegata/storage"
)

func loginRoundTrip(t *testing.T, s storage.Store) {
	want := full(t, fullLogin("login"))
	full(t, want.Request)
	local := want
	local.CreatedAt, local.AuthTime = want.CreatedAt.In(tokyo), want.AuthTime.In(tokyo).Add(999)
	ok(t, s.CreateLogin(ctx(t), local))
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, want)
}

func loginBare(t *testing.T, s storage.Store) {
	want := storage.Login{ID: "login", State: storage.Created, CreatedAt: now, ExpiresAt: now}
	ok(t, s.CreateLogin(ctx(t), want))
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, want)

	filled := fullLogin("login")
	ok(t, s.SwapLogin(ctx(t), want, filled))
	got, err = s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, filled)

	want.Version = 2
	ok(t, s.SwapLogin(ctx(t), filled, want)) // everything that was there is gone again
	got, err = s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, want)
}

// loginChanges walks one login through changes of any of its fields: what a step changes is written, and what it leaves
// alone stays.
func loginChanges(t *testing.T, s storage.Store) {
	full, bare := fullLogin("login"), storage.Login{ID: "login", CreatedAt: now, ExpiresAt: now}
	was := storage.Login{ID: "login", Version: 1, State: storage.Created, CreatedAt: now, ExpiresAt: now}
	ok(t, s.CreateLogin(ctx(t), was))
	rapid.Check(t, func(r *rapid.T) {
		next := was
		fields := reflect.ValueOf(&next).Elem()
		for i := range fields.NumField() {
			from := rapid.SampledFrom([]storage.Login{was, was, full, bare}).Draw(r, fields.Type().Field(i).Name)
			fields.Field(i).Set(reflect.ValueOf(from).Field(i))
		}
		next.Version, next.State = was.Version+1, rapid.SampledFrom([]storage.LoginState{storage.Waiting, storage.Claimed, storage.Failed}).Draw(r, "state")
		ok(t, s.SwapLogin(ctx(t), was, next))
		got, err := s.Login(ctx(t), "login")
		ok(t, err)
		same(t, got, next)
		was = next
	})
}

// loginAnswered: what a card said about a person is not kept longer than it takes to answer.
func loginAnswered(t *testing.T, s storage.Store) {
	l := fullLogin("login")
	ok(t, s.CreateLogin(ctx(t), l))
	answered := next(l, storage.Answered)
	answered.Facts, answered.Card, answered.SignCard = nil, nil, nil
	ok(t, s.ApproveLogin(ctx(t), answer(&answered, grant("grant", "account", "session"))))
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, answered)
}

// loginDeclined: an answer may also end a login in another way.
func loginDeclined(t *testing.T, s storage.Store) {
	l := newLogin("login")
	l.Facts = []byte("facts")
	ok(t, s.CreateLogin(ctx(t), l))
	declined := next(l, storage.Cancelled)
	declined.Facts, declined.Progress, declined.Failure = nil, "cancelled", "user_cancelled"
	ok(t, s.ApproveLogin(ctx(t), storage.Approval{Login: &declined, Grant: storage.Grant{AccountID: "account", CreatedAt: now}}))
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, declined)
}

func loginOnce(t *testing.T, s storage.Store) {
	ok(t, s.CreateLogin(ctx(t), newLogin("login")))
	is(t, s.CreateLogin(ctx(t), fullLogin("login")), storage.ErrExists)
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, newLogin("login"))
}

func foreignIDs(t *testing.T, s storage.Store) {
	for _, id := range []string{"", "nobody", "a\x00b", "\xff", "' OR ''='", "%", "?"} {
		_, err := s.Login(ctx(t), id)
		is(t, err, storage.ErrNotFound)
		_, err = s.Client(ctx(t), id)
		is(t, err, storage.ErrNotFound)
	}
}

func loginSwap(t *testing.T, s storage.Store) {
	first := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), first))
	ok(t, s.CreateLogin(ctx(t), newLogin("other")))
	second := next(first, storage.Waiting)
	ok(t, s.SwapLogin(ctx(t), first, second))
	is(t, s.SwapLogin(ctx(t), first, next(first, storage.Cancelled)), storage.ErrStale)
	is(t, s.SwapLogin(ctx(t), second, next(next(second, storage.Claimed), storage.Verified)), storage.ErrStale)
	is(t, s.SwapLogin(ctx(t), next(second, storage.Claimed), next(next(second, storage.Claimed), storage.Verified)), storage.ErrStale)
	is(t, s.SwapLogin(ctx(t), newLogin("nobody"), next(newLogin("nobody"), storage.Waiting)), storage.ErrStale)
	is(t, s.SwapLogin(ctx(t), newLogin("other"), next(first, storage.Waiting)), storage.ErrStale) // not of one login
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, second)
	other, err := s.Login(ctx(t), "other")
	ok(t, err)
	same(t, other, newLogin("other"))
}

func verifyFinds(t *testing.T, s storage.Store) {
	for _, visit := range []struct{ login, serial, offered, account string }{
		{"first", "taro's card", "A", "A"},
		{"second", "taro's card", "B", "A"},
		{"third", "hanako's card", "C", "C"},
		{"fourth", "taro's card", "D", "A"},
	} {
		login := newLogin(visit.login)
		ok(t, s.CreateLogin(ctx(t), login))
		verified := fullLogin(visit.login)
		verified.Version, verified.State, verified.AccountID = 2, storage.Verified, "ignored"
		got, err := s.VerifyLogin(ctx(t), login, verified, credential(visit.serial, visit.offered))
		ok(t, err)
		same(t, got, visit.account)
		verified.AccountID = visit.account
		stored, err := s.Login(ctx(t), visit.login)
		ok(t, err)
		same(t, stored, verified)
	}
}

func verifyStale(t *testing.T, s storage.Store) {
	login := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), login))
	_, err := s.VerifyLogin(ctx(t), login, login, credential("card", "A"))
	is(t, err, storage.ErrStale)
	_, err = s.VerifyLogin(ctx(t), newLogin("nobody"), next(newLogin("nobody"), storage.Verified), credential("card", "A"))
	is(t, err, storage.ErrStale)
	got, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, got, login)

	// Had a stale call left the credential behind, the card would belong to A now.
	account, err := s.VerifyLogin(ctx(t), login, next(login, storage.Verified), credential("card", "B"))
	ok(t, err)
	same(t, account, "B")
}

func returnReads(t *testing.T, s storage.Store) {
	approved(t, s, "first", "account", "session")
	for _, visit := range []struct {
		login, account, client, sector string
		want                           storage.Link
	}{
		{"known", "account", "shop", "shop.example", storage.Link{Subject: "subject of account", Items: []string{"age_over_18"}, Texts: "en-1"}},
		{"same-sector", "account", "app", "shop.example", storage.Link{Subject: "subject of account"}},
		{"another-sector", "account", "shop", "bank.example", storage.Link{Items: []string{"age_over_18"}, Texts: "en-1"}},
		{"another-account", "stranger", "shop", "shop.example", storage.Link{New: true}},
	} {
		link, err := s.Link(ctx(t), visit.account, visit.client, storage.Sector{Subject: visit.sector, Owner: visit.sector})
		ok(t, err)
		same(t, link, visit.want)

		login := newLogin(visit.login)
		login.ClientID = visit.client
		ok(t, s.CreateLogin(ctx(t), login))
		returned := next(login, storage.Returned)
		returned.AccountID = visit.account
		link, err = s.ReturnLogin(ctx(t), login, returned, storage.Sector{Subject: visit.sector, Owner: visit.sector})
		ok(t, err)
		same(t, link, visit.want)
		_, err = s.ReturnLogin(ctx(t), login, returned, storage.Sector{Subject: visit.sector, Owner: visit.sector})
		is(t, err, storage.ErrStale)
		got, err := s.Login(ctx(t), visit.login)
		ok(t, err)
		same(t, got, returned)
	}
}
