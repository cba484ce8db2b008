package claims

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Why attributes were not accepted. The texts never quote the input.
var (
	ErrName    = errors.New("claims: name does not fit the profile")
	ErrAddress = errors.New("claims: address does not fit the profile")
	ErrSex     = errors.New("claims: sex is not one of the profile's digits")
)

// maxText bounds a name or an address in characters. The certificate profile gives addresses 200; the double
// leaves room for other sources and still keeps the sealed column small.
const maxText = 400

// wideSpace is U+3000, which stands between family and given name.
const wideSpace = "\u3000"

// movedAbroad is kokugai tenshutsu ("moved out of the country"), which the register writes in place of an
// address since 2024-05-27.
const movedAbroad = "\u56fd\u5916\u8ee2\u51fa"

// Name of a person as the register writes it, or nothing.
type Name struct {
	hidden
	full, replaced string
}

// Full is the name unchanged: never normalised, because compatibility ideographs are part of it.
func (n Name) Full() string { return n.full }

// Substituted says that the source replaced characters that it cannot write. Such a name must not be used
// to compare people.
func (n Name) Substituted() bool { return strings.Contains(n.replaced, "1") }

// Split gives family and given name, only when exactly one U+3000 stands between two texts. Names of foreign
// residents and single names are not guessed apart. A former surname or a popular name in brackets belongs to neither.
func (n Name) Split() (family, given string, ok bool) {
	parts := strings.Split(outsideBrackets(n.full), wideSpace)
	if len(parts) != 2 || parts[0] == "" || parts[1] == "" {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// outsideBrackets is a name without its one part in brackets; "" where there are brackets that are no such part.
func outsideBrackets(name string) string {
	opens := func(r rune) bool { return unicode.Is(unicode.Ps, r) }
	closes := func(r rune) bool { return unicode.Is(unicode.Pe, r) }
	from, to := strings.IndexFunc(name, opens), strings.IndexFunc(name, closes)
	switch {
	case from < 0 && to < 0:
		return name
	case from < 0 || to < from || strings.LastIndexFunc(name, opens) != from || strings.LastIndexFunc(name, closes) != to:
		return ""
	}
	open, width := utf8.DecodeRuneInString(name[from:])
	closing, end := utf8.DecodeRuneInString(name[to:])
	if apart := closing - open; apart != 1 && apart != 2 || to == from+width { // a bracket's counterpart stands beside it in Unicode
		return ""
	}
	before, behind := name[:from], name[to+end:]
	if strings.HasSuffix(before, wideSpace) { // one of the two spaces around it goes with it
		behind = strings.TrimPrefix(behind, wideSpace)
	}
	return strings.TrimSuffix(before+behind, wideSpace)
}

// Address of a person as the register writes it, or nothing.
type Address struct {
	hidden
	formatted, replaced string
}

// Formatted is the address on one line, unchanged.
func (a Address) Formatted() string { return a.formatted }

// Substituted says that the source replaced characters that it cannot write.
func (a Address) Substituted() bool { return strings.Contains(a.replaced, "1") }

// Gender is the OIDC value; empty when the source does not say male or female.
type Gender string

const (
	Male   Gender = "male"
	Female Gender = "female"
)

// Source says where the attributes were read.
type Source string

const (
	SignatureCertificate Source = "signature_certificate"
	CardInfo             Source = "card_info"
	CardInfoUnverified   Source = "card_info_unverified" // the same without a key to check its signature with: the word of whoever holds the reader
)

// Person is what one source says about one person. The zero Person is nobody: nothing is known, nothing verified.
// The facts sit in a closure so that they also stay out of a print of some struct that holds a Person in an
// unexported field, where fmt cannot call Format and would follow a pointer.
type Person struct {
	hidden
	facts    func() facts
	tolerant bool // see Tolerated; it is never stored
}

type facts struct {
	name     Name
	address  Address
	gender   Gender
	birth    PartialDate
	source   Source
	verified bool
	read     time.Time
	proof    string
}

func (p Person) known() facts {
	if p.facts == nil {
		return facts{}
	}
	return p.facts()
}

// Name of the person.
func (p Person) Name() Name { return p.known().name }

// Address of the person.
func (p Person) Address() Address { return p.known().address }

// Gender of the person.
func (p Person) Gender() Gender { return p.known().gender }

// Birth is the birthdate of the person.
func (p Person) Birth() PartialDate { return p.known().birth }

// Source of the attributes.
func (p Person) Source() Source { return p.known().source }

// Verified says that the issuer's signature over the attributes was checked.
func (p Person) Verified() bool { return p.known().verified }

// Tolerated is the person for a relying party that takes attributes whose signature nobody could check. Only then are they
// offered, and what is made of them says so. It lasts as long as the value: what is stored asks anew.
func (p Person) Tolerated() Person {
	p.tolerant = true
	return p
}

// ReadAt is when a card gave the attributes, to the second; zero: at the login that they came with.
func (p Person) ReadAt() time.Time { return p.known().read }

// Proof is what the authority of the source knows it by, for whoever asks whether it is still good; nil: there is nobody to
// ask. It stays as secret as a certificate's serial (R6).
func (p Person) Proof() []byte { return []byte(p.known().proof) }

// Read is the person with when and from what her attributes were read.
func (p Person) Read(at time.Time, proof []byte) Person {
	f := p.known()
	f.read, f.proof = at.UTC().Truncate(time.Second), string(proof)
	p.facts = func() facts { return f }
	return p
}

// CertificateFields are the otherNames 1.2.392.200149.8.5.5.1 to .6 of a signature certificate, as they are.
// Substitution maps have one digit per character: 0 original, 1 replaced.
type CertificateFields struct {
	hidden
	Name, NameSubstitution       string
	Sex                          string // 1 male, 2 female, others not told
	Birth                        string // EYYYYMMDD
	Address, AddressSubstitution string
}

// CardInfoFields is the four-attribute file of the card-info application, as it is.
type CardInfoFields struct {
	hidden
	Name, Address string
	Birth         string // YYYYMMDD
	Sex           string
}

// FromCertificate reads the attributes of a signature certificate. The caller has verified the certificate and
// its revocation: the Person counts as verified. Errors: ErrName, ErrAddress, ErrSex and those of ParseCertificateBirth.
func FromCertificate(f CertificateFields) (Person, error) {
	birth, _, err := ParseCertificateBirth(f.Birth)
	if err != nil {
		return Person{}, err
	}
	gender, err := parseSex(f.Sex)
	if err != nil {
		return Person{}, err
	}
	return newPerson(facts{
		name:     Name{full: f.Name, replaced: f.NameSubstitution},
		address:  Address{formatted: f.Address, replaced: f.AddressSubstitution},
		gender:   gender,
		birth:    birth,
		source:   SignatureCertificate,
		verified: true,
	})
}

// FromCardInfo reads the attributes of the card-info application; verified says whether the signature file over
// them was checked by the caller. Errors: ErrName, ErrAddress, ErrSex and those of ParseCardInfoBirth.
func FromCardInfo(f CardInfoFields, verified bool) (Person, error) {
	birth, err := ParseCardInfoBirth(f.Birth)
	if err != nil {
		return Person{}, err
	}
	gender, err := parseSex(f.Sex)
	if err != nil {
		return Person{}, err
	}
	return newPerson(facts{
		name:     Name{full: f.Name},
		address:  Address{formatted: f.Address},
		gender:   gender,
		birth:    birth,
		source:   pick(verified, CardInfo, CardInfoUnverified),
		verified: verified,
	})
}

func newPerson(f facts) (Person, error) {
	switch {
	case !fits(f.name.full, f.name.replaced):
		return Person{}, ErrName
	case !fits(f.address.formatted, f.address.replaced):
		return Person{}, ErrAddress
	}
	return Person{facts: func() facts { return f }}, nil
}

// parseSex accepts the digits that profiles and JIS X 0303 use. Only male and female have an OIDC value.
func parseSex(s string) (Gender, error) {
	switch s {
	case "1":
		return Male, nil
	case "2":
		return Female, nil
	case "", "0", "3", "9":
		return "", nil
	}
	return "", ErrSex
}

// fits accepts bounded text without control characters. A substitution map, where there is one, covers each
// character: a wrong length means that two fields were swapped.
func fits(text, replaced string) bool {
	length := utf8.RuneCountInString(text)
	if !utf8.ValidString(text) || length > maxText || strings.ContainsFunc(text, unicode.IsControl) {
		return false
	}
	return replaced == "" || len(replaced) == length && strings.Trim(replaced, "01") == ""
}
