package clients

import (
	"encoding/json"
	"slices"
)

// CheckSectorList says whether the document at a sector_identifier_uri stands for a client: a JSON array of strings with
// every redirect URI of it, byte for byte (OpenID Connect Registration section 5). The text is a sentence, "" when it does.
// Without this anyone could name the sector of another and learn its subjects.
func CheckSectorList(document []byte, redirectURIs []string) string {
	var listed []string
	if json.Unmarshal(document, &listed) != nil || listed == nil {
		return "leads to something else than a JSON array of redirect URIs (OpenID Connect Registration section 5)."
	}
	for _, uri := range redirectURIs {
		if !slices.Contains(listed, uri) {
			return "leads to a list without " + uri + "; every redirect URI has to be in it (OpenID Connect Core section 8.1)."
		}
	}
	return ""
}
