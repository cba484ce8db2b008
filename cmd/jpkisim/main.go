// Command jpkisim is the stand-in for J-LIS on its own: the test authority of authn/jpkitest behind an HTTP server,
// and the personas' cards in a virtual reader of the smart card service.
// A provider that runs elsewhere trusts it by the PEM files in its folder and asks its OCSP responders.
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

type commands struct {
	Serve serveCommand `cmd:"" help:"Serve OCSP, certificates and switches until interrupted."`
	Card  cardCommand  `cmd:"" help:"Play a persona's card into a virtual reader of pcscd, until interrupted."`
}

// terminal is where a command talks to its operator; tests give their own.
type terminal struct{ Out, Err io.Writer }

// usageError is a mistake of the caller: nothing was started.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdout, os.Stderr}))
}

// run returns the exit code: 0 stopped as asked, 1 failed, 2 bad flags, files or port. An error is one line.
func run(ctx context.Context, args []string, t terminal) int {
	var c commands
	exited := false
	parser, err := kong.New(&c, kong.Name("jpkisim"), kong.Writers(t.Out, t.Err),
		kong.Description("Test authority for My Number Card logins: certificates of fictional people, and an OCSP responder with faults."),
		kong.Exit(func(int) { exited = true }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(t))
	if err != nil {
		fmt.Fprintln(t.Err, "jpkisim:", err)
		return 1
	}
	k, err := parser.Parse(args)
	if exited { // --help
		return 0
	}
	if err == nil {
		err = k.Run()
	} else {
		err = usageError{err}
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(t.Err, "jpkisim:", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}
