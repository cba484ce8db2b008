package ui

import (
	"html/template"
	"strings"
)

// Explanation is what a developer sees of a value that does not fit.
type Explanation struct {
	Client, Field string
	Member        string   // of the registration or of discovery, which says what would have fitted; "" for the registered values of Field
	Got           Marked   //
	Registered    []Marked // the nearest first
	Onward        *Onward  // the error waits here on its way to the site; nil: it goes no further
}

// Addresses says that the values are compared to the byte, so that the first difference tells something.
func (e Explanation) Addresses() bool { return strings.HasSuffix(e.Field, "redirect_uri") }

// Onward hands an error to the site, as everybody else's browser does by itself.
type Onward struct {
	URL    template.URL // GET; "" when there is a form
	Action string       // POST
	Fields [][2]string
}

// Marked is a value up to where it differs, and the rest.
type Marked struct{ Same, Rest string }

// Unmarked explains values that are not compared to the byte.
func Unmarked(client, field, got, member string, fits []string) *Explanation {
	e := &Explanation{Client: client, Field: field, Member: member, Got: Marked{Same: got}}
	for _, one := range fits {
		e.Registered = append(e.Registered, Marked{Same: one})
	}
	return e
}

// Explain finds the registered value that is nearest to what came, and marks where the two part. Of the others it marks
// where they part from what came.
func Explain(client, field, got string, registered []string) *Explanation {
	e := &Explanation{Client: client, Field: field}
	most := 0
	for _, r := range registered {
		n := common(got, r)
		m := Marked{r[:n], r[n:]}
		if n > most {
			most = n
			e.Registered = append([]Marked{m}, e.Registered...)
			continue
		}
		e.Registered = append(e.Registered, m)
	}
	e.Got = Marked{got[:most], got[most:]}
	return e
}

// common is how many bytes two values begin with alike; URIs are ASCII, and what is not may be cut where it differs.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
