package claims

import (
	"slices"
	"strings"
	"unicode"
)

// Placement says how well an address could be placed. The zero value knows nothing.
type Placement int

const (
	Unplaced  Placement = iota // no municipality found; the prefecture may still be known
	Placed                     // prefecture and municipality are known
	Ambiguous                  // no prefecture given, and the municipality's name exists in several
	Abroad                     // a note that the person has moved out of Japan
)

// Place is where an address lies. Nothing in it is guessed: what the table does not decide stays empty.
type Place struct {
	hidden
	Placement      Placement
	Prefecture     string   // official name
	PrefectureCode string   // two digits (JIS X 0401)
	County         string   // the county of a town or village; "" for cities and for the islands of Tokyo
	Municipality   string   // city, town, village or special ward, in its official spelling
	Ward           string   // ward of a designated city
	Code           string   // six digits with check digit, of the ward where there is one
	CityCode       string   // six digits of the designated city, "" elsewhere
	Rest           string   // what stands behind the municipality, unchanged
	Candidates     []string // Ambiguous: the prefectures that have a municipality of this name
}

// Locality is the municipality as it is written behind the prefecture: with its county and its ward.
func (p Place) Locality() string { return p.County + p.Municipality + p.Ward }

// Locate splits an address into prefecture, municipality and the rest by the longest prefix of the table, which is exact:
// within a prefecture no municipality's name begins another's. A county may be missing, as may the island that is sometimes
// written before its village. Without a prefecture only a name that exists once in the country is placed.
func Locate(address string) Place {
	if strings.Contains(address, movedAbroad) {
		return Place{Placement: Abroad}
	}
	text, index := fold(address), gazetteer()
	prefecture, read := index.prefecture(text)
	if prefecture == nil {
		return index.anywhere(address, text)
	}
	p := Place{Prefecture: prefecture.name, PrefectureCode: prefecture.code}
	found, length := prefecture.names.longest(text[read:])
	if len(found) != 1 {
		return p
	}
	return found[0].place(rest(address, text, read+length))
}

// anywhere places an address that does not name its prefecture.
func (g *gazette) anywhere(address string, text []folded) Place {
	found, length := g.everywhere.longest(text)
	switch {
	case len(found) == 0:
		return Place{}
	case len(found) == 1:
		return found[0].place(rest(address, text, length))
	}
	p := Place{Placement: Ambiguous}
	for _, m := range found {
		p.Candidates = append(p.Candidates, m.prefecture.name)
	}
	slices.Sort(p.Candidates)
	p.Candidates = slices.Compact(p.Candidates)
	return p
}

// place fills in what the table knows.
func (m *municipality) place(rest string) Place {
	p := Place{
		Placement: Placed, Prefecture: m.prefecture.name, PrefectureCode: m.prefecture.code,
		Municipality: m.name, Code: m.code + checkDigit(m.code), Rest: rest,
	}
	switch {
	case m.kind == inCounty:
		p.County = m.above
	case m.kind == inCity:
		p.Municipality, p.Ward = m.above, m.name
		p.CityCode = m.city + checkDigit(m.city)
	case m.divided:
		p.CityCode = p.Code
	}
	return p
}

// rest is the original text behind the first n folded characters.
func rest(address string, text []folded, n int) string {
	if n == 0 {
		return address
	}
	return strings.TrimLeftFunc(address[text[n-1].end:], unicode.IsSpace)
}

// checkDigit of a five-digit local government code: (11 - (6a+5b+4c+3d+2e) mod 11) mod 10.
func checkDigit(code string) string {
	sum := 0
	for i := range code {
		sum += (6 - i) * int(code[i]-'0')
	}
	return string(rune('0' + (11-sum%11)%10))
}

// ValidMunicipalityCode says whether six digits are a local government code by their check digit.
func ValidMunicipalityCode(code string) bool {
	return len(code) == 6 && allDigits(code) && checkDigit(code[:5]) == code[5:]
}
