package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The whole of it: the shop's button, the provider's page, the click that wakes the installed agent through the desktop,
// the card behind pcscd, the PIN in a real window, and the same tab ends at the shop with its answer.
func TestAClickInChromiumEndsLoggedIn(t *testing.T) {
	d := sit(t)
	screen := d.lookUp()
	d.insert(0, "taro")
	browser := d.browser()

	browser.start(d)
	browser.click("#launch")
	screen.enter(pinWindow, "0000") // wrong: the page and the next window say so
	screen.enter(passwordWindow, "abc123")
	browser.until("pin_wrong")
	screen.enter(pinWindow, "1234")
	screen.enter(passwordWindow, "abc123")
	browser.finish(d)
}

func TestACardThatComesLateAndLeavesAndAPersonWhoCancels(t *testing.T) {
	d := sit(t)
	screen := d.lookUp()
	browser := d.browser()

	browser.start(d)
	browser.click("#launch")
	browser.until("no_card")
	card := d.insert(1, "hanako")
	screen.window(pinWindow)
	browser.until("pin_needed")
	card.Pull()
	screen.gone(pinWindow)
	browser.until("no_card")
	d.insert(1, "hanako")
	screen.window(pinWindow)
	screen.press("Escape")
	screen.gone(pinWindow)
	browser.says("user_cancelled")
	if out := d.run("card", "status"); !strings.Contains(out, "login PIN              3 tries left") {
		t.Errorf("tries were spent:\n%s", out)
	}
}

// A script takes the link and gives the PINs itself; the page is a browser's all the same.
func TestAScriptLogsIn(t *testing.T) {
	d := sit(t)
	d.lookUp()
	d.insert(0, "taro")
	browser := d.browser()

	browser.start(d)
	out, code := d.try("1234\nABC123\n", "--pin-stdin", "login", "--", browser.link())
	if code != 0 {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	for _, want := range []string{"Tegata Sake (demo)", "Login provider: ", "Tries left: 3.", "Done."} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	for _, secret := range []string{"1234", "ABC123", "tegata:"} {
		if strings.Contains(out, secret) {
			t.Errorf("shows %q:\n%s", secret, out)
		}
	}
	browser.finish(d)
}

// Who has locked the four digits of the card-info application types what is printed on the card, in one line from a script.
func TestThePrintedNumbersLogIn(t *testing.T) {
	d := sit(t)
	d.lookUp()
	d.insert(0, "printed")
	browser := d.browser()

	browser.start(d)
	out, code := d.try("1234\n13110320352285\n", "--pin-stdin", "login", "--", browser.link())
	if code != 0 {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	for _, want := range []string{"The PIN of 4 digits is locked. The numbers printed on the card will do instead.", "Tries left: 10.", "Done."} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "131103") || strings.Contains(out, "2285") {
		t.Errorf("shows a number:\n%s", out)
	}
	browser.finish(d)
	if out := d.run("card", "status"); !strings.Contains(out, "verification number B  10 tries left") {
		t.Errorf("tries were spent:\n%s", out)
	}
}

// In windows they are asked for one by one.
func TestWindowsAskForThePrintedNumbersOneByOne(t *testing.T) {
	d := sit(t)
	screen := d.lookUp()
	d.insert(0, "child")
	browser := d.browser()

	browser.start(d)
	browser.click("#launch")
	screen.enter(pinWindow, "1234")
	screen.enter(cardInfoWindow, "") // does not know it
	browser.until("number_needed")
	screen.enter(numberWindow+" 1/3", "290620")
	screen.enter(numberWindow+" 2/3", "2035")
	screen.enter(numberWindow+" 3/3", "2285")
	browser.finish(d)
}

// On a console pinentry draws in the terminal.
func TestATerminalLogsIn(t *testing.T) {
	d := sit(t)
	d.insert(0, "taro")
	plain := slices.Clone(d.env) // without the display
	d.lookUp()
	browser := d.browser()
	browser.start(d)

	console := openConsole(t, plain, d.agent, "login", "--", browser.link())
	console.reads("login PIN")
	console.types("1234")
	console.reads("signature password")
	console.types("ABC123")
	browser.finish(d)
	if said := console.screen(); strings.Contains(said, "1234") || strings.Contains(said, "ABC123") {
		t.Errorf("the console shows a PIN:\n%s", said)
	}
}

// console is a terminal in tmux.
type console struct {
	t      testing.TB
	socket string
	env    []string
}

func openConsole(t testing.TB, env []string, command ...string) *console {
	t.Helper()
	c := &console{t: t, socket: "tegata-" + strings.ReplaceAll(t.Name(), "/", "-"), env: append(env, "TERM=xterm")}
	args := []string{"-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40"}
	c.tmux(append(args, append([]string{"sh", "-c", `"$0" "$@"; sleep 600`}, command...)...)...)
	t.Cleanup(func() { c.tmux("kill-server") })
	return c
}

func (c *console) tmux(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-L", c.socket}, args...)...)
	cmd.Env = c.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (c *console) screen() string { return c.tmux("capture-pane", "-p") }

func (c *console) reads(text string) {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if strings.Contains(c.screen(), text) {
			return
		}
	}
	c.t.Fatalf("never %q:\n%s", text, c.screen())
}

func (c *console) types(entry string) {
	c.t.Helper()
	c.tmux("send-keys", "-l", entry)
	c.tmux("send-keys", "Enter")
}

func TestStatusAndDoctorAtADeskWithCards(t *testing.T) {
	d := sit(t)
	if out, code := d.try("", "card", "status"); code != 0 || strings.Count(out, "none") != 2 {
		t.Errorf("%d\n%s", code, out)
	}
	if out, code := d.try("", "doctor"); code != 1 || !strings.Contains(out, "problem  reader_empty") {
		t.Errorf("%d\n%s", code, out)
	}
	d.insert(0, "child")
	d.insert(1, "locked")
	d.eventually(func() (string, bool) {
		out, _ := d.try("", "card", "status", "--json")
		return out, strings.Count(out, `"my_number_card"`) == 2
	})
	out := d.run("card", "status")
	for _, want := range []string{"signature certificate  absent", "signature certificate  present", "login PIN              locked", "verification number B  10 tries left"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	out, _ = d.try("", "doctor")
	for _, want := range []string{"problem  two_cards", "problem  auth_pin_locked", "note     no_signature_certificate", "note     provider_not_https"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if out, code := d.try("", "--reader", d.reader.Readers[0], "card", "status"); code != 0 || strings.Contains(out, "locked") {
		t.Errorf("%d\n%s", code, out)
	}
	d.reader.Stop()
	if out, code := d.try("", "doctor"); code != 1 || !strings.Contains(out, "pcscd_not_running") {
		t.Errorf("%d\n%s", code, out)
	}
}

// eventually waits for what the smart card service notices within half a second.
func (d *desk) eventually(look func() (string, bool)) {
	d.t.Helper()
	var out string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var ok bool
		if out, ok = look(); ok {
			return
		}
	}
	d.t.Fatal(out)
}
