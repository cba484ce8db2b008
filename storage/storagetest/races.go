package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"tegata/storage"
)

const racers = 50

func raceRedeem(t *testing.T, s storage.Store) {
	const codes = 5
	for code := range codes {
		g := approved(t, s, fmt.Sprint("login ", code), "account", fmt.Sprint("session ", code))
		errs := race(racers, func(i int) error {
			_, err := redeem(ctx(t), s, g.ID, "shop", now, fmt.Sprint("access ", code, i))
			return err
		})
		same(t, winners(t, errs, storage.ErrSpent), 1)
		for i := range racers {
			_, err := s.GrantByAccess(ctx(t), hash(fmt.Sprint("access ", code, i)), now)
			is(t, err, storage.ErrNotFound)
		}
	}
}

func raceSwap(t *testing.T, s storage.Store) {
	login := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), login))
	for range 5 {
		errs := race(racers, func(i int) error {
			mine := next(login, storage.Claimed)
			mine.Number = fmt.Sprint(i)
			return s.SwapLogin(ctx(t), login, mine)
		})
		same(t, winners(t, errs, storage.ErrStale), 1)
		stored, err := s.Login(ctx(t), "login")
		ok(t, err)
		same(t, stored.Version, login.Version+1)
		winner, err := strconv.Atoi(stored.Number)
		ok(t, err)
		same(t, errs[winner], nil)
		login = stored
	}
}

func raceApprove(t *testing.T, s storage.Store) {
	login := newLogin("login")
	ok(t, s.CreateLogin(ctx(t), login))
	errs := race(racers, func(i int) error {
		answered := next(login, storage.Answered)
		return s.ApproveLogin(ctx(t), answer(&answered, grant(fmt.Sprint("grant ", i), "account", fmt.Sprint("session ", i))))
	})
	same(t, winners(t, errs, storage.ErrStale), 1)
	for i, lost := range errs {
		_, err := redeem(ctx(t), s, fmt.Sprint("grant ", i), "shop", now, fmt.Sprint("access ", i))
		same(t, err == nil, lost == nil)
		_, _, err = s.SessionLink(ctx(t), fmt.Sprint("session ", i), "shop", shopSector, now, time.Time{})
		same(t, err == nil, lost == nil)
	}
}

func raceVerify(t *testing.T, s storage.Store) {
	for i := range racers {
		ok(t, s.CreateLogin(ctx(t), newLogin(fmt.Sprint("login ", i))))
	}
	accounts := make([]string, racers)
	for _, err := range race(racers, func(i int) (err error) {
		login := newLogin(fmt.Sprint("login ", i))
		accounts[i], err = s.VerifyLogin(ctx(t), login, next(login, storage.Verified), credential("one card", fmt.Sprint("account ", i)))
		return err
	}) {
		ok(t, err)
	}
	for i, account := range accounts {
		same(t, account, accounts[0])
		login, err := s.Login(ctx(t), fmt.Sprint("login ", i))
		ok(t, err)
		same(t, login.AccountID, accounts[0])
	}

	// The same login from many sides: the losers write nothing, not even their certificate.
	ok(t, s.CreateLogin(ctx(t), newLogin("login")))
	errs := race(racers, func(i int) error {
		_, err := s.VerifyLogin(ctx(t), newLogin("login"), next(newLogin("login"), storage.Verified), credential(fmt.Sprint("card ", i), "loser"))
		return err
	})
	same(t, winners(t, errs, storage.ErrStale), 1)
	for i, lost := range errs {
		probe := newLogin(fmt.Sprint("probe ", i))
		ok(t, s.CreateLogin(ctx(t), probe))
		account, err := s.VerifyLogin(ctx(t), probe, next(probe, storage.Verified), credential(fmt.Sprint("card ", i), "probe"))
		ok(t, err)
		same(t, account == "loser", lost == nil)
	}
}

// raceLogout: an approval that continues a session either comes before the logout, which revokes its grant, or is stale.
func raceLogout(t *testing.T, s storage.Store) {
	for round := range 20 {
		session := fmt.Sprint("session ", round)
		approved(t, s, fmt.Sprint("login ", round), "account", session)
		id := func(i int) string { return fmt.Sprint("grant ", round, " ", i) }
		errs := race(9, func(i int) error {
			if i == 4 {
				return endSession(ctx(t), s, session, now)
			}
			return s.ApproveLogin(ctx(t), storage.Approval{Grant: grant(id(i), "account", session)})
		})
		ok(t, errs[4])
		winners(t, errs, storage.ErrStale)
		for i := range errs {
			_, err := redeem(ctx(t), s, id(i), "shop", now, "access of "+id(i))
			is(t, err, storage.ErrNotFound)
		}
	}
}

func raceEnds(t *testing.T, s storage.Store) {
	var grants []storage.Grant
	for i := range 30 {
		grants = append(grants, approved(t, s, fmt.Sprint("login ", i), "account", fmt.Sprint("session ", i)))
	}
	for _, err := range race(4*len(grants), func(i int) error {
		g := grants[i/4]
		switch i % 4 {
		case 0:
			return endSession(ctx(t), s, g.SessionID, now)
		case 1:
			return s.RevokeGrant(ctx(t), g.CodeHash, now)
		case 2:
			_, err := s.Sweep(ctx(t), now.Add(8*time.Hour))
			return err
		}
		_, err := redeem(ctx(t), s, g.ID, "shop", now, g.ID)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	}) {
		ok(t, err)
	}
}

func crowd(t *testing.T, s storage.Store) {
	limit, cancel := context.WithTimeout(ctx(t), time.Minute)
	defer cancel()
	ok(t, s.PutClient(limit, client("shop")))
	for _, err := range race(64, func(i int) error {
		for visit := range 5 {
			if err := loginOf(limit, s, fmt.Sprint(i, ".", visit), fmt.Sprint("card ", i)); err != nil {
				return err
			}
		}
		return nil
	}) {
		ok(t, err)
	}
}

// loginOf is one whole first login.
func loginOf(ctx context.Context, s storage.Store, id, card string) error {
	login := newLogin(id)
	waiting := next(login, storage.Waiting)
	claimed := next(waiting, storage.Claimed)
	verified := next(claimed, storage.Verified)
	g := grant("grant "+id, "", "session "+id)
	for _, step := range []func() error{
		func() error { _, err := s.Client(ctx, "shop"); return err },
		func() error { return s.CreateLogin(ctx, login) },
		func() error { return s.SwapLogin(ctx, login, waiting) },
		func() error { return s.SwapLogin(ctx, waiting, claimed) },
		func() (err error) {
			g.AccountID, err = s.VerifyLogin(ctx, claimed, verified, credential(card, "account of "+card))
			verified.AccountID, g.Subject = g.AccountID, "subject of "+g.AccountID
			return err
		},
		func() error { _, err := s.Login(ctx, id); return err },
		func() error {
			_, err := s.ReturnLogin(ctx, verified, next(verified, storage.Returned), shopSector)
			return err
		},
		func() error {
			answered := next(next(verified, storage.Returned), storage.Answered)
			return s.ApproveLogin(ctx, answer(&answered, g))
		},
		func() error { _, err := redeem(ctx, s, g.ID, "shop", now, "access "+id); return err },
		func() error { _, err := s.GrantByAccess(ctx, hash("access "+id), now); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
