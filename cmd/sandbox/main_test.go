package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tegata/authn/fail"
	"tegata/cmd/sandbox/headless"
)

func TestWhatIsReportedAndHow(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		said string
		code int
	}{
		{"an error page is its code", headless.ErrPage{Code: "client_unknown"}, "client_unknown\n", 1},
		{"a refusal by the card is its code, without its cause", fail.PINWrong.Left(2).Because(errors.New("SW 63C2")), "pin_wrong\n", 1},
		{"a mistake of the caller exits with 2", fmt.Errorf("outside: %w", usageError{errors.New("no such file")}), "sandbox: outside: no such file\n", 2},
		{"anything else is a failure", errors.New("the network is down"), "sandbox: the network is down\n", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			if code := report(&out, tc.err); code != tc.code || out.String() != tc.said {
				t.Errorf("exit code %d, %q", code, out.String())
			}
		})
	}
}

func TestHelpWithoutTheWordRunShowsTheSandboxsFlags(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, terminal{&out, &errs}); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d, %q", code, errs.String())
	}
	for _, flag := range []string{"--listen", "--rp", "--cards", "--jpki", "--data", "--db", "--clients", "--personas", "--now", "--json"} {
		if !strings.Contains(out.String(), flag) {
			t.Errorf("no word about %s", flag)
		}
	}
	if strings.Count(out.String(), "Usage: ") != 2 {
		t.Error("it does not show the commands and then the flags")
	}
}

// lockedBuffer may be read while a server still writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
