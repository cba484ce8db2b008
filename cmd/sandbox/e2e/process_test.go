package e2e_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tegata/storage/storagetest"
)

func TestTheLineOfJSONSaysWhatAProgramNeeds(t *testing.T) {
	t.Parallel()
	w := start(t, "--clients", shops(t))
	for name, base := range map[string]string{"issuer": w.Issuer, "rp": w.RP, "cards": w.Cards, "jpki": w.JPKI} {
		resp, err := http.Get(base + "/")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 500 {
			t.Errorf("%s answers %s", name, resp.Status)
		}
	}
	var ids []string
	for _, c := range w.Clients {
		ids = append(ids, c.ID)
		if c.Secret == "" || len(c.RedirectURIs) == 0 {
			t.Errorf("client %s lacks its secret or addresses", c.ID)
		}
	}
	if got := strings.Join(ids, " "); got != "demo poster bank" {
		t.Errorf("clients %q", got)
	}
	var discovery struct{ Issuer string }
	resp, err := http.Get(w.Issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&discovery); err != nil || discovery.Issuer != w.Issuer {
		t.Errorf("discovery says %q, %v", discovery.Issuer, err)
	}
}

// A mistake of the caller is one line that says what to change, and nothing has been started.
func TestMistakesAreOneLineAndExitCodeTwo(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"a port that another program has", append(anyPorts[2:len(anyPorts):len(anyPorts)], "--listen", taken.Addr().String()), "in use"},
		{"a port that is no port", []string{"--listen", "127.0.0.1:http!"}, "127.0.0.1:http!"},
		{"a flag that does not exist", []string{"--colour"}, "--colour"},
		{"a command that does not exist", []string{"fly"}, "fly"},
		{"a time that is none", []string{"--now", "tomorrow"}, "RFC 3339"},
		{"a clients file that is not there", append(anyPorts, "--clients", filepath.Join(dir, "no.json")), "no.json"},
		{"a clients file that is no JSON", append(anyPorts, "--clients", file("broken.json", "[{")), "broken.json"},
		{"a clients file that holds no array", append(anyPorts, "--clients", file("object.json", `{"client_id": "x"}`)), "object.json"},
		{"a client without an address", append(anyPorts, "--clients", file("bare.json", `[{"client_id": "bare"}]`)), "bare"},
		{"personas that are not there", append(anyPorts, "--personas", filepath.Join(dir, "nobody")), "nobody"},
		{"a persona who was never born", append(anyPorts, "--personas", filepath.Dir(file("people/ghost.json", `{"birthdate": "2008-13-45"}`))), "ghost"},
		{"data in a place that is a file", append(anyPorts, "--data", file("plain", "")), "plain"},
		{"a database of an unknown kind", append(anyPorts, "--db", "oracle://x"), "postgres://"},
		{"a login without a URL", []string{"login"}, "authorize-url"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := try(t, tc.args...)
			if s.code != 2 || s.out != "" {
				t.Errorf("exit code %d, stdout %q", s.code, s.out)
			}
			if !strings.HasPrefix(s.err, "sandbox: ") || strings.Count(s.err, "\n") != 1 || !strings.Contains(s.err, tc.want) {
				t.Errorf("stderr is not one line about %q:\n%s", tc.want, s.err)
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"login", "--help"}} {
		if s := try(t, args...); s.code != 0 || !strings.Contains(s.out, "Usage: sandbox") || s.err != "" {
			t.Errorf("%v: exit code %d\n%s\n%s", args, s.code, s.out, s.err)
		}
	}
}

func TestAStoppedSandboxLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	w := startIn(t, []string{"TMPDIR=" + tmp})
	if made, _ := filepath.Glob(filepath.Join(tmp, "tegata-sandbox-*")); len(made) != 1 {
		t.Errorf("it works in %q", made)
	}
	w.stop(t)
	if left, _ := filepath.Glob(filepath.Join(tmp, "tegata-*")); left != nil {
		t.Errorf("it leaves %q", left)
	}
}

func TestKeptDataGivesTheSamePersonTheSameNumberAfterARestart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args func(t *testing.T) []string
	}{
		{"in a folder", func(t *testing.T) []string { return []string{"--data", t.TempDir()} }},
		{"in PostgreSQL", func(t *testing.T) []string { return []string{"--data", t.TempDir(), "--db", storagetest.Postgres(t)} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append(tc.args(t), "--clients", shops(t))
			jar := filepath.Join(t.TempDir(), "cookies.txt")
			w := start(t, args...)
			first := w.tokens(t, "bank", w.walk(t, w.authorize("bank", nil), "--cookie-jar", jar))
			w.stop(t)
			ports := []string{"--listen", strings.TrimPrefix(w.Issuer, "http://"), "--rp", strings.TrimPrefix(w.RP, "http://"),
				"--cards", strings.TrimPrefix(w.Cards, "http://"), "--jpki", strings.TrimPrefix(w.JPKI, "http://")}
			again := start(t, append(args, ports...)...)
			second := again.tokens(t, "bank", again.walk(t, again.authorize("bank", nil)))
			if first.Subject != second.Subject {
				t.Error("the same card at the same client is another person after a restart")
			}
			// The session and the keys are kept as well: no card, and a token of before still verifies.
			third := again.tokens(t, "bank", again.walk(t, again.authorize("bank", map[string][]string{"prompt": {"none"}}), "--cookie-jar", jar))
			if third.Subject != first.Subject {
				t.Error("the session is somebody else's after a restart")
			}
			again.verify(t, "bank", first.raw, again.clock(t))
		})
	}
}
