package prompt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// TestMain lets the test binary play pinentry: TEGATA_TEST_PINENTRY says what it answers to the last command.
func TestMain(m *testing.M) {
	if answers := os.Getenv("TEGATA_TEST_PINENTRY"); answers != "" {
		playPinentry(answers, os.Getenv("TEGATA_TEST_TRANSCRIPT"))
		return
	}
	os.Exit(m.Run())
}

// playPinentry says yes to everything that sets the window up, and answers each question with the next of the answers.
func playPinentry(answers, transcript string) {
	out, err := os.OpenFile(transcript, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Println("OK Pleased to meet you")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Fprintln(out, in.Text())
		switch command, _, _ := strings.Cut(in.Text(), " "); command {
		case "GETPIN", "CONFIRM", "MESSAGE":
			answer := answers
			if strings.Contains(answers, "|") { // one process per question: the transcript tells which this is
				asked, _ := os.ReadFile(transcript)
				all := strings.Split(answers, "|")
				answer = all[min(questions(string(asked)), len(all))-1]
			}
			switch answer {
			case "hang":
				select {}
			case "die":
				os.Exit(3)
			}
			fmt.Print(strings.ReplaceAll(answer, ";", "\n") + "\n")
		case "BYE":
			fmt.Println("OK")
			return
		default:
			fmt.Println("OK")
		}
	}
}

func questions(transcript string) int {
	return strings.Count(transcript, "GETPIN\n") + strings.Count(transcript, "CONFIRM\n") + strings.Count(transcript, "MESSAGE\n")
}

// with gives a prompter whose pinentry answers as told, and what it was told.
func with(t *testing.T, l Lang, answers string) (Prompter, func() string) {
	t.Helper()
	transcript := filepath.Join(t.TempDir(), "transcript")
	t.Setenv("TEGATA_TEST_PINENTRY", answers)
	t.Setenv("TEGATA_TEST_TRANSCRIPT", transcript)
	w, err := loadWords(l)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return desk{pinentry{path: self, options: [][2]string{{"lc-ctype", "C.UTF-8"}, {"ttyname", ""}}, timeout: time.Minute}, w}, func() string {
		body, err := os.ReadFile(transcript)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return string(body)
	}
}

func sample(p card.PIN, tries int) Ask {
	return Ask{
		About: About{
			Service: "Tegata Sake", Host: "sake.example", Provider: "id.example", Purpose: "To sell to adults.", Number: "42",
			Reads: []string{ReadsLogin, ReadsSignature}, Items: []string{"age_over_20", "name"},
		}, PIN: p, Tries: tries,
	}
}

func TestPinentryShowsWhoAsksAndReturnsWhatWasTyped(t *testing.T) {
	ask, said := with(t, English, "D 12%334;OK")
	pin, err := ask.PIN(t.Context(), sample(card.AuthPIN, 3))
	if err != nil || string(pin) != "1234" {
		t.Fatalf("%q, %v", pin, err)
	}
	transcript := said()
	for _, want := range []string{
		"OPTION lc-ctype=C.UTF-8\n", "SETTIMEOUT 60\n", "SETDESC ", "Tegata Sake", "sake.example", "id.example", "To sell to adults.", "42",
		"login certificate", "20 or older, name", "Tries left: 3", "%0A", "\nGETPIN\n",
	} {
		if !strings.Contains(transcript, want) {
			t.Errorf("the window lacks %q:\n%s", want, transcript)
		}
	}
	for _, never := range []string{"cache", "SETKEYINFO", "ttyname", "SETERROR", "1234"} {
		if strings.Contains(transcript, never) {
			t.Errorf("pinentry was told %q:\n%s", never, transcript)
		}
	}
}

func TestPinentryAnswersAndWhatTheyMean(t *testing.T) {
	for _, tc := range []struct {
		name, answers string
		want          error
	}{
		{"the person cancels", "ERR 83886179 Operation cancelled <Pinentry>", fail.UserCancelled},
		{"the person cancels everything", "ERR 83886278 Fully cancelled <Pinentry>", fail.UserCancelled},
		{"nobody comes", "ERR 83886142 Timeout <Pinentry>", fail.LoginExpired},
		{"no screen to draw on", "ERR 83918950 Inappropriate ioctl for device <Pinentry>", fail.Internal},
		{"an error without a number", "ERR much", fail.Internal},
		{"it asks us back", "INQUIRE QUALITY", fail.Internal},
		{"it dies", "die", fail.Internal},
		{"a line without end", strings.Repeat("D", 5000), fail.Internal},
		{"an entry without end", "D " + strings.Repeat("1", 300) + ";OK", fail.Internal},
		{"a broken escape", "D 12%3;OK", fail.Internal},
		{"an escape that is none", "D 12%zz4;OK", fail.Internal},
		{"nothing typed, five times", "OK", fail.PINFormat},
		{"letters, five times", "D abcd;OK", fail.PINFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ask, _ := with(t, English, tc.answers)
			pin, err := ask.PIN(t.Context(), sample(card.AuthPIN, 3))
			if !errors.Is(err, tc.want) || pin != nil {
				t.Fatalf("%q, %v", pin, err)
			}
		})
	}
}

func TestAnEntryOfTheWrongFormIsAskedForAgain(t *testing.T) {
	ask, said := with(t, English, "D 12345;OK|# hello;S PASSWORD_FROM_CACHE;D １２３４;OK")
	pin, err := ask.PIN(t.Context(), sample(card.AuthPIN, 2))
	if err != nil || string(pin) != "1234" {
		t.Fatalf("%q, %v", pin, err)
	}
	if n := strings.Count(said(), "SETERROR That is not 4 digits. The card was not asked."); n != 1 {
		t.Errorf("told %d times:\n%s", n, said())
	}
}

