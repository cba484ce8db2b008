package mynumber

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
)

// script keeps a list's own numbering apart from the number behind it, as in "(1) 1234...".
type script byte

const (
	decimal  script = iota // any decimal digits of Unicode, full-width ones too
	enclosed               // circled, in brackets, raised, lowered
	kanji
)

//go:embed digits.txt
var kanjiLines string

// kanjiDigits reads kanji one by one as digits, the formal ones of contracts and cheques too. The line is the digit.
var kanjiDigits = sync.OnceValue(func() map[rune]byte {
	m, digit := map[rune]byte{}, byte('0')
	for line := range strings.Lines(kanjiLines) {
		for _, r := range strings.TrimSpace(line) {
			m[r] = digit
		}
		digit++
	}
	return m
})

// enclosedRanges are runs of characters that stand for consecutive numbers.
var enclosedRanges = []struct {
	first rune
	count rune
	value rune
}{
	{0x00b9, 1, 1}, {0x00b2, 2, 2}, {0x2070, 1, 0}, {0x2074, 6, 4}, {0x2080, 10, 0}, // raised and lowered
	{0x2460, 20, 1}, {0x2474, 20, 1}, {0x2488, 20, 1}, {0x24ea, 1, 0}, {0x24eb, 10, 11}, {0x24f5, 10, 1}, {0x24ff, 1, 0},
	{0x2776, 10, 1}, {0x2780, 10, 1}, {0x278a, 10, 1}, {0x3220, 10, 1}, {0x3280, 10, 1},
	{0x1f100, 1, 0}, {0x1f101, 10, 0}, {0x1f10b, 1, 0}, {0x1f10c, 1, 0},
}

// digitsOf gives the ASCII digits that a character stands for, "" when it stands for none.
func digitsOf(r rune) (string, script) {
	if r >= '0' && r <= '9' {
		return asciiDigits[r-'0':][:1], decimal
	}
	if r < 0x80 {
		return "", decimal
	}
	if d, ok := decimalDigit(r); ok {
		return asciiDigits[d:][:1], decimal
	}
	if d, ok := kanjiDigits()[r]; ok {
		return string(rune(d)), kanji
	}
	for _, e := range enclosedRanges {
		if r < e.first || r >= e.first+e.count {
			continue
		}
		n := e.value + r - e.first
		if n < 10 {
			return asciiDigits[n:][:1], enclosed
		}
		return asciiDigits[n/10:][:1] + asciiDigits[n%10:][:1], enclosed
	}
	return "", decimal
}

const asciiDigits = "0123456789"

// decimalDigit uses that Unicode keeps the ten digits of a script together, in order, each table range starting at a zero.
func decimalDigit(r rune) (rune, bool) {
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10, true
		}
	}
	return 0, false
}

// gap is how strongly something between two digits keeps them apart.
type gap byte

const (
	none    gap = iota // nothing, or nothing that can be seen
	mark               // hyphens and dots
	space              // blanks
	line               // a new line
	other              // a sign that hardly stands within a number
	foreign            // anything else: the run of digits ends
)

func gapOf(r rune) gap {
	switch {
	case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
		return line
	case unicode.IsSpace(r) || r == '\u2800' || r == '\u3164':
		return space
	case unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me):
		return none
	case unicode.Is(unicode.Pd, r), strings.ContainsRune("._\u00b7\u2022\u2024\u2027\u2212\u3002\u30fb\u30fc\uff0e\uff61\uff65\uff70", r):
		return mark
	case unicode.IsPunct(r), unicode.IsSymbol(r):
		return other
	}
	return foreign
}

// letters is text without everything that can stand between letters, in lower case and plain width: what a word of
// context is looked up in.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if gapOf(r) < other {
			return -1
		}
		if r >= '\uff01' && r <= '\uff5e' {
			r -= 0xfee0
		}
		return unicode.ToLower(r)
	}, text)
}
