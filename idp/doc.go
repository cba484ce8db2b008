// Package idp is the provider as data: it takes a validated request, moves one login forward step by step, and
// says what comes next. Every step returns to one dispatcher, Provider.step, so the order of a login can be read
// in one place: Request -> Login -> Ticket -> Statement -> Evidence -> Person -> Grant -> Tokens.
// It knows clients, logins, grants and lifetimes. It refuses to know HTTP, HTML, SQL and zitadel/oidc; the card's
// evidence is authn's, what a person's data becomes is claims'.
package idp
