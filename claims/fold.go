package claims

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// folded is one character of an address as the table is searched with it, and where its original ends. Folding is for
// looking up alone: nothing that leaves the provider is ever folded.
type folded struct {
	r   rune
	end int // byte offset behind the original
}

// fold makes spellings comparable: spaces and variation selectors fall away, half-width letters and digits and kana become
// full ones, and characters that documents use for each other become one.
func fold(s string) []folded {
	variants := variants()
	out := make([]folded, 0, len(s)/3+1)
	for i := 0; i < len(s); {
		r, width := utf8.DecodeRuneInString(s[i:])
		i += width
		switch mark := voicing(r); {
		case unicode.IsSpace(r) || unicode.Is(unicode.Variation_Selector, r):
			if len(out) > 0 {
				out[len(out)-1].end = i
			}
			continue
		case mark > 0 && len(out) > 0:
			out[len(out)-1] = folded{voiced(out[len(out)-1].r, mark), i}
		default:
			out = append(out, folded{halfKana(r), i})
		}
		last := &out[len(out)-1]
		if v, ok := variants[last.r]; ok {
			last.r = v
		}
	}
	return out
}

// key is the folded spelling of a name of the table.
func key(s string) string { return join(fold(s)) }

func join(text []folded) string {
	var b strings.Builder
	for _, f := range text {
		b.WriteRune(f.r)
	}
	return b.String()
}

var variants = sync.OnceValue(func() map[rune]rune {
	m := map[rune]rune{}
	for line := range strings.Lines(variantLines) {
		pair := []rune(strings.TrimSpace(line))
		m[pair[0]] = pair[1]
	}
	return m
})

// voicing gives how far a mark moves the kana before it: 1 for dakuten, 2 for handakuten, combining or half-width.
func voicing(r rune) rune {
	switch r {
	case '\u3099', '\uff9e':
		return 1
	case '\u309a', '\uff9f':
		return 2
	}
	return 0
}

// voiced moves a kana to its voiced neighbour. A small ke already folded to a plain one stays: "ga" is read the same there.
func voiced(r, mark rune) rune {
	if r == '\u30b1' {
		return r
	}
	return r + mark
}

// fullKana are the full forms of U+FF66 to U+FF9D, in that order.
var fullKana = []rune("\u30f2\u30a1\u30a3\u30a5\u30a7\u30a9\u30e3\u30e5\u30e7\u30c3\u30fc" +
	"\u30a2\u30a4\u30a6\u30a8\u30aa\u30ab\u30ad\u30af\u30b1\u30b3\u30b5\u30b7\u30b9\u30bb\u30bd\u30bf\u30c1\u30c4\u30c6\u30c8" +
	"\u30ca\u30cb\u30cc\u30cd\u30ce\u30cf\u30d2\u30d5\u30d8\u30db\u30de\u30df\u30e0\u30e1\u30e2\u30e4\u30e6\u30e8" +
	"\u30e9\u30ea\u30eb\u30ec\u30ed\u30ef\u30f3")

func halfKana(r rune) rune {
	if r >= '\uff66' && r <= '\uff9d' {
		return fullKana[r-'\uff66']
	}
	return r
}
