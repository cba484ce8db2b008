package jpkitest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/authn/cardtest"
)

func born(date string) cardtest.Persona { return cardtest.Persona{Birthdate: date} }

func inJapan(text string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, text, jst)
	if err != nil {
		panic(err)
	}
	return t
}

func TestCertificatesEndWithTheFifthBirthday(t *testing.T) {
	for _, tc := range []struct{ name, birth, issued, want string }{
		{"as on the published test card", "1980-02-17", "2025-10-27 12:00:00", "2030-02-17 23:59:59"},
		{"issued the day before a birthday", "1980-02-17", "2025-02-16 12:00:00", "2029-02-17 23:59:59"},
		{"issued on a birthday, which does not count", "1980-02-17", "2025-02-17 00:00:00", "2030-02-17 23:59:59"},
		{"issued in the last second of a birthday", "1980-02-17", "2025-02-17 23:59:59", "2030-02-17 23:59:59"},
		{"issued the day after a birthday", "1980-02-17", "2025-02-18 00:00:00", "2030-02-17 23:59:59"},
		{"born on 29 February, ending in a common year", "2008-02-29", "2025-07-01 12:00:00", "2030-02-28 23:59:59"},
		{"born on 29 February, ending in a leap year", "2008-02-29", "2023-07-01 12:00:00", "2028-02-29 23:59:59"},
		{"born on 29 February, issued on the 28th of a common year", "2008-02-29", "2025-02-28 12:00:00", "2030-02-28 23:59:59"},
		{"born on an unknown day", "1950-03-00", "2025-07-01 12:00:00", "2030-03-01 23:59:59"},
		{"born in an unknown month", "1950-00-00", "2025-07-01 12:00:00", "2030-01-01 23:59:59"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := validUntil(born(tc.birth), inJapan(tc.issued)); !got.Equal(inJapan(tc.want)) {
				t.Fatalf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// Whenever somebody was born and the card was issued: the end is later than four years and at most five, to the day.
func TestValidityIsBetweenFourAndFiveYears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		birth := time.Date(1930, 1, 1, 0, 0, 0, 0, jst).AddDate(0, 0, rapid.IntRange(0, 33000).Draw(t, "born"))
		issued := time.Date(2016, 1, 1, 0, 0, 0, 0, jst).Add(time.Duration(rapid.Int64Range(0, 30*365*24*3600).Draw(t, "issued")) * time.Second)
		until := validUntil(born(birth.Format(time.DateOnly)), issued)
		if !until.After(issued.AddDate(4, 0, -1)) || until.After(endOfDay(issued).AddDate(5, 0, 0)) {
			t.Fatalf("born %v, issued %v, valid until %v", birth, issued, until)
		}
		if until.UTC().Format(time.TimeOnly) != "14:59:59" {
			t.Fatalf("ends at %v", until.UTC())
		}
	})
}

func TestIssueDate(t *testing.T) {
	now := inJapan("2026-07-01 12:00:00")
	expired := born("1961-10-10")
	expired.Status = cardtest.Expired
	for _, tc := range []struct {
		name string
		p    cardtest.Persona
		want string
	}{
		{"an adult got hers a year ago", born("1990-04-01"), "2025-07-01 12:00:00"},
		{"an expired one was issued six years ago", expired, "2020-07-01 12:00:00"},
		{"a baby got it an hour ago", born("2026-02-03"), "2026-07-01 11:00:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			issued := issuedAt(tc.p, now)
			if !issued.Equal(inJapan(tc.want)) {
				t.Fatalf("got %v", issued)
			}
			if ended := validUntil(tc.p, issued).Before(now); ended != (tc.p.Status == cardtest.Expired) {
				t.Fatalf("ended: %v", ended)
			}
		})
	}
}

func TestAgeCountsInJapan(t *testing.T) {
	for _, tc := range []struct {
		birth, now string
		want       int
	}{
		{"2011-07-01", "2026-06-30 23:59:59", 14},
		{"2011-07-01", "2026-07-01 00:00:00", 15},
		{"2011-00-00", "2026-01-01 00:00:00", 15},
		{"2008-02-29", "2026-02-27 23:59:59", 17},
		{"2008-02-29", "2026-03-01 00:00:00", 18},
	} {
		if got := age(born(tc.birth), inJapan(tc.now).UTC()); got != tc.want {
			t.Errorf("born %s, at %s: %d, want %d", tc.birth, tc.now, got, tc.want)
		}
	}
}

func TestBirthInTheCertificateHasItsEra(t *testing.T) {
	for birth, want := range map[string]string{
		"1868-01-01": "018680101", "1868-02-01": "118680201", "1912-07-29": "119120729", "1912-07-30": "219120730",
		"1926-12-24": "219261224", "1926-12-25": "319261225", "1980-02-17": "319800217", "1989-01-07": "319890107",
		"1989-01-08": "419890108", "2019-04-30": "420190430", "2019-05-01": "520190501",
		"1950-00-00": "319500000", "1950-06-00": "319500600", "1989-00-00": "019890000", "1989-01-00": "019890100",
		"1989-02-00": "419890200", "2019-00-00": "020190000", "2019-05-00": "520190500",
	} {
		if got := eraBirth(born(birth)); got != want {
			t.Errorf("%s: %s, want %s", birth, got, want)
		}
	}
}
