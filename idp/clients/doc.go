// Package clients owns the rules for relying parties as data: which registered metadata (RFC 7591, OIDC
// Registration) is acceptable, when a redirect URI is the registered one, which scopes a client may have, how its
// secret is made and checked, which keys and certificates are its. Everything in it is a pure function.
// It refuses to know HTTP, databases and people; it fetches nothing: keys at a jwks_uri and the list at a
// sector_identifier_uri come through idp/clients/fetch.
package clients
