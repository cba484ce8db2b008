package claims

import "time"

// jst is a fixed offset on purpose: the law needs no tz database, and old summer times must not matter.
var jst = time.FixedZone("JST", 9*60*60)

// Answer to a yes-or-no question about a person. Unknown is not No: it is left out, never sent.
type Answer int

const (
	Unknown Answer = iota // the data do not decide it
	No
	Yes
)

// AgeRule says when an age is reached. Every predicate of the catalogue uses ByInstant.
type AgeRule int

const (
	// ByInstant: an age is reached when the day before the birthday ends, which is 00:00:00 JST of the
	// birthday; for someone born on 29 February in a common year 00:00:00 JST of 1 March
	// (Act 50 of 1902 with Civil Code 143(2); R18, R19).
	ByInstant AgeRule = iota
	// ByDay: statutes that count whole days (elections, school entry, pensions) take the age as reached on the
	// whole day before (R20). Not for alcohol or tobacco.
	ByDay
)

// Attained says whether someone born on birth has reached an age, in years, at the given instant, by the
// instant rule.
func Attained(birth PartialDate, years int, at time.Time) Answer {
	return ByInstant.Attained(birth, years, at)
}

// Attained says whether an age is reached. With parts of the date unknown it answers only what every day that
// the date can mean agrees on (R22).
func (r AgeRule) Attained(birth PartialDate, years int, at time.Time) Answer {
	youngest, oldest, ok := r.Ages(birth, at)
	switch {
	case !ok:
		return Unknown
	case youngest >= years:
		return Yes
	case oldest < years:
		return No
	}
	return Unknown
}

// Ages gives the lowest and highest age in years that someone born on birth can have. Days after today are no
// candidates; without any candidate (year unknown, or all of it in the future) ok is false.
func (r AgeRule) Ages(birth PartialDate, at time.Time) (youngest, oldest int, ok bool) {
	first, last, ok := birth.candidates()
	today := dayOf(at)
	if !ok || first.number() > today.number() {
		return 0, 0, false
	}
	if last.number() > today.number() {
		last = today
	}
	counted := today
	if r == ByDay {
		counted = dayOf(at.Add(24 * time.Hour)) // JST has no summer time: a day later is the next day
	}
	return yearsBetween(last, counted), yearsBetween(first, counted), true
}

func dayOf(at time.Time) Date {
	year, month, day := at.In(jst).Date()
	return Date{year: year, month: int(month), day: day}
}

// yearsBetween compares (month, day) as a pair, which also puts the 29 February child on 1 March.
func yearsBetween(birth, today Date) int {
	years := today.year - birth.year
	if today.month < birth.month || today.month == birth.month && today.day < birth.day {
		years--
	}
	return years
}
