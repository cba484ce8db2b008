package ui

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"tegata/authn/fail"
)

// LoginPage is where a person learns what a site asks for, and starts.
type LoginPage struct {
	RPName, RPHost string // the site: its registered name, the host of its redirect URI
	ProviderHost   string // our own host, to compare with the address bar
	Purpose        string // why the site asks, in its own words; "" shows nothing
	Items          []ItemLine
	Own            bool     // nobody gets anything: the person visits her own pages
	ReadsSignature bool     // the signature certificate will be read (6 to 16 character password)
	AsksHolder     bool     // the authority is asked whether both certificates are of one person
	OtherWay       bool     // four digits do where a card has no good signature certificate
	ReadsCardInfo  bool     // the four attributes of the card-info application will be read
	Unverified     bool     // what is read there, nobody can check
	Printable      bool     // the numbers printed on the card may open them: the form then posts card_info_by=number_b to StartAction
	OnlyYes        bool     // the site hears a yes or nothing
	Transient      bool     // the site gets another identifier every time
	Remembered     bool     // what is asked for is remembered here: the card only says who is there
	Again          bool     // what was remembered did not fit the card
	ForgetAction   string   // POST: forget here, when Remembered
	StartAction    string   // POST: start with the card reader
	CancelAction   string   // POST: back to the site with access_denied
	FormTargets    []string // where CancelAction may redirect: the redirect URI, and AnyHTTPS if that may lead on
}

// ItemLine is one item that a site asks for.
type ItemLine struct {
	Key      string // claims item: name, address, birthdate, gender, age_over_18, age_over_20
	Optional bool   // the site can do without
	Purpose  string // why the site wants this one, in its own words; "" shows nothing
}

func (p LoginPage) spec() spec {
	return spec{name: "login", targets: p.FormTargets, repeatable: true, wide: true}
}

// WaitPage stands open while the person works with the card.
type WaitPage struct {
	RPName, RPHost string
	LaunchURL      template.URL // wakes the agent: tegata:<ticket>, or the sandbox's http address
	Number         string       // two digits that the agent shows too; "" until it has claimed the ticket
	ProgressKey    string       // one of ProgressCodes
	Tries          int          // tries left that go with ProgressKey, < 0 for none
	Events         string       // URL of the server-sent events progress and go
	Refresh        string       // URL that a browser without scripts asks every 2 s
	RestartAction  string       // POST: a new ticket
	Printable      bool         // as in LoginPage, to RestartAction
	CancelAction   string       // POST
	ContinueURL    string       // the agent's loopback address once the card is verified; "" before
	FormTargets    []string     // as in LoginPage
}

func (p WaitPage) spec() spec {
	return spec{name: "wait", script: "wait.js", listens: true, targets: p.FormTargets, repeatable: true}
}

// InBrowser says that the launch link opens a page and not a program. Only then may it open a
// window of its own: a program's link would leave an empty one behind.
func (p WaitPage) InBrowser() bool {
	return strings.HasPrefix(string(p.LaunchURL), "http://") || strings.HasPrefix(string(p.LaunchURL), "https://")
}

// Unseen says that no agent has reported yet, so help with starting one is in order.
func (p WaitPage) Unseen() bool { return p.ProgressKey == "agent_not_seen" }

// ConsentPage shows every value that will be sent and names what will not. Its form posts
// decision=allow|deny and item=<key> for each optional item that stays checked.
type ConsentPage struct {
	RPName, RPHost string
	Purpose        string
	Items          []ConsentItem
	NotSent        []string // item keys that were read or could be and stay here
	OnlyYes        bool     // the site hears a yes or nothing
	Transient      bool     // the site gets another identifier every time, and nothing is remembered
	PolicyURL      string   // the site's page about what it does with data; "" shows nothing
	TermsURL       string   // the site's terms; "" shows nothing
	Retention      string   // how long the site keeps what it gets, in its own words; "" shows nothing
	Verified       bool     // some items come with how they were verified
	Unverified     bool     // nobody could check what the card said, and the site hears so
	Offline        bool     // the site may fetch the same again after the person has left
	Texts          string   // version of the texts; the form posts it as texts
	CardEnds       string   // last day of the card's certificate, YYYY-MM-DD, when it is near; "" shows nothing
	LatestEnds     string   // last day of what was agreed to about changes, when it is near; "" shows nothing
	Renewable      bool     // the card may have replaced another one: posts renewed=yes when that is ticked
	Memorable      bool     // the card's facts may be remembered: posts remember=yes when that is ticked
	Action         string   // POST
	FormTargets    []string // as in LoginPage
}

