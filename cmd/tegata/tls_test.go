package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// identity is a certificate with its key. by is who signs it; the zero one signs itself.
func identity(t *testing.T, name string, by tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: by.Leaf == nil,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, any(key)
	if by.Leaf != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// write keeps an identity in PEM files.
func write(t *testing.T, id tls.Certificate, certFile, keyFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: id.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// caller is a TLS client that trusts one certificate. asked hears whether the server wanted to see one of its own.
func caller(server, own tls.Certificate, asked *bool, change func(*tls.Config)) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(server.Leaf)
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: "id.example",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if asked != nil {
				*asked = true
			}
			return &own, nil
		}}
	if change != nil {
		change(config)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
}

func fetched(t *testing.T, c *http.Client, method, address string, form url.Values) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// overTLS is a deployment that speaks TLS itself, with a second address for certificates of clients.
func overTLS(t *testing.T, authority tls.Certificate) (d *deployment, server tls.Certificate, mtls string) {
	t.Helper()
	d = deploy(t)
	server = identity(t, "id.example", tls.Certificate{})
	certFile, keyFile, cas := filepath.Join(d.dir, "tls.pem"), filepath.Join(d.dir, "tls.key"), filepath.Join(d.dir, "cas.pem")
	write(t, server, certFile, keyFile)
	write(t, authority, cas, filepath.Join(d.dir, "cas.key"))
	mtls = freePort(t)
	d.set("TEGATA_ISSUER", "https://id.example", "TEGATA_TLS_CERT", certFile, "TEGATA_TLS_KEY", keyFile,
		"TEGATA_MTLS_LISTEN", mtls, "TEGATA_MTLS_ORIGIN", "https://id.example:8443", "TEGATA_CLIENT_CAS", cas)
	return d, server, mtls
}

func TestAServerThatSpeaksTLSItself(t *testing.T) {
	d, server, mtls := overTLS(t, identity(t, "authority", tls.Certificate{}))
	base, log, stop := d.serve()
	main := strings.Replace(base, "http:", "https:", 1)
	asked := false
	answer, _ := fetched(t, caller(server, tls.Certificate{}, &asked, nil), http.MethodGet, main+"/.well-known/openid-configuration", nil)
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 || answer.Header.Get("Strict-Transport-Security") == "" || asked {
		t.Errorf("%s, HTTP/%d, %v, asks for a certificate: %v", answer.Status, answer.ProtoMajor, answer.Header, asked)
	}
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		"no forward secrecy": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		},
		"CBC": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		},
		"somebody else's name": func(c *tls.Config) { c.ServerName = "other.example" },
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, main+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := caller(server, tls.Certificate{}, nil, change).Do(r); err == nil {
			answer.Body.Close()
			t.Errorf("%s is good enough", name)
		}
	}
	answer, body := fetched(t, caller(server, tls.Certificate{}, &asked, nil), http.MethodGet, "https://"+mtls+"/authorize", nil)
	if answer.StatusCode != http.StatusNotFound || !asked {
		t.Errorf("pages where certificates are asked for (%v): %s %s", asked, answer.Status, body)
	}

	renewed := identity(t, "id.example", tls.Certificate{})
	write(t, renewed, filepath.Join(d.dir, "tls.pem"), filepath.Join(d.dir, "tls.key"))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	soon(t, "the renewed certificate is in use", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, main+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := caller(renewed, tls.Certificate{}, nil, nil).Do(r)
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	if code := stop(); code != exitOK {
		t.Errorf("stopped with %d: %s", code, log)
	}
}

