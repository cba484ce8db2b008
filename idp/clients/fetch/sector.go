package fetch

import (
	"context"
	"errors"
	"net"

	"tegata/idp/clients"
)

// Sector looks at the list behind a client's sector_identifier_uri; metadata without one has nothing to look at. It is the
// part of a registration that clients.Rules cannot do: whoever registers a client calls both. unreachable says that nobody
// answered at all, so that nothing is known against the list.
func (o Outside) Sector(ctx context.Context, m clients.Metadata) (wrong []clients.Problem, unreachable bool) {
	if m.SectorIdentifierURI == "" {
		return nil, false
	}
	document, err := o.Get(ctx, m.SectorIdentifierURI)
	text := ""
	switch {
	case errors.Is(err, ErrAddress):
		text = "is no public https address, so it is not fetched."
	case err != nil:
		text = "could not be fetched: it must answer 200 with at most 64 KiB within three seconds, and without a redirect."
	default:
		text = clients.CheckSectorList(document, m.RedirectURIs)
	}
	if text == "" {
		return nil, false
	}
	var name *net.DNSError
	var connection *net.OpError
	return []clients.Problem{{Field: "sector_identifier_uri", Text: text}}, errors.As(err, &name) || errors.As(err, &connection)
}
