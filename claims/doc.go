// Package claims owns what is known about a person and what of it may be told: the four attributes of the
// card, civil dates, the Japanese law of age, the catalogue of items a relying party can ask for, and the
// step from "known" to "released". Everything in it is a pure function on plain values; the present is an argument.
// It refuses to know cards, certificates, clients, HTTP, databases and clocks.
//
// Nothing here has a String or MarshalJSON method that would show a person by accident: values print as
// stars, and the bytes for the sealed column and for the relying party are made by explicit calls to Encode.
package claims
