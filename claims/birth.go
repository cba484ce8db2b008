package claims

import "unicode/utf8"

// EraCheck is what the era digit of a certificate says about the date beside it. The Gregorian digits decide
// either way; a contradiction is worth counting, because it hints at a mistake in the register.
type EraCheck int

const (
	EraUnchecked   EraCheck = iota // the era is not given, or the date is not complete
	EraAgrees                      // the day lies in the era
	EraContradicts                 // the day lies outside of it
)

// eras holds first and last day of each era by its digit. Meiji, Taisho and Showa share the day of change;
// Heisei and Reiwa began the day after.
var eras = [...]struct{ first, last int }{
	1: {18680125, 19120730}, // Meiji
	2: {19120730, 19261225}, // Taisho
	3: {19261225, 19890107}, // Showa
	4: {19890108, 20190430}, // Heisei
	5: {20190501, 99991231}, // Reiwa
}

// ParseCertificateBirth reads the birthdate of a signature certificate, EYYYYMMDD (otherName
// 1.2.392.200149.8.5.5.4): an era digit, 0 when not given, and the Gregorian date, zeros for unknown parts.
// Errors: ErrLength, ErrCharset, ErrEra, ErrDate.
func ParseCertificateBirth(s string) (PartialDate, EraCheck, error) {
	switch {
	case utf8.RuneCountInString(s) != len("EYYYYMMDD"):
		return PartialDate{}, EraUnchecked, ErrLength
	case !allDigits(s):
		return PartialDate{}, EraUnchecked, ErrCharset
	case number(s[:1]) >= len(eras):
		return PartialDate{}, EraUnchecked, ErrEra
	}
	p, err := parseDigits(s[1:])
	if err != nil {
		return PartialDate{}, EraUnchecked, err
	}
	return p, checkEra(number(s[:1]), p), nil
}

func checkEra(era int, p PartialDate) EraCheck {
	d, complete := p.Complete()
	switch {
	case era == 0 || !complete:
		return EraUnchecked
	case d.number() < eras[era].first || d.number() > eras[era].last:
		return EraContradicts
	}
	return EraAgrees
}

// ParseCardInfoBirth reads the birthdate of the card-info application, YYYYMMDD Gregorian, zeros for unknown
// parts. Errors: ErrLength, ErrCharset, ErrDate.
func ParseCardInfoBirth(s string) (PartialDate, error) { return parseDigits(s) }