func TestCertificatesOfClientsNeedNoProxy(t *testing.T) {
	authority := identity(t, "authority", tls.Certificate{})
	d, server, mtls := overTLS(t, authority)
	own, issued := identity(t, "own.example", tls.Certificate{}), identity(t, "bank.example", authority)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own.Leaf.PublicKey, KeyID: "own"}}})
	if err != nil {
		t.Fatal(err)
	}
	for id, more := range map[string]string{
		"own":  `"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": ` + string(set),
		"bank": `"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "bank.example"`,
	} {
		file := filepath.Join(d.dir, id+".json")
		if err := os.WriteFile(file, []byte(`{"client_id": "`+id+`", "redirect_uris": ["https://`+id+`.example/cb"], `+more+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		d.ok("client", "create", "--metadata", file)
	}
	_, _, stop := d.serve()
	defer stop()
	for _, tc := range []struct {
		name, client string
		shows        tls.Certificate
		want         int
	}{
		{"its own certificate", "own", own, http.StatusCreated},
		{"a certificate of the authority", "bank", issued, http.StatusCreated},
		{"none", "own", tls.Certificate{}, http.StatusUnauthorized},
		{"none of the authority", "bank", tls.Certificate{}, http.StatusUnauthorized},
		{"another's", "own", issued, http.StatusUnauthorized},
		{"one that it signed itself", "bank", identity(t, "bank.example", tls.Certificate{}), http.StatusUnauthorized},
		{"one of the authority for another", "bank", identity(t, "evil.example", authority), http.StatusUnauthorized},
	} {
		form := url.Values{"client_id": {tc.client}, "redirect_uri": {"https://" + tc.client + ".example/cb"}, "response_type": {"code"}, "scope": {"openid"},
			"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}
		if answer, body := fetched(t, caller(server, tc.shows, nil, nil), http.MethodPost, "https://"+mtls+"/par", form); answer.StatusCode != tc.want {
			t.Errorf("%s: %s %s", tc.name, answer.Status, body)
		}
	}
	_, body := fetched(t, caller(server, tls.Certificate{}, nil, nil), http.MethodGet, "https://"+strings.TrimPrefix(os.Getenv("TEGATA_LISTEN"), "http://")+"/.well-known/openid-configuration", nil)
	var said struct {
		Methods []string          `json:"token_endpoint_auth_methods_supported"`
		Aliases map[string]string `json:"mtls_endpoint_aliases"`
	}
	if err := json.Unmarshal([]byte(body), &said); err != nil || said.Aliases["pushed_authorization_request_endpoint"] != "https://id.example:8443/par" || len(said.Aliases) != 5 {
		t.Errorf("discovery says %+v, %v", said, err)
	}
}

func TestMistakesWithTLSAreNamed(t *testing.T) {
	d := deploy(t)
	certFile, keyFile := filepath.Join(d.dir, "a.pem"), filepath.Join(d.dir, "a.key")
	write(t, identity(t, "id.example", tls.Certificate{}), certFile, keyFile)
	write(t, identity(t, "id.example", tls.Certificate{}), filepath.Join(d.dir, "b.pem"), filepath.Join(d.dir, "b.key"))
	for want, pairs := range map[string][]string{
		"come together":              {"TEGATA_TLS_CERT", certFile},
		"private key does not match": {"TEGATA_TLS_CERT", certFile, "TEGATA_TLS_KEY", filepath.Join(d.dir, "b.key")},
		"no such file":               {"TEGATA_TLS_CERT", certFile, "TEGATA_TLS_KEY", filepath.Join(d.dir, "c.key")},
		"needs an https":             {"TEGATA_ISSUER", "http://127.0.0.1:1", "TEGATA_TLS_CERT", certFile, "TEGATA_TLS_KEY", keyFile},
		"TEGATA_MTLS_ORIGIN come":    {"TEGATA_TLS_CERT", certFile, "TEGATA_TLS_KEY", keyFile, "TEGATA_MTLS_LISTEN", "127.0.0.1:0"},
		"must be https://host:port":  {"TEGATA_TLS_CERT", certFile, "TEGATA_TLS_KEY", keyFile, "TEGATA_MTLS_LISTEN", "127.0.0.1:0", "TEGATA_MTLS_ORIGIN", "http://127.0.0.1"},
		"LISTEN needs TEGATA_TLS":    {"TEGATA_MTLS_LISTEN", "127.0.0.1:0", "TEGATA_MTLS_ORIGIN", "https://id.example:8443"},
	} {
		t.Run(want, func(t *testing.T) {
			d := deploy(t)
			d.set("TEGATA_ISSUER", "https://id.example")
			d.set(pairs...)
			d.fails(exitUsage, want, "serve")
		})
	}
}
