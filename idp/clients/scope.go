package clients

import (
	"slices"

	"tegata/storage"
)

// AllowedScopes divides requested scopes into those that the client is registered for and the rest, in the order of
// the request, each once. Whether openid is among them is the caller's question.
func AllowedScopes(c storage.Client, requested []string) (granted, refused []string) {
	for i, scope := range requested {
		switch {
		case slices.Contains(requested[:i], scope):
		case slices.Contains(c.Scopes, scope):
			granted = append(granted, scope)
		default:
			refused = append(refused, scope)
		}
	}
	return granted, refused
}
