package prompt

import (
	"errors"
	"io"
	"os"
	"time"

	"tegata/authn/fail"
)

// Way is how a person can be asked here.
type Way string

// The ways, see Surroundings.Way for their order.
const (
	NoWay    Way = ""         // nothing works: a desktop without pinentry, a service without a terminal
	Pinentry Way = "pinentry" // the program pinentry, in a window or on the terminal
	Dialog   Way = "dialog"   // a window of the system itself: Windows, macOS
	Terminal Way = "terminal" // the terminal that the agent was started in
	Script   Way = "stdin"    // lines of standard input, only when asked for
)

// ErrNoWay is the cause inside fail.Internal when there is no way to ask the person.
var ErrNoWay = errors.New("prompt: no way to ask for a PIN here")

// Surroundings is what the choice of a way depends on. It is facts only, so that doctor and tests can make it up.
type Surroundings struct {
	System   string                       // runtime.GOOS
	Env      func(string) string          // DISPLAY, WAYLAND_DISPLAY, SSH_CONNECTION, TERM, LC_ALL
	LookPath func(string) (string, error) // finds programs
	Terminal bool                         // standard input and error are a terminal
	TTY      string                       // its name, for a pinentry that draws on it
	Pinentry string                       // a pinentry that was asked for by path
}

// pinentries by where they can draw, best first. The plain name is whatever the system's owner made the default.
var (
	windowed = []string{"pinentry-gnome3", "pinentry-qt", "pinentry-qt5", "pinentry-gtk-2", "pinentry-x11", "pinentry-fltk", "pinentry"}
	textual  = []string{"pinentry-curses", "pinentry-tty", "pinentry"}
)

// Way decides, and names the program for Pinentry:
//   - over SSH with a terminal, the terminal: a window would open where nobody sits;
//   - Windows and macOS: the system's dialog, unless a pinentry was asked for;
//   - with a display, a pinentry with windows; then the terminal;
//   - without one, a pinentry for terminals; then the terminal itself;
//   - else there is none.
func (s Surroundings) Way() (Way, string) {
	if s.Pinentry != "" {
		return Pinentry, s.Pinentry
	}
	remote := s.Env("SSH_CONNECTION") != "" && s.Terminal
	display := s.Env("DISPLAY") != "" || s.Env("WAYLAND_DISPLAY") != ""
	switch {
	case s.System == "windows" || s.System == "darwin":
		if remote {
			return Terminal, ""
		}
		return Dialog, ""
	case display && !remote:
		if path := s.find(windowed); path != "" {
			return Pinentry, path
		}
	case s.Terminal:
		if path := s.find(textual); path != "" {
			return Pinentry, path
		}
	}
	if s.Terminal {
		return Terminal, ""
	}
	return NoWay, ""
}

func (s Surroundings) find(names []string) string {
	for _, n := range names {
		if path, err := s.LookPath(n); err == nil {
			return path
		}
	}
	return ""
}

// windowLife closes a forgotten window: a login lives ten minutes.
const windowLife = 5 * time.Minute

// New makes the prompter for the way that the surroundings allow. in and out are the terminal's, in English or
// Japanese. The error is fail.Internal because of ErrNoWay, or fail.BadInput for a language without sentences.
func New(s Surroundings, l Lang, in *os.File, out io.Writer) (Prompter, error) {
	w, err := loadWords(l)
	if err != nil {
		return nil, err
	}
	way, path := s.Way()
	switch way {
	case Pinentry:
		options := [][2]string{{"lc-ctype", s.ctype()}}
		if s.Terminal {
			options = append(options, [2]string{"ttyname", s.TTY}, [2]string{"ttytype", s.Env("TERM")})
		}
		return desk{pinentry{path, options, windowLife}, w}, nil
	case Dialog:
		if d, ok := systemDialog(); ok {
			return desk{d, w}, nil
		}
	case Terminal:
		return desk{terminal{in, out}, w}, nil
	}
	return nil, fail.Internal.Because(ErrNoWay)
}

// ctype tells pinentry that we write UTF-8, whatever the desktop's link handler was started with.
func (s Surroundings) ctype() string {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := s.Env(name); v != "" && v != "C" && v != "POSIX" {
			return v
		}
	}
	return "C.UTF-8"
}

// NewScript makes the prompter that reads one entry per line and shows the words on out. spendLastTry is the second
// confirmation, given beforehand.
func NewScript(l Lang, in io.Reader, out io.Writer, spendLastTry bool) (Prompter, error) {
	w, err := loadWords(l)
	if err != nil {
		return nil, err
	}
	return desk{script{in, out, spendLastTry}, w}, nil
}
