package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tegata/cmd/provider"
	"tegata/idp"
	"tegata/storage"
)

type methodCommands struct {
	Disable methodDisable `cmd:"" help:"Refuse a login method at once, on every replica, also for logins under way."`
	Enable  methodEnable  `cmd:"" help:"Take a disablement back."`
	List    methodList    `cmd:"" help:"List login methods."`
}

type method struct {
	database
	Name string `arg:"" help:"reader, signature_certificate, card_info or number_b."`
}

func (m method) known() error {
	if !slices.Contains(idp.Methods, m.Name) {
		return usageError{errors.New("there is no method " + m.Name + "; there are " + strings.Join(idp.Methods, ", "))}
	}
	return nil
}

type methodDisable struct{ method }

// Run switches the method off.
func (m *methodDisable) Run(ctx context.Context, t terminal) error {
	return m.change(ctx, t, "disabled", func(s storage.Store) error {
		return s.PutSetting(ctx, storage.Setting{Name: provider.MethodSetting(m.Name), Value: provider.Disabled, ChangedAt: time.Now()})
	})
}

type methodEnable struct{ method }

// Run switches the method on again.
func (m *methodEnable) Run(ctx context.Context, t terminal) error {
	return m.change(ctx, t, "enabled", func(s storage.Store) error { return s.DeleteSetting(ctx, provider.MethodSetting(m.Name)) })
}

func (m method) change(ctx context.Context, t terminal, done string, write func(storage.Store) error) error {
	if err := m.known(); err != nil {
		return err
	}
	store, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	if err := write(store); err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "%s is %s\n", m.Name, done)
	return nil
}

type methodList struct{ database }

// Run prints a table.
func (m *methodList) Run(ctx context.Context, t terminal) error {
	store, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	settings, err := store.Settings(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "METHOD\tSTATE\tSINCE")
	for _, name := range idp.Methods {
		i := slices.IndexFunc(settings, func(s storage.Setting) bool {
			return s.Name == provider.MethodSetting(name) && s.Value == provider.Disabled
		})
		if i < 0 {
			fmt.Fprintf(w, "%s\tenabled\t\n", name)
		} else {
			fmt.Fprintf(w, "%s\tdisabled\t%s\n", name, settings[i].ChangedAt.UTC().Format(time.RFC3339))
		}
	}
	return w.Flush()
}
