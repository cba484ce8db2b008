package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"tegata/authn/jpki"
	"tegata/claims/mynumber"
	"tegata/cmd/provider"
	"tegata/idp/op"
)

type serveCommand struct {
	config
}

// Run serves until the context ends.
func (s *serveCommand) Run(ctx context.Context, t terminal) error {
	log := slog.New(mynumber.Handler(slog.NewJSONHandler(t.Err, nil)))
	slog.SetDefault(log) // zitadel/oidc logs there
	checked, err := s.check()
	if err != nil {
		return err
	}
	listeners, err := s.doors(checked.certificate)
	for _, l := range listeners {
		defer l.Close()
	}
	if err != nil {
		return err
	}
	p, err := provider.Open(ctx, s.options(checked, log))
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // the process ends; there is nobody to act on it
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background := make(chan struct{})
	go func() {
		defer close(background)
		p.Run(ctx)
	}()
	if checked.certificate != nil {
		follow(ctx, checked.certificate, log)
	}
	log.Info("serving", "issuer", s.Issuer, "listen", listeners[0].Addr().String(), "tls", checked.certificate != nil, "test_anchors", s.TestAnchors, "revocation", s.Revocation)
	doors := []door{{listeners[0], p.Handler}}
	if len(listeners) > 1 {
		doors = append(doors, door{listeners[1], provider.BackChannel(p.Handler)})
	}
	err = open(ctx, doors, log)
	cancel()
	<-background // it writes the last fees and incidents
	return err
}

func (s *serveCommand) options(c checked, log *slog.Logger) provider.Options {
	asked := c.parts(log)
	var registration *op.Registration // a relying party waits for approval
	if s.Registration {
		registration = &op.Registration{}
	}
	return provider.Options{
		Issuer: s.Issuer, DatabaseURL: s.URL, MaxConns: s.MaxConns, Seal: c.seal, Hardware: c.hardware, RotateKeys: s.RotateKeys, SubjectKey: c.subject,
		Trust: &jpki.Trust{Anchors: c.anchors, Policies: c.policies}, TestAnchors: s.TestAnchors,
		Revocation: asked.checker, Lists: asked.lists, Ledger: asked.ledger, Relations: asked.relations,
		StatusPeriod:    s.statusPeriod(),
		Latest:          asked.latest,
		LatestPeriod:    s.LatestPeriod,
		CardInfoIssuers: c.cardInfo, TakeUnverified: s.TakeUnverified, Cheapest: s.FourDigitsFirst, AgeRules: c.ages, LaunchTemplate: s.LaunchTemplate, TrustedProxies: c.proxies,
		DPoPNonces: s.DPoPNonces, Edge: op.Options{Certificates: c.clients, PolicyURI: s.PolicyURI, TermsURI: s.TermsURI, Registration: registration, Limits: s.limits(time.Now)}, Now: time.Now, Rand: rand.Reader, Log: log,
	}
}

type healthCommand struct {
	Listen  string `env:"TEGATA_LISTEN" default:"127.0.0.1:8080" help:"Address the server listens on."`
	TLSCert string `name:"tls-cert" env:"TEGATA_TLS_CERT" type:"path" help:"The server's certificate, where it speaks TLS."`
}

// Run succeeds if the server is ready.
func (h *healthCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	client, at, err := asker(h.TLSCert, h.Listen)
	if err != nil {
		return usageError{err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return usageError{err}
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s", answer.Status)
	}
	return nil
}
