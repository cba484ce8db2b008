package op

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Certificates says where the TLS certificates of clients come from (RFC 8705). With the zero value there are none, and
// nothing about them is advertised.
type Certificates struct {
	Direct  bool           // our own listener asks for them
	Origin  string         // https://host:port of that listener, where it is another than the issuer's; "": the same
	Header  string         // a proxy in front tells them here: RFC 9440 (:base64:) or a PEM block, percent-encoded (nginx)
	Proxies []netip.Prefix // whose Header is believed; it is ignored from anyone else
	Roots   *x509.CertPool // authorities for tls_client_auth; nil leaves only self_signed_tls_client_auth
}

func (c Certificates) enabled() bool { return c.Direct || c.Header != "" && len(c.Proxies) > 0 }

// chain is a client's certificate and what came with it; nil when it has none.
type chain []*x509.Certificate

// thumbprint is the x5t#S256 of the certificate, nil without one.
func (c chain) thumbprint() []byte {
	if len(c) == 0 {
		return nil
	}
	sum := sha256.Sum256(c[0].Raw)
	return sum[:]
}

var errCertificate = errors.New("op: the proxy's certificate header cannot be read")

// of finds the certificate of a request's sender. TLS has proved, to us or to the proxy, that the sender holds its key.
func (c Certificates) of(r *http.Request) (chain, error) {
	if c.Direct && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return r.TLS.PeerCertificates, nil
	}
	if c.Header == "" || !c.believes(r.RemoteAddr) {
		return nil, nil
	}
	switch told := r.Header.Values(c.Header); {
	case len(told) == 0, len(told) == 1 && told[0] == "":
		return nil, nil
	case len(told) > 1:
		return nil, errCertificate
	default:
		return parseHeader(told[0])
	}
}

func (c Certificates) believes(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, p := range c.Proxies {
		if p.Contains(at.Addr().Unmap()) {
			return true
		}
	}
	return false
}

func parseHeader(text string) (chain, error) {
	der, err := headerBytes(text)
	if err != nil {
		return nil, errCertificate
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errCertificate
	}
	return chain{cert}, nil
}

func headerBytes(text string) ([]byte, error) {
	if inner, ok := strings.CutPrefix(text, ":"); ok {
		return base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, ":"))
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode([]byte(plain))
	if block == nil || block.Type != "CERTIFICATE" || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errCertificate
	}
	return block.Bytes, nil
}

// issued says whether one of our authorities vouches for the certificate now. The proxy may have let any through.
func (c Certificates) issued(by chain, now time.Time) bool {
	if c.Roots == nil {
		return false
	}
	between := x509.NewCertPool()
	for _, cert := range by[1:] {
		between.AddCert(cert)
	}
	_, err := by[0].Verify(x509.VerifyOptions{
		Roots: c.Roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// current says whether now is within the certificate's own time.
func (c chain) current(now time.Time) bool {
	return !now.Before(c[0].NotBefore) && !now.After(c[0].NotAfter)
}

// Aliased are the endpoints where a client may show its certificate.
var Aliased = []string{TokenPath, PARPath, RevocationPath, IntrospectPath, UserInfoPath}

// aliases are the addresses where certificates are asked for (RFC 8705 section 5).
type aliases struct {
	Token      string `json:"token_endpoint"`
	PAR        string `json:"pushed_authorization_request_endpoint"`
	Revocation string `json:"revocation_endpoint"`
	Introspect string `json:"introspection_endpoint"`
	UserInfo   string `json:"userinfo_endpoint"`
}

func (c Certificates) aliases() *aliases {
	if c.Origin == "" {
		return nil
	}
	return &aliases{c.Origin + TokenPath, c.Origin + PARPath, c.Origin + RevocationPath, c.Origin + IntrospectPath, c.Origin + UserInfoPath}
}
