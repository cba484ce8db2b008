package clients

import (
	"crypto"
	"crypto/x509"
	"net/netip"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"tegata/storage"
)

// NamesHolder says whether a certificate, whose chain the caller has verified, is for the holder that a client of
// tls_client_auth registered (RFC 8705 section 2.1.2). Names are compared exactly; a wildcard is a name of its own.
func NamesHolder(c storage.Client, cert *x509.Certificate) bool {
	t := c.TLS
	switch {
	case c.AuthMethod != AuthTLS:
		return false
	case t.SubjectDN != "":
		return cert.Subject.String() == t.SubjectDN
	case t.SANDNS != "":
		return slices.Contains(cert.DNSNames, t.SANDNS)
	case t.SANEmail != "":
		return slices.Contains(cert.EmailAddresses, t.SANEmail)
	case t.SANURI != "":
		for _, u := range cert.URIs {
			if u.String() == t.SANURI {
				return true
			}
		}
	case t.SANIP != "":
		return hasAddress(cert, t.SANIP)
	}
	return false
}

func hasAddress(cert *x509.Certificate, text string) bool {
	want, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	for _, ip := range cert.IPAddresses {
		if got, ok := netip.AddrFromSlice(ip); ok && got.Unmap() == want.Unmap() {
			return true
		}
	}
	return false
}

// HasKeyOf says whether the key of a certificate is among a client's registered keys, for self_signed_tls_client_auth:
// TLS has proved that the key is held (RFC 8705 section 2.2).
func HasKeyOf(keys []jose.JSONWebKey, cert *x509.Certificate) bool {
	held, ok := cert.PublicKey.(interface {
		Equal(other crypto.PublicKey) bool
	})
	return ok && slices.ContainsFunc(keys, func(k jose.JSONWebKey) bool { return held.Equal(k.Key) })
}
