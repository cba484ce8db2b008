package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
	"tegata/testdata/personas"
)

type serveCommand struct {
	Listen string `default:"127.0.0.1:9003" placeholder:"ADDR" help:"Address to listen on. Whoever can reach it can revoke everybody: keep it on loopback."`
	folders
}

const (
	headerTimeout = 10 * time.Second
	stopTimeout   = 2 * time.Second // for answers under way, among them those that are late on purpose
)

// Run takes the port first, so that a second jpkisim fails before it makes any keys.
func (s *serveCommand) Run(ctx context.Context, t terminal) error {
	people, err := s.people(t.Err)
	if err != nil {
		return usageError{err}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return usageError{err}
	}
	defer listener.Close()
	base := "http://" + reachable(listener.Addr())
	authority, err := jpkitest.New(jpkitest.Options{BaseURL: base, Dir: s.Dir, Personas: people})
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(t.Out, "jpkisim: ready at %s with %d personas\n", base, len(people))
	return serve(ctx, listener, authority.Handler())
}

// people are the built-in personas and those of the folder, which win.
func (f folders) people(warn io.Writer) ([]cardtest.Persona, error) {
	people, err := cardtest.LoadFS(personas.FS)
	if err != nil || f.Personas == "" {
		return people, err
	}
	more, err := cardtest.LoadPersonas(f.Personas)
	if err != nil {
		return nil, err
	}
	for _, p := range more {
		if len(p.Unknown) > 0 {
			fmt.Fprintf(warn, "jpkisim: persona %s: nothing is known about %v\n", p.ID, p.Unknown)
		}
		people = slices.DeleteFunc(people, func(old cardtest.Persona) bool { return old.ID == p.ID })
	}
	return append(people, more...), nil
}

// serve runs until ctx ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

// reachable is an address to click: a server on all interfaces is found on loopback.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
}
