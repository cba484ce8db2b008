// Command demorp runs the demo relying party of package rp: an online shop that lets its customers
// prove an age or log in with their My Number Card at an OpenID Connect provider.
// It owns flags and the process; everything worth copying is in package rp.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"tegata/cmd/demorp/rp"
)

const usage = `demorp: a demo relying party for OpenID Connect

  --issuer URL          DEMORP_ISSUER         issuer of the provider
  --client-id ID        DEMORP_CLIENT_ID      as registered there
                        DEMORP_CLIENT_SECRET  the client's secret; never a flag, flags show in ps
  --secret-file FILE    DEMORP_SECRET_FILE    or a file that holds it
  --listen ADDR         DEMORP_LISTEN         default 127.0.0.1:9001
  --public-url URL      DEMORP_PUBLIC_URL     origin that browsers see, default http://ADDR

Register PUBLIC-URL/callback as redirect URI, PUBLIC-URL/ as post-logout redirect URI and
PUBLIC-URL/backchannel-logout as backchannel_logout_uri, with client_secret_basic and ES256.
`

const badUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv))
}

func run(ctx context.Context, args []string, getenv func(string) string) int {
	cfg, listen, err := configure(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return 0
	}
	if err != nil {
		return complain(err)
	}
	shop, err := rp.New(ctx, cfg)
	if err != nil {
		return complain(err)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return complain(err)
	}
	slog.Info("shop is open", "url", cfg.BaseURL, "issuer", cfg.Issuer)
	if err := serve(ctx, listener, shop); err != nil {
		slog.Error("shop closed", "cause", err)
		return 1
	}
	return 0
}

func configure(args []string, getenv func(string) string) (cfg rp.Config, listen string, err error) {
	flags := flag.NewFlagSet("demorp", flag.ContinueOnError)
	flags.SetOutput(new(strings.Builder)) // run prints the one line that matters
	var secretFile string
	flags.StringVar(&cfg.Issuer, "issuer", getenv("DEMORP_ISSUER"), "")
	flags.StringVar(&cfg.ClientID, "client-id", getenv("DEMORP_CLIENT_ID"), "")
	flags.StringVar(&secretFile, "secret-file", getenv("DEMORP_SECRET_FILE"), "")
	flags.StringVar(&listen, "listen", or(getenv("DEMORP_LISTEN"), "127.0.0.1:9001"), "")
	flags.StringVar(&cfg.BaseURL, "public-url", getenv("DEMORP_PUBLIC_URL"), "")
	if err := flags.Parse(args); err != nil {
		return cfg, "", err
	}
	if flags.NArg() > 0 {
		return cfg, "", fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	cfg.BaseURL = or(cfg.BaseURL, "http://"+listen)
	cfg.ClientSecret = getenv("DEMORP_CLIENT_SECRET")
	if secretFile == "" {
		return cfg, listen, nil
	}
	secret, err := os.ReadFile(secretFile)
	cfg.ClientSecret = strings.TrimSpace(string(secret))
	return cfg, listen, err
}

// serve answers until ctx ends, then lets open requests finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "demorp:", strings.ReplaceAll(err.Error(), "\n", "; "))
	return badUsage
}

func or(value, fallback string) string {
	if value != "" {
		return value
	}
	return fallback
}
