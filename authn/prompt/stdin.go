package prompt

import (
	"context"
	"fmt"
	"io"

	"tegata/authn/fail"
)

// script takes entries from lines of a stream, for programs that know what they do. It shows the same words on the
// other stream. What needs a second thought it refuses, unless it was told beforehand.
type script struct {
	in           io.Reader
	out          io.Writer
	spendLastTry bool
}

func (s script) patient() bool { return false }

// secret reads one line, byte by byte: nothing past it is taken, and nothing is left in a buffer.
func (s script) secret(ctx context.Context, f form) ([]byte, error) {
	if err := s.tell(ctx, f); err != nil {
		return nil, err
	}
	typed := make([]byte, 0, maxSecret)
	one := make([]byte, 1)
	defer clear(one)
	for {
		n, err := s.in.Read(one)
		switch {
		case n == 1 && one[0] == '\n', n == 0 && err != nil && len(typed) > 0:
			return trimReturn(typed), nil
		case n == 0 && err != nil:
			return nil, fail.UserCancelled.Because(err)
		case n == 0:
		case len(typed) == cap(typed):
			clear(typed)
			return nil, fail.PINFormat
		default:
			typed = append(typed, one[0])
		}
	}
}

// trimReturn drops the carriage return of a line from Windows.
func trimReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

func (s script) confirm(ctx context.Context, f form) error {
	if err := s.tell(ctx, f); err != nil {
		return err
	}
	if !s.spendLastTry {
		return fail.PINLastTry.Left(1)
	}
	return nil
}

// choose refuses: a script names what it wants with a flag.
func (s script) choose(ctx context.Context, f form, options []string) (int, error) {
	for _, o := range options {
		f.body += "\n  " + o
	}
	if err := s.tell(ctx, f); err != nil {
		return 0, err
	}
	return 0, fail.BadInput.At("choice")
}

func (s script) tell(ctx context.Context, f form) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.problem != "" {
		fmt.Fprintln(s.out, f.problem)
	}
	_, err := fmt.Fprintln(s.out, f.body)
	return err
}
