// Package clients owns the rules for relying parties as data: which registered metadata (RFC 7591, OIDC
// Registration) is acceptable, when a redirect URI is the registered one, which scopes a client may have, and how
// its secret is made and checked. Everything in it is a pure function.
// It refuses to know HTTP, databases and people; it fetches nothing, so what it cannot verify without the network
// (sector_identifier_uri, jwks_uri) is taken on the operator's word or refused.
package clients
