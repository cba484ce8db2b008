package ui

import "time"

// Act is something that a person can do on her own pages. Each is asked about on a page before it is done.
type Act string

const (
	EndOne Act = "end"     // one session
	EndAll Act = "end-all" // every session
)

// Acts are all of them.
var Acts = []Act{EndOne, EndAll}

// OwnSignInPage stands before a person's own pages.
type OwnSignInPage struct {
	Done   Act    // what has just been done; "" nothing
	Action string // POST: log in with the card
}

func (p OwnSignInPage) spec() spec { return spec{name: "mesignin", repeatable: true} }

// OwnPage is what a person sees of herself.
type OwnPage struct {
	Done     Act    // what has just been done; "" nothing
	Ask      string // the address of the questions; an act and its query are added
	Sessions []OwnSession
}

func (p OwnPage) spec() spec { return spec{name: "me", repeatable: true} }

// OwnSession is one of her sessions.
type OwnSession struct {
	ID      string // for the form; it opens nothing
	Browser string // "" not known
	Since   time.Time
	Used    time.Time
	Current bool
}

// OwnAskPage asks before something is done. Its form posts id when there is one.
type OwnAskPage struct {
	Act     Act
	ID      string
	What    string // what it is about, in a word: a browser, a site; "" says nothing
	Action  string // POST
	BackURL string
}

func (p OwnAskPage) spec() spec { return spec{name: "meask", repeatable: true} }
