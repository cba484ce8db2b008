package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"tegata/idp/developer"
	"tegata/storage"
	"tegata/storage/gormstore"
)

type clientDebug struct {
	database
	ID         string `arg:"" help:"client_id."`
	Issuer     string `env:"TEGATA_ISSUER" help:"The server's public address."`
	SubjectKey string `env:"TEGATA_SUBJECT_KEY" hidden:""`
}

// Run prints a link for the client's engineers: a browser that opened it shows them what their service sent wrong.
func (c *clientDebug) Run(ctx context.Context, t terminal) error {
	var p problems
	p.add(!goodIssuer(c.Issuer), "TEGATA_ISSUER must be the server's address")
	subject, err := base64.StdEncoding.DecodeString(c.SubjectKey)
	p.add(err != nil || len(subject) < 32, "TEGATA_SUBJECT_KEY must be the server's")
	if err := p.err(); err != nil {
		return err
	}
	key, err := developer.KeyFrom(subject)
	if err != nil {
		return err
	}
	return c.with(ctx, func(store *gormstore.Store) error {
		if _, err := store.Client(ctx, c.ID); errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("there is no client %q", c.ID)
		} else if err != nil {
			return err
		}
		link := key.Sign(developer.Link, c.ID, time.Now().Add(developer.LinkLife))
		fmt.Fprintf(t.Out, "%s/developer/%s\n", c.Issuer, link)
		return nil
	})
}
