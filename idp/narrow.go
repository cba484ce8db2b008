package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tegata/claims"
	"tegata/storage"
)

// ErrInvalidScope: a refresh asks for a scope that the person did not agree to, or for none of openid (RFC 6749 section 6).
var ErrInvalidScope = errors.New("idp: invalid scope")

// narrowed are the scopes of the next access token of a family, where asked is less than all; nil for all of them. The refresh
// token stays good for all. It looks before the token is spent, so that a mistake costs the client nothing; a family that is not
// there is for the store to refuse. ErrInvalidScope.
func (p *Provider) narrowed(ctx context.Context, c storage.Client, old Refresh, asked []string) ([]string, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	granted, err := p.Store.FamilyScopes(ctx, old.family.Hash(), c.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, unavailable(err)
	case !slices.Contains(asked, claims.ScopeOpenID):
		return nil, ErrInvalidScope
	}
	for _, scope := range asked {
		if !slices.Contains(granted, scope) {
			return nil, ErrInvalidScope
		}
	}
	kept := slices.DeleteFunc(slices.Clone(granted), func(scope string) bool { return !slices.Contains(asked, scope) })
	if len(kept) == len(granted) {
		return nil, nil
	}
	return kept, nil
}

// accessScopes are the scopes of the grant's present access token.
func accessScopes(g storage.Grant) []string {
	if g.AccessScopes != nil {
		return g.AccessScopes
	}
	return g.Scopes
}

// userInfoOf is what of the released claims the present access token opens: without those of scopes that it does not have. What
// was asked for by name alone stays.
func userInfoOf(g storage.Grant) ([]byte, error) {
	if g.AccessScopes == nil {
		return g.UserInfo, nil
	}
	var closed []string
	for _, item := range claims.Items(g.Scopes) {
		if !slices.Contains(g.AccessScopes, item.Scope()) {
			closed = append(closed, item.Claims()...)
		}
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(g.UserInfo, &all); err != nil {
		return nil, fmt.Errorf("idp: released claims: %w", err)
	}
	for name := range all {
		if base, _, _ := strings.Cut(name, "#"); slices.Contains(closed, base) {
			delete(all, name)
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(all); err != nil {
		return nil, fmt.Errorf("idp: released claims: %w", err)
	}
	return out.Bytes(), nil
}
