package prompt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/card"
	"tegata/authn/fail"
)

func TestNormalise(t *testing.T) {
	for _, tc := range []struct {
		name  string
		pin   card.PIN
		typed string
		want  string // "" is fail.PINFormat
	}{
		{"four digits", card.AuthPIN, "1234", "1234"},
		{"full-width digits", card.AuthPIN, "１２３４", "1234"},
		{"three digits", card.AuthPIN, "123", ""},
		{"five digits", card.AuthPIN, "12345", ""},
		{"the password where the PIN belongs", card.AuthPIN, "ABC123", ""},
		{"nothing: it would become the question for the counter", card.AuthPIN, "", ""},
		{"a newline after it", card.AuthPIN, "1234\n", ""},
		{"a password", card.SignPassword, "ABC123", "ABC123"},
		{"lower case", card.SignPassword, "abc123", "ABC123"},
		{"full-width lower case", card.SignPassword, "ａｂｃ１２３", "ABC123"},
		{"the PIN where the password belongs", card.SignPassword, "1234", ""},
		{"five characters", card.SignPassword, "ABC12", ""},
		{"seventeen characters", card.SignPassword, "ABCDEFGH123456789", ""},
		{"a symbol", card.SignPassword, "ABC-123", ""},
		{"a card-info PIN", card.CardInfoPIN, "0000", "0000"},
		{"number B", card.NumberB, "55021720352285", "55021720352285"},
		{"number B, one short", card.NumberB, "5502172035228", ""},
		{"no such PIN", card.PIN(9), "1234", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := normalise(tc.pin, []byte(tc.typed))
			if string(got) != tc.want || errors.Is(err, fail.PINFormat) != (tc.want == "") {
				t.Fatalf("%q, %v", got, err)
			}
		})
	}
}

func TestNoTwelveDigitsReachACard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.StringMatching(`[0-9]{12}`).Draw(t, "typed")
		for _, p := range []card.PIN{card.AuthPIN, card.CardInfoPIN, card.NumberB} {
			if got, err := normalise(p, []byte(typed)); err == nil {
				t.Fatalf("PIN %d takes %d bytes", p, len(got))
			}
		}
	})
}

func scripted(t *testing.T, lines string, spend bool) (Prompter, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	p, err := NewScript(English, strings.NewReader(lines), &out, spend)
	if err != nil {
		t.Fatal(err)
	}
	return p, &out
}

func TestAScriptGivesOneLineForEachEntry(t *testing.T) {
	p, out := scripted(t, "1234\r\nabc123", false)
	if pin, err := p.PIN(t.Context(), sample(card.AuthPIN, 3)); err != nil || string(pin) != "1234" {
		t.Fatalf("%q, %v", pin, err)
	}
	a := sample(card.SignPassword, 5)
	a.Before = fail.PINWrong.Left(5)
	if password, err := p.PIN(t.Context(), a); err != nil || string(password) != "ABC123" {
		t.Fatalf("%q, %v", password, err)
	}
	if !strings.Contains(out.String(), "sake.example") || !strings.Contains(out.String(), "was wrong") || strings.Contains(out.String(), "1234") {
		t.Error(out)
	}
	if _, err := p.PIN(t.Context(), a); !errors.Is(err, fail.UserCancelled) {
		t.Errorf("no line left: %v", err)
	}
}

func TestAScriptHasNoSecondThought(t *testing.T) {
	p, _ := scripted(t, "12\n1234\n", false)
	if _, err := p.PIN(t.Context(), sample(card.AuthPIN, 3)); !errors.Is(err, fail.PINFormat) {
		t.Errorf("the wrong form: %v", err)
	}
	if _, err := p.PIN(t.Context(), sample(card.AuthPIN, 1)); !errors.Is(err, fail.PINLastTry) {
		t.Errorf("the last try: %v", err)
	}
	if err := p.Confirm(t.Context(), sample(card.AuthPIN, 2)); !errors.Is(err, fail.PINLastTry) {
		t.Errorf("a yes: %v", err)
	}
	if _, err := p.Choose(t.Context(), ChooseReader, []Choice{{"A", ""}, {"B", ""}}); !errors.Is(err, fail.BadInput) {
		t.Errorf("a choice: %v", err)
	}
	p, _ = scripted(t, "1234\n", true)
	if pin, err := p.PIN(t.Context(), sample(card.AuthPIN, 1)); err != nil || string(pin) != "1234" {
		t.Errorf("confirmed beforehand: %q, %v", pin, err)
	}
	p, _ = scripted(t, strings.Repeat("1", 1000), false)
	if _, err := p.PIN(t.Context(), sample(card.AuthPIN, 3)); !errors.Is(err, fail.PINFormat) {
		t.Errorf("a line without end: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.PIN(over, sample(card.AuthPIN, 3)); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended login: %v", err)
	}
}

func TestTheWayOfAsking(t *testing.T) {
	for _, tc := range []struct {
		name     string
		system   string
		env      string
		programs string
		terminal bool
		pinentry string
		want     string
	}{
		{"a desktop", "linux", "DISPLAY", "pinentry-curses pinentry-gtk-2 pinentry", false, "", "pinentry pinentry-gtk-2"},
		{"GNOME before GTK 2", "linux", "WAYLAND_DISPLAY", "pinentry-gtk-2 pinentry-gnome3", false, "", "pinentry pinentry-gnome3"},
		{"a desktop with the plain name only", "linux", "DISPLAY", "pinentry", false, "", "pinentry pinentry"},
		{"a desktop without any", "linux", "DISPLAY", "", false, "", " "},
		{"a desktop's terminal without any", "linux", "DISPLAY", "", true, "", "terminal "},
		{"a console", "linux", "", "pinentry-curses pinentry-gtk-2", true, "", "pinentry pinentry-curses"},
		{"a console without pinentry", "linux", "", "", true, "", "terminal "},
		{"over ssh with a forwarded display", "linux", "DISPLAY SSH_CONNECTION", "pinentry-gtk-2 pinentry-tty", true, "", "pinentry pinentry-tty"},
		{"a service", "linux", "", "pinentry-curses", false, "", " "},
		{"asked for by path", "linux", "", "", false, "/opt/pinentry", "pinentry /opt/pinentry"},
		{"Windows", "windows", "", "pinentry", true, "", "dialog "},
		{"Windows over ssh", "windows", "SSH_CONNECTION", "", true, "", "terminal "},
		{"macOS", "darwin", "", "", false, "", "dialog "},
		{"macOS with a pinentry", "darwin", "", "", false, "/opt/homebrew/bin/pinentry-mac", "pinentry /opt/homebrew/bin/pinentry-mac"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Surroundings{
				System: tc.system, Terminal: tc.terminal, Pinentry: tc.pinentry,
				Env: func(name string) string {
					if strings.Contains(" "+tc.env+" ", " "+name+" ") {
						return "set"
					}
					return ""
				},
				LookPath: func(name string) (string, error) {
					if strings.Contains(" "+tc.programs+" ", " "+name+" ") {
						return name, nil
					}
					return "", errors.New("not found")
				},
			}
			if way, path := s.Way(); fmt.Sprint(string(way), " ", path) != tc.want {
				t.Fatalf("%q %q", way, path)
			}
			if p, err := New(s, English, nil, nil); (p == nil) != (err != nil) || tc.want == " " && !errors.Is(err, ErrNoWay) {
				t.Fatal(p, err)
			}
		})
	}
}
