package claims

import (
	"encoding/json"
	"reflect"
	"slices"
)

// Wants is what a relying party may hear after a consent, in full: nothing that is not in it is released.
type Wants struct {
	Scopes   []Item // asked by scope: all claims of the item to userinfo, predicates to the ID token too
	IDToken  Part
	UserInfo Part
}

// Part is what one response shall carry besides what scopes ask for.
type Part struct {
	Claims   []Want
	Verified []VerifiedWant
}

// Want is one claim, asked for by name.
type Want struct {
	hidden
	Claim Claim
	OneOf []any // what the claim must equal to be sent, as encoding/json reads it; nil: anything
}

// VerifiedWant is claims that shall come with how they were verified.
type VerifiedWant struct {
	Verification Verification // what will be said of it; it meets the relying party's conditions
	Claims       []Want
}

// Items that are asked for in some way, in the order of the catalogue.
func (w Wants) Items() []Item {
	asked := slices.Clone(w.Scopes)
	add := func(wants []Want) {
		for _, one := range wants {
			asked = append(asked, one.Claim.item)
		}
	}
	for _, part := range []Part{w.IDToken, w.UserInfo} {
		add(part.Claims)
		for _, v := range part.Verified {
			add(v.Claims)
		}
	}
	return slices.DeleteFunc(Catalogue(), func(i Item) bool { return !slices.Contains(asked, i) })
}

// Unconditional is the same without conditions on values: what a person is shown before anything is compared. A page
// that left out what does not match would tell the relying party by its mere length of time (R27).
func (w Wants) Unconditional() Wants {
	w.IDToken, w.UserInfo = w.IDToken.unconditional(), w.UserInfo.unconditional()
	return w
}

func (p Part) unconditional() Part {
	out := Part{Claims: free(p.Claims)}
	for _, v := range p.Verified {
		out.Verified = append(out.Verified, VerifiedWant{Verification: v.Verification, Claims: free(v.Claims)})
	}
	return out
}

func free(wants []Want) []Want {
	out := slices.Clone(wants)
	for i := range out {
		out[i].OneOf = nil
	}
	return out
}

// Released is the outcome of a consent: what goes where, and what stays here.
type Released struct {
	IDToken  Response
	UserInfo Response
	Withheld []Withheld // every item of the catalogue that neither response carries, in its order

	// Answered are the predicates whose answers can be read from the responses, by whatever name. A condition that is not met
	// is an answer too: who asked for true and hears nothing may take it for a no.
	Answered map[Item]bool
}

// Withheld is an item that stays here, with the reason for the person's own view.
type Withheld struct {
	Item   Item
	Reason Reason
}

// Release lets out the offers that are available and that the person consented to, as scopes ask for them.
func Release(offers []Offer, consented []Item) Released {
	return Wants{Scopes: Catalogue()}.Release(offers, consented)
}

// Release lets out what is wanted, offered, available and consented to. Only here are the relying party's conditions
// compared with what is known of the person: after the consent (R27).
func (w Wants) Release(offers []Offer, consented []Item) Released {
	e := evaluated{offers: offers, consented: consented, answered: map[Item]bool{}}
	r := Released{IDToken: e.response(w.IDToken), UserInfo: e.response(w.UserInfo)}
	for _, i := range w.Scopes {
		o, reason := e.open(i)
		if reason != "" {
			continue
		}
		for _, claim := range i.Claims() {
			r.UserInfo.set(named[claim], o)
			if i.InIDToken() {
				r.IDToken.set(named[claim], o)
			}
		}
		e.sent = append(e.sent, i)
	}
	r.Withheld, r.Answered = e.withheld(w.Items()), e.answered
	return r
}

// evaluated is one consent while it is answered.
type evaluated struct {
	offers    []Offer
	consented []Item
	sent      []Item
	answered  map[Item]bool
}

// open gives an offer that may leave, or the reason why there is none.
func (e *evaluated) open(i Item) (*Offer, Reason) {
	at := slices.IndexFunc(e.offers, func(o Offer) bool { return o.Item == i })
	switch {
	case at < 0:
		return nil, NotAsked
	case !e.offers[at].Available:
		return nil, e.offers[at].Reason
	case !slices.Contains(e.consented, i):
		return nil, NotConsented
	}
	if i.Predicate() {
		e.answered[i] = e.offers[at].value.yes
	}
	return &e.offers[at], ""
}

// response answers one part. A verified_claims object without a single claim says nothing and is left out.
func (e *evaluated) response(p Part) Response {
	r := Response{ClaimSet: e.set(p.Claims)}
	for _, v := range p.Verified {
		if slices.ContainsFunc(e.offers, func(o Offer) bool { return o.Unverified }) {
			break // nobody verified these, whatever the request says
		}
		set := e.set(v.Claims)
		if string(set.Encode()) == "{}" {
			continue
		}
		r.Verified = append(r.Verified, VerifiedClaims{Verification: v.Verification, Claims: set.registered()})
	}
	return r
}

func (e *evaluated) set(wants []Want) ClaimSet {
	var out ClaimSet
	for _, want := range wants {
		o, reason := e.open(want.Claim.item)
		if reason != "" || !want.matches(o) {
			continue
		}
		before := out
		out.set(want.Claim, o)
		if out != before {
			e.sent = append(e.sent, want.Claim.item)
		}
	}
	return out
}

// matches compares the very member that would be sent. A name in which the source replaced characters equals nothing: it
// is not how the person is called.
func (w Want) matches(o *Offer) bool {
	switch {
	case w.OneOf == nil:
		return true
	case o.value.substituted && w.Claim.form != substituted:
		return false
	}
	var set ClaimSet
	set.put(w.Claim, o)
	var members map[string]any
	if err := json.Unmarshal(set.Encode(), &members); err != nil || len(members) != 1 {
		return false
	}
	for _, member := range members {
		return slices.ContainsFunc(w.OneOf, func(one any) bool { return reflect.DeepEqual(one, member) })
	}
	return false
}

// withheld explains every item that stays here.
func (e *evaluated) withheld(asked []Item) []Withheld {
	out := make([]Withheld, 0, len(catalogue))
	for _, c := range catalogue {
		reason := NotAsked
		switch {
		case slices.Contains(e.sent, c.item):
			continue
		case slices.Contains(asked, c.item):
			if _, reason = e.open(c.item); reason == "" {
				reason = NotMatching
			}
		}
		out = append(out, Withheld{c.item, reason})
	}
	return out
}
