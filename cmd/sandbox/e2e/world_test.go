package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program builds one of our commands the way `make demo` does, once.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := programs[name]()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var programs = map[string]func() (string, error){"sandbox": builder("sandbox"), "tegata": builder("tegata"), "tegata-agent": builder("tegata-agent")}

func builder(name string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := filepath.Join(scratch, name)
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "tegata/cmd/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
		return path, nil
	})
}

// world is a running sandbox, as its line of JSON describes it.
type world struct {
	Issuer, RP, Cards, JPKI string
	Clients                 []client
	Developers              map[string]string `json:"developer_links"`

	binary string
	stderr *safeBuffer
	cmd    *exec.Cmd
	ended  chan error
}

type client struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
}

// anyPorts lets the system choose.
var anyPorts = []string{"--listen", "127.0.0.1:0", "--rp", "127.0.0.1:0", "--cards", "127.0.0.1:0", "--jpki", "127.0.0.1:0", "--json"}

// start runs a sandbox until the test ends, and then sees it stop cleanly.
func start(t testing.TB, more ...string) *world {
	t.Helper()
	return startIn(t, nil, more...)
}

// startIn is start with more in the environment.
func startIn(t testing.TB, env []string, more ...string) *world {
	t.Helper()
	w := &world{binary: program(t, "sandbox"), stderr: &safeBuffer{}, ended: make(chan error, 1)}
	w.cmd = exec.Command(w.binary, append(anyPorts[:len(anyPorts):len(anyPorts)], more...)...)
	w.cmd.Stderr, w.cmd.Env = w.stderr, append(os.Environ(), env...)
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, ended := make(chan string, 1), w.ended
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n')
		line <- text
		ended <- w.cmd.Wait()
	}()
	t.Cleanup(func() { w.stop(t) })
	select {
	case text := <-line:
		if err := json.Unmarshal([]byte(text), w); err != nil {
			t.Fatalf("the sandbox said %q: %v\n%s", text, err, w.stderr)
		}
	case <-time.After(time.Minute):
		t.Fatalf("the sandbox says nothing\n%s", w.stderr)
	}
	return w
}

// stop asks the sandbox to end and expects exit code 0 soon. A second call does nothing.
func (w *world) stop(t testing.TB) {
	t.Helper()
	if w.ended == nil {
		return
	}
	ended := w.ended
	w.ended = nil
	_ = w.cmd.Process.Signal(syscall.SIGTERM) // one that has ended already shows it below
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the sandbox ended with %v\n%s", err, w.stderr)
		}
	case <-time.After(time.Minute):
		_ = w.cmd.Process.Kill()
		t.Errorf("the sandbox does not stop\n%s", w.stderr)
	}
}

// said is how a program ended.
type said struct {
	out, err string
	code     int
}

// try runs the sandbox program to its end.
func try(t testing.TB, args ...string) said {
	t.Helper()
	return tryIn(t, t.TempDir(), nil, program(t, "sandbox"), args...)
}

func tryIn(t testing.TB, dir string, env []string, name string, args ...string) said {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said{out: out.String(), err: errs.String(), code: cmd.ProcessState.ExitCode()}
}

// login runs `sandbox login` in this world.
func (w *world) login(t testing.TB, args ...string) said {
	t.Helper()
	return try(t, append([]string{"login", "--card", strings.TrimPrefix(w.Cards, "http://")}, args...)...)
}

// safeBuffer is written by the program's pipe and read by a failing test.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
