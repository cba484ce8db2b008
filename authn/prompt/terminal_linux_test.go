package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// person sits at a terminal: what is on the screen, and keys to press.
type person struct {
	keys   *os.File
	tty    *os.File
	mu     sync.Mutex
	screen strings.Builder
	more   chan struct{}
}

func sitDown(t *testing.T) *person {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{keys: master, tty: tty, more: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.screen.Write(buf[:n])
			p.mu.Unlock()
			select {
			case p.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		tty.Close()
		master.Close()
	})
	return p
}

// reads waits until the screen shows text.
func (p *person) reads(t *testing.T, text string) {
	t.Helper()
	for {
		p.mu.Lock()
		seen := strings.Contains(p.screen.String(), text)
		p.mu.Unlock()
		if seen {
			return
		}
		select {
		case <-p.more:
		case <-t.Context().Done():
			t.Fatalf("never read %q", text)
		}
	}
}

func (p *person) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(p.keys, keys); err != nil {
		t.Fatal(err)
	}
}

func (p *person) echoes(t *testing.T) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func (p *person) prompter(t *testing.T) Prompter {
	t.Helper()
	ask, err := New(Surroundings{
		System: "linux", Terminal: true, Env: func(string) string { return "" },
		LookPath: func(string) (string, error) { return "", errors.New("none") },
	}, English, p.tty, p.tty)
	if err != nil {
		t.Fatal(err)
	}
	return ask
}

type typed struct {
	pin []byte
	err error
}

func TestATerminalTakesAPINWithoutShowingIt(t *testing.T) {
	p := sitDown(t)
	ask := p.prompter(t)
	for _, tc := range []struct {
		name, keys, want string
		err              error
	}{
		{"typed straight", "4711\r", "4711", nil},
		{"with a slip", "48\x7f711\n", "4711", nil},
		{"a wide character taken back", "47１\x08" + "11\r", "4711", nil},
		{"a backspace too many", "\x7f\x7f4711\r", "4711", nil},
		{"begun anew", "999\x154711\r", "4711", nil},
		{"Ctrl-C", "47\x03", "", fail.UserCancelled},
		{"Ctrl-D", "\x04", "", fail.UserCancelled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p.mu.Lock()
			p.screen.Reset()
			p.mu.Unlock()
			done := make(chan typed, 1)
			go func() {
				pin, err := ask.PIN(context.Background(), sample(card.AuthPIN, 3))
				done <- typed{pin, err}
			}()
			p.reads(t, "login PIN: ")
			for p.echoes(t) { // until the mode is changed, a key would be shown
			}
			p.types(t, tc.keys)
			got := <-done
			if string(got.pin) != tc.want || !errors.Is(got.err, tc.err) {
				t.Fatalf("%q, %v", got.pin, got.err)
			}
			if !p.echoes(t) {
				t.Error("the terminal stays silent afterwards")
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if screen := p.screen.String(); strings.Contains(screen, "47") || !strings.Contains(screen, "sake.example") {
				t.Error(screen)
			}
		})
	}
}

func TestATerminalGivesBackWhenTheLoginEnds(t *testing.T) {
	p := sitDown(t)
	ask := p.prompter(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := ask.PIN(ctx, sample(card.AuthPIN, 3))
		done <- err
	}()
	p.reads(t, "login PIN: ")
	for p.echoes(t) {
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if !p.echoes(t) {
		t.Error("the terminal stays silent")
	}
}

func TestATerminalsOtherQuestions(t *testing.T) {
	p := sitDown(t)
	ask := p.prompter(t)
	for _, tc := range []struct {
		keys string
		want error
	}{{"yes\r", nil}, {"y\r", fail.UserCancelled}, {"\r", fail.UserCancelled}} {
		p.types(t, tc.keys)
		if err := ask.Confirm(t.Context(), sample(card.AuthPIN, 2)); !errors.Is(err, tc.want) {
			t.Errorf("%q is %v", tc.keys, err)
		}
	}
	for keys, want := range map[string]int{"1\r": 0, "2\r": 1, "3\r": -1, "\r": -1, "x\r": -1} {
		p.types(t, keys)
		i, err := ask.Choose(t.Context(), ChooseReader, []Choice{{"A", "left"}, {"B", "right"}})
		if want < 0 && !errors.Is(err, fail.UserCancelled) || want >= 0 && (err != nil || i != want) {
			t.Errorf("%q is %d, %v", keys, i, err)
		}
	}
	if err := ask.Tell(t.Context(), fail.CardNone); err != nil {
		t.Error(err)
	}
	p.reads(t, "card_none")
}
