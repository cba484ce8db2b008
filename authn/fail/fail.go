// Package fail holds the coded errors of the house: what went wrong, in a form that can be
// shown to a person and logged without leaking anything.
// It knows codes, statuses and who can help. It does not know languages (web/ui has the
// sentences), HTTP routes or causes, which it carries but never prints to the outside.
package fail

import (
	"errors"
	"log/slog"
)

// Who can take the next step after an error.
type Who string

const (
	You          Who = "you"          // the person with the card
	Site         Who = "site"         // the relying party's engineers
	Us           Who = "us"           // the operator of this provider
	Municipality Who = "municipality" // the office that issued the card
)

// NoTries says that an error carries no retry counter.
const NoTries = -1

// Error is a coded error. Code is stable and is the key of its sentences in web/ui.
// Nothing in its exported fields or its Error text comes from a person, a card or a secret.
type Error struct {
	Code   string
	Status int    // HTTP status of the page or API answer
	Who    Who    // who can take the next step
	OAuth  string // the OAuth error the relying party gets when the login is given up for this; "" = it stays with us
	Tries  int    // PIN entries left on the card, or NoTries
	Field  string // name (never value) of the offending parameter, if any
	cause  error
}

// New declares a code. Call it in var blocks only; the catalogue test in web/ui finds them through All.
func New(code string, status int, who Who, oauth string) *Error {
	e := &Error{Code: code, Status: status, Who: who, OAuth: oauth, Tries: NoTries}
	all = append(all, e)
	return e
}

var all []*Error

// All returns every declared error, so that a test can check that each has its sentences.
func All() []*Error { return all }

// Error gives the code alone: causes may quote foreign input and stay inside.
func (e *Error) Error() string { return e.Code }

// Unwrap gives the hidden cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// Is makes copies of one declared error equal: errors.Is(err, fail.PINLocked).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Because returns a copy that carries a cause for the operator's log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Left returns a copy that carries the retry counter.
func (e *Error) Left(tries int) *Error {
	c := *e
	c.Tries = tries
	return &c
}

// At returns a copy that names the offending parameter.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// LogValue logs the code and the type of the cause, never the cause's text.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("code", e.Code)}
	if e.Field != "" {
		attrs = append(attrs, slog.String("field", e.Field))
	}
	if e.Tries != NoTries {
		attrs = append(attrs, slog.Int("tries", e.Tries))
	}
	return slog.GroupValue(attrs...)
}

// From finds the coded error in err; anything uncoded is Internal with err as its cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal.Because(err)
}

// ByCode finds a declared error by its stable code; an unknown code is Internal.
func ByCode(code string) *Error {
	for _, e := range all {
		if e.Code == code {
			return e
		}
	}
	return Internal
}
