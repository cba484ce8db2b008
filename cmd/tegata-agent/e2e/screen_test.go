package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// screen is an X display with nobody but the test in front of it.
type screen struct {
	t       testing.TB
	display string
}

func (d *desk) lookUp() *screen {
	d.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x1000x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{write}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("%v: install xvfb (see .ci/packages)", err)
	}
	write.Close()
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		d.t.Fatal(err)
	}
	s := &screen{t: d.t, display: ":" + strings.TrimSpace(number)}
	d.env = append(d.env, "DISPLAY="+s.display)
	return s
}

// hands presses keys and finds windows, through the X server.
func (s *screen) hands(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// window waits until a window with this title is on the screen.
func (s *screen) window(title string) string {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ids, err := s.hands("search", "--onlyvisible", "--name", title); err == nil && ids != "" {
			return strings.Fields(ids)[0]
		}
	}
	s.picture("no-window")
	s.t.Fatalf("no window %q", title)
	return ""
}

// gone waits until no window with this title is left.
func (s *screen) gone(title string) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ids, _ := s.hands("search", "--onlyvisible", "--name", title); ids == "" {
			return
		}
	}
	s.t.Fatalf("the window %q stays", title)
}

// picture is for a person who wants to know what the test saw.
func (s *screen) picture(name string) {
	path := filepath.Join("..", "..", "..", "screenshots", "agent-"+name+".png")
	if os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	cmd := exec.Command("import", "-display", s.display, "-window", "root", path)
	_ = cmd.Run() // without ImageMagick there is no picture, and no test depends on one
}

// The windows' titles, as far as the test reads them.
const (
	pinWindow      = "login PIN"
	passwordWindow = "signature password"
	cardInfoWindow = "card-info PIN"
	numberWindow   = "verification number B"
)

// enter waits for a window, types into it as a person would, and confirms.
func (s *screen) enter(title, entry string) {
	s.t.Helper()
	id := s.window(title)
	s.picture(strings.NewReplacer(" ", "-", "/", "-of-").Replace(title))
	_, _ = s.hands("windowfocus", "--sync", id) // there is no window manager to do it; pinentry grabs the keyboard anyway
	if _, err := s.hands("type", "--delay", "30", entry); err != nil {
		s.t.Fatal(err)
	}
	s.press("Return")
	s.gone(title)
}

func (s *screen) press(key string) {
	s.t.Helper()
	if _, err := s.hands("key", key); err != nil {
		s.t.Fatal(err)
	}
}

// browser is Chromium with windows, whose owner has ticked "always open links of this kind from this site" before.
func (d *desk) browser() *tab {
	d.t.Helper()
	profile := d.t.TempDir()
	allowed := map[string]any{"protocol_handler": map[string]any{"allowed_origin_protocol_pairs": map[string]any{
		d.sandbox.Issuer: map[string]bool{"tegata": true}}}}
	preferences, err := json.Marshal(allowed)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), preferences, 0o600); err != nil {
		d.t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile), chromedp.Env(d.env...),
		chromedp.WindowSize(1200, 900),
	}
	for _, off := range []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "disable-extensions"} {
		options = append(options, chromedp.Flag(off, true))
	}
	options = append(options, chromedp.Flag("lang", "en"), chromedp.Flag("accept-lang", "en"), chromedp.Flag("password-store", "basic"))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(alloc)
	d.t.Cleanup(func() {
		stop()
		stopAlloc()
	})
	b := &tab{d.t, ctx}
	b.do("starting", chromedp.Navigate("about:blank"))
	return b
}

type tab struct {
	t   testing.TB
	ctx context.Context
}

func (b *tab) do(what string, action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.page())
	}
}

func (b *tab) page() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// start goes from the shop to the page with the launch link.
func (b *tab) start(d *desk) {
	b.t.Helper()
	b.open(d.sandbox.RP)
	b.click("#ask-age_over_18 a.button")
	b.click("#start")
	b.see("#launch")
}

// finish agrees, and ends at the shop.
func (b *tab) finish(d *desk) {
	b.t.Helper()
	b.click("#allow")
	b.see("#verdict")
	if page := b.page(); !strings.HasPrefix(page, d.sandbox.RP+"/") {
		b.t.Errorf("the tab is at %s", page)
	}
}

// until waits for a progress code on the waiting page.
func (b *tab) until(code string) {
	b.t.Helper()
	b.see(`#wait[data-code="` + code + `"]`)
}

// says waits until the page shows a text.
func (b *tab) says(text string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(b.page(), text); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never %q:\n%s", text, b.page())
		}
	}
}

// link is what a click would hand to the desktop.
func (b *tab) link() string {
	b.t.Helper()
	return b.ask(`document.querySelector("#launch").href`)
}

func (b *tab) ask(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

func (b *tab) open(url string) { b.t.Helper(); b.do("opening "+url, chromedp.Navigate(url)) }
func (b *tab) see(css string) {
	b.t.Helper()
	b.do("looking for "+css, chromedp.WaitVisible(chromedp.CSS(css)))
}

func (b *tab) click(css string) {
	b.t.Helper()
	b.do("clicking "+css, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}
