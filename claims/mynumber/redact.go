package mynumber

import (
	"fmt"
	"strings"
)

// Redact replaces what Find finds by a note of its length. When the number is in an encoded form, where one cannot say
// which part of the text it is, the whole text goes.
func Redact(text string) string {
	found := scan(text)
	if len(found) == 0 {
		if f, ok := findDecoded(text, 2); ok {
			return note(f)
		}
		return text
	}
	var b strings.Builder
	at := 0
	for _, f := range found {
		if f.At < at { // a piece of one that is gone already
			at = max(at, f.end)
			continue
		}
		b.WriteString(text[at:f.At])
		b.WriteString(note(f))
		at = f.end
	}
	return Redact(b.String() + text[at:]) // what is left can hold an encoded one; each round has fewer digits
}

func note(f Finding) string { return fmt.Sprintf("[redacted:%dd]", f.Digits) }
