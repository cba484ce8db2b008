// Package scheme makes the agent the program that the person's desktop starts for tegata: links, and undoes it. It
// writes into the person's own files alone and needs no administrator.
// It refuses to know what a link says.
package scheme

// Scheme is what launch links begin with, and MIME what Linux desktops file it under.
const (
	Scheme = "tegata"
	MIME   = "x-scheme-handler/" + Scheme
)

// State is who answers to the scheme now.
type State struct {
	Handler string // what is registered: a desktop file, a command, a bundle; "" = nothing
	Program string // the program it starts, "" if that cannot be told
}

// Arguments come after the program. Nothing that a link holds can be read as a flag after "--".
var Arguments = []string{"login", "--"}
