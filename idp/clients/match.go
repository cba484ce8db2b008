package clients

import (
	"strings"

	"tegata/storage"
)

// MatchRedirect says whether raw is a registered redirect URI of the client: the same bytes, nothing parsed,
// decoded or normalised (RFC 9700 section 2.1). The one exception: for a public client a registered
// http://127.0.0.1 or http://[::1] URI matches with any port, because a native app learns its port only
// when it listens (RFC 8252 section 7.3).
func MatchRedirect(c storage.Client, raw string) bool {
	for _, registered := range c.RedirectURIs {
		if raw == registered || c.AuthMethod == AuthNone && sameButPort(registered, raw) {
			return true
		}
	}
	return false
}

// sameButPort compares two loopback URIs with the port cut out of both. What follows host and port must be the
// same bytes, so nothing can hide between them.
func sameButPort(registered, raw string) bool {
	for _, origin := range []string{"http://127.0.0.1", "http://[::1]"} {
		want, isLoopback := cutPort(registered, origin)
		got, ok := cutPort(raw, origin)
		if isLoopback && ok {
			return got == want
		}
	}
	return false
}

// cutPort gives what follows origin and an optional port.
func cutPort(raw, origin string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(raw, origin)
	if !ok || !strings.HasPrefix(rest, ":") {
		return rest, ok
	}
	end := strings.IndexFunc(rest[1:], func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest) - 1
	}
	return rest[1+end:], goodPort(rest[1 : 1+end])
}
