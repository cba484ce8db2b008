package claims

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseISO(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     error
	}{
		{"a plain day", "1990-01-02", nil},
		{"a leap day", "2008-02-29", nil},
		{"an unknown day", "1990-01-00", nil},
		{"an unknown month and day", "1990-00-00", nil},
		{"an unknown month with a known day", "1990-00-31", nil},
		{"nothing known", "0000-00-00", nil},
		{"29 February of an unknown year", "0000-02-29", nil},
		{"30 February of an unknown year", "0000-02-30", ErrDate},
		{"a leap day in a common year", "2007-02-29", ErrDate},
		{"a leap day in 1900", "1900-02-29", ErrDate},
		{"a leap day in 2000", "2000-02-29", nil},
		{"31 April", "1990-04-31", ErrDate},
		{"month 13", "1990-13-01", ErrDate},
		{"day 32 of an unknown month", "1990-00-32", ErrDate},
		{"slashes", "1990/01/02", ErrCharset},
		{"letters", "1990-0a-02", ErrCharset},
		{"a sign", "+990-01-02", ErrCharset},
		{"a full-width digit", "1990-01-0２", ErrCharset},
		{"no hyphens", "19900102", ErrLength},
		{"a time behind it", "1990-01-02T00", ErrLength},
		{"nothing", "", ErrLength},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseISO(tc.in)
			if !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if err == nil && got.ISO() != tc.in {
				t.Errorf("reads back as %s", got.ISO())
			}
		})
	}
}

func TestParseCardInfoBirth(t *testing.T) {
	for in, want := range map[string]error{
		"20080415": nil, "20080400": nil, "20080000": nil, "00000000": nil,
		"20080431": ErrDate, "20081301": ErrDate, "2008041": ErrLength, "420080415": ErrLength, "": ErrLength,
		"2008041x": ErrCharset, "２0080415": ErrCharset,
	} {
		if _, err := ParseCardInfoBirth(in); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", in, err, want)
		}
	}
}

// Day arithmetic of our own must agree with the standard library's calendar.
func TestEveryDayOfTheCalendarParses(t *testing.T) {
	for d := time.Date(1868, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2110; d = d.AddDate(0, 0, 1) {
		p, err := ParseCardInfoBirth(d.Format("20060102"))
		day, complete := p.Complete()
		if err != nil || !complete || day.ISO() != d.Format(time.DateOnly) {
			t.Fatalf("%s: %v", d.Format(time.DateOnly), err)
		}
	}
}

func anyDay(first, last int) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Date(rapid.IntRange(first, last).Draw(t, "year"), 1, 1+rapid.IntRange(0, 364).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
	})
}

func anyInstant(first, last int) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", rapid.IntRange(-12*3600, 14*3600).Draw(t, "zone"))
		second := rapid.Int64Range(0, 366*24*3600-1).Draw(t, "second")
		return anyDay(first, last).Draw(t, "instant").Add(time.Duration(second) * time.Second).In(zone)
	})
}

func TestAgeIsMonotoneAndJumpsOnlyAtMidnightJST(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		birth := iso(t, anyDay(1900, 2026).Draw(t, "birth").Format(time.DateOnly))
		rule := rapid.SampledFrom([]AgeRule{ByInstant, ByDay}).Draw(t, "rule")
		at := anyInstant(2027, 2110).Draw(t, "at")
		now, _, ok := rule.Ages(birth, at)
		later, _, ok2 := rule.Ages(birth, at.Add(time.Duration(rapid.Int64Range(0, 1e17).Draw(t, "wait"))))
		if !ok || !ok2 || later < now {
			t.Fatalf("age went from %d to %d", now, later)
		}
		local := at.In(jst)
		midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, jst)
		first, _, _ := rule.Ages(birth, midnight)
		last, _, _ := rule.Ages(birth, midnight.AddDate(0, 0, 1).Add(-1))
		if first != now || last != now {
			t.Fatalf("age changes inside the JST day: %d, %d, %d", first, now, last)
		}
	})
}

func TestEachAgeIsAttainedAtMidnightOfTheBirthday(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		born := anyDay(1900, 2020).Draw(t, "birth")
		birth := iso(t, born.Format(time.DateOnly))
		years := rapid.IntRange(1, 120).Draw(t, "years")
		// time.Date turns 29 February of a common year into 1 March, as the law does.
		birthday := time.Date(born.Year()+years, born.Month(), born.Day(), 0, 0, 0, 0, time.FixedZone("", 9*3600))
		if Attained(birth, years, birthday) != Yes || Attained(birth, years, birthday.Add(-1)) != No {
			t.Fatalf("born %s, %d years: not at midnight of the birthday", birth.ISO(), years)
		}
		eve := birthday.AddDate(0, 0, -1)
		if ByDay.Attained(birth, years, eve) != Yes || ByDay.Attained(birth, years, eve.Add(-1)) != No {
			t.Fatalf("born %s, %d years: by day not at midnight of the eve", birth.ISO(), years)
		}
	})
}

