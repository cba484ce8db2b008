// Command tegata-agent brings a My Number Card and its reader into a login in the browser. The browser starts it with a
// launch link; it asks the person, lets the card sign, and sends the browser on. It runs for one login and then ends:
// nothing of it stays in memory, and nothing listens between logins.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/login"
	"tegata/cmd/tegata-agent/status"
)

// Version of this agent: digits with dots, compared by providers.
const Version = "1.0.0"

const description = `Logs you in to websites with your My Number Card.

Exit codes: 0 done; 1 failed, or doctor found something; 2 bad flags, link or configuration; 3 you cancelled;
4 no reader or card, or not the right one; 5 a PIN was wrong, locked, or nobody knows; 6 the provider refused,
does not answer, or the time was over.`

type commands struct {
	Lang         string `enum:"auto,ja,en" default:"auto" help:"Language: auto, ja or en."`
	Reader       string `placeholder:"NAME" help:"Use this reader only; card status tells the names."`
	PINStdin     bool   `name:"pin-stdin" help:"Read PINs from standard input, one per line, in the order asked for."`
	SpendLastTry bool   `help:"With --pin-stdin: confirm beforehand that a last try may be used."`
	Pinentry     string `type:"path" placeholder:"FILE" help:"Use this pinentry."`

	Login     loginCommand     `cmd:"" help:"Do one login; the browser runs this."`
	Install   installCommand   `cmd:"" help:"Make this program open login links, for you alone."`
	Uninstall uninstallCommand `cmd:"" help:"Undo install."`
	Providers providerCommands `cmd:"" help:"The login providers that you trust."`
	Card      cardCommands     `cmd:"" help:"Look at readers and cards."`
	Doctor    doctorCommand    `cmd:"" help:"Find out why logins do not work here."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
	Bundle    bundleCommand    `cmd:"" hidden:"" help:"Lay out the macOS application; for packagers."`
}

// machine is everything outside that the commands touch; tests put others in.
type machine struct {
	In         *os.File
	Out, Err   io.Writer
	Find       login.Finder
	Stack      status.Stack
	Open       func(ctx context.Context, url string) error
	Executable func() (string, error)
	Now        func() time.Time
	Rand       io.Reader
}

func real() machine {
	return machine{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Find: login.Readers(pcsc.Service{}), Stack: status.Machine{}, Open: openBrowser,
		Executable: os.Executable, Now: time.Now, Rand: rand.Reader,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], real())
	stop()
	os.Exit(code)
}

// usageError is a mistake of the caller: nothing was started.
type usageError struct{ error }

// errUnwell only sets the exit code: the findings were printed.
var errUnwell = errors.New("doctor found something")

// told is an error that the person has seen already.
type told struct{ error }

func (t told) Unwrap() error { return t.error }

func run(ctx context.Context, args []string, m machine) int {
	c := commands{}
	exited := false
	parser, err := kong.New(&c, kong.Name("tegata-agent"), kong.Description(description), kong.Writers(m.Out, m.Err),
		kong.Exit(func(int) { exited = true }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(m, &c))
	if err != nil {
		fmt.Fprintln(m.Err, "tegata-agent:", err)
		return exitFailed
	}
	k, err := parser.Parse(args)
	switch {
	case exited: // --help
		return 0
	case err != nil:
		// The text may quote the link, and the link a ticket.
		fmt.Fprintln(m.Err, "tegata-agent: bad command line; see tegata-agent --help")
		return exitUsage
	}
	return report(m.Err, c.lang(), k.Run())
}

const (
	exitFailed = 1 + iota
	exitUsage
	exitCancelled
	exitCard
	exitPIN
	exitProvider
)

// exits sorts the codes of authn/fail; others are exitFailed.
var exits = map[string]int{
	fail.BadInput.Code: exitUsage, "provider_none": exitUsage, "provider_unknown": exitUsage,
	fail.UserCancelled.Code: exitCancelled,
	fail.ReaderNone.Code:    exitCard, fail.ReaderBusy.Code: exitCard, fail.ReaderChoice.Code: exitCard, fail.PCSCUnavailable.Code: exitCard,
	fail.CardNone.Code: exitCard, fail.CardRemoved.Code: exitCard, fail.CardUnsupported.Code: exitCard, fail.CardOldJuki.Code: exitCard,
	fail.CardDataBroken.Code: exitCard, fail.CardRefused.Code: exitCard, fail.SignCertMissing.Code: exitCard,
	fail.PINWrong.Code: exitPIN, fail.PINLastTry.Code: exitPIN, fail.PINLocked.Code: exitPIN, fail.PINFormat.Code: exitPIN,
	fail.PINUnknown.Code:    exitPIN,
	"provider_pin_mismatch": exitProvider, fail.Unavailable.Code: exitProvider, fail.LoginExpired.Code: exitProvider,
	fail.LoginUnknown.Code: exitProvider, fail.AlreadyUsed.Code: exitProvider, fail.TicketClaimed.Code: exitProvider,
	fail.AgentOutdated.Code: exitProvider, fail.ProofInvalid.Code: exitProvider, fail.CertificateExpired.Code: exitProvider,
	fail.CertificateRevoked.Code: exitProvider, fail.CertificateSuspended.Code: exitProvider,
	fail.RevocationUnavailable.Code: exitProvider, fail.ChainUntrusted.Code: exitProvider, fail.ProfileMismatch.Code: exitProvider,
	fail.SignatureInvalid.Code: exitProvider, fail.StatementMismatch.Code: exitProvider, fail.RateLimited.Code: exitProvider,
}

// report says what is wrong in the person's language, with the code; causes stay inside.
func report(w io.Writer, l prompt.Lang, err error) int {
	var coded *fail.Error
	var usage usageError
	var seen told
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(w, "tegata-agent:", err)
		return exitUsage
	case errors.As(err, &coded):
		if text, wordErr := prompt.Ending(l, coded); wordErr == nil && !errors.As(err, &seen) {
			fmt.Fprintln(w, "tegata-agent:", text)
		}
		if code, ok := exits[coded.Code]; ok {
			return code
		}
		return exitFailed
	}
	if !errors.As(err, &seen) {
		fmt.Fprintln(w, "tegata-agent:", err)
	}
	return exitFailed
}

type versionCommand struct{}

// Run prints it.
func (versionCommand) Run(m machine) error {
	_, err := fmt.Fprintln(m.Out, "tegata-agent", Version)
	return err
}

// start runs a program and does not wait for it.
func start(ctx context.Context, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
