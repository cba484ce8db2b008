package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"tegata/idp/clients"
	"tegata/storage"
)

// maxSecrets is how many a client may have at once: the one in use, the next, and room for a mistake.
const maxSecrets = 3

type clientSecret struct {
	database
	ID   string `arg:"" help:"client_id."`
	Last bool   `help:"Forget all secrets but the newest: the relying party uses it everywhere now."`
}

// Run prints the new secret, this one time. The older ones stay good until --last.
func (c *clientSecret) Run(ctx context.Context, t terminal) error {
	secret, hash, err := clients.NewSecret(rand.Reader)
	if err != nil {
		return err
	}
	err = c.change(ctx, c.ID, func(r storage.Client) (storage.Client, error) {
		switch {
		case !clients.HasSecret(r.AuthMethod):
			return r, usageError{fmt.Errorf("%s has no secret: it uses %s", c.ID, r.AuthMethod)}
		case c.Last:
			r.SecretHashes = r.SecretHashes[:min(1, len(r.SecretHashes))]
		case len(r.SecretHashes) >= maxSecrets:
			return r, usageError{fmt.Errorf("%s has %d secrets already: end the older ones with --last", c.ID, len(r.SecretHashes))}
		default:
			r.SecretHashes = append([][]byte{hash}, r.SecretHashes...)
		}
		return r, nil
	})
	switch {
	case err != nil:
		return err
	case c.Last:
		fmt.Fprintf(t.Out, "%s has its newest secret alone\n", c.ID)
		return nil
	}
	return writeJSON(t.Out, map[string]string{"client_id": c.ID, "client_secret": secret})
}

type clientKeys struct {
	database
	ID   string `arg:"" help:"client_id."`
	File string `arg:"" type:"path" help:"JSON Web Key Set with all public keys that are to be good: old and new ones while they change."`
}

// Run replaces the keys, a jwks_uri too.
func (c *clientKeys) Run(ctx context.Context, t terminal) error {
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return usageError{err}
	}
	err = c.change(ctx, c.ID, func(r storage.Client) (storage.Client, error) {
		changed, wrong := clients.ReplaceKeys(r, raw, time.Now())
		var p problems
		for _, w := range wrong {
			p.add(true, w.String())
		}
		return changed, p.err()
	})
	if err == nil {
		fmt.Fprintf(t.Out, "%s has new keys\n", c.ID)
	}
	return err
}

// change writes a client as decide wants it; every replica follows within a second. What somebody else does meanwhile, such
// as disabling the client, is never undone.
func (d database) change(ctx context.Context, id string, decide func(storage.Client) (storage.Client, error)) error {
	store, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	record, err := store.Client(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no client %q", id)
	} else if err != nil {
		return err
	}
	if record, err = decide(record); err != nil {
		return err
	}
	was := record.UpdatedAt
	record.UpdatedAt = time.Now()
	return written(store.UpdateClient(ctx, record, was), id)
}

// written says what to do when a client is no longer as it was read.
func written(err error, id string) error {
	if errors.Is(err, storage.ErrStale) {
		return fmt.Errorf("%s has just changed: look at it again with 'tegata client show %s'", id, id)
	}
	return err
}
