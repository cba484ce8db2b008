// Package ask owns the language in which relying parties ask for claims: the claims parameter of OpenID Connect Core 5.5,
// verified_claims of OpenID Connect for Identity Assurance 1.0 and the predefined names of Advanced Syntax for Claims. It
// reads a request and says what it asks for and under which conditions; it decides which conditions on a verification
// are met. It refuses to know people, clients and protocols around it: values of a person are compared in
// package claims, after the person has consented.
package ask
