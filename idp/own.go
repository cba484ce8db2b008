package idp

import (
	"context"
	"errors"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// Own is the name under which logins to the person's own pages run. It is no client: a client_id has no space, nothing of
// that name is stored, and the protocol endpoints do not find it.
const Own = "own pages"

// party is whom a login is for: a relying party, or we ourselves.
func (p *Provider) party(ctx context.Context, id string) (storage.Client, error) {
	if id == Own {
		return storage.Client{ID: Own, Name: "Tegata", URI: p.Issuer}, nil
	}
	return p.Client(ctx, id)
}

// BeginOwn starts a login to the person's own pages: the same login as everybody's, after which nobody gets an answer.
func (p *Provider) BeginOwn(ctx context.Context, b Browser) (Step, error) {
	if !b.Known {
		return Step{}, fail.CookiesBlocked
	}
	r := storage.AuthRequest{RedirectURI: p.Issuer, Scopes: []string{claims.ScopeOpenID}}
	l, err := authn.Begin(Own, r, b.Secret, p.Now(), p.Rand)
	if err != nil {
		return Step{}, err
	}
	c, err := p.party(ctx, Own)
	if err != nil {
		return Step{}, err
	}
	return p.create(ctx, l, nil, c, b)
}

// enter opens the session of a person who has logged in to her own pages.
func (p *Provider) enter(ctx context.Context, l storage.Login, c storage.Client, b Browser) (Step, error) {
	cookie, err := authn.NewSecret(p.Rand)
	if err != nil {
		return Step{}, err
	}
	done, err := authn.Answer(l)
	if err != nil {
		return Step{}, err
	}
	fresh := p.newSession(l, b, cookie)
	switch err := p.Store.ApproveLogin(ctx, storage.Approval{Login: &done, Session: fresh}); {
	case errors.Is(err, storage.ErrStale):
		return Step{}, fail.AlreadyUsed
	case err != nil:
		return Step{}, unavailable(err)
	}
	p.logins.drop(l.ID)
	p.endOld(ctx, fresh, b)
	return Step{Show: ShowOwn, Login: done, Client: c, Cookie: &cookie}, nil
}
