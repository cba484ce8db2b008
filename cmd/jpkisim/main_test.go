package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start runs jpkisim and waits until it is ready. stop ends it as a signal would and returns its exit code.
func start(t *testing.T, args ...string) (base string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), terminal{in, &errs})
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cancel()
		<-code
		t.Fatalf("not ready: %s", errs.String())
	}
	if _, err := fmt.Sscanf(line, "jpkisim: ready at %s with", &base); err != nil {
		t.Fatalf("unexpected line %q", line)
	}
	return base, func() int {
		cancel()
		return <-code
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServeStopsCleanlyAndKeepsItsCards(t *testing.T) {
	dir, personas := filepath.Join(t.TempDir(), "state"), t.TempDir()
	file := []byte(`{"name": "ACCEPTANCE  TEST", "birthdate": "1990-01-02", "surprise": 1}`)
	if err := os.WriteFile(filepath.Join(personas, "extra.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	base, stop := start(t, "--dir", dir, "--personas", personas)
	code, page := get(t, base+"/")
	if code != 200 || !strings.Contains(page, base+"/ocsp/auth") {
		t.Fatalf("%d %s", code, page)
	}
	code, extra := get(t, base+"/certs/extra")
	if code != 200 || strings.Count(extra, "BEGIN CERTIFICATE") != 2 {
		t.Fatalf("%d %s", code, extra)
	}
	if code := stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if _, err := http.Get(base); err == nil {
		t.Fatal("it still answers")
	}
	base, stop = start(t, "--dir", dir, "--personas", personas)
	if _, again := get(t, base+"/certs/extra"); again != extra {
		t.Error("a restart made another card")
	}
	if code := stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
}

// An answer that is late on purpose must not hold up the stop.
func TestALateAnswerDoesNotHoldUpTheStop(t *testing.T) {
	arrived := make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		}))
	}()
	go http.Get("http://" + listener.Addr().String())
	<-arrived
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * stopTimeout):
		t.Fatal("it hangs")
	}
}

func TestMistakesAreOneLineAndExitTwo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	broken := t.TempDir()
	for path, content := range map[string]string{file: "x", filepath.Join(broken, "bad.json"): `{"birthdate": "yesterday"}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "serve"},
		{"an unknown command", []string{"wallet"}, "wallet"},
		{"a card without a reader", []string{"card", "--persona", "taro"}, "--vpcd"},
		{"a card without a holder", []string{"card", "--vpcd", "127.0.0.1:1"}, "--persona"},
		{"a card of nobody", []string{"card", "--vpcd", "127.0.0.1:1", "--persona", "nobody"}, "nobody"},
		{"a second card of nobody", []string{"card", "--vpcd", "127.0.0.1:1", "--persona", "taro", "--pull-after", "1", "--swap", "nobody"}, "nobody"},
		{"a swap without a pull", []string{"card", "--vpcd", "127.0.0.1:1", "--persona", "taro", "--swap", "hanako"}, "--pull-after"},
		{"an unknown flag", []string{"serve", "--fast"}, "--fast"},
		{"a port in use", []string{"serve", "--listen", taken.Addr().String()}, "in use"},
		{"an address that is none", []string{"serve", "--listen", "nowhere:at:all"}, "nowhere"},
		{"personas that are not there", []string{"serve", "--personas", filepath.Join(broken, "missing")}, "missing"},
		{"a broken persona", []string{"serve", "--personas", broken}, "bad.json"},
		{"a folder that is a file", []string{"serve", "--listen", "127.0.0.1:0", "--dir", file}, "file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(t.Context(), tc.args, terminal{&out, &errs})
			if code != 2 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), tc.want) || out.Len() != 0 {
				t.Fatalf("exit %d, %q, %q", code, out.String(), errs.String())
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"serve", "--help"}, terminal{&out, &errs}); code != 0 || !strings.Contains(out.String(), "--personas") {
		t.Fatalf("exit %d, %s%s", code, out.String(), errs.String())
	}
}

func TestAServerOnAllInterfacesIsFoundOnLoopback(t *testing.T) {
	for _, tc := range []struct{ ip, want string }{{"0.0.0.0", "127.0.0.1:9003"}, {"::", "127.0.0.1:9003"}, {"::1", "[::1]:9003"}} {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(tc.ip), Port: 9003}); got != tc.want {
			t.Errorf("%s: %s", tc.ip, got)
		}
	}
}
