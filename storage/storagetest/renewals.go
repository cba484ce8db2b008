package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/storage"
)

// known makes an account that a relying party knows, by a login with a card.
func known(t testing.TB, s storage.Store, serial, account string) {
	t.Helper()
	l := next(visit(t, s, "login of "+serial, serial, account, now), storage.Answered)
	ok(t, s.ApproveLogin(ctx(t), answer(&l, grant("grant of "+serial, l.AccountID, "session of "+serial))))
}

// renewal moves login to account, as after an answer that names previous.
func renewal(t testing.TB, s storage.Store, l storage.Login, serial, account string, previous ...string) storage.Renewal {
	t.Helper()
	ok(t, s.PutLinkConsent(ctx(t), consentOf(l)))
	moved := next(l, l.State)
	moved.AccountID = account
	r := storage.Renewal{Login: moved, From: l.AccountID, Index: hash(serial), Consent: consentOf(l), At: now}
	for _, p := range previous {
		r.Previous = append(r.Previous, hash(p))
	}
	return r
}

func renewMoves(t *testing.T, s storage.Store) {
	known(t, s, "old", "A")
	known(t, s, "of somebody else", "B")
	tab := visit(t, s, "tab", "new", "C", now)
	login := visit(t, s, "login", "new", "D", now)
	same(t, login.AccountID, "C")
	none, err := s.Predecessors(ctx(t), nil)
	ok(t, err)
	same(t, len(none), 0)
	before, err := s.Predecessors(ctx(t), [][]byte{hash("old"), hash("nobody's"), hash("new")}) // C is known to nobody
	ok(t, err)
	same(t, len(before), 1)

	r := renewal(t, s, login, "new", "A", "old", "nobody's")
	ok(t, s.Renew(ctx(t), r))
	stored, err := s.Login(ctx(t), "login")
	ok(t, err)
	same(t, stored, r.Login)
	other, err := s.Login(ctx(t), "tab")
	ok(t, err)
	same(t, other.AccountID, "A")
	same(t, other.Version, tab.Version+1)
	consents, err := s.LinkConsents(ctx(t), "A")
	ok(t, err)
	same(t, len(consents) == 1 && consents[0].TakenOver, true)
	cards, err := s.Cards(ctx(t), "A")
	ok(t, err)
	same(t, len(cards) == 1 && string(cards[0].Card) == "new", true)
	same(t, visit(t, s, "again", "new", "E", now).AccountID, "A")
	link, err := s.Link(ctx(t), "A", "shop", shopSector)
	ok(t, err)
	same(t, link.Subject, "subject of A")

	newest := visit(t, s, "newest login", "newest", "F", now)
	ok(t, s.Renew(ctx(t), renewal(t, s, newest, "newest", "A", "new", "old")))
	same(t, visit(t, s, "last", "newest", "G", now).AccountID, "A")
	same(t, due(t, s, now.Add(time.Hour)), []string(nil)) // the sessions are idle
}

func renewStale(t *testing.T, s storage.Store) {
	known(t, s, "old", "A")
	known(t, s, "of somebody else", "B")
	fresh := func(name string) storage.Login { return visit(t, s, name, name, name, now) }
	for _, attempt := range []struct {
		name string
		make func(l storage.Login) storage.Renewal
	}{
		{"nothing before it", func(l storage.Login) storage.Renewal { return renewal(t, s, l, l.ID, "A") }},
		{"an account that was not named", func(l storage.Login) storage.Renewal { return renewal(t, s, l, l.ID, "B", "old") }},
		{"two people's accounts", func(l storage.Login) storage.Renewal { return renewal(t, s, l, l.ID, "A", "old", "of somebody else") }},
		{"a login that has moved", func(l storage.Login) storage.Renewal {
			r := renewal(t, s, l, l.ID, "A", "old")
			r.Login.Version++
			return r
		}},
		{"another account's card", func(l storage.Login) storage.Renewal { return renewal(t, s, l, "of somebody else", "A", "old") }},
		{"itself", func(l storage.Login) storage.Renewal { return renewal(t, s, l, l.ID, l.AccountID, l.ID) }},
	} {
		l := fresh(attempt.name)
		is(t, s.Renew(ctx(t), attempt.make(l)), storage.ErrStale)
		stored, err := s.Login(ctx(t), l.ID)
		ok(t, err)
		same(t, stored, l)
		same(t, visit(t, s, l.ID+" again", l.ID, "X", now).AccountID, l.ID)
	}
	known(t, s, "known by now", "C")
	l := visit(t, s, "late", "known by now", "X", now)
	is(t, s.Renew(ctx(t), renewal(t, s, l, "known by now", "A", "old")), storage.ErrStale)

	ok(t, s.Renew(ctx(t), renewal(t, s, fresh("newer"), "newer", "A", "old")))
	is(t, s.Renew(ctx(t), renewal(t, s, fresh("thief"), "thief", "A", "old")), storage.ErrStale) // its owner has a newer card
}