func TestTheLastTryTakesASecondYes(t *testing.T) {
	ask, said := with(t, English, "OK|D 1234;OK")
	pin, err := ask.PIN(t.Context(), sample(card.AuthPIN, 1))
	if err != nil || string(pin) != "1234" {
		t.Fatalf("%q, %v", pin, err)
	}
	confirm, getpin := strings.Index(said(), "\nCONFIRM\n"), strings.Index(said(), "\nGETPIN\n")
	if confirm < 0 || getpin < confirm || !strings.Contains(said(), "LAST TRY") {
		t.Errorf("not asked first:\n%s", said())
	}
	for _, no := range []string{"ERR 83886194 not confirmed", "ERR 83886179 cancelled"} {
		ask, said = with(t, English, no)
		if _, err := ask.PIN(t.Context(), sample(card.SignPassword, 1)); !errors.Is(err, fail.UserCancelled) {
			t.Errorf("a no is %v", err)
		}
		if strings.Contains(said(), "GETPIN") {
			t.Error("asked after a no")
		}
	}
}

func TestALockedPINIsNotAskedFor(t *testing.T) {
	ask, said := with(t, English, "D 1234;OK")
	if _, err := ask.PIN(t.Context(), sample(card.AuthPIN, 0)); !errors.Is(err, fail.PINLocked) {
		t.Fatal(err)
	}
	if said() != "" {
		t.Errorf("a window opened:\n%s", said())
	}
}

func TestTheDeclarationStandsInThePasswordsWindow(t *testing.T) {
	for _, l := range []Lang{English, Japanese} {
		ask, said := with(t, l, "D abc123;OK")
		a := sample(card.SignPassword, 5)
		a.Declaration = "share_attributes.1"
		password, err := ask.PIN(t.Context(), a)
		if err != nil || string(password) != "ABC123" {
			t.Fatalf("%q, %v", password, err)
		}
		w, err := loadWords(l)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(said(), w["declare_share_attributes.1"]) {
			t.Errorf("%s: signed without being read:\n%s", l, said())
		}
	}
}

func TestChoosingGoesRoundUntilSomethingIsTaken(t *testing.T) {
	ask, said := with(t, English, "ERR 83886194 x|ERR 83886194 x|ERR 83886194 x|ERR 83886194 x|OK")
	i, err := ask.Choose(t.Context(), ChooseProvider, []Choice{{"City", "id.city.example"}, {"Bank", "id.bank.example"}, {"Shop", "x"}})
	if err != nil || i != 1 {
		t.Fatalf("%d, %v", i, err)
	}
	if !strings.Contains(said(), "2/3  Bank (id.bank.example)") {
		t.Error(said())
	}
	ask, _ = with(t, English, "ERR 83886179 cancelled")
	if _, err := ask.Choose(t.Context(), ChooseReader, []Choice{{"A", ""}, {"B", ""}}); !errors.Is(err, fail.UserCancelled) {
		t.Error(err)
	}
}

func TestTellAndConfirm(t *testing.T) {
	ask, said := with(t, Japanese, "OK")
	if err := ask.Tell(t.Context(), fail.PINLocked.Left(0)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said(), "pin_locked") || !strings.Contains(said(), "\nMESSAGE\n") {
		t.Error(said())
	}
	if err := ask.Confirm(t.Context(), sample(card.AuthPIN, 2)); err != nil {
		t.Error(err)
	}
	if err := ask.Confirm(t.Context(), sample(card.AuthPIN, 0)); !errors.Is(err, fail.PINLocked) {
		t.Error(err)
	}
	ask, _ = with(t, English, "ERR 83886179 cancelled")
	if err := ask.Confirm(t.Context(), sample(card.AuthPIN, 2)); !errors.Is(err, fail.UserCancelled) {
		t.Error(err)
	}
}

func TestAnEndedLoginClosesTheWindow(t *testing.T) {
	ask, said := with(t, English, "hang")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := ask.PIN(ctx, sample(card.AuthPIN, 3))
		done <- err
	}()
	for !strings.Contains(said(), "GETPIN") {
		time.Sleep(time.Millisecond)
	}
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the window stays open")
	}
}

func TestAPinentryThatIsNotThere(t *testing.T) {
	w, err := loadWords(English)
	if err != nil {
		t.Fatal(err)
	}
	_, err = desk{pinentry{path: filepath.Join(t.TempDir(), "none")}, w}.PIN(t.Context(), sample(card.AuthPIN, 3))
	if !errors.Is(err, fail.Internal) {
		t.Fatal(err)
	}
}

// FuzzConversation gives the client whatever a program may say.
func FuzzConversation(f *testing.F) {
	f.Add([]byte("OK\nOK\nD 1234\nOK\n"))
	f.Add([]byte("OK hello\n# comment\nS STATUS\nD 12%2534\nD 56\nOK\n"))
	f.Add([]byte("ERR 99\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		c := &conversation{in: io.Discard, out: strings.NewReader(string(said))}
		secret := make([]byte, 0, maxSecret)
		room := cap(secret)
		_ = c.greet()
		_ = c.do("GETPIN", "", &secret)
		if cap(secret) != room {
			t.Fatal("the entry was copied to another place")
		}
		c.wipe()
		for _, b := range c.buf {
			if b != 0 {
				t.Fatal("the buffer was not wiped")
			}
		}
	})
}
