package op

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// A header is believed from a named proxy alone, and no bytes in it make trouble.
func TestACertificateHeaderIsBelievedFromTheProxyAlone(t *testing.T) {
	certs := Certificates{Header: "Client-Cert", Proxies: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for remote, believed := range map[string]bool{
		"10.1.2.3:4": true, "[::ffff:10.1.2.3]:4": true, "10.2.0.1:4": false, "127.0.0.1:4": false, "": false, "10.1.2.3": false, "@": false,
	} {
		r := httptest.NewRequest(http.MethodPost, "/oauth/token", nil)
		r.RemoteAddr = remote
		r.Header.Set("Client-Cert", ":AAAA:")
		if _, err := certs.of(r); (err != nil) != believed { // what is read is refused, for it is no certificate
			t.Errorf("from %q: %v", remote, err)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth/token", nil)
	r.RemoteAddr = "10.1.2.3:4"
	r.Header["Client-Cert"] = []string{"", ""}
	if _, err := certs.of(r); err == nil {
		t.Error("two headers are read")
	}
	r.Header.Set("Client-Cert", ":AAAA:")
	if c, err := (Certificates{Header: "Client-Cert"}).of(r); c != nil || err != nil {
		t.Error("without proxies somebody is believed")
	}
}

func FuzzCertificateHeader(f *testing.F) {
	f.Add(":AAAA:")
	f.Add("-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseHeader(text); (err == nil) != (len(c) == 1) {
			t.Errorf("%d certificates, %v", len(c), err)
		}
	})
}
