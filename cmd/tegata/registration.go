package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"tegata/authn"
	"tegata/storage"
	"tegata/storage/gormstore"
)

type clientApprove struct {
	database
	ID string `arg:"" help:"client_id, as 'tegata client list' shows it."`
}

// Run lets a client in that registered itself, or that changed what it registered. Every replica follows within a second.
func (c *clientApprove) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, func(store *gormstore.Store) error {
		r, err := store.Client(ctx, c.ID)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return fmt.Errorf("there is no client %q", c.ID)
		case err != nil:
			return err
		case !r.Registration.Pending:
			fmt.Fprintf(t.Out, "%s was approved already\n", c.ID)
			return nil
		}
		was := r.UpdatedAt
		r.Registration.Pending, r.UpdatedAt = false, time.Now()
		if err := written(store.UpdateClient(ctx, r, was), c.ID); err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "%s is approved\n", c.ID)
		return nil
	})
}

type tokenCommands struct {
	Create tokenCreate `cmd:"" help:"Make an initial access token and print it, this one time."`
	List   tokenList   `cmd:"" help:"List initial access tokens."`
	Revoke tokenRevoke `cmd:"" help:"Take an initial access token back; clients that it registered stay."`
}

type tokenCreate struct {
	database
	Name string        `arg:"" help:"What you call it; clients remember who invited them."`
	Uses int64         `default:"1" help:"How many clients may be registered with it."`
	For  time.Duration `default:"168h" help:"How long it is good for."`
}

// Run makes the token; its hash alone is kept.
func (c *tokenCreate) Run(ctx context.Context, t terminal) error {
	if c.Uses < 1 || c.For <= 0 || c.Name == "" {
		return usageError{errors.New("the token needs a name, at least one use and a time to live")}
	}
	token, err := authn.NewSecret(rand.Reader)
	if err != nil {
		return err
	}
	return c.with(ctx, func(store *gormstore.Store) error {
		now := time.Now()
		made := storage.InitialToken{Hash: token.Hash(), Name: c.Name, Uses: c.Uses, CreatedAt: now, ExpiresAt: now.Add(c.For)}
		if err := store.CreateInitialToken(ctx, made); errors.Is(err, storage.ErrExists) {
			return fmt.Errorf("a token %q exists already", c.Name)
		} else if err != nil {
			return err
		}
		return writeJSON(t.Out, map[string]any{"name": c.Name, "initial_access_token": token.Reveal(), "uses": c.Uses, "expires_at": made.ExpiresAt.UTC()})
	})
}

type tokenList struct{ database }

// Run prints a table.
func (c *tokenList) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, func(store *gormstore.Store) error {
		all, err := store.InitialTokens(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tUSES LEFT\tUNTIL")
		for _, token := range all {
			fmt.Fprintf(w, "%s\t%d\t%s\n", token.Name, token.Uses, token.ExpiresAt.UTC().Format(time.RFC3339))
		}
		return w.Flush()
	})
}

type tokenRevoke struct {
	database
	Name string `arg:"" help:"Its name."`
}

// Run removes the token.
func (c *tokenRevoke) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, func(store *gormstore.Store) error {
		if err := store.DeleteInitialToken(ctx, c.Name); errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("there is no token %q", c.Name)
		} else if err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "%s is revoked\n", c.Name)
		return nil
	})
}

// with opens the database for one command.
func (d database) with(ctx context.Context, work func(*gormstore.Store) error) error {
	store, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	return work(store)
}
