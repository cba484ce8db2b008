// Package cardtest is a virtual My Number Card at APDU level, and the people who hold one.
// It owns the personas' files, the card's memory, counters and status words, and the encoding of the
// card-info application. It refuses to know certificates' contents (authn/jpkitest makes them), logins and
// readers. It holds no My Number: the file is there, filled with FF, and raises an alarm when touched.
// It is a stand-in: cmd/tegata never links it.
package cardtest

import (
	_ "embed"
	"time"
	"unicode"
	"unicode/utf8"
)

// Gender as OpenID Connect and the certificate know it.
type Gender string

// The four values of JIS X 0303.
const (
	Male          Gender = "male"
	Female        Gender = "female"
	NotApplicable Gender = "not_applicable"
	GenderUnknown Gender = "unknown"
)

// Digit is the code in the certificate and the card-info application: 1, 2, 9 or 0.
func (g Gender) Digit() string {
	switch g {
	case Male:
		return "1"
	case Female:
		return "2"
	case NotApplicable:
		return "9"
	}
	return "0"
}

// Status of the persona's certificates at the authority.
type Status string

// The states that a stand-in authority can report.
const (
	Good      Status = "good"
	Revoked   Status = "revoked"
	Suspended Status = "suspended"
	Expired   Status = "expired" // the certificates' validity is over
)

// Title says in a few words, for the page that shows the cards, whom the persona stands for.
type Title struct{ JA, EN string }

// Persona is a fictional holder of a card, as its JSON file describes her. All defaults are filled in.
type Persona struct {
	ID                   string // the file's name without .json
	Name                 string
	NameSubstitution     string // one 0 or 1 per character of Name: 1 = replaced by a similar character
	Address              string
	AddressSubstitution  string
	Birthdate            string // YYYY-MM-DD; MM and DD are 00 when unknown
	Gender               Gender
	PIN                  string // authentication PIN, 4 digits
	CardInfoPIN          string
	Password             string // signature password
	PINTries             int    // of the authentication PIN when the card is made; 0 = locked
	PasswordTries        int
	CardInfoTries        int   // of CardInfoPIN
	NumberBTries         int   // of verification number B
	SignatureCertificate *bool // nil = by age: from 15
	Status               Status
	Moved                bool // she has moved: the signature certificate is revoked, and she has no new one yet
	Title                Title
	Unknown              []string // keys of the file that mean nothing, sorted; the caller warns
}

// defaultAddress is invented: there is no such town in that ward.
//
//go:embed testdata/address.txt
var defaultAddress string

// BirthDigits is the birthdate as YYYYMMDD.
func (p Persona) BirthDigits() string {
	return p.Birthdate[0:4] + p.Birthdate[5:7] + p.Birthdate[8:10]
}

// eras begin on these days; the first year of an era is 1.
var eras = []struct {
	from string
	year int
}{
	{"20190501", 2019}, {"19890108", 1989}, {"19261225", 1926}, {"19120730", 1912}, {"00000000", 1868},
}

// eraBirth is the birthdate as YYMMDD with the year of the Japanese era.
func (p Persona) eraBirth() string {
	birth := p.BirthDigits()
	for _, era := range eras {
		if birth >= era.from {
			year := int(birth[0]-'0')*1000 + int(birth[1]-'0')*100 + int(birth[2]-'0')*10 + int(birth[3]-'0')
			n := year - era.year + 1
			return string([]byte{'0' + byte(n/10%10), '0' + byte(n%10)}) + birth[4:]
		}
	}
	return ""
}

// NumberB is the verification number B of the virtual card, 14 digits: birth date with era year, the
// year in which the card expires, and the security code, which are the same on every virtual card.
func (p Persona) NumberB() string { return p.eraBirth() + cardExpiryYear + securityCode }

const (
	cardExpiryYear = "2035"
	securityCode   = "2285"
)

func isBirthdate(s string) bool {
	if len(s) != 10 || s < "1868" {
		return false
	}
	_, errYear := time.Parse("2006-00-00", s)
	_, errMonth := time.Parse("2006-01-00", s)
	_, errDay := time.Parse(time.DateOnly, s)
	return errYear == nil || errMonth == nil || errDay == nil
}

// isText is what fits in a UTF8String of a certificate.
func isText(s string, most int) bool {
	n := 0
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return false
		}
		n++
	}
	return n > 0 && n <= most
}

func isSubstitution(flags, text string) bool {
	return len(flags) == utf8.RuneCountInString(text) && isFrom("01", flags, 0, len(flags))
}
