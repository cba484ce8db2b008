package jpkitest

import (
	"strings"
	"time"

	"tegata/authn/cardtest"
)

// issuedAt is when a persona's certificates were made: a year ago, or six for somebody whose
// certificates have expired. Somebody born since then got them an hour ago.
func issuedAt(p cardtest.Persona, now time.Time) time.Time {
	now = now.In(jst).Truncate(time.Second)
	issued := now.AddDate(-1, 0, 0)
	switch {
	case p.Status == cardtest.Expired:
		return now.AddDate(-6, 0, 0)
	case birthday(p, 0).After(issued):
		return now.Add(-time.Hour)
	}
	return issued
}

// validUntil is the last second of the fifth birthday after the issue (card.md 2.4). A birthday on the
// day of issue does not count.
func validUntil(p cardtest.Persona, issued time.Time) time.Time {
	year := issued.In(jst).Year()
	if !birthday(p, year).After(endOfDay(issued)) {
		year++
	}
	return endOfDay(birthday(p, year+4))
}

// birthday is midnight in Japan on a persona's birthday in a year; year 0 is that of the birth.
// An unknown month or day counts as the first. Whoever was born on 29 February has it on the 28th in
// common years, when by law a year of age is completed (Act on Calculation of Ages).
func birthday(p cardtest.Persona, year int) time.Time {
	digits := p.BirthDigits()
	if year == 0 {
		year = number(digits[:4])
	}
	month, day := time.Month(max(1, number(digits[4:6]))), max(1, number(digits[6:8]))
	date := time.Date(year, month, day, 0, 0, 0, 0, jst)
	if date.Day() != day {
		return date.AddDate(0, 0, -1)
	}
	return date
}

// age in full years, for the rule that signature certificates begin at 15 (R24).
func age(p cardtest.Persona, now time.Time) int {
	years := now.In(jst).Year() - birthday(p, 0).Year()
	if now.Before(birthday(p, now.In(jst).Year())) {
		years--
	}
	return years
}

// eras begin on these days of the Gregorian calendar; the digit is the certificate's (card.md 2.3).
var eras = []struct {
	from  string
	digit string
}{{"20190501", "5"}, {"19890108", "4"}, {"19261225", "3"}, {"19120730", "2"}, {"18680125", "1"}}

// eraBirth is the birth date as the signature certificate has it: an era digit, then YYYYMMDD. If the
// unknown part of a date decides the era, the era is unknown too.
func eraBirth(p cardtest.Persona) string {
	digits := p.BirthDigits()
	month, day := digits[4:6], digits[6:8]
	earliest := digits[:4] + otherwise(month, "01") + otherwise(day, "01")
	latest := digits[:4] + otherwise(month, "12") + otherwise(day, "31")
	if era(earliest) != era(latest) {
		return "0" + digits
	}
	return era(earliest) + digits
}

func era(digits string) string {
	for _, e := range eras {
		if strings.Compare(digits, e.from) >= 0 {
			return e.digit
		}
	}
	return "0"
}

func otherwise(part, known string) string {
	if part == "00" {
		return known
	}
	return part
}

// number reads digits that the persona's loader has checked.
func number(digits string) int {
	n := 0
	for _, r := range digits {
		n = 10*n + int(r-'0')
	}
	return n
}
