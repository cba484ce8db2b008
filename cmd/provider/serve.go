package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// drainFor is how long running requests may take after a stop was asked for.
const drainFor = 10 * time.Second

// Listen opens addr and says in one sentence why not.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: stop it or choose another address", addr)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s may not be opened by this user: choose a port above 1023", addr)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be listened on: %w", addr, err)
	}
	return l, nil
}

// collectAt is how far the heap may outgrow what is alive before garbage is collected, in percent. Little is alive, so the
// usual 100 would collect every few logins, for a tenth of their CPU; four times as much stays below 100 MiB.
const collectAt = 400

// Serve answers on l until ctx ends, then lets running requests finish. It sets the garbage collector's pace, unless the
// operator has with GOGC.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return base },
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	time.AfterFunc(drainFor/2, stop) // event streams would hold the door for their whole life
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	if err := s.Shutdown(last); err != nil {
		return fmt.Errorf("stopped with requests still running: %w", err)
	}
	return nil
}
