package idp

import (
	"maps"
	"slices"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/claims/ledger"
	"tegata/idp/clients"
	"tegata/storage"
)

// offered is what could be sent to a relying party about a person, and what its sector has been told so far.
type offered struct {
	offers []claims.Offer
	wants  claims.Wants // where they would go
	told   ledger.Ledger
	noes   []claims.Item // answers that the client does not hear, which it may guess from hearing nothing
}

// offer evaluates the requested items on the facts that the login or session holds. What would tell the sector more than
// its questions are worth is no offer: the ledger holds it back.
func (p *Provider) offer(l storage.Login, link storage.Link, c storage.Client) (offered, error) {
	if len(items(l.Request)) == 0 {
		return offered{}, nil
	}
	person, err := p.known(c, l.Facts)
	if err != nil {
		return offered{}, err
	}
	told, err := ledger.Decode(link.Told.Ledger)
	if err != nil {
		return offered{}, fail.Internal.Because(err)
	}
	rules := clients.AgeRules(c, p.AgeRules)
	told = told.Under(rules)
	wants, err := p.wants(l, person)
	if err != nil {
		return offered{}, err
	}
	asked := wants.Items()
	refused := told.Refused(ledger.Question{
		Items: asked, Registered: claims.Items(c.Scopes), Fresh: l.SessionID == "", Today: ledger.DayOf(p.Now())})
	if len(refused) > 0 {
		p.Log.Warn("a service asks for more than its questions are worth", "event", "asked_too_often", "client", c.ID, "items", refused)
	}
	offers := rules.Evaluate(person, asked, p.Now())
	noes := append(onlyYes(c, offers), undecided(offers)...)
	for i := range offers {
		if slices.Contains(refused, offers[i].Item) && offers[i].Reason != claims.NotDecided { // which is why, whatever was asked before
			offers[i] = offers[i].Withheld(claims.AskedTooOften)
		}
	}
	noes = slices.DeleteFunc(noes, func(i claims.Item) bool { return slices.Contains(refused, i) })
	return offered{offers, wants, told, noes}, nil
}

// undecided are the ages that the data do not decide yet. They become a yes on a day that tells about the birthday, too, so
// hearing nothing counts like hearing a no.
func undecided(offers []claims.Offer) (items []claims.Item) {
	for _, o := range offers {
		if o.Item.Predicate() && o.Reason == claims.NotDecided {
			items = append(items, o.Item)
		}
	}
	return items
}

// tell gives the ledger's next version with the answers of a release, nil when they add nothing.
func (p *Provider) tell(o offered, answers map[claims.Item]bool, link storage.Link, c storage.Client) (*storage.Ledger, error) {
	all := map[claims.Item]bool{}
	for _, item := range o.noes {
		all[item] = false
	}
	maps.Copy(all, answers)
	next, changed := o.told.Note(all, ledger.DayOf(p.Now()))
	if !changed {
		return nil, nil
	}
	text, err := next.Encode()
	if err != nil {
		return nil, fail.Internal.Because(err)
	}
	return &storage.Ledger{Sector: c.Sectors().Owner, Told: storage.Told{
		Version: link.Told.Version + 1, Ledger: text, Expires: next.Expires().Begins()}}, nil
}
