package idp_test

import (
	"strings"
	"testing"
	"time"

	"tegata/claims"
	"tegata/idp"
	"tegata/storage"
)

// asking is a client that asks for ages, and knows nobody twice unless it is pairwise. All of them are one sector.
func asking(id, subjects string, ages ...string) storage.Client {
	c := shopOf(id)
	c.Sector, c.SubjectType, c.Scopes = "shops.example", subjects, append([]string{"openid"}, ages...)
	return c
}

// hears says whether a relying party is told of an age when it asks with a card.
func (d *desk) hears(c storage.Client, card string, renewed bool) bool {
	d.t.Helper()
	d.card = card
	step, b := d.returned(c)
	if renewed {
		must(d.t, d.p.TakeOver(d.t.Context(), step.Login.ID, b))
		var err error
		step, err = d.p.Resume(d.t.Context(), step.Login.ID, b)
		must(d.t, err)
	}
	if step.Show == idp.ShowConsent {
		step = d.agree(step, b)
	}
	_, told := d.answered(c, step, b)
	return strings.Contains(told, "age_over_")
}

func (d *desk) agree(step idp.Step, b idp.Browser) idp.Step {
	d.t.Helper()
	var all []string
	for _, o := range step.Offers {
		all = append(all, string(o.Item))
	}
	step, err := d.p.Approve(d.t.Context(), step.Login.ID, b, idp.Decision{Items: all})
	must(d.t, err)
	return step
}

func born(t testing.TB, date string) []byte {
	t.Helper()
	p, err := claims.FromCertificate(claims.CertificateFields{Name: "試験", Sex: "1", Birth: "0" + date, Address: "東京都"})
	must(t, err)
	return p.Encode()
}

// A sector asks under the old card, then under the new one before its holder says that it was renewed, at clients that know
// nobody twice. All of it counts as asked of one person.
func TestARenewalKeepsWhatWasTold(t *testing.T) {
	d := openDesk(t, 7)
	d.facts = born(t, "20081121") // eighteen today
	shop, bar, club := asking("shop", "pairwise", "age_over_18"), asking("bar", "transient", "age_over_20"), asking("club", "transient", "age_over_16")
	if !d.hears(shop, "old", false) || !d.hears(bar, "new", false) {
		t.Fatal("the first two questions are not answered")
	}
	if !d.hears(club, "somebody else's", false) {
		t.Fatal("a first question of another kind is not answered")
	}
	d.before = func(string) []string { return []string{"old"} }
	d.hears(shop, "new", true)
	if d.hears(club, "new", false) {
		t.Error("a renewed card makes room for a third threshold")
	}
	if !d.hears(shop, "new", false) || !d.hears(bar, "new", false) {
		t.Error("what was answered before is not any more")
	}
}

// Somebody is asked day by day until a "no" becomes a "yes": a renewed card does not begin the count again.
func TestARenewalKeepsTheDaysWithANo(t *testing.T) {
	d := openDesk(t, 8)
	d.facts = born(t, "20090101")
	shop, bar := asking("shop", "pairwise", "age_over_18"), asking("bar", "transient", "age_over_18")
	d.before = func(string) []string { return []string{"old"} }
	for day, try := range []struct {
		c       storage.Client
		card    string
		renewed bool
		heard   bool
	}{
		{shop, "old", false, true}, {bar, "old", false, true}, {bar, "new", false, true},
		{shop, "new", true, false}, // the fourth day of one person
		{bar, "new", false, false},
	} {
		if got := d.hears(try.c, try.card, try.renewed); got != try.heard {
			t.Errorf("on day %d: heard %v", day, got)
		}
		d.now = d.now.AddDate(0, 0, 1)
	}
	d.now = d.now.AddDate(0, 0, 30)
	if !d.hears(shop, "new", false) {
		t.Error("a month later she is still not heard of")
	}
}

// The new account's history and its ledgers are the person's own, so they are in her export and go when she goes.
func TestARenewalKeepsTheHistory(t *testing.T) {
	d := openDesk(t, 9)
	d.facts = born(t, "19900401")
	shop, bar := asking("shop", "pairwise", "age_over_18"), asking("bar", "transient", "age_over_18")
	d.hears(shop, "old", false)
	d.hears(bar, "new", false)
	d.before = func(string) []string { return []string{"old"} }
	d.card = "new"
	step, b := d.returned(shop)
	from := step.Login.AccountID
	must(t, d.p.TakeOver(t.Context(), step.Login.ID, b))
	step, err := d.p.Resume(t.Context(), step.Login.ID, b)
	must(t, err)
	history, err := d.p.Store.Releases(t.Context(), step.Login.AccountID)
	must(t, err)
	if len(history) != 2 {
		t.Errorf("%d entries", len(history))
	}
	for _, account := range []string{from, step.Login.AccountID} {
		ledgers, err := d.p.Store.Ledgers(t.Context(), account)
		if err != nil || (len(ledgers) == 1) != (account != from) {
			t.Errorf("%d ledgers, %v", len(ledgers), err)
		}
	}
	if step.Show != idp.ShowConsent {
		t.Error("the login does not go on")
	}
}

// An owner who spreads its questions over the hosts of its domain asks as one.
func TestTheHostsOfOneOwnerAskAsOne(t *testing.T) {
	d := openDesk(t, 10)
	d.facts = born(t, "19900401")
	at := func(host, owner, age string) storage.Client {
		c := asking(strings.ReplaceAll(host+age, "_", "-"), "pairwise", age)
		c.Sector, c.Owner = host, owner
		return c
	}
	for _, tc := range []struct {
		c     storage.Client
		heard bool
	}{
		{at("a.shops.example", "shops.example", "age_over_18"), true},
		{at("b.shops.example", "shops.example", "age_over_20"), true},
		{at("c.shops.example", "shops.example", "age_over_65"), false},
		{at("shops.example", "", "age_over_65"), false},
		{at("a.shops.example", "shops.example", "age_over_60"), false},
		{at("c.others.example", "others.example", "age_over_65"), true},
	} {
		if got := d.hears(tc.c, "card", false); got != tc.heard {
			t.Errorf("%s: heard %v", tc.c.ID, got)
		}
	}
}

// A birthdate without its day is decided on one day of the month, which a sector that asks every day would see.
func TestAnAgeThatIsNotDecidedIsWatchedToo(t *testing.T) {
	for _, subjects := range []string{"pairwise", "transient"} {
		d := openDesk(t, 11)
		d.facts = born(t, "20081100") // eighteen on the thirtieth at the latest
		shop := asking("shop", subjects, "age_over_18")
		for _, tc := range []struct {
			later int // days
			heard bool
		}{{0, false}, {1, false}, {1, false}, {7, false}, {1, false}, {30, true}, {0, true}} {
			d.now = d.now.AddDate(0, 0, tc.later)
			if got := d.hears(shop, "card", false); got != tc.heard {
				t.Errorf("%s, on %s: heard %v", subjects, d.now.Format(time.DateOnly), got)
			}
		}
	}
}
