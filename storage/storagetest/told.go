package storagetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tegata/storage"
)

// The sectors of most clients here, each of which owns itself.
var (
	shopSector = storage.Sector{Subject: "shop.example", Owner: "shop.example"}
	bankSector = storage.Sector{Subject: "bank.example", Owner: "bank.example"}
)

// telling is an approval in an existing session that writes a version of the ledger of shop.example.
func telling(id string, version int64, ledger string) storage.Approval {
	return storage.Approval{Grant: grant(id, "account", "session"), Told: &storage.Ledger{
		Sector: "shop.example", Told: storage.Told{Version: version, Ledger: []byte(ledger), Expires: now.Add(time.Hour)}}}
}

func toldKept(t *testing.T, s storage.Store) {
	approved(t, s, "login", "account", "session")
	told := func() storage.Told {
		t.Helper()
		link, err := s.Link(ctx(t), "account", "shop", shopSector)
		ok(t, err)
		_, inSession, err := s.SessionLink(ctx(t), "session", "shop", shopSector, now, time.Time{})
		ok(t, err)
		same(t, inSession, link)
		return link.Told
	}
	same(t, told(), storage.Told{})
	ok(t, s.ApproveLogin(ctx(t), telling("first", 1, "over 18")))
	same(t, told(), storage.Told{Version: 1, Ledger: []byte("over 18")})
	for id, version := range map[string]int64{"again": 1, "an old one": 0, "one too far": 3} {
		is(t, s.ApproveLogin(ctx(t), telling(id, version, "nothing")), storage.ErrStale)
		_, err := s.RedeemCode(ctx(t), hash(id), "shop", now, access1h(id, now))
		is(t, err, storage.ErrNotFound)
	}
	ok(t, s.ApproveLogin(ctx(t), telling("second", 2, "over 20")))
	same(t, told(), storage.Told{Version: 2, Ledger: []byte("over 20")})
	ended := telling("of an ended session", 3, "over 65")
	ended.Grant.SessionID = "ended"
	is(t, s.ApproveLogin(ctx(t), ended), storage.ErrStale)
	same(t, told().Version, int64(2)) // what was not answered told nobody anything

	third := telling("", 3, "over 65").Told
	ok(t, s.Tell(ctx(t), "account", *third))
	is(t, s.Tell(ctx(t), "account", *third), storage.ErrStale)
	same(t, told(), storage.Told{Version: 3, Ledger: []byte("over 65")})

	elsewhere, err := s.Link(ctx(t), "account", "bank", bankSector)
	ok(t, err)
	same(t, elsewhere.Told, storage.Told{})
	_, err = s.Sweep(ctx(t), now.Add(time.Hour-time.Second))
	ok(t, err)
	same(t, told().Version, int64(3))
	_, err = s.Sweep(ctx(t), now.Add(time.Hour))
	ok(t, err)
	same(t, told(), storage.Told{})
}

// What one host of an owner is told counts at all of them, where the person has other subjects.
func toldOwner(t *testing.T, s storage.Store) {
	approved(t, s, "login", "account", "session")
	ok(t, s.Tell(ctx(t), "account", storage.Ledger{Sector: "owner.example", Told: storage.Told{Version: 1, Ledger: []byte("over 18"), Expires: now.Add(time.Hour)}}))
	for host, subject := range map[string]string{"shop.example": "subject of account", "a.owner.example": ""} {
		sector := storage.Sector{Subject: host, Owner: "owner.example"}
		link, err := s.Link(ctx(t), "account", "other", sector)
		ok(t, err)
		_, inSession, err := s.SessionLink(ctx(t), "session", "other", sector, now, time.Time{})
		ok(t, err)
		l := newLogin("login at " + host)
		ok(t, s.CreateLogin(ctx(t), l))
		returned := next(l, storage.Returned)
		returned.AccountID, returned.ClientID = "account", "other"
		back, err := s.ReturnLogin(ctx(t), l, returned, sector)
		ok(t, err)
		for _, got := range []storage.Link{link, inSession, back} {
			same(t, got, storage.Link{Subject: subject, Told: storage.Told{Version: 1, Ledger: []byte("over 18")}})
		}
	}
	link, err := s.Link(ctx(t), "account", "other", shopSector)
	ok(t, err)
	same(t, link.Told, storage.Told{})
}

// Many parallel answers in one sector cannot each believe that theirs is the first question.
func raceTold(t *testing.T, s storage.Store) {
	approved(t, s, "login", "account", "session")
	var wins sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := fmt.Sprintf("racer %d", i)
			if err := s.ApproveLogin(ctx(t), telling(id, 1, id)); err == nil {
				wins.Store(id, true)
			}
		})
	}
	all.Wait()
	var winners []string
	wins.Range(func(id, _ any) bool { winners = append(winners, id.(string)); return true })
	link, err := s.Link(ctx(t), "account", "shop", shopSector)
	ok(t, err)
	if len(winners) != 1 || string(link.Told.Ledger) != winners[0] {
		t.Errorf("winners %v, the ledger says %s", winners, link.Told.Ledger)
	}
}
