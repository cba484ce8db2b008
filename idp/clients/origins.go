package clients

import "tegata/storage"

// Origins are those that a client's scripts run in: of its web redirect URIs, if it is one that proves nothing, as all
// programs in a browser are. A client with a secret or a key has a server of its own to call us from.
func Origins(c storage.Client) []string {
	if c.AuthMethod != AuthNone {
		return nil
	}
	var origins []string
	for _, raw := range c.RedirectURIs {
		if u, text := webURI(raw); text == "" {
			origins = append(origins, u.Scheme+"://"+u.Host)
		}
	}
	return origins
}
