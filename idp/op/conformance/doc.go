// Package conformance holds the provider up against the module lists of the OpenID Foundation's conformance suite: Basic OP,
// Config OP, RP-Initiated, Back-Channel and Front-Channel Logout, and FAPI 2.0 Security Profile Final. Each test does over HTTP what the
// module of its name does, and web/docs/conformance.md is the table of them, written by the tests themselves.
// It owns no code that runs in a product. It refuses to know the provider's insides.
package conformance
