// Command tegata is the provider: it serves logins and has the operator's tools for its database, clients and keys.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the whole command line; kong reads it from the tags.
type commands struct {
	Serve       serveCommand    `cmd:"" help:"Serve logins."`
	Migrate     migrateCommand  `cmd:"" help:"Bring the database up to date."`
	Client      clientCommands  `cmd:"" help:"Relying parties: create, list, show, disable."`
	Trust       trustCommands   `cmd:"" help:"CA certificates that logins may hang under: add, list, remove."`
	Methods     methodCommands  `cmd:"" help:"Emergency switches for ways to log in: disable, enable, list."`
	Sessions    sessionCommands `cmd:"" help:"Sessions of a person: list, end."`
	Report      reportCommands  `cmd:"" help:"What revocation queries cost, and what an incident number means."`
	Keys        keyCommands     `cmd:"" help:"Signing keys and the deployment's secrets."`
	Healthcheck healthCommand   `cmd:"" help:"Ask a running server whether it is ready; for containers."`
}

// terminal is where a command talks to its operator; tests give their own.
type terminal struct {
	Out, Err io.Writer
}

// Exit codes, documented in the README.
const (
	exitOK      = 0
	exitFailure = 1 // it could not be done
	exitUsage   = 2 // bad flag or configuration: nothing was tried
)

// usageError is a mistake in flags or configuration.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdout, os.Stderr}))
}

func run(ctx context.Context, args []string, t terminal) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("tegata"), kong.UsageOnError(), kong.Writers(t.Out, t.Err),
		kong.Description("OpenID Connect provider backed by the My Number Card."),
		kong.WithHyphenPrefixedParameters(true), // subjects and sessions are base64url
		kong.Exit(func(code int) { exited = code }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(t))
	if err != nil {
		fmt.Fprintln(t.Err, "tegata:", err)
		return exitFailure
	}
	if err := useSecretFiles(parser.Model.Node); err != nil {
		fmt.Fprintln(t.Err, "tegata:", err)
		return exitUsage
	}
	k, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(t.Err, "tegata:", err)
		return exitUsage
	}
	if err := k.Run(); err != nil {
		fmt.Fprintln(t.Err, "tegata:", err)
		var usage usageError
		if errors.As(err, &usage) {
			return exitUsage
		}
		return exitFailure
	}
	return exitOK
}
