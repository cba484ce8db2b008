package ask

import (
	"slices"
	"time"

	"tegata/claims"
)

// Done is a verification that took place. The zero Done is none: it meets no request.
type Done struct {
	All  claims.Verification // everything that can be said of it
	Time time.Time           // when, to the second; All has the day alone
}

// Match gives the part of done that was asked for, false when a condition is not met: then the relying party hears
// nothing of the element (Identity Assurance, "Data not matching requirements").
func (v Verification) Match(done Done, now time.Time) (claims.Verification, bool) {
	all := done.All
	out := claims.Verification{TrustFramework: all.TrustFramework}
	if all.TrustFramework == "" || v.Unmeetable || !v.TrustFramework.takes(all.TrustFramework) {
		return claims.Verification{}, false
	}
	if !v.AssuranceLevel.takes(all.AssuranceLevel) || !v.Time.takes(done, now) {
		return claims.Verification{}, false
	}
	if v.AssuranceLevel.Asked {
		out.AssuranceLevel = all.AssuranceLevel
	}
	if v.Time.Asked {
		out.Time = all.Time
	}
	if v.Evidence == nil {
		return out, true
	}
	for _, e := range all.Evidence {
		if shown, ok := show(v.Evidence, e); ok {
			out.Evidence = append(out.Evidence, shown)
		}
	}
	return out, len(out.Evidence) > 0
}

// takes says whether a word meets the condition. What is not known meets none.
func (t Text) takes(word string) bool {
	return t.OneOf == nil || word != "" && slices.Contains(t.OneOf, word)
}

// takes counts the age from the second, not from the day that will be said: a login of a minute ago is a minute old.
func (t Time) takes(done Done, now time.Time) bool {
	return t.young(done.Time, now) && Text{OneOf: t.OneOf}.takes(done.All.Time)
}

func (t Time) young(done, now time.Time) bool {
	return t.MaxAge == nil || now.Unix()-done.Unix() <= *t.MaxAge
}

// show fills in the templates that a piece of evidence meets; several are joined.
func show(templates []Evidence, e claims.Evidence) (claims.Evidence, bool) {
	out, met := claims.Evidence{Type: e.Type}, false
	for _, t := range templates {
		checks, ok := t.checks(e)
		if !ok || t.Unmeetable || !t.Type.takes(e.Type) || !t.Document.takes(e.Document) {
			continue
		}
		met = true
		for _, c := range checks {
			if !slices.Contains(out.Checks, c) {
				out.Checks = append(out.Checks, c)
			}
		}
		if t.Document != nil {
			out.Document = t.Document.show(e.Document, out.Document)
		}
	}
	return out, met
}

// checks gives the checks that any alternative takes.
func (t Evidence) checks(e claims.Evidence) ([]claims.Check, bool) {
	if t.Checks == nil {
		return nil, true
	}
	var out []claims.Check
	for _, c := range e.Checks {
		if slices.ContainsFunc(t.Checks, func(asked Text) bool { return asked.takes(c.Method) }) {
			out = append(out, c)
		}
	}
	return out, len(out) > 0
}

func (d *Document) takes(known *claims.Document) bool {
	return d == nil || known != nil && d.Type.takes(known.Type) && d.Country.takes(known.Issuer.CountryCode)
}

// show gives the details that were asked for, on top of those that another template has given. The type is always among
// them: without it the details are not valid.
func (d *Document) show(known, before *claims.Document) *claims.Document {
	out := &claims.Document{Type: known.Type}
	if d.Country.Asked || before != nil && before.Issuer != nil {
		out.Issuer = known.Issuer
	}
	return out
}
