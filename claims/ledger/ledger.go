// Package ledger owns what one sector has been told about one person's age, and the rule that keeps it from learning more
// by asking again: many thresholds would bracket a birthdate, and the day on which "no" becomes "yes" is a birthday.
// It knows thresholds, answers and days. It refuses to know who asks, whom about, birthdates and where a ledger is kept.
package ledger

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tegata/claims"
)

const (
	// Memory is how many days an answer counts at least: longer than a year, so that no yearly rhythm escapes it.
	Memory = 400
	// Renewal is how many days old the note of an answer is when the same answer renews it, so that most repeat logins write
	// nothing. An answer counts up to Memory+Renewal days.
	Renewal = 30
	// Thresholds is how many different ages a sector may ask one person about within Memory, unless a client registered more
	// of them together: two thresholds put people into three classes.
	Thresholds = 2
	// FalseDays is on how many days of FalseWindow the same question may be answered with "no". Asking again on the same day
	// tells nothing new, since an age is reached at midnight.
	FalseDays = 3
	// FalseWindow is the length of that window in days.
	FalseWindow = 30
)

// ErrEncoding: stored bytes are not what this package wrote. The text carries no part of them.
var ErrEncoding = errors.New("ledger: stored bytes are unreadable")

// Day counts civil days in Japan, where ages are reached; day 0 is 1970-01-01.
type Day int64

// DayOf is the day of an instant.
func DayOf(at time.Time) Day { return Day((at.Unix() + 9*60*60) / (24 * 60 * 60)) }

// Begins is the instant at which the day begins.
func (d Day) Begins() time.Time { return time.Unix(int64(d)*24*60*60-9*60*60, 0).UTC() }

// Ledger is what was answered, the zero Ledger nothing. It is personal data, to be sealed at rest.
type Ledger struct {
	answers []answer
	byDay   []claims.Item // how the next answers are counted; not encoded
}

// answer is the history of one threshold.
type answer struct {
	Item   claims.Item `json:"item"`
	Last   Day         `json:"last"`             // when it was answered, at most Renewal days before it was answered last
	Falses []Day       `json:"falses,omitempty"` // the days with "no" within FalseWindow, ascending
	ByDay  bool        `json:"by_day,omitempty"` // the newest of these days was counted by the day
}

// Under is the ledger for a question whose ages are counted by these rules, and for its answers. On the day before a
// birthday the two rules disagree: a sector in which clients are counted by both must not hear both on one day.
func (l Ledger) Under(rules claims.AgeRules) Ledger {
	l.byDay = nil
	for item, rule := range rules {
		if rule == claims.ByDay {
			l.byDay = append(l.byDay, item)
		}
	}
	return l
}

// Question is one request for predicates.
type Question struct {
	Items      []claims.Item // what is asked; items that are no predicates are passed over
	Registered []claims.Item // what an operator has approved this client to ask, together
	Fresh      bool          // the card was used for this very login
	Today      Day
}

// Refused gives the predicates of a question that must not be answered. They look to the relying party like any other
// claim that is not there.
func (l Ledger) Refused(q Question) []claims.Item {
	l = l.on(q.Today)
	var asked, refused []claims.Item
	for _, a := range l.answers {
		asked = append(asked, a.Item)
	}
	for _, item := range q.Items {
		switch {
		case !item.Predicate():
		case l.watched(item, q), tooMany(asked, item, q.Registered):
			refused = append(refused, item)
		case !slices.Contains(asked, item):
			asked = append(asked, item)
		}
	}
	return refused
}

// watched says whether an answer would help to find the day on which "no" becomes "yes".
func (l Ledger) watched(item claims.Item, q Question) bool {
	at := slices.IndexFunc(l.answers, func(a answer) bool { return a.Item == item })
	if at < 0 {
		return false
	}
	a := l.answers[at]
	falses := a.Falses
	if a.newest() == q.Today && a.ByDay != slices.Contains(l.byDay, item) {
		return true
	}
	if len(falses) == 0 || falses[len(falses)-1] == q.Today {
		return false
	}
	return !q.Fresh || len(falses) >= FalseDays
}

// tooMany says whether one more threshold gives the sector finer classes than anybody approved.
func tooMany(asked []claims.Item, item claims.Item, registered []claims.Item) bool {
	if slices.Contains(asked, item) || len(asked) < Thresholds {
		return false
	}
	for _, i := range append(slices.Clone(asked), item) {
		if !slices.Contains(registered, i) {
			return true
		}
	}
	return false
}

// Note adds the answers that were given on a day; changed says whether the result says anything that l does not.
func (l Ledger) Note(answers map[claims.Item]bool, today Day) (next Ledger, changed bool) {
	next = l.on(today)
	for _, item := range claims.Catalogue() { // in one order, whatever the map's is
		yes, given := answers[item]
		if !given || !item.Predicate() {
			continue
		}
		at := slices.IndexFunc(next.answers, func(a answer) bool { return a.Item == item })
		if at < 0 {
			next.answers = append(next.answers, answer{Item: item, Last: today - Renewal})
			at = len(next.answers) - 1
		}
		if next.answers[at].note(yes, today) {
			next.answers[at].ByDay, changed = slices.Contains(l.byDay, item), true
		}
	}
	return next, changed
}

// note says whether the answer of a day is news.
func (a *answer) note(yes bool, today Day) (news bool) {
	if today-a.Last >= Renewal {
		a.Last, news = today, true
	}
	switch {
	case yes: // for ever: there is no day left to find
		news = news || len(a.Falses) > 0
		a.Falses = nil
	case !slices.Contains(a.Falses, today):
		a.Falses, news = append(a.Falses, today), true
	}
	return news
}

// on is the ledger as it counts on a day: what is older than its time is gone. It shares nothing with l.
func (l Ledger) on(today Day) Ledger {
	kept := Ledger{byDay: l.byDay}
	for _, a := range l.answers {
		if a.Last > today-Memory-Renewal {
			a.Falses = slices.DeleteFunc(slices.Clone(a.Falses), func(d Day) bool { return d <= today-FalseWindow })
			kept.answers = append(kept.answers, a)
		}
	}
	return kept
}

// Expires is the day from which nothing of the ledger counts any more.
func (l Ledger) Expires() Day {
	var last Day
	for _, a := range l.answers {
		last = max(last, a.Last)
	}
	return last + Memory + Renewal
}

// Encode gives the bytes to seal.
func (l Ledger) Encode() ([]byte, error) { return json.Marshal(l.answers) }

// Decode reads what Encode wrote; no bytes are the zero Ledger. Error: ErrEncoding.
func Decode(b []byte) (Ledger, error) {
	var l Ledger
	if len(b) == 0 {
		return l, nil
	}
	if json.Unmarshal(b, &l.answers) != nil {
		return Ledger{}, ErrEncoding
	}
	for _, a := range l.answers {
		if !a.Item.Predicate() || !slices.IsSorted(a.Falses) {
			return Ledger{}, ErrEncoding
		}
	}
	return l, nil
}
