package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"tegata/storage/gormstore"
)

// open connects for one command.
func (d database) open(ctx context.Context) (*gormstore.Store, error) {
	var p problems
	keyset := d.check(&p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return gormstore.Open(ctx, gormstore.Config{URL: d.URL, Seal: keyset})
}

type migrateCommand struct {
	URL string `name:"database-url" env:"TEGATA_DATABASE_URL" help:"postgres://… or sqlite:PATH."`
}

// Run migrates; replicas may run it at once.
func (m *migrateCommand) Run(ctx context.Context, t terminal) error {
	if m.URL == "" {
		return usageError{errors.New("TEGATA_DATABASE_URL is missing (postgres://… or sqlite:PATH)")}
	}
	if err := gormstore.Migrate(ctx, m.URL); err != nil {
		return err
	}
	fmt.Fprintln(t.Out, "the database is up to date")
	return nil
}

// reachable turns a listening address into one to dial: 0.0.0.0:8080 is asked on loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
