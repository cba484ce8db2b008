package jwt

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// Skew is how far a client's clock may be from ours, in either direction.
const Skew = 60 * time.Second

// Problem is why a signed token is not good here and now. Its text names a claim and never quotes one.
type Problem string

// Error is the sentence.
func (p Problem) Error() string { return string(p) }

// instant reads a NumericDate; false when absent. Fractions of a second are cut off.
func (t Token) instant(name string) (time.Time, bool, error) {
	raw, has := t.Claims[name]
	if !has {
		return time.Time{}, false, nil
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds < 0 || seconds > 253_402_300_799 { // the end of year 9999
		return time.Time{}, false, malformed(name + " is not a time")
	}
	return time.Unix(int64(seconds), 0), true, nil
}

// Expires is when the token ends, the zero time if it does not say so.
func (t Token) Expires() time.Time {
	at, _, _ := t.instant("exp") // Parse has looked at it
	return at
}

// IssuedAt is when the token says that it was made; false if it does not.
func (t Token) IssuedAt() (time.Time, bool) {
	at, has, _ := t.instant("iat") // Parse has looked at it
	return at, has
}

// Fresh says whether the token is good at now: exp is there, not over, and at most life ahead; iat and nbf are not in the
// future. Clocks may differ by Skew.
func (t Token) Fresh(now time.Time, life time.Duration) error {
	switch exp := t.Expires(); {
	case exp.IsZero():
		return Problem("exp is missing")
	case !now.Before(exp.Add(Skew)):
		return Problem("exp is over")
	case exp.After(now.Add(life)):
		return Problem("exp is more than " + life.String() + " ahead")
	}
	return t.begun(now)
}

// FreshSince is Fresh for tokens that say when they were made: they live so long from there, though exp may be as far as
// furthest ahead. Libraries that always write an exp of an hour are then understood, and a replay need not be remembered
// longer than until. A token without iat lives by its exp alone.
func (t Token) FreshSince(now time.Time, life, furthest time.Duration) (until time.Time, err error) {
	iat, says := t.IssuedAt()
	if !says {
		return t.Expires(), t.Fresh(now, life)
	}
	if err := t.Fresh(now, furthest+Skew); err != nil {
		return time.Time{}, err
	}
	if until = iat.Add(life); t.Expires().Before(until) {
		return t.Expires(), nil
	}
	if !now.Before(until.Add(Skew)) {
		return time.Time{}, Problem("iat is more than " + life.String() + " ago")
	}
	return until, nil
}

// Started says whether the token tells from when it is good, which is at most life ago, and is good for no longer than life from
// there (FAPI 2.0 Message Signing section 5.3.1).
func (t Token) Started(now time.Time, life time.Duration) error {
	switch nbf, says, _ := t.instant("nbf"); { // Parse has looked at it
	case !says:
		return Problem("nbf is missing")
	case now.Sub(nbf) > life:
		return Problem("nbf is more than " + life.String() + " ago")
	case t.Expires().Sub(nbf) > life:
		return Problem("exp is more than " + life.String() + " after nbf")
	}
	return nil
}

// begun says whether the token is good already.
func (t Token) begun(now time.Time) error {
	for _, name := range []string{"iat", "nbf"} {
		if at, _, err := t.instant(name); err != nil || at.After(now.Add(Skew)) {
			return Problem(name + " is in the future")
		}
	}
	return nil
}

// For says whether the token is addressed to us and to nobody else: a text, or a list, of names that are all ours.
func (t Token) For(names ...string) error {
	all, err := t.audience()
	foreign := func(name string) bool { return !slices.Contains(names, name) }
	switch {
	case err != nil:
		return err
	case len(all) == 1 && foreign(all[0]):
		return Problem("aud does not name this provider")
	case len(all) == 0, slices.ContainsFunc(all, foreign):
		return Problem("aud must name this provider and nobody else")
	}
	return nil
}

// Among says whether the token is addressed to name, whoever else it may be for (RFC 7519 section 4.1.3). It is for what proves
// nothing about its sender.
func (t Token) Among(name string) error {
	all, err := t.audience()
	switch {
	case err != nil:
		return err
	case !slices.Contains(all, name):
		return Problem("aud does not name this provider")
	}
	return nil
}

// ForAlone is For when a list will not do, not even of one: FAPI 2.0 wants aud to be the issuer as a text.
func (t Token) ForAlone(name string) error {
	if t.Text("aud") != name {
		return Problem("aud is not this provider's issuer as a single text")
	}
	return nil
}

// AsProblem finds the sentence in err, "" when there is none to tell.
func AsProblem(err error) string {
	var p Problem
	if errors.As(err, &p) {
		return string(p)
	}
	return ""
}
