// Package latest owns what follows when a person agrees that a relying party hears of changes of her four attributes: for
// how long the word counts, when it is asked for, what has changed since the client last heard, and the job that reads the
// authority's news, asks for whoever has agreed and hands on what is new (R11).
// It refuses to know pages, logins, and how a message is signed and sent. Of somebody who has died, or is out of reach, it
// learns nothing and says nothing.
package latest

import (
	"slices"
	"time"

	"tegata/claims"
	"tegata/storage"
)

// Wording is the version of the texts where a consent has none of its own.
const Wording = "latest.1"

// Years is how long a consent counts; Notice is how long before its end the person hears of that.
const (
	Years  = 10
	Notice = 90 * 24 * time.Hour
)

// japan is where days begin and end.
var japan = time.FixedZone("JST", 9*60*60)

// Ends is the moment at which a consent is over: ten years are counted from the day after it was given, in Japan (R11).
// Where the tenth year has no such day, February 29, the last one is February 28 (Civil Code 143).
func Ends(given time.Time) time.Time {
	y, m, d := given.In(japan).Date()
	first := time.Date(y, m, d+1, 0, 0, 0, 0, japan)
	return first.AddDate(Years, 0, 0)
}

// LastDay is the last day on which a consent with this end counts.
func LastDay(ends time.Time) time.Time { return ends.In(japan).AddDate(0, 0, -1) }

// Near says whether a consent's person is to hear that it ends: in the last 90 days, and after.
func Near(ends, now time.Time) bool { return ends.Sub(now) <= Notice }

// Items are those of which changes are told: what the register says, no ages, and nothing that the client may not have.
func Items(c storage.Client, of []claims.Item) []claims.Item {
	var out []claims.Item
	for _, i := range of {
		if !i.Predicate() && slices.Contains(c.Scopes, i.Scope()) {
			out = append(out, i)
		}
	}
	return out
}

// Asks says whether a person is asked, on the way through a consent page. A no stands until the client asks anew
// (prompt=consent) or she has taken back what she shares with it; a yes until it is near its end or more is asked for.
func Asks(standing *storage.LatestConsent, items []claims.Item, anew bool, now time.Time) bool {
	switch {
	case len(items) == 0:
		return false
	case standing == nil:
		return true
	case standing.Refused:
		return anew
	case Near(standing.ExpiresAt, now):
		return true
	}
	return slices.ContainsFunc(items, func(i claims.Item) bool { return !slices.Contains(standing.Items, string(i)) })
}
