package clients

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tegata/claims"
	"tegata/storage"
)

// maxPredicates bounds how many ages one request may ask about: two put people into three classes, and more begin to tell
// a birthday.
const maxPredicates = 2

// policy checks what the metadata says about people's data. Only what is said is held against the client.
func (r *registration) policy() storage.ClientPolicy {
	p := r.Policy
	r.checkItems(p)
	if p.Predicates < 0 || p.Predicates > maxPredicates {
		r.refuse("policy.predicates_per_request", "must be 1 or 2.")
	}
	switch claims.Source(p.Source) {
	case "", claims.SignatureCertificate:
	case claims.CardInfoUnverified:
		if r.Profile != "" && r.Profile != ProfileBasic {
			r.refuse("policy.source", "may be card_info_unverified for the profile basic only.")
		}
	default:
		r.refuse("policy.source", "must be signature_certificate, or card_info_unverified, or be left out for every source that this provider can verify.")
	}
	for i, name := range p.ByDay {
		r.checkByDay(fmt.Sprintf("policy.by_day[%d]", i), claims.Item(name))
	}
	r.checkLine("policy.retention", p.Retention, maxPurpose)
	r.checkLine("policy.retention#ja", p.RetentionJa, maxPurpose)
	return p
}

// checkItems holds the items against the scopes: where there is a list of items, it is the whole list.
func (r *registration) checkItems(p storage.ClientPolicy) {
	if len(p.Items) == 0 {
		return
	}
	asked := r.asked()
	for _, name := range slices.Sorted(maps.Keys(p.Items)) {
		field, one := "policy.items."+name, p.Items[name]
		if !slices.Contains(claims.Catalogue(), claims.Item(name)) {
			r.refuse("policy.items", "may only name: "+names(claims.Catalogue())+".")
			continue
		}
		if !slices.Contains(asked, name) {
			r.refuse(field, "is not in scope.")
		}
		r.checkLine(field+".purpose", one.Purpose, maxPurpose)
		r.checkLine(field+".purpose#ja", one.PurposeJa, maxPurpose)
	}
	for _, item := range claims.Items(asked) {
		if _, agreed := p.Items[string(item)]; !agreed {
			r.refuse("policy.items", "must name every item of scope: "+string(item)+" is missing.")
		}
	}
}

// defaultScope is what a client asks for that has no scope: what its policy names.
func (r *registration) defaultScope() string {
	if len(r.Policy.Items) == 0 {
		return DefaultScope
	}
	return strings.Join(append([]string{claims.ScopeOpenID}, slices.Sorted(maps.Keys(r.Policy.Items))...), " ")
}

// checkByDay lets a predicate be counted by the day when the operator named it: which law a site serves is not the site's
// to say (R20).
func (r *registration) checkByDay(field string, item claims.Item) {
	switch {
	case (claims.AgeRules{item: claims.ByDay}).Check() != nil:
		r.refuse(field, "must be an age predicate, and not one that alcohol and tobacco are sold by.")
	case !slices.Contains(r.ByDay, item):
		r.refuse(field, "is the operator's decision: tegata client create --by-day "+string(item)+".")
	}
}

// checkLine wants a line that a page can show.
func (r *registration) checkLine(field, text string, maximum int) {
	if !showable(text, maximum) {
		r.refuse(field, fmt.Sprintf("must be one line of at most %d characters, without invisible ones.", maximum))
	}
}

func names(items []claims.Item) string {
	var all []string
	for _, i := range items {
		all = append(all, string(i))
	}
	return strings.Join(all, " ")
}

// AgeRules are the rules of one client's predicates: the deployment's, and those that were agreed with it.
func AgeRules(c storage.Client, all claims.AgeRules) claims.AgeRules {
	if len(c.Policy.ByDay) == 0 {
		return all
	}
	own := maps.Clone(all)
	if own == nil {
		own = claims.AgeRules{}
	}
	for _, name := range c.Policy.ByDay {
		own[claims.Item(name)] = claims.ByDay
	}
	return own
}

// AcceptsSource says whether facts from a source are good enough for a client. What nobody could verify is for those alone
// that have said so.
func AcceptsSource(c storage.Client, source string) bool {
	switch claims.Source(c.Policy.Source) {
	case "":
		return source != string(claims.CardInfoUnverified)
	case claims.CardInfoUnverified:
		return true
	}
	return c.Policy.Source == source
}
