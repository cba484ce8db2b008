package idp

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tegata/authn"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// How long refresh tokens last.
const (
	RefreshIdle = 7 * 24 * time.Hour  // one that is not used
	RefreshLife = 30 * 24 * time.Hour // all of a login, from the redemption of its code on
)

// Refresh is a refresh token: 256 bits that all tokens of a grant share, and 256 that change at every use. By the first
// half an old token is told from one that nobody issued, without a memory of old ones.
type Refresh struct{ family, current authn.Secret }

// offline says whether a request asks for refresh tokens. That its client may is looked at before.
func offline(r storage.AuthRequest) bool { return slices.Contains(r.Scopes, claims.ScopeOffline) }

// agreed is what the person has said yes to: the items, and offline use and the way of verification, which the page
// tells and nobody can leave out.
func agreed(r storage.AuthRequest, consented []claims.Item, offers []claims.Offer) []claims.Item {
	out := slices.Clone(consented)
	if offline(r) {
		out = append(out, claims.ScopeOffline)
	}
	if slices.Contains(r.Items, claims.WordVerified) {
		out = append(out, claims.WordVerified)
	}
	if sharedAs(offers) == storage.SharedUnverified {
		out = append(out, claims.Unverified)
	}
	return out
}

// Reveal gives the text for the party that shall hold it; "" for the zero Refresh, which is none.
func (r Refresh) Reveal() string {
	if r == (Refresh{}) {
		return ""
	}
	return r.family.Reveal() + "." + r.current.Reveal()
}

func parseRefresh(text string) (Refresh, bool) {
	first, second, _ := strings.Cut(text, ".")
	family, ok1 := authn.ParseSecret(first)
	current, ok2 := authn.ParseSecret(second)
	return Refresh{family, current}, ok1 && ok2
}

// issue draws what a client gets next. Its refresh token is kept where the grant is for offline use, and lost elsewhere. Who
// proves to be the client may come with another key or certificate than before: the credentials bind its refresh token, and
// those of public clients are bound to the key alone (RFC 9449 section 5, RFC 8705 section 4).
func (p *Provider) issue(c storage.Client, family authn.Secret, h Holder) (Tokens, storage.Issue, error) {
	access, err1 := authn.NewSecret(p.Rand)
	current, err2 := authn.NewSecret(p.Rand)
	now := p.Now()
	i := storage.Issue{
		Access: access.Hash(), AccessExpires: now.Add(AccessLife), Refresh: current.Hash(), RefreshExpires: now.Add(RefreshIdle),
		RefreshFamily: family.Hash(), RefreshUntil: now.Add(RefreshLife), DPoPKey: h.Key, Rebind: c.AuthMethod != clients.AuthNone,
	}
	if c.TLS.Bound {
		i.Certificate = h.Certificate
	}
	return Tokens{Access: access, Refresh: Refresh{family, current}}, i, errors.Join(err1, err2)
}

// Refresh spends a refresh token (RFC 6749 section 6). What the person agreed to was frozen in the grant: nothing is read
// from a card, no age is counted anew, and there is no second ID token, which would look as if it were. Using an old
// token ends the whole family; where tokens do not rotate there are no old ones. The next access token is for scopes, or for all
// that was agreed to where there are none. ErrInvalidGrant, ErrInvalidScope.
func (p *Provider) Refresh(ctx context.Context, c storage.Client, token string, scopes []string, h Holder) (Tokens, error) {
	old, ok := parseRefresh(token)
	if !ok || !slices.Contains(c.Scopes, claims.ScopeOffline) || !h.holds(c) {
		return Tokens{}, ErrInvalidGrant
	}
	t, i, err := p.issue(c, old.family, h)
	if err != nil {
		return Tokens{}, err
	}
	if i.Scopes, err = p.narrowed(ctx, c, old, scopes); err != nil {
		return Tokens{}, err
	}
	if !clients.Rotates(c) {
		t.Refresh, i.Refresh = old, old.current.Hash()
	}
	g, err := p.Store.Refresh(ctx, old.family.Hash(), old.current.Hash(), c.ID, p.Now(), i)
	switch {
	case errors.Is(err, storage.ErrSpent):
		p.Log.WarnContext(ctx, "refresh token used twice; its family is revoked", "event", "refresh_reuse", "client", c.ID)
		return Tokens{}, ErrInvalidGrant
	case errors.Is(err, storage.ErrNotFound):
		return Tokens{}, ErrInvalidGrant
	case err != nil:
		return Tokens{}, unavailable(err)
	}
	t.Scopes, t.Type = accessScopes(g), tokenType(g)
	return t, nil
}
