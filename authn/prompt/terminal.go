package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"tegata/authn/fail"
)

// terminal asks where the agent was started by hand. The line is edited here, in raw mode: nothing is echoed, Ctrl-C
// is a byte like any other, and the entry never lies in the kernel's line buffer or in one that grew.
type terminal struct {
	in  *os.File
	out io.Writer
}

func (t terminal) patient() bool { return true }

func (t terminal) secret(ctx context.Context, f form) ([]byte, error) {
	t.show(f)
	fmt.Fprint(t.out, f.label+" ")
	return t.line(ctx, false)
}

func (t terminal) show(f form) {
	fmt.Fprintf(t.out, "\n%s\n\n", f.title)
	if f.problem != "" {
		fmt.Fprintln(t.out, f.problem)
	}
	fmt.Fprintln(t.out, f.body)
}

// line reads one line in raw mode and always gives the terminal back as it was. When ctx ends the reader stays behind
// until the next key; the process ends before that.
func (t terminal) line(ctx context.Context, echo bool) ([]byte, error) {
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return nil, fail.Internal.Because(err)
	}
	defer func() {
		_ = term.Restore(int(t.in.Fd()), before) // the terminal is gone, then
		fmt.Fprintln(t.out)
	}()
	type typed struct {
		line []byte
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		line, err := t.edit(echo)
		done <- typed{line, err}
	}()
	select {
	case got := <-done:
		return got.line, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Keys of a raw terminal.
const (
	keyCtrlC     = 0x03
	keyCtrlD     = 0x04
	keyBackspace = 0x08
	keyCtrlU     = 0x15
	keyDelete    = 0x7F
)

var errTooLong = errors.New("prompt: the line is too long")

func (t terminal) edit(echo bool) ([]byte, error) {
	line := make([]byte, 0, maxSecret)
	one := make([]byte, 1)
	defer clear(one)
	for {
		if _, err := io.ReadFull(t.in, one); err != nil {
			clear(line)
			return nil, fail.UserCancelled.Because(err)
		}
		switch key := one[0]; {
		case key == '\r' || key == '\n':
			return line, nil
		case key == keyCtrlC || key == keyCtrlD:
			clear(line)
			return nil, fail.UserCancelled
		case key == keyCtrlU:
			clear(line)
			line = line[:0]
		case key == keyBackspace || key == keyDelete:
			_, size := utf8.DecodeLastRune(line)
			clear(line[len(line)-size:])
			line = line[:len(line)-size]
		case len(line) == cap(line):
			clear(line)
			return nil, fail.PINFormat.Because(errTooLong)
		default:
			line = append(line, key)
			if echo {
				_, _ = t.out.Write(one) // what is echoed is a digit of a choice or a letter of yes
			}
		}
	}
}

// confirm takes a typed yes, or the number 1, and nothing shorter by accident.
func (t terminal) confirm(ctx context.Context, f form) error {
	t.show(f)
	fmt.Fprintf(t.out, "yes = %s, no = %s: ", f.ok, f.no)
	line, err := t.line(ctx, true)
	if err != nil {
		return err
	}
	if strings.EqualFold(strings.TrimSpace(string(line)), "yes") {
		return nil
	}
	return fail.UserCancelled
}

func (t terminal) choose(ctx context.Context, f form, options []string) (int, error) {
	t.show(f)
	for i, o := range options {
		fmt.Fprintf(t.out, "  %d  %s\n", i+1, o)
	}
	fmt.Fprint(t.out, f.label+" ")
	line, err := t.line(ctx, true)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(line)))
	if err != nil || n < 1 || n > len(options) {
		return 0, fail.UserCancelled
	}
	return n - 1, nil
}

func (t terminal) tell(_ context.Context, f form) error {
	t.show(f)
	return nil
}
