package idp

import (
	"context"
	"errors"
	"slices"
	"time"

	"tegata/authn"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// Coarse is how exact the times are that an age-only client hears. A minute is as much as the libraries of relying parties
// bear: some refuse an iat of two minutes ago.
const Coarse = time.Minute

// onlyYes holds back the answers that a client shall not hear, and gives their items.
func onlyYes(c storage.Client, offers []claims.Offer) (noes []claims.Item) {
	if !clients.OnlyYes(c) {
		return nil
	}
	for i := range offers {
		if offers[i].No() {
			noes = append(noes, offers[i].Item)
			offers[i] = offers[i].Withheld(claims.OnlyYes)
		}
	}
	return noes
}

// nothing says that an age-only client would get an answer without an answer in it. It gets the one of somebody who
// declined instead: a no, a card that cannot tell and a person who does not want to look the same, to the last byte.
func nothing(c storage.Client, offers []claims.Offer) bool {
	return clients.AgeOnly(c) && !slices.ContainsFunc(offers, func(o claims.Offer) bool { return o.Available })
}

// countNo has the ledger count a no before its page is drawn: whoever sees that there is nothing to share goes back or closes
// the window, and the relying party may guess why.
func (p *Provider) countNo(ctx context.Context, l storage.Login, link *storage.Link, c storage.Client) error {
	if !clients.OnlyYes(c) {
		return nil
	}
	o, err := p.offer(l, *link, c)
	if err != nil {
		return err
	}
	told, err := p.tell(o, nil, *link, c)
	if err != nil || told == nil {
		return err
	}
	switch err := p.Store.Tell(ctx, l.AccountID, *told); {
	case errors.Is(err, storage.ErrStale): // who comes second finds that another answer has just been counted
	case err != nil:
		return unavailable(err)
	default:
		link.Told = told.Told
	}
	return nil
}

// decline ends a login as if the person had declined.
func (p *Provider) decline(ctx context.Context, l storage.Login, link storage.Link, c storage.Client) (Step, error) {
	if err := p.countNo(ctx, l, &link, c); err != nil { // again, should midnight have passed over the page
		return Step{}, err
	}
	l, err := p.swap(ctx, l.ID, authn.Cancel, p.plainSwap)
	if err != nil {
		return Step{}, err
	}
	p.noteDeclined(ctx, l)
	s, err := p.step(l, nil, c, Browser{})
	if err != nil {
		return Step{}, err
	}
	return p.leave(s)
}

// earlier and later are a time as an age-only client hears it, so that what began has begun and what lasts still lasts;
// all other clients hear the second.
func earlier(c storage.Client, at time.Time) int64 {
	if clients.AgeOnly(c) {
		at = at.Truncate(Coarse)
	}
	return at.Unix()
}

func later(c storage.Client, at time.Time) int64 {
	if clients.AgeOnly(c) {
		at = at.Add(Coarse - 1).Truncate(Coarse)
	}
	return at.Unix()
}
