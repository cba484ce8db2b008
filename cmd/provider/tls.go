package provider

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"tegata/idp/op"
)

// lookEvery is how often the files of a certificate are looked at: whoever renews it need not tell us.
const lookEvery = 30 * time.Second

// Certificate is the server's own certificate, which follows its files.
type Certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
	seen              [2]time.Time // when the files had changed; of the goroutine that calls Follow
}

// ReadCertificate reads a certificate with its chain and its key, PEM files both.
func ReadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Read()
}

// Read reads the files again. When they do not fit together the old certificate stays: perhaps one is written only now.
func (c *Certificate) Read() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("the server's certificate cannot be used: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// Follow reads the files again when they have changed and whenever asked says so, until ctx ends. report hears what
// happened, nil for a new certificate.
func (c *Certificate) Follow(ctx context.Context, asked <-chan os.Signal, report func(error)) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	c.changed()
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			report(c.Read())
		case <-t.C:
			if c.changed() {
				report(c.Read())
			}
		}
	}
}

// changed says whether a file has another time than when it was last asked.
func (c *Certificate) changed() bool {
	var now [2]time.Time
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			now[i] = info.ModTime()
		}
	}
	old := c.seen
	c.seen = now
	return now != old
}

// ciphers of TLS 1.2: forward secrecy and authenticated encryption alone (RFC 9325 section 4.2). TLS 1.3 has no others.
var ciphers = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Listen puts TLS on a listener. With clients it asks who connects for a certificate and lets those without one in:
// whose it is, and whether it is good for anything, is for the endpoints to say (RFC 8705 section 2).
func (c *Certificate) Listen(l net.Listener, clients bool) net.Listener {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, CipherSuites: ciphers, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
	if clients {
		config.ClientAuth = tls.RequestClientCert
	}
	return tls.NewListener(l, config)
}

// BackChannel leaves of a site what relying parties' servers call. It is what the listener that asks for certificates
// serves: a browser that it asked would show people a dialog they cannot answer, with their own certificates in it.
func BackChannel(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(op.Aliased, r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
}
