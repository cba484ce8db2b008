package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/cmd/sandbox/cards"
)

const patience = 60 * time.Second

// desk is one person's computer: a home, a reader, and the agent installed. The sandbox is the world outside.
type desk struct {
	t       testing.TB
	home    string
	agent   string
	reader  *pcsctest.Desk
	sandbox world
	env     []string
}

// world is the sandbox's line of JSON.
type world struct{ Issuer, RP, Cards string }

// sit furnishes a desk: pcscd with two readers of its own, a sandbox whose launch links are the agent's, and the agent
// installed with the sandbox's provider trusted.
func sit(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, home: t.TempDir(), reader: pcsctest.Start(t, 2)}
	d.agent = filepath.Join(must[string](t)(packages()), "tegata-agent")
	d.sandbox = startSandbox(t)
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "XDG_") && !strings.HasPrefix(name, "LC_") && name != "HOME" && name != "DISPLAY" && name != "WAYLAND_DISPLAY" && name != "LANG" &&
			name != "SSH_CONNECTION" {
			d.env = append(d.env, v)
		}
	}
	d.env = append(d.env, "HOME="+d.home, "LANG=C.UTF-8")
	d.run("install")
	d.run("providers", "add", "Sandbox", d.sandbox.Issuer)
	return d
}

func startSandbox(t *testing.T) world {
	t.Helper()
	cmd := exec.Command(must[string](t)(sandbox()), "--listen", "127.0.0.1:0", "--rp", "127.0.0.1:0", "--cards", "127.0.0.1:0", "--jpki", "127.0.0.1:0",
		"--launch", "tegata:{ticket}", "--json")
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out := must[interface{ Read([]byte) (int, error) }](t)(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the sandbox ended with %v\n%s", err, &log)
		}
	})
	var w world
	if line, err := bufio.NewReader(out).ReadBytes('\n'); err != nil || json.Unmarshal(line, &w) != nil {
		t.Fatalf("the sandbox said %q, %v", line, err)
	}
	return w
}

// run runs the agent to its end, which must be a good one.
func (d *desk) run(args ...string) string {
	d.t.Helper()
	out, code := d.try("", args...)
	if code != 0 {
		d.t.Fatalf("tegata-agent %s ended with %d:\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (d *desk) try(stdin string, args ...string) (string, int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.agent, args...)
	cmd.Env, cmd.Stdin = d.env, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// insert puts a persona's card, which the sandbox's town hall issued, into a reader.
func (d *desk) insert(reader int, persona string) *pcsctest.Inserted {
	d.t.Helper()
	c := &townCard{base: d.sandbox.Cards, persona: persona, http: &http.Client{Timeout: 20 * time.Second}}
	d.t.Cleanup(c.http.CloseIdleConnections)
	return d.reader.Insert(reader, c, cardtest.Faults{})
}

// townCard carries the reader's commands to the sandbox, where the card's keys are. It counts what would spend a try.
type townCard struct {
	base, persona string
	http          *http.Client
}

// Connect is the card under power.
func (c *townCard) Connect() card.Transport { return &townWire{card: c} }

type townWire struct {
	card *townCard
	mu   sync.Mutex
	open card.Transport
}

// Transmit connects at the first command: under power alone there is nothing to say.
func (w *townWire) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		t, err := cards.Dial(ctx, w.card.http, w.card.base, w.card.persona)
		if err != nil {
			return nil, fail.CardRemoved.Because(err)
		}
		w.open = t
	}
	return w.open.Transmit(ctx, command)
}

// Close resets it.
func (w *townWire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		return nil
	}
	err := w.open.Close()
	w.open = nil
	return err
}
