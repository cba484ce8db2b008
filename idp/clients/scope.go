package clients

import (
	"slices"

	"tegata/claims"
	"tegata/storage"
)

// Scopes are all that a client can register, in the order of the catalogue.
func Scopes() []string { return append(claims.Scopes(), claims.ScopeOffline) }

// MayAsk says whether a client may ask for an item, by whatever spelling. The open predicates tell so little that every
// client may ask them, registered or not; but an age-only client has the one question that it registered.
func MayAsk(c storage.Client, i claims.Item) bool {
	return i.Open() && !AgeOnly(c) || i.Needs() != "" && slices.Contains(c.Scopes, i.Scope())
}

// AllowedScopes divides requested scopes into those that the client is registered for and the rest, in the order of
// the request, each once. Whether openid is among the granted is the caller's question.
func AllowedScopes(c storage.Client, requested []string) (granted, refused []string) {
	for i, scope := range requested {
		switch {
		case slices.Contains(requested[:i], scope):
		case slices.Contains(c.Scopes, scope), MayAsk(c, claims.Item(scope)):
			granted = append(granted, scope)
		default:
			refused = append(refused, scope)
		}
	}
	return granted, refused
}