func raceRenew(t *testing.T, s storage.Store) {
	known(t, s, "old", "A")
	tabs := make([]storage.Renewal, 8)
	for i := range tabs {
		tabs[i] = renewal(t, s, visit(t, s, fmt.Sprint("tab ", i), "new", "N", now), "new", "A", "old")
	}
	errs := race(len(tabs), func(i int) error { return s.Renew(ctx(t), tabs[i]) })
	same(t, winners(t, errs, storage.ErrStale), 1)
	same(t, visit(t, s, "after", "new", "X", now).AccountID, "A")
	link, err := s.Link(ctx(t), "N", "shop", shopSector)
	ok(t, err)
	same(t, link, storage.Link{New: true})
}

// ledgerOf is the ledger of an account and the sector shop.example.
func ledgerOf(version int64, text string) storage.Ledger {
	return storage.Ledger{Sector: "shop.example", Told: storage.Told{Version: version, Ledger: []byte(text), Expires: now.Add(time.Hour)}}
}

// What a new account has begun goes along: its ledgers, which the caller merges, its history and how long that is kept.
func renewInherits(t *testing.T, s storage.Store) {
	known(t, s, "old", "A")
	ok(t, s.Tell(ctx(t), "A", ledgerOf(1, "over 18")))
	fresh := func(card string) storage.Login {
		l := visit(t, s, "login with "+card, card, "account of "+card, now)
		ok(t, s.Tell(ctx(t), l.AccountID, ledgerOf(1, "over 20")))
		ok(t, s.AddRelease(ctx(t), storage.Release{ID: "release of " + card, AccountID: l.AccountID, ClientID: "shop", At: now, Outcome: storage.Declined}))
		return l
	}
	told := func(account string) storage.Told {
		link, err := s.Link(ctx(t), account, "shop", shopSector)
		ok(t, err)
		return link.Told
	}
	bare := renewal(t, s, fresh("one"), "one", "A", "old")
	is(t, s.Renew(ctx(t), bare), storage.ErrStale) // a ledger would be lost
	for _, wrong := range []storage.Merged{
		{Ledger: ledgerOf(2, "both"), Gone: 2}, {Ledger: ledgerOf(3, "both"), Gone: 1}, {Ledger: ledgerOf(1, "both"), Gone: 1},
	} {
		attempt := bare
		attempt.Told = []storage.Merged{wrong}
		is(t, s.Renew(ctx(t), attempt), storage.ErrStale)
		same(t, string(told(bare.From).Ledger)+" "+string(told("A").Ledger), "over 20 over 18")
	}
	for version, card := range []string{"one", "two"} {
		r := bare
		if card == "two" {
			r = renewal(t, s, fresh("two"), "two", "A", "old", "one")
			ok(t, s.Tell(ctx(t), r.From, storage.Ledger{Sector: "bank.example", Told: storage.Told{Version: 1, Ledger: []byte("bank"), Expires: now}}))
			r.Told = []storage.Merged{{Ledger: storage.Ledger{Sector: "bank.example", Told: storage.Told{Version: 1, Ledger: []byte("bank's"), Expires: now.Add(time.Hour)}}, Gone: 1}}
		}
		ok(t, s.Keep(ctx(t), r.From, storage.KeepDays[version+1], now))
		r.Told = append(r.Told, storage.Merged{Ledger: ledgerOf(int64(version)+2, "both"), Gone: 1})
		ok(t, s.Renew(ctx(t), r))
		same(t, told("A"), storage.Told{Version: int64(version) + 2, Ledger: []byte("both")})
		same(t, told(r.From), storage.Told{})
		days, err := s.Kept(ctx(t), "A")
		ok(t, err)
		same(t, days, storage.KeepDays[version+1])
		history, err := s.Releases(ctx(t), "A")
		ok(t, err)
		same(t, len(history), version+1)
	}
	all, err := s.Ledgers(ctx(t), "A")
	ok(t, err)
	same(t, all, []storage.Ledger{{Sector: "bank.example", Told: storage.Told{Version: 1, Ledger: []byte("bank's"), Expires: now.Add(time.Hour)}}, ledgerOf(3, "both")})
}

