package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"tegata/idp/keys"
	"tegata/storage/seal"
)

type keyCommands struct {
	Init   keysInit   `cmd:"" help:"Make the deployment's secrets: the seal keyset and the subject key."`
	List   keysList   `cmd:"" help:"List signing keys."`
	Rotate keysRotate `cmd:"" help:"Publish a new signing key that takes over in two hours."`
	Revoke keysRevoke `cmd:"" help:"Take a signing key away that others may have got hold of."`
}

type keysInit struct {
	Dir string `arg:"" type:"path" help:"Directory for seal.json and subject.key; existing files are kept."`
}

// Run writes both secrets, readable by this user alone. It never overwrites: losing one means losing every sealed
// column, or every subject.
func (k *keysInit) Run(t terminal) error {
	keyset, err := seal.NewKeyset()
	if err != nil {
		return err
	}
	var subject [32]byte
	if _, err := io.ReadFull(rand.Reader, subject[:]); err != nil {
		return err
	}
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return usageError{err}
	}
	for name, body := range map[string][]byte{"seal.json": keyset, "subject.key": []byte(base64.StdEncoding.EncodeToString(subject[:]) + "\n")} {
		f, err := os.OpenFile(filepath.Join(k.Dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			fmt.Fprintf(t.Out, "%s: kept\n", filepath.Join(k.Dir, name))
			continue
		}
		if err != nil {
			return usageError{err}
		}
		_, err = f.Write(body)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "%s: made; keep a copy in a safe place\n", filepath.Join(k.Dir, name))
	}
	return nil
}

type keysList struct{ ringCommand }

// Run prints a table of the ring, by the database's clock.
func (k *keysList) Run(ctx context.Context, t terminal) error {
	return k.withRing(ctx, func(r *keys.Ring) error {
		if err := r.Load(ctx); err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "KID\tALG\tSTATE\tSIGNS FROM\tUNTIL")
		for _, key := range r.List() {
			until := "-"
			if !key.RetireAt.IsZero() {
				until = key.RetireAt.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", key.ID, key.Alg, r.State(key), key.ActivateAt.UTC().Format(time.RFC3339), until)
		}
		return w.Flush()
	})
}

type keysRotate struct {
	ringCommand
	Alg string `default:"ES256" help:"ES256, RS256, PS256 or EdDSA."`
}

// Run adds the next key. Replicas publish it within a second and sign with it from the printed time on.
func (k *keysRotate) Run(ctx context.Context, t terminal) error {
	return k.withRing(ctx, func(r *keys.Ring) error {
		next, err := r.Rotate(ctx, k.Alg)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "%s signs %s from %s\n", next.ID, next.Alg, next.ActivateAt.UTC().Format(time.RFC3339))
		return nil
	})
}

type keysRevoke struct {
	ringCommand
	ID string `arg:"" help:"Key ID, from 'tegata keys list'."`
}

// Run removes the key; every replica follows within a second. Relying parties trust it until their copy of the JWKS is
// over, an hour at most: who must not wait has to be told.
func (k *keysRevoke) Run(ctx context.Context, t terminal) error {
	return k.withRing(ctx, func(r *keys.Ring) error {
		signs, err := r.Revoke(ctx, k.ID)
		if errors.Is(err, keys.ErrUnknown) {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "%s is revoked; %s signs %s now\n", k.ID, signs.ID, signs.Alg)
		return nil
	})
}
