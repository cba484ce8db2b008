package ui

// Explanation is what a developer sees of a value that is not a registered one.
type Explanation struct {
	Client, Field string
	Got           Marked
	Registered    []Marked // the nearest first
}

// Marked is a value up to where it differs, and the rest.
type Marked struct{ Same, Rest string }

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
