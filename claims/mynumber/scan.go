package mynumber

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Rule names what gave a number away.
type Rule string

const (
	CheckDigit   Rule = "my_number_check"   // twelve digits standing alone, with a valid check digit
	Context      Rule = "my_number_context" // twelve digits beside a word for My Number
	ResidentCode Rule = "resident_code"     // eleven digits beside a word for the resident record code
)

// Finding says where something was found, and nothing of what.
type Finding struct {
	Rule   Rule
	At     int // byte offset of the first digit, or -1 when it was found in a decoded form of the text
	Digits int // 12 or 11

	end int
}

// Find gives the first finding in a text, also in what the text says percent-encoded, as JSON or HTML escapes or in base64,
// two layers deep.
func Find(text string) (Finding, bool) {
	if all := scan(text); len(all) > 0 {
		return all[0], true
	}
	return findDecoded(text, 2)
}

func findDecoded(text string, depth int) (Finding, bool) {
	for _, decode := range decoders {
		plain := decode(text)
		if plain == "" {
			continue
		}
		if all := scan(plain); len(all) > 0 {
			return Finding{Rule: all[0].Rule, At: -1, Digits: all[0].Digits}, true
		}
		if depth > 1 {
			if f, ok := findDecoded(plain, depth-1); ok {
				return f, true
			}
		}
	}
	return Finding{}, false
}

// digit is one digit of a run: its value, where its character stands, and what is between it and the one before.
type digit struct {
	value      byte
	script     script
	gap        gap
	start, end int
}

// maxGap is how many characters that can be seen may stand between two digits of one number.
const maxGap = 4

// scan finds numbers in the text as it stands, in order.
func scan(text string) []Finding {
	if len(text) < residentLength {
		return nil
	}
	var found []Finding
	var run []digit
	apart, seen := none, 0
	finish := func() {
		found = append(found, judge(text, run)...)
		run, apart, seen = run[:0], none, 0
	}
	for i, r := range text {
		value, script := digitsOf(r)
		for n := range len(value) {
			run = append(run, digit{value[n], script, apart, i, i + width(r, text[i:])})
			apart, seen = none, 0
		}
		if value != "" || len(run) == 0 {
			continue
		}
		g := gapOf(r)
		if g > none {
			seen++
		}
		apart = max(apart, g)
		if g == foreign || seen > maxGap {
			finish()
		}
	}
	finish()
	return found
}

// judge looks at the pieces of a run that can be one number: what is between signs, its lines, its words, and its words of
// one script. A piece with another number of digits is something else (R1: thirteen are a corporate number, sixteen a
// card's). In groups of four, as on the card, any signs may stand between.
func judge(text string, run []digit) []Finding {
	if len(run) < residentLength {
		return nil
	}
	var found []Finding
	note := func(piece []digit) {
		if f, ok := judgePiece(text, piece); ok && !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	for _, apart := range []func(digit, digit) bool{
		func(_, d digit) bool { return d.gap >= other },
		func(_, d digit) bool { return d.gap >= line },
		func(_, d digit) bool { return d.gap >= space },
		func(before, d digit) bool { return d.gap >= space || d.script != before.script },
	} {
		cut(run, apart, note)
	}
	cut(run, func(_, d digit) bool { return d.gap == space || d.gap == line }, func(piece []digit) {
		if inFours(piece) {
			note(piece)
		}
	})
	cut(run, func(before, d digit) bool { return d.gap > none && text[before.end:d.start] != "." }, note)
	slices.SortFunc(found, func(a, b Finding) int { return a.At - b.At })
	return found
}

// cut gives the pieces of a run.
func cut(run []digit, apart func(before, d digit) bool, piece func([]digit)) {
	start := 0
	for i := 1; i <= len(run); i++ {
		if i == len(run) || apart(run[i-1], run[i]) {
			piece(run[start:i])
			start = i
		}
	}
}

// inFours says whether digits stand in three groups of four.
func inFours(piece []digit) bool {
	for i, d := range piece {
		if i > 0 && (d.gap > none) != (i%4 == 0) {
			return false
		}
	}
	return len(piece) == individualLength
}

func judgePiece(text string, piece []digit) (Finding, bool) {
	f := Finding{At: piece[0].start, Digits: len(piece), end: piece[len(piece)-1].end}
	values := make([]byte, 0, individualLength)
	for _, d := range piece {
		values = append(values, d.value)
	}
	switch {
	case len(piece) == individualLength && beside(text, f, "my_number"):
		f.Rule = Context
	case len(piece) == individualLength && Individual(string(values)) && !address(text[f.At:f.end]):
		f.Rule = CheckDigit
	case len(piece) == residentLength && beside(text, f, "resident_code"):
		f.Rule = ResidentCode
	}
	return f, f.Rule != ""
}

//go:embed context.txt
var contextLines string

// contextWords are the words of context.txt by what they announce, as letters leaves them.
var contextWords = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(contextLines) {
		kind, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		m[kind] = append(m[kind], letters(word))
	}
	return m
})

// How many bytes around a number are searched for a word that names it.
const (
	reachBefore = 160
	reachBehind = 80
)

func beside(text string, f Finding, kind string) bool {
	near := letters(text[max(0, f.At-reachBefore):f.At]) + "\x00" + letters(text[f.end:min(len(text), f.end+reachBehind)])
	return slices.ContainsFunc(contextWords()[kind], func(word string) bool { return strings.Contains(near, word) })
}