// peopleStayApart: people log in, renew their cards and say so, or go on without, in any order, and the authority names
// whatever it likes as their former cards: themselves, in circles, nobody's, those that others had before. Nobody ever
// gets an account in which somebody else has been.
func peopleStayApart(t *testing.T, s storage.Store) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w := &crowdOfCards{t: t, s: s, run: run, owner: map[string]int{}, present: map[string]int{}}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			who := rapid.IntRange(0, 2).Draw(rt, "who")
			if rapid.Bool().Draw(rt, "renews") {
				w.renew(rt, who)
			}
			w.login(rt, who)
		}
	})
}

// crowdOfCards is three people with a pile of cards each, the last one of which is good.
type crowdOfCards struct {
	t      *testing.T
	s      storage.Store
	run    int
	logins int
	cards  [3][]string
	owner  map[string]int // by account: who has been in it
	// present says whose account a card still opens, as 1, 2 or 3.
	present map[string]int
}

// renew gives somebody a new card, whom the store sees at once: a card that nobody has seen cannot protect its owner.
func (w *crowdOfCards) renew(rt *rapid.T, who int) {
	w.cards[who] = append(w.cards[who], fmt.Sprint(w.run, " ", who, " ", len(w.cards[who])))
	if len(w.cards[who]) == 1 {
		return
	}
	l := w.verify(who)
	if w.owner[l.AccountID] != 0 {
		rt.Fatalf("a new card opens an account that is there already")
	}
	var previous []string
	honest := rapid.Bool().Draw(rt, "honest")
	if honest {
		previous = slices.Clone(w.cards[who][:len(w.cards[who])-1])
		slices.Reverse(previous)
	} else {
		previous = rapid.SliceOfN(rapid.SampledFrom(slices.Concat(w.cards[0], w.cards[1], w.cards[2], []string{"nobody's"})), 0, 5).Draw(rt, "previous")
		// That a card which opens somebody else's account is dead is for its authority to say: the caller asks it before.
		previous = slices.DeleteFunc(previous, func(p string) bool { return w.present[p] != 0 && w.present[p] != who+1 })
	}
	w.takeOver(rt, who, l, previous)
}

func (w *crowdOfCards) takeOver(rt *rapid.T, who int, l storage.Login, previous []string) {
	var indexes [][]byte
	for _, p := range previous {
		indexes = append(indexes, hash(p))
	}
	present, err := w.s.Predecessors(ctx(w.t), indexes)
	ok(w.t, err)
	account, fits := storage.Earlier(present, indexes)
	if !fits {
		return
	}
	if was := w.owner[account]; was != who+1 {
		rt.Fatalf("%d takes over the account of %d", who+1, was)
	}
	ok(w.t, w.s.Renew(ctx(w.t), renewal(w.t, w.s, l, w.last(who), account, previous...)))
	for _, p := range previous {
		delete(w.present, p)
	}
}

func (w *crowdOfCards) last(who int) string { return w.cards[who][len(w.cards[who])-1] }

func (w *crowdOfCards) verify(who int) storage.Login {
	w.logins++
	id := fmt.Sprint("login ", w.run, " ", w.logins)
	return visit(w.t, w.s, id, w.last(who), "account of "+id, now)
}

// login is a whole login with somebody's last card.
func (w *crowdOfCards) login(rt *rapid.T, who int) {
	if len(w.cards[who]) == 0 {
		w.renew(rt, who)
	}
	l := next(w.verify(who), storage.Answered)
	if was := w.owner[l.AccountID]; was != 0 && was != who+1 {
		rt.Fatalf("%d is in the account of %d", who+1, was)
	}
	w.owner[l.AccountID], w.present[w.last(who)] = who+1, who+1
	link, err := w.s.Link(ctx(w.t), l.AccountID, "shop", shopSector)
	ok(w.t, err)
	a := answer(&l, grant("grant of "+l.ID, l.AccountID, "session of "+l.ID))
	if link.Subject != "" {
		a.Sector = ""
	}
	ok(w.t, w.s.ApproveLogin(ctx(w.t), a))
}
