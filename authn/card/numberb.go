package card

import "tegata/authn/fail"

// Printed is one of the three parts of verification number B, which a person reads off the front of the card.
type Printed int

const (
	PrintedBirth  Printed = iota + 1 // YYMMDD, the year counted in its era; zeros where month or day are not known
	PrintedExpiry                    // the Gregorian year in which the card expires, YYYY
	PrintedCode                      // the security code, four digits
)

// NumberBParts in the order in which they make up the number (card.md 1.3).
var NumberBParts = []Printed{PrintedBirth, PrintedExpiry, PrintedCode}

const (
	printedBirth = len("YYMMDD")
	printedYear  = len("YYYY")
	numberBSize  = printedBirth + 2*printedYear
)

// NormalizePrinted makes the digits of one part from what was typed: full-width digits become ASCII. What is not printed
// like that on any card is fail.PINFormat. The caller wipes the result.
func NormalizePrinted(part Printed, entry string) ([]byte, error) {
	digits, err := NormalizeDigits(entry)
	if err != nil {
		return nil, err
	}
	if !part.fits(digits) {
		clear(digits)
		return nil, fail.PINFormat
	}
	return digits, nil
}

func (part Printed) fits(d []byte) bool {
	switch part {
	case PrintedBirth:
		return len(d) == printedBirth && twoDigits(d[2:]) <= 12 && twoDigits(d[4:]) <= 31
	case PrintedExpiry:
		return len(d) == printedYear && twoDigits(d) == 20 // cards exist since 2016
	case PrintedCode:
		return len(d) == printedYear
	}
	return false
}

func twoDigits(d []byte) int { return int(d[0]-'0')*10 + int(d[1]-'0') }

// PlausibleNumberB says whether digits can be somebody's verification number B. It spares the card, and the person's tries,
// a slip of the finger, and it never takes a My Number for one: those have twelve digits.
func PlausibleNumberB(number []byte) bool {
	if len(number) != numberBSize || !onlyFrom(digits, number) {
		return false
	}
	return PrintedBirth.fits(number[:printedBirth]) && PrintedExpiry.fits(number[printedBirth:printedBirth+printedYear])
}
