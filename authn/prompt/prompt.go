// Package prompt asks the person: for a PIN, for a yes, for one of several. It owns the sentences of the agent's
// window, the ways of showing them (pinentry, a dialog of the system, a terminal, lines of a script) and the care for
// what is typed: normalised and checked before any card sees it, asked for again when it cannot be right, a second yes
// before the last try, and in one byte slice that the caller wipes.
// It refuses to know readers, the agent protocol and what happens after an entry: it never presents one to a card.
package prompt

import (
	"context"
	"errors"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// About is what every prompt of one login shows, so that nobody types a PIN without knowing for whom. All of it is
// foreign text: it is shortened and stripped of line breaks and of characters that reorder a line.
type About struct {
	Service  string   // name of the relying party in the person's language
	Host     string   // its host name
	Provider string   // host name of the provider, from the agent's own list
	Purpose  string   // as the relying party registered it; may be ""
	Number   string   // two digits that the waiting page shows too
	Reads    []string // what the card will be asked for: ReadsLogin, then ReadsSignature, ReadsCardInfo or Remembered
	Items    []string // what the relying party will be offered, by claim
}

// What a login reads from the card, for About.Reads.
const (
	ReadsLogin     = "login"     // the user-authentication certificate
	ReadsSignature = "signature" // the signature certificate and its four attributes
	ReadsCardInfo  = "card_info" // the four attributes of the card-info application

	Remembered = "remembered" // nothing more: the provider remembers what the items need
)

// Ask is one question for one PIN.
type Ask struct {
	About
	PIN         card.PIN
	Tries       int         // entries left on the card, or fail.NoTries
	Declaration string      // key of the sentence that the signature key signs (R8); "" for other PINs
	Before      *fail.Error // why the entry before this one did not do; nil on the first
	OtherWay    bool        // something else opens the same: who leaves the entry empty does not know this one
}

// ErrOtherWay is the answer of somebody who left an entry empty that had another way.
var ErrOtherWay = errors.New("prompt: the person takes the other way")

// Choice is one of several things to choose from; both texts are shown.
type Choice struct{ Name, Detail string }

// What Choose chooses, for its sentence.
const (
	ChooseProvider = "choose_provider"
	ChooseReader   = "choose_reader"
)

// Prompter asks one person. Every method ends with ctx, and with fail.UserCancelled when the person says no.
type Prompter interface {
	// PIN returns the bytes that the card expects; the caller presents them at most once and wipes them.
	// A locked PIN is fail.PINLocked, without a question; an empty entry where there is another way ErrOtherWay.
	// Verification number B is asked for in its three printed parts, from a script in one line.
	PIN(ctx context.Context, a Ask) ([]byte, error)
	// Confirm shows the same and returns nil for a yes: the PIN is then entered on the reader's own keys.
	Confirm(ctx context.Context, a Ask) error
	// Choose returns an index into options.
	Choose(ctx context.Context, key string, options []Choice) (int, error)
	// Tell says how a login ended that did not end well.
	Tell(ctx context.Context, e *fail.Error) error
}

// screen is one way of showing a form. What it returns from secret is as typed, in one slice of its own.
type screen interface {
	secret(ctx context.Context, f form) ([]byte, error)
	confirm(ctx context.Context, f form) error
	choose(ctx context.Context, f form, options []string) (int, error)
	tell(ctx context.Context, f form) error
	patient() bool // whether asking again helps: a script has no second thought
}

// form is one window in words, in the person's language.
type form struct {
	title, body string // body has several lines
	brief       string // the same in one line, for windows that have no room
	problem     string // what was wrong with the entry before
	label       string // of the field
	ok, no      string // of the buttons
	next        string // of the button that looks at the next choice
}

// desk is a Prompter over a screen.
type desk struct {
	screen screen
	words  words
}

// maxEntries bounds how often an entry of the wrong form is asked for again.
const maxEntries = 5

// PIN asks until the entry has the right form. Nothing here touches the card's counter.
func (d desk) PIN(ctx context.Context, a Ask) ([]byte, error) {
	if err := d.spare(ctx, a); err != nil {
		return nil, err
	}
	if a.PIN == card.NumberB && d.screen.patient() {
		return d.printed(ctx, a)
	}
	return d.entry(ctx, &a, d.words.ask, func(typed []byte) ([]byte, error) { return normalise(a.PIN, typed) })
}

// entry shows a window until what is typed has the right form.
func (d desk) entry(ctx context.Context, a *Ask, window func(Ask) form, read func([]byte) ([]byte, error)) ([]byte, error) {
	for range maxEntries {
		typed, err := d.screen.secret(ctx, window(*a))
		if err != nil {
			return nil, err
		}
		if a.OtherWay && len(typed) == 0 {
			return nil, ErrOtherWay
		}
		secret, err := read(typed)
		clear(typed)
		if err == nil || !d.screen.patient() {
			return secret, err
		}
		a.Before = fail.PINFormat
	}
	return nil, fail.PINFormat
}

// spare stops at a locked PIN, and asks once more before the last try.
func (d desk) spare(ctx context.Context, a Ask) error {
	switch a.Tries {
	case 0:
		return fail.PINLocked.Left(0)
	case 1:
		return d.screen.confirm(ctx, d.words.lastTry(a))
	}
	return nil
}

func (d desk) Confirm(ctx context.Context, a Ask) error {
	if err := d.spare(ctx, a); err != nil {
		return err
	}
	return d.screen.confirm(ctx, d.words.pad(a))
}

func (d desk) Choose(ctx context.Context, key string, options []Choice) (int, error) {
	lines := make([]string, len(options))
	for i, o := range options {
		lines[i] = clean(o.Name, 60) + " (" + clean(o.Detail, 80) + ")"
	}
	return d.screen.choose(ctx, d.words.choice(key), lines)
}

func (d desk) Tell(ctx context.Context, e *fail.Error) error {
	return d.screen.tell(ctx, d.words.ending(e))
}