func TestLeapDayChildIsAsOldAsTheFirstOfMarchInCommonYears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		year := rapid.SampledFrom([]string{"1904", "1996", "2000", "2004", "2008", "2024"}).Draw(t, "year")
		at := anyInstant(2025, 2200).Filter(func(at time.Time) bool { return daysIn(at.In(jst).Year(), 2) == 28 }).Draw(t, "at")
		leap, _, _ := ByInstant.Ages(iso(t, year+"-02-29"), at)
		march, _, _ := ByInstant.Ages(iso(t, year+"-03-01"), at)
		if leap != march {
			t.Fatalf("%d and %d", leap, march)
		}
	})
}

func TestPartialDatesAnswerWhatEveryCandidateAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		year := rapid.IntRange(1990, 2012).Draw(t, "year")
		month := rapid.IntRange(0, 12).Draw(t, "month")
		day := rapid.IntRange(0, longestMonth(year, month)).Draw(t, "day")
		birth := PartialDate{year: year, month: month, day: day}
		rule := rapid.SampledFrom([]AgeRule{ByInstant, ByDay}).Draw(t, "rule")
		at := anyInstant(year, 2035).Draw(t, "at")

		youngest, oldest, found := 1000, -1, false
		for d := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
			fits := (month == 0 || int(d.Month()) == month) && (day == 0 || d.Day() == day)
			if !fits || d.Format(time.DateOnly) > at.In(jst).Format(time.DateOnly) {
				continue
			}
			age, _, _ := rule.Ages(iso(t, d.Format(time.DateOnly)), at)
			youngest, oldest, found = min(youngest, age), max(oldest, age), true
		}
		gotYoungest, gotOldest, ok := rule.Ages(birth, at)
		if ok != found || found && (gotYoungest != youngest || gotOldest != oldest) {
			t.Fatalf("%s at %s: %d to %d (%v), brute force %d to %d (%v)", birth.ISO(), at, gotYoungest, gotOldest, ok, youngest, oldest, found)
		}
		for _, years := range []int{18, 20} {
			want := Unknown
			switch {
			case found && youngest >= years:
				want = Yes
			case found && oldest < years:
				want = No
			}
			if got := rule.Attained(birth, years, at); got != want {
				t.Fatalf("%s at %s: %d years %d, brute force %d", birth.ISO(), at, years, got, want)
			}
		}
	})
}

func TestWhatCannotBeAnsweredIsUnknown(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, jst)
	for _, tc := range []struct{ name, birth string }{
		{"nothing known", "0000-00-00"},
		{"the year unknown", "0000-04-15"},
		{"born tomorrow", "2026-11-22"},
		{"born next year, month unknown", "2027-00-00"},
		{"eighteen this year, month unknown", "2008-00-00"},
		{"eighteen this month, day unknown", "2008-11-00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Attained(iso(t, tc.birth), 18, at); got != Unknown {
				t.Errorf("answer %d", got)
			}
		})
	}
	if got := Attained(iso(t, "2026-00-00"), 18, at); got != No {
		t.Errorf("a child of this year, month unknown: answer %d", got)
	}
	if got := Attained(iso(t, "1990-01-02"), 18, time.Time{}); got != Unknown {
		t.Errorf("a clock that was never set answers %d", got)
	}
}

func FuzzParseCertificateBirth(f *testing.F) {
	for _, s := range []string{"419900102", "319850000", "000000000", "419000229", "4１9900102", "620300101"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, _, err := ParseCertificateBirth(s)
		if err != nil {
			if p != (PartialDate{}) {
				t.Error("a refused text left a date")
			}
			return
		}
		if back := s[:1] + p.ISO()[:4] + p.ISO()[5:7] + p.ISO()[8:]; back != s {
			t.Errorf("%q reads back as %q", s, back)
		}
		if _, err := ParseISO(p.ISO()); err != nil {
			t.Error("an accepted date is not a date to ParseISO")
		}
	})
}

func FuzzParseCardInfoBirth(f *testing.F) {
	for _, s := range []string{"19900102", "19850000", "00000000", "19000229", "2008-4-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseCardInfoBirth(s)
		long, _, longErr := ParseCertificateBirth("0" + s)
		if p != long || !errors.Is(longErr, err) {
			t.Errorf("%q: %v, behind an era digit %v", s, err, longErr)
		}
	})
}
