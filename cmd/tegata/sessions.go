package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"tegata/idp"
	"tegata/idp/session"
	"tegata/storage"
	"tegata/storage/gormstore"
)

type sessionCommands struct {
	List sessionsList `cmd:"" help:"List the live sessions of a person."`
	End  sessionsEnd  `cmd:"" help:"End a session of a person, or all; relying parties that want to hear of it do."`
}

// whose names a person as a relying party does: an operator has no other name for anybody.
type whose struct {
	database
	Client  string `required:"" placeholder:"ID" help:"client_id of a relying party that knows the person."`
	Subject string `required:"" placeholder:"SUB" help:"What it calls the person: sub of its ID tokens."`
}

// account finds whom a relying party means.
func (w whose) account(ctx context.Context, store *gormstore.Store) (string, error) {
	c, err := store.Client(ctx, w.Client)
	if errors.Is(err, storage.ErrNotFound) {
		return "", fmt.Errorf("there is no client %q", w.Client)
	}
	if err != nil {
		return "", err
	}
	account, err := store.AccountBySubject(ctx, c.Sector, w.Subject)
	if errors.Is(err, storage.ErrNotFound) {
		return "", fmt.Errorf("%s knows nobody by that subject", w.Client)
	}
	return account, err
}

type sessionsList struct{ whose }

// Run prints a table, newest first. It says nothing about the person: not even which browsers she has.
func (c *sessionsList) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, func(store *gormstore.Store) error {
		account, err := c.account(ctx, store)
		if err != nil {
			return err
		}
		now := time.Now()
		all, err := store.Sessions(ctx, account, now, now.Add(-session.Default.Idle))
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "SESSION\tSINCE\tLAST USED\tAT MOST UNTIL")
		for _, s := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.ID, minute(s.CreatedAt), minute(s.SeenAt), minute(s.ExpiresAt))
		}
		return w.Flush()
	})
}

func minute(at time.Time) string { return at.UTC().Format("2006-01-02T15:04Z") }

type sessionsEnd struct {
	whose
	Session string `placeholder:"SESSION" help:"The one that ends, from 'tegata sessions list'; all of them if left out."`
}

// Run ends sessions at once: the next request in those browsers finds none, and their tokens are revoked. A server that
// runs tells the relying parties within seconds; one that does not, when it starts.
func (c *sessionsEnd) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, func(store *gormstore.Store) error {
		account, err := c.account(ctx, store)
		if err != nil {
			return err
		}
		now := time.Now()
		ended, err := store.EndSessions(ctx, storage.Ending{AccountID: account, SessionID: c.Session}, now, idp.LogoutNotices(now, rand.Reader))
		if err != nil {
			return err
		}
		if ended.Sessions == 0 && c.Session != "" {
			return fmt.Errorf("that person has no session %q", c.Session)
		}
		_, err = fmt.Fprintf(t.Out, "sessions ended: %d\n", ended.Sessions)
		return err
	})
}
