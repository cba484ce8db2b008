// Package jpki owns what a certificate of the Japanese public key infrastructure (JPKI) is allowed
// to be: whose path it hangs under, when it is valid, what its key may do, and what a signature
// certificate says about its holder.
// It refuses to know whether a certificate was revoked (authn/revocation), what was signed with it
// (authn/statement), what the four attributes mean (claims), and which person or login it belongs to.
package jpki

// Purpose is what the key of a certificate is for. The zero value is no purpose: nothing is trusted for it.
type Purpose int

const (
	// Authentication is the user-authentication certificate: opened by a 4-digit PIN, no attributes inside.
	Authentication Purpose = iota + 1
	// Signature is the signature certificate: opened by a password, the four attributes inside.
	Signature
)

// String names the purpose in the words of the configuration. The name is part of every Index: never change it.
func (p Purpose) String() string {
	switch p {
	case Authentication:
		return "authentication"
	case Signature:
		return "signature"
	}
	return "no purpose"
}

// other is the purpose that p must never be mistaken for.
func (p Purpose) other() Purpose {
	if p == Authentication {
		return Signature
	}
	return Authentication
}
