// Command sandbox is a whole small world in one process: the provider on embedded SQLite, a reader with virtual cards, a
// stand-in for J-LIS, and a demo relying party. `sandbox login` walks a login for the tests of other relying parties.
// Nothing in it is a real card, and nobody's real card works with it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"tegata/authn/fail"
	"tegata/cmd/sandbox/headless"
)

type commands struct {
	Run   runCommand   `cmd:"" default:"withargs" help:"Start the sandbox."`
	Login loginCommand `cmd:"" help:"Log a persona in at an authorize URL and print the answer."`
}

type terminal struct{ Out, Err io.Writer }

// usageError is a mistake of the caller: nothing was started.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdout, os.Stderr}))
}

// run returns the exit code: 0 done, 1 failed (or an error page), 2 bad flags, files or ports.
func run(ctx context.Context, args []string, t terminal) int {
	var c commands
	exited := false
	parser, err := kong.New(&c, kong.Name("sandbox"), kong.Writers(t.Out, t.Err), kong.Description("Tegata's two-minute world."),
		kong.Help(help), kong.Exit(func(int) { exited = true }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(t))
	if err != nil {
		fmt.Fprintln(t.Err, "sandbox:", err)
		return 1
	}
	k, err := parser.Parse(args)
	if exited { // --help
		return 0
	}
	if err != nil {
		fmt.Fprintln(t.Err, "sandbox:", err)
		return 2
	}
	if err := k.Run(); err != nil {
		return report(t.Err, err)
	}
	return 0
}

// help shows the flags of the sandbox also to somebody who left out the word "run", as everybody does.
func help(o kong.HelpOptions, k *kong.Context) error {
	if err := kong.DefaultHelpPrinter(o, k); err != nil || k.Selected() != nil {
		return err
	}
	run, err := kong.Trace(k.Kong, []string{"run"})
	if err != nil {
		return err
	}
	fmt.Fprintln(k.Stdout)
	return kong.DefaultHelpPrinter(o, run)
}

// report writes one line. A refused login is its code alone, so that a script can compare it.
func report(w io.Writer, err error) int {
	var page headless.ErrPage
	var coded *fail.Error
	var usage usageError
	switch {
	case errors.As(err, &page):
		fmt.Fprintln(w, page.Code)
	case errors.As(err, &coded):
		fmt.Fprintln(w, coded.Code)
	case errors.As(err, &usage):
		fmt.Fprintln(w, "sandbox:", err)
		return 2
	default:
		fmt.Fprintln(w, "sandbox:", err)
	}
	return 1
}

type loginCommand struct {
	URL       string `arg:"" name:"authorize-url" help:"The authorize URL, as the relying party made it."`
	Persona   string `default:"taro" help:"Whose card."`
	PIN       string `default:"1234" help:"Four-digit PIN."`
	Password  string `default:"ABC123" help:"Password of the signature certificate."`
	NumberB   string `name:"number-b" placeholder:"DIGITS" help:"Verification number B, to open the four attributes without a PIN: the birthdate as YYMMDD with the year of the era, the year of expiry and the security code; on the sandbox's cards those two are 2035 and 2285."`
	Deny      bool   `help:"Refuse on the consent page."`
	Latest    bool   `name:"latest-attributes" help:"Agree, where it is asked, that the site hears of later changes; else refuse."`
	Renewed   bool   `help:"Tick that the card was renewed, so that its earlier record is taken over."`
	CookieJar string `type:"path" help:"Netscape cookie file, read and written: one browser over several logins."`
	Card      string `default:"127.0.0.1:9002" help:"Address of the card reader."`
	JSON      bool   `name:"json" help:"Print {\"url\": …, \"form\": {…}}."`
}

// Run prints where the relying party's browser would go next.
func (l *loginCommand) Run(ctx context.Context, t terminal) error {
	base := l.Card
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	result, err := headless.Login(ctx, headless.Options{
		AuthorizeURL: l.URL, Persona: l.Persona, PIN: l.PIN, Password: l.Password, NumberB: l.NumberB, Deny: l.Deny, Renewed: l.Renewed, Latest: l.Latest, CookieJar: l.CookieJar, Cards: base})
	if err != nil {
		return err
	}
	if l.JSON {
		return json.NewEncoder(t.Out).Encode(result)
	}
	_, err = fmt.Fprintln(t.Out, result.URL)
	return err
}
