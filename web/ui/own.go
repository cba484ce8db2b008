package ui

import "time"

// Act is something that a person can do on her own pages. Each is asked about on a page before it is done.
type Act string

const (
	EndOne   Act = "end"       // one session
	EndAll   Act = "end-all"   // every session
	TakeBack Act = "take-back" // one consent
	Keep     Act = "keep"      // for how long the history is kept: asked about by its own form
	Delete   Act = "delete"    // everything

	StopLatest Act = "stop-changes" // a site hearing of changes
	Forget     Act = "forget"       // what is remembered of her
	ForgetHere Act = "forget-here"  // that this browser brings it to mind
)

// Acts are all of them.
var Acts = []Act{EndOne, EndAll, TakeBack, Keep, Delete, StopLatest, Forget, ForgetHere}

// OwnSignInPage stands before a person's own pages.
type OwnSignInPage struct {
	Done   Act      // what has just been done; "" nothing
	Again  bool     // she is in, but what she wants to do needs the card now
	Action string   // POST: log in with the card
	Frames []string // as in SignedOutPage
}

func (p OwnSignInPage) spec() spec { return spec{name: "mesignin", repeatable: true, frames: p.Frames} }

// OwnPage is what a person sees of herself.
type OwnPage struct {
	Done     Act      // what has just been done; "" nothing
	Frames   []string // as in SignedOutPage
	Ask      string   // the address of the questions; an act and its query are added
	Sessions []OwnSession
	Services []OwnService
	Memory   *OwnMemory  // nil: nothing is remembered
	Latest   []OwnLatest // without any the page does not speak of it
	History  []OwnEntry
	More     bool   // there is more history than is shown
	Export   string // the address of the whole history as JSON
	Keep     []OwnDays
	KeepAct  string // POST: days=
}

func (p OwnPage) spec() spec { return spec{name: "me", repeatable: true, frames: p.Frames} }

// OwnSession is one of her sessions.
type OwnSession struct {
	ID      string // for the form; it opens nothing
	Browser string // "" not known
	Since   time.Time
	Used    time.Time
	Current bool
}

// OwnService is a site that she agreed to share something with.
type OwnService struct {
	ID      string // for the form
	Name    string
	Host    string // "" not known
	Purpose string // the site's own words; "" shows nothing
	Items   []string
	Given   time.Time
}

// OwnMemory is what is remembered of her, so that the card's short PIN is enough.
type OwnMemory struct {
	Items  []string // item keys
	Source string   // a claims.Source
	Until  time.Time
	Here   bool // this browser brings it to mind
}

// OwnEntry is one line of her history.
type OwnEntry struct {
	At      time.Time
	Name    string
	Items   []string // item keys
	Card    bool     // by the My Number Card
	Outcome string   // one of the Outcomes of package storage
}

// OwnDays is a time for which the history can be kept.
type OwnDays struct {
	Days    int
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
