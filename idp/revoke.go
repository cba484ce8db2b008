package idp

import (
	"context"
	"errors"

	"tegata/authn"
	"tegata/storage"
)

// Revoke ends the grant behind a token of client c, and with it every token of the grant (RFC 7009). A token that is
// no longer good, never was, or is another client's is left as it is, and the caller does not learn which: nothing remains
// for it to do. Errors are fail.Unavailable alone.
func (p *Provider) Revoke(ctx context.Context, c storage.Client, token string) error {
	if r, ok := parseRefresh(token); ok { // an old one too: its holder wants an end
		if err := p.Store.RevokeFamily(ctx, r.family.Hash(), c.ID, p.Now()); err != nil {
			return unavailable(err)
		}
		return nil
	}
	g, err := p.ownGrant(ctx, c, token)
	if errors.Is(err, ErrInvalidToken) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.Store.RevokeGrant(ctx, g.CodeHash, p.Now()); err != nil {
		return unavailable(err)
	}
	p.Log.InfoContext(ctx, "a relying party gave a token back", "event", "token_revoked", "client", c.ID)
	return nil
}

// ownGrant finds the grant of a live token that c was given. ErrInvalidToken.
func (p *Provider) ownGrant(ctx context.Context, c storage.Client, token string) (storage.Grant, error) {
	secret, ok := authn.ParseSecret(token)
	if !ok {
		return storage.Grant{}, ErrInvalidToken
	}
	g, err := p.Store.GrantByAccess(ctx, secret.Hash(), p.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Grant{}, ErrInvalidToken
	case err != nil:
		return storage.Grant{}, unavailable(err)
	case g.ClientID != c.ID:
		return storage.Grant{}, ErrInvalidToken
	}
	return g, nil
}