// Nothing says that there is no yes to share: the one way on is back, and the site hears no more than that.
func (p ConsentPage) Nothing() bool {
	return p.OnlyYes && !slices.ContainsFunc(p.Items, func(i ConsentItem) bool { return i.Available })
}

// ConsentItem is one item with its value for this person.
type ConsentItem struct {
	Key       string
	Value     string // as it will be sent: birthdate YYYY-MM-DD, predicates true/false, gender male/female
	Available bool   // the card gave it; else Value is not shown and nothing is sent
	Reason    string // why it is not available, a claims.Reason
	Replaced  bool   // a name with characters that the card cannot write
	Required  bool   // it is all that the site asks for: no check box
	Needed    bool   // the site says that it needs it; the person may leave it out all the same
	Checked   bool   // state of the check box
	Purpose   string // why the site wants this one, in its own words; "" shows nothing
	ByDay     bool   // an age that counts as reached on the day before the birthday
	Verified  bool   // it is sent with how it was verified
}

func (p ConsentPage) spec() spec {
	return spec{name: "consent", targets: p.FormTargets, repeatable: true, wide: true}
}

// ErrorPage says what happened, who can fix it and what to do next.
type ErrorPage struct {
	Err      *fail.Error
	Incident string // number to quote when asking for help; "" shows none
	Time     time.Time
	BackURL  string       // to the site, when it can be trusted; "" shows none
	RetryURL string       // GET; "" shows none
	Explain  *Explanation // for a developer of the site; nil for everybody else
	Reader   bool         // the sandbox's card reader says it
}

func (p ErrorPage) spec() spec {
	s := spec{name: "error", reader: p.Reader}
	if p.Explain != nil && p.Explain.Onward != nil && p.Explain.Onward.Action != "" {
		post := FormPostPage{Action: p.Explain.Onward.Action}.spec()
		s.targets, s.crossPost = post.targets, post.crossPost
	}
	return s
}

// SignOutPage asks before the session ends.
type SignOutPage struct {
	Relay       bool   // it was asked for by a form of another site: this page only sends the same again, from here
	RPName      string // the site that asks for it; "" when the person came alone
	Action      string // POST
	Fields      [][2]string
	FormTargets []string // the post-logout redirect URI
}

func (p SignOutPage) spec() spec {
	s := spec{name: "signout", targets: p.FormTargets, repeatable: true}
	if p.Relay {
		s.script = "submit.js"
	}
	return s
}

// SignedOutPage confirms that the session has ended.
type SignedOutPage struct {
	RPName    string // name for ReturnURL; may be ""
	ReturnURL string // to the site; "" shows none

	Frames      []string     // pages of sites that the browser has to load, so that they forget the person, too
	ContinueURL template.URL // where the browser goes by itself a little later; "" for nowhere
}

func (p SignedOutPage) spec() spec {
	return spec{name: "signedout", repeatable: true, frames: p.Frames}
}

// FormPostPage sends the answer to the site in a form (OAuth 2.0 Form Post Response Mode).
type FormPostPage struct {
	RPName string      // may be ""
	Action string      // the redirect URI
	Fields [][2]string // names and values in order
}

func (p FormPostPage) spec() spec {
	targets := []string{p.Action}
	if strings.HasPrefix(p.Action, AnyHTTPS) {
		targets = append(targets, AnyHTTPS)
	}
	return spec{name: "formpost", script: "submit.js", targets: targets, crossPost: true}
}

// Topic is what a MessagePage is about.
type Topic string

const (
	Done      Topic = "done"      // the login goes on in the other tab
	Cancelled Topic = "cancelled" // the login was given up
	Home      Topic = "home"      // somebody opened the provider's address by hand
	Developer Topic = "developer" // mistakes of a relying party are explained in this browser from now on
)

// MessagePage is one heading and one sentence.
type MessagePage struct {
	Topic  Topic
	Reader bool // the sandbox's card reader says it
}

func (p MessagePage) spec() spec {
	return spec{name: "message", repeatable: p.Topic == Home, reader: p.Reader}
}
