package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"tegata/cmd/provider"
)

// tlsConfig is for a server without a TLS proxy in front.
type tlsConfig struct {
	TLSCert    string `name:"tls-cert" env:"TEGATA_TLS_CERT" type:"path" help:"PEM file with the server's certificate and its chain; the files are read again when they change, and on SIGHUP."`
	TLSKey     string `name:"tls-key" env:"TEGATA_TLS_KEY" type:"path" help:"PEM file with its private key."`
	MTLSListen string `name:"mtls-listen" env:"TEGATA_MTLS_LISTEN" placeholder:"ADDR" help:"Second address, which asks relying parties' servers for a TLS certificate; browsers never come there."`
	MTLSOrigin string `name:"mtls-origin" env:"TEGATA_MTLS_ORIGIN" placeholder:"https://HOST:PORT" help:"How relying parties reach --mtls-listen (mtls_endpoint_aliases)."`
}

// check reads the certificate.
func (c tlsConfig) check(issuer string, p *problems) *provider.Certificate {
	p.add((c.TLSCert == "") != (c.TLSKey == ""), "TEGATA_TLS_CERT and TEGATA_TLS_KEY come together")
	p.add(c.MTLSListen != "" && c.TLSCert == "", "TEGATA_MTLS_LISTEN needs TEGATA_TLS_CERT")
	p.add((c.MTLSListen == "") != (c.MTLSOrigin == ""), "TEGATA_MTLS_LISTEN and TEGATA_MTLS_ORIGIN come together")
	p.add(c.MTLSOrigin != "" && (!goodIssuer(c.MTLSOrigin) || !strings.HasPrefix(c.MTLSOrigin, "https://")),
		"TEGATA_MTLS_ORIGIN must be https://host:port")
	if c.TLSCert == "" || c.TLSKey == "" {
		return nil
	}
	p.add(!strings.HasPrefix(issuer, "https://"), "TEGATA_TLS_CERT needs an https TEGATA_ISSUER")
	certificate, err := provider.ReadCertificate(c.TLSCert, c.TLSKey)
	if err != nil {
		p.add(true, "TEGATA_TLS_CERT: "+err.Error())
	}
	return certificate
}

// door is a listener with what is served there.
type door struct {
	net.Listener
	site http.Handler
}

// doors opens the addresses; the second is there with --mtls-listen.
func (s *serveCommand) doors(certificate *provider.Certificate) ([]net.Listener, error) {
	addresses := []string{s.Listen}
	if s.MTLSListen != "" {
		addresses = append(addresses, s.MTLSListen)
	}
	var out []net.Listener
	for i, address := range addresses {
		l, err := provider.Listen(address)
		if err != nil {
			return out, usageError{err}
		}
		if certificate != nil {
			l = certificate.Listen(l, i == 1)
		}
		out = append(out, l)
	}
	return out, nil
}

// follow keeps the certificate up to date until ctx ends.
func follow(ctx context.Context, c *provider.Certificate, log *slog.Logger) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	go func() {
		defer signal.Stop(asked)
		c.Follow(ctx, asked, func(err error) {
			if err != nil {
				log.Error("the old certificate stays in use", "cause", err.Error())
				return
			}
			log.Info("the server has a new certificate")
		})
	}()
}

// open serves behind every door until ctx ends or one of them fails.
func open(ctx context.Context, doors []door, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(doors))
	for _, d := range doors {
		go func() {
			defer cancel()
			ended <- provider.Serve(ctx, d.Listener, d.site, log)
		}()
	}
	var all []error
	for range doors {
		all = append(all, <-ended)
	}
	return errors.Join(all...)
}

// asker is how healthcheck talks to a server: over TLS it wants the very certificate that the server was given.
func asker(certFile, listen string) (*http.Client, *url.URL, error) {
	at := &url.URL{Scheme: "http", Host: reachable(listen), Path: "/readyz"}
	if certFile == "" {
		return http.DefaultClient, at, nil
	}
	var p problems
	certs := readCertificates([]string{certFile}, "TEGATA_TLS_CERT", &p)
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	at.Scheme = "https"
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: hostOf(certs[0]), RootCAs: pool(certs[:1])}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}, at, nil
}

// hostOf is one of the names that a certificate is for.
func hostOf(c *x509.Certificate) string {
	switch {
	case len(c.DNSNames) > 0:
		return strings.Replace(c.DNSNames[0], "*", "any", 1)
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return c.Subject.CommonName
}
