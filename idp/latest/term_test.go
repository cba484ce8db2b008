package latest_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/claims"
	"tegata/idp/latest"
	"tegata/storage"
)

var jst = time.FixedZone("JST", 9*60*60)

func at(t interface{ Fatal(...any) }, text string) time.Time {
	when, err := time.ParseInLocation(time.DateTime, text, jst)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestAConsentCountsTenYearsFromTheNextDayInJapan(t *testing.T) {
	for _, c := range []struct{ name, given, last string }{
		{"an ordinary day", "2026-11-21 12:00:00", "2036-11-21"},
		{"the first second of a day", "2026-11-21 00:00:00", "2036-11-21"},
		{"the last second of a day", "2026-11-21 23:59:59", "2036-11-21"},
		{"the end of a year", "2026-12-31 12:00:00", "2036-12-31"},
		{"the day before the leap day: the tenth year has none", "2028-02-28 12:00:00", "2038-02-28"},
		{"the leap day", "2028-02-29 12:00:00", "2038-02-28"},
		{"the end of February, ten years before a leap year", "2026-02-28 12:00:00", "2036-02-29"},
		{"the day before that", "2026-02-27 12:00:00", "2036-02-27"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ends := latest.Ends(at(t, c.given))
			if got := latest.LastDay(ends).Format(time.DateOnly); got != c.last {
				t.Errorf("the last day is %s, want %s", got, c.last)
			}
			if want := at(t, c.last+" 00:00:00").AddDate(0, 0, 1); !ends.Equal(want) {
				t.Errorf("it ends at %s, want %s", ends, want)
			}
		})
	}
}

func TestTheTermIsTheSameWhereverTheClockStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "given"), 0)
		ends := latest.Ends(given)
		if !ends.Equal(latest.Ends(given.UTC())) || !ends.Equal(latest.Ends(given.In(time.FixedZone("", -11*3600)))) {
			t.Fatal("the zone of the clock counts")
		}
		if s := ends.In(jst); s.Hour() != 0 || s.Minute() != 0 || s.Second() != 0 {
			t.Fatalf("it ends within a day: %s", s)
		}
		if years := ends.Sub(given).Hours() / 24 / 365.2425; years < 9.99 || years > 10.02 {
			t.Fatalf("%f years", years)
		}
		later := given.Add(time.Duration(rapid.Int64Range(0, 400*24).Draw(t, "hours")) * time.Hour)
		if latest.Ends(later).Before(ends) {
			t.Fatal("who agrees later is bound for less long")
		}
	})
}

func TestThePersonHearsOfTheEndInTheLastNinetyDays(t *testing.T) {
	ends := latest.Ends(at(t, "2026-11-21 12:00:00"))
	for _, c := range []struct {
		name string
		at   time.Time
		near bool
	}{
		{"a second before the ninety days", ends.Add(-90*24*time.Hour - time.Second), false},
		{"ninety days before", ends.Add(-90 * 24 * time.Hour), true},
		{"the last second", ends.Add(-time.Second), true},
		{"after the end", ends.Add(time.Hour), true},
	} {
		if latest.Near(ends, c.at) != c.near {
			t.Errorf("%s: near is %v", c.name, !c.near)
		}
	}
}

func TestWhoIsAsked(t *testing.T) {
	now := at(t, "2026-11-21 12:00:00")
	yes := storage.LatestConsent{Items: []string{"name"}, ExpiresAt: latest.Ends(now)}
	no := storage.LatestConsent{Refused: true, ExpiresAt: now}
	old := storage.LatestConsent{Items: []string{"name"}, ExpiresAt: now.Add(89 * 24 * time.Hour)}
	over := storage.LatestConsent{Items: []string{"name"}, ExpiresAt: now}
	name, more := []claims.Item{claims.ItemName}, []claims.Item{claims.ItemName, claims.ItemAddress}
	for _, c := range []struct {
		what     string
		standing *storage.LatestConsent
		items    []claims.Item
		anew     bool
		want     bool
	}{
		{"nobody is asked about nothing", nil, nil, true, false},
		{"who was never asked is", nil, name, false, true},
		{"who said no is not", &no, name, false, false},
		{"not even about more", &no, more, false, false},
		{"unless the site asks anew", &no, name, true, true},
		{"who said yes is not", &yes, name, false, false},
		{"not even anew", &yes, name, true, false},
		{"unless it is more", &yes, more, false, true},
		{"whose yes ends soon is", &old, name, false, true},
		{"whose yes has ended is", &over, name, false, true},
	} {
		if got := latest.Asks(c.standing, c.items, c.anew, now); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

func TestNoAgeAndNothingUnregisteredIsTold(t *testing.T) {
	c := storage.Client{Scopes: []string{"openid", "name", "age_over_18", "address"}}
	got := latest.Items(c, []claims.Item{claims.ItemName, claims.ItemAgeOver18, claims.ItemBirthdate})
	if len(got) != 1 || got[0] != claims.ItemName {
		t.Errorf("%v", got)
	}
}
