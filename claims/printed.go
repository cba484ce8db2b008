package claims

import (
	_ "embed"
	"errors"
	"regexp"
	"strings"
	"unicode"
)

// ErrPrinted: a text is in none of the forms in which birthdates are printed. It never quotes the input.
var ErrPrinted = errors.New("claims: not a printed birthdate")

// eraLines has the names of an era in each line, in the order of the era digits: in full, as one sign, as a letter.
//
//go:embed eras.txt
var eraLines string

// firstYears are the years before the first of each era: Heisei 2 is 1988 + 2.
var firstYears = [...]int{0: 0, 1: 1867, 2: 1911, 3: 1925, 4: 1988, 5: 2018}

// newCalendar is when Japan began to count days as certificates do. What is printed of the time before is another calendar's.
const newCalendar = 18730101

// printedForm is a year, which the first of an era may write as a word (gan), month and day, each with its unit or all of
// them with one of the usual marks; at the end nen, tsuki or hi without a number and a word for unknown.
var printedForm = regexp.MustCompile(`^(\d{1,4}|\x{5143})(?:[./-](\d{1,2})[./-](\d{1,2})|` +
	`\x{5e74}(?:(\d{1,2})\x{6708})?(?:(\d{1,2})\x{65e5})?(\x{6708}?\x{65e5}?\x{4e0d}[\x{8a73}\x{660e}])?)$`)

// ParsePrintedBirth reads a birthdate as cards and registers print it: Heisei 2-10-10 or 1990-10-10 with the signs for year,
// month and day, in digits of any width, with spaces where they stand. A day outside of its era is refused and not mapped
// to the next one: somebody has made a mistake, and it may be in the day. Errors: ErrPrinted, ErrEra, ErrDate.
func ParsePrintedBirth(s string) (PartialDate, error) {
	text := strings.Map(plainDigit, s)
	era, text := cutEra(text)
	m := printedForm.FindStringSubmatch(text)
	// Either all three with marks, or with units; there a day wants its month, and a word for unknown wants no day.
	known := m != nil && (m[2] != "" || (m[5] != "") == (m[6] == "") && (m[4] != "" || m[5] == ""))
	switch {
	case !known, era == 0 && len(m[1]) != 4, era != 0 && len(m[1]) == 4:
		return PartialDate{}, ErrPrinted
	}
	p := PartialDate{year: 1, month: number(m[2] + m[4]), day: number(m[3] + m[5])}
	if allDigits(m[1]) {
		p.year = number(m[1])
	}
	zero := p.year == 0 || m[2]+m[4] != "" && p.month == 0 || m[3]+m[5] != "" && p.day == 0
	p.year += firstYears[era]
	switch {
	case zero, p.month > 12, p.day > longestMonth(p.year, p.month):
		return PartialDate{}, ErrDate
	case era != 0 && !p.within(max(eras[era].first, newCalendar), eras[era].last):
		return PartialDate{}, ErrEra
	}
	return p, nil
}

// within says whether any day that p can mean lies between two.
func (p PartialDate) within(first, last int) bool {
	from, to, _ := p.candidates()
	return from.number() <= last && to.number() >= first
}

// plainDigit gives full-width digits and marks as ASCII, and drops spaces.
func plainDigit(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return -1
	case r >= '\uff0d' && r <= '\uff19':
		return r - 0xfee0
	}
	return r
}

// cutEra takes the era off the beginning; 0 for none, where the year counts as it stands.
func cutEra(text string) (era int, rest string) {
	for line := range strings.Lines(eraLines) {
		era++
		for _, name := range strings.Fields(line) {
			if rest, found := strings.CutPrefix(text, name); found {
				return era, strings.TrimPrefix(rest, ".")
			}
		}
	}
	return 0, text
}
