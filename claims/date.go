package claims

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Why a birthdate was not read. The texts never quote the input.
var (
	ErrLength  = errors.New("claims: birthdate has the wrong length")
	ErrCharset = errors.New("claims: birthdate holds something other than ASCII digits")
	ErrEra     = errors.New("claims: birthdate names an era that is not assigned")
	ErrDate    = errors.New("claims: birthdate is not a day of the calendar")
)

// Date is a day of the Gregorian calendar without time or zone. A birthdate is never a time.Time: four
// midnights of 1948 to 1951 do not exist in the tz database's Tokyo. The zero Date is no day.
type Date struct {
	hidden
	year, month, day int
}

// ISO gives YYYY-MM-DD. Call it only where the date is meant to be shown or sent.
func (d Date) ISO() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

// number orders dates: 2008-04-15 is 20080415.
func (d Date) number() int { return d.year*10000 + d.month*100 + d.day }

// PartialDate is a birthdate as the register has it: year, month or day may be unknown (0), as for some
// people born abroad. The zero PartialDate knows nothing.
type PartialDate struct {
	hidden
	year, month, day int
}

// ISO gives YYYY-MM-DD with zeros for unknown parts. Such a text is for the sealed column, not for a claim.
func (p PartialDate) ISO() string { return Date{year: p.year, month: p.month, day: p.day}.ISO() }

// Complete gives the day when all three parts are known.
func (p PartialDate) Complete() (Date, bool) {
	if p.year == 0 || p.month == 0 || p.day == 0 {
		return Date{}, false
	}
	return Date{year: p.year, month: p.month, day: p.day}, true
}

// candidates gives the earliest and the latest day that p can mean; false when the year is unknown.
// An unknown month with a known day spans January to December, which both have every day.
func (p PartialDate) candidates() (first, last Date, ok bool) {
	first = Date{year: p.year, month: p.month, day: p.day}
	last = first
	if p.month == 0 {
		first.month, last.month = 1, 12
	}
	if p.day == 0 {
		first.day, last.day = 1, daysIn(last.year, last.month)
	}
	return first, last, p.year != 0
}

// ParseISO reads YYYY-MM-DD; 0000 and 00 stand for unknown parts.
func ParseISO(s string) (PartialDate, error) {
	switch {
	case utf8.RuneCountInString(s) != len("YYYY-MM-DD"):
		return PartialDate{}, ErrLength
	case len(s) != len("YYYY-MM-DD") || s[4] != '-' || s[7] != '-':
		return PartialDate{}, ErrCharset
	}
	return parseDigits(s[:4] + s[5:7] + s[8:])
}

// parseDigits reads YYYYMMDD with zeros for unknown parts. The digits are ASCII: a signed field that says
// otherwise is refused, not normalised.
func parseDigits(s string) (PartialDate, error) {
	if utf8.RuneCountInString(s) != len("YYYYMMDD") {
		return PartialDate{}, ErrLength
	}
	if !allDigits(s) {
		return PartialDate{}, ErrCharset
	}
	p := PartialDate{year: number(s[:4]), month: number(s[4:6]), day: number(s[6:])}
	if p.month > 12 || p.day > longestMonth(p.year, p.month) {
		return PartialDate{}, ErrDate
	}
	return p, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func number(digits string) int {
	n := 0
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}

// longestMonth gives the highest day that a month can have when year or month may be unknown.
func longestMonth(year, month int) int {
	switch {
	case month == 0:
		return 31
	case year == 0:
		return daysIn(2000, month)
	}
	return daysIn(year, month)
}

// daysIn uses that day 0 of the next month is the last day of this one.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
