package idp

import (
	"context"
	"slices"

	"tegata/authn"
	"tegata/claims"
	"tegata/storage"
)

// sent are the items that a release let out of what was agreed to.
func sent(agreed []claims.Item, r claims.Released) []string {
	names := []string{}
	for _, i := range agreed {
		if !slices.ContainsFunc(r.Withheld, func(w claims.Withheld) bool { return w.Item == i }) {
			names = append(names, string(i))
		}
	}
	return names
}

// sharedAs is the outcome for offers that went out: the person's history tells which of them nobody could verify.
func sharedAs(offers []claims.Offer) string {
	if slices.ContainsFunc(offers, func(o claims.Offer) bool { return o.Unverified }) {
		return storage.SharedUnverified
	}
	return storage.Shared
}

// history is the entry of the person's own history for a login: names of items, never a value.
func (p *Provider) history(l storage.Login, outcome string, items []string) (*storage.Release, error) {
	id, err := authn.NewSecret(p.Rand)
	if err != nil {
		return nil, err
	}
	if (outcome == storage.Shared || outcome == storage.SharedUnverified) && len(items) == 0 {
		outcome = storage.SignedIn
	}
	return &storage.Release{
		ID: id.Reveal(), AccountID: l.AccountID, ClientID: l.ClientID, At: p.Now(), Items: items, Method: l.AMR, Outcome: outcome}, nil
}

// noteDeclined writes that a person looked at what would be shared and said no. The answer does not wait for better
// luck: that nothing went out is true either way.
func (p *Provider) noteDeclined(ctx context.Context, l storage.Login) {
	r, err := p.history(l, storage.Declined, []string{})
	if err == nil {
		err = p.Store.AddRelease(ctx, *r)
	}
	if err != nil {
		p.Log.ErrorContext(ctx, "a refusal is missing in its person's history", "err", unavailable(err))
	}
}
