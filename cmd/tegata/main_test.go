package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/authn/jpkitest"
)

// screen collects what a command prints; a server writes to it while the test reads.
type screen struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// deployment is one operator's environment: variables, secrets, database.
type deployment struct {
	t   *testing.T
	dir string
}

// anchors are the PEM files of a test authority, made once: its keys are slow.
var anchors = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tegata-anchors-")
	if err != nil {
		return "", err
	}
	_, err = jpkitest.New(jpkitest.Options{Dir: dir})
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := anchors(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// empty is an environment without any variable of ours.
func empty(t *testing.T) *deployment {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TEGATA_") {
			unset(t, name)
			t.Cleanup(func() { _ = os.Setenv(name, value) }) // as it was
		}
	}
	return &deployment{t, t.TempDir()}
}

func unset(t *testing.T, name string) {
	t.Helper()
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
}

// set sets variables for this test. Commands set those that a _FILE names themselves, so all go at the end.
func (d *deployment) set(pairs ...string) {
	d.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		name := pairs[i]
		d.t.Setenv(name, pairs[i+1])
		d.t.Cleanup(func() { _ = os.Unsetenv(strings.TrimSuffix(name, "_FILE")) }) // it may not be there
	}
}

// deploy has made secrets and a migrated database, and everything that serve needs.
func deploy(t *testing.T) *deployment {
	t.Helper()
	d := empty(t)
	pem, err := anchors()
	if err != nil {
		t.Fatal(err)
	}
	d.ok("keys", "init", d.dir)
	d.set("TEGATA_DATABASE_URL", "sqlite:"+filepath.Join(d.dir, "tegata.db"),
		"TEGATA_SEAL_KEYSET_FILE", filepath.Join(d.dir, "seal.json"), "TEGATA_SUBJECT_KEY_FILE", filepath.Join(d.dir, "subject.key"),
		"TEGATA_ISSUER", "https://login.example", "TEGATA_ANCHORS_AUTH", filepath.Join(pem, "anchors-auth.pem"),
		"TEGATA_ANCHORS_SIGN", filepath.Join(pem, "anchors-sign.pem"), "TEGATA_TEST_ANCHORS", "true",
		"TEGATA_OCSP_AUTH_URL", "http://127.0.0.1:1/auth", "TEGATA_OCSP_SIGN_URL", "http://127.0.0.1:1/sign")
	d.ok("migrate")
	return d
}

// tegata runs one command.
func (d *deployment) tegata(args ...string) (code int, out, errs string) {
	var stdout, stderr screen
	code = run(d.t.Context(), args, terminal{&stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

func (d *deployment) ok(args ...string) string {
	d.t.Helper()
	code, out, errs := d.tegata(args...)
	if code != exitOK {
		d.t.Fatalf("tegata %v: exit %d: %s", args, code, errs)
	}
	return out
}

func (d *deployment) fails(want int, say string, args ...string) {
	d.t.Helper()
	code, out, errs := d.tegata(args...)
	if code != want || !strings.Contains(errs, say) || out != "" && want == exitUsage && !strings.Contains(out, "Usage") {
		d.t.Errorf("tegata %v: exit %d, said %q %q; want %d and %q", args, code, out, errs, want, say)
	}
}

func TestABadConfigurationIsListedAtOnce(t *testing.T) {
	d := empty(t)
	code, _, errs := d.tegata("serve")
	if code != exitUsage {
		t.Errorf("exit %d", code)
	}
	for _, name := range []string{
		"TEGATA_DATABASE_URL", "TEGATA_SEAL_KEYSET", "TEGATA_ISSUER", "TEGATA_SUBJECT_KEY", "TEGATA_OCSP_AUTH_URL",
		"TEGATA_OCSP_SIGN_URL",
	} {
		if !strings.Contains(errs, "- "+name) {
			t.Errorf("%s is not in the list: %s", name, errs)
		}
	}
}

func TestEachBadValueIsNamedAndNotRepeated(t *testing.T) {
	for _, tc := range []struct{ name, value, say string }{
		{"TEGATA_ISSUER", "http://login.example", "TEGATA_ISSUER"},
		{"TEGATA_ISSUER", "https://login.example/", "TEGATA_ISSUER"},
		{"TEGATA_ISSUER", "https://login.example?x", "TEGATA_ISSUER"},
		{"TEGATA_ISSUER", "https://user@login.example", "TEGATA_ISSUER"},
		{"TEGATA_LAUNCH_TEMPLATE", "tegata:", "{ticket}"},
		{"TEGATA_OCSP_AUTH_URL", "ftp://ocsp.example", "TEGATA_OCSP_AUTH_URL"},
		{"TEGATA_MAX_CONNS", "0", "TEGATA_MAX_CONNS"},
		{"TEGATA_TRUSTED_PROXIES", "10.0.0.0/99", "TEGATA_TRUSTED_PROXIES"},
		{"TEGATA_ANCHORS_AUTH", "/nowhere.pem", "TEGATA_ANCHORS_AUTH"},
		{"TEGATA_ANCHORS_AUTH", "/etc/hostname", "TEGATA_ANCHORS_AUTH"},
		{"TEGATA_CARD_INFO_ISSUERS", "/etc/hostname", "TEGATA_CARD_INFO_ISSUERS"},
		{"TEGATA_BY_DAY", "age_over_20", "TEGATA_BY_DAY may name ages such as age_over_65, and not age_over_20"},
		{"TEGATA_BY_DAY", "age_over_65,name", "TEGATA_BY_DAY may name ages"},
		{"TEGATA_BY_DAY", "age_over_66", "TEGATA_BY_DAY may name ages"},
		{"TEGATA_FOUR_DIGITS_FIRST", "true", "TEGATA_FOUR_DIGITS_FIRST needs TEGATA_CARD_INFO_ISSUERS or TEGATA_ACCEPT_UNVERIFIED_CARD_INFO"},
		{"TEGATA_FOUR_DIGITS_FIRST", "perhaps", "TEGATA_FOUR_DIGITS_FIRST"},
		{"TEGATA_ACCEPT_UNVERIFIED_CARD_INFO", "perhaps", "TEGATA_ACCEPT_UNVERIFIED_CARD_INFO"},
		{"TEGATA_TEST_ANCHORS", "false", "set TEGATA_TEST_ANCHORS=true"},
	} {
		t.Run(tc.name+" "+tc.value, func(t *testing.T) {
			d := deploy(t)
			d.set(tc.name, tc.value)
			d.fails(exitUsage, tc.say, "serve")
		})
	}
	for name, value := range map[string]string{"TEGATA_SEAL_KEYSET": `{"secret":"hunter2"}`, "TEGATA_SUBJECT_KEY": "aHVudGVyMg=="} {
		d := deploy(t)
		unset(t, name+"_FILE")
		unset(t, name)
		d.set(name, value)
		code, _, errs := d.tegata("serve")
		if code != exitUsage || !strings.Contains(errs, name) || strings.Contains(errs, "hunter2") || strings.Contains(errs, value) {
			t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
	d := empty(t)
	d.fails(exitUsage, "unknown flag", "serve", "--nonsense")
	d.fails(exitUsage, "TEGATA_DATABASE_URL", "migrate")
	d.fails(exitUsage, "TEGATA_DATABASE_URL", "client", "list")
}

func TestASecretFromAFile(t *testing.T) {
	d := deploy(t)
	d.ok("client", "list")
	d.set("TEGATA_SEAL_KEYSET", "something else")
	d.fails(exitUsage, "both set", "client", "list")
	d = deploy(t)
	d.set("TEGATA_SEAL_KEYSET_FILE", filepath.Join(d.dir, "missing"))
	unset(t, "TEGATA_SEAL_KEYSET")
	d.fails(exitUsage, "TEGATA_SEAL_KEYSET_FILE cannot be read", "client", "list")
}

func TestKeysAreMadeOnceAndKept(t *testing.T) {
	d := empty(t)
	dir := filepath.Join(d.dir, "secrets")
	d.ok("keys", "init", dir)
	read := func() (all string) {
		for _, name := range []string{"seal.json", "subject.key"} {
			path := filepath.Join(dir, name)
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
			}
			all += string(body)
		}
		return all
	}
	before := read()
	if out := d.ok("keys", "init", dir); strings.Count(out, "kept") != 2 || read() != before {
		t.Errorf("a second init: %s", out)
	}
	if err := os.Remove(filepath.Join(dir, "subject.key")); err != nil {
		t.Fatal(err)
	}
	if out := d.ok("keys", "init", dir); strings.Count(out, "kept") != 1 || strings.Count(out, "made") != 1 {
		t.Errorf("with one missing: %s", out)
	}
}

// sectorOnThisMachine is metadata whose sector list would have to be fetched from where no client may point.
func sectorOnThisMachine(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "sector.json")
	if err := os.WriteFile(file, []byte(`{"client_id":"group","redirect_uris":["https://a.example/","https://b.example/"],"sector_identifier_uri":"https://127.0.0.1/list"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestClientsFromRegistrationToDisablement(t *testing.T) {
	d := deploy(t)
	out := d.ok("client", "create", "--id", "shop", "--name", "My Shop", "--redirect-uri", "https://shop.example/cb", "--scope", "openid", "--scope", "age_over_18")
	var made map[string]string
	if err := json.Unmarshal([]byte(out), &made); err != nil || made["client_id"] != "shop" || len(made["client_secret"]) < 32 {
		t.Fatalf("created %s: %v", out, err)
	}
	d.fails(exitFailure, "exists already", "client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb")
	d.fails(exitUsage, "redirect_uris", "client", "create", "--id", "bad", "--redirect-uri", "http://shop.example/cb")
	d.fails(exitUsage, "scope", "client", "create", "--id", "bad", "--redirect-uri", "https://shop.example/cb", "--scope", "everything")
	public := d.ok("client", "create", "--redirect-uri", "https://app.example/cb", "--auth-method", "none")
	if !strings.Contains(public, `"rp-`) || strings.Contains(public, "secret") {
		t.Errorf("a public client: %s", public)
	}
	d.fails(exitUsage, "sector_identifier_uri", "client", "create", "--metadata", sectorOnThisMachine(t, d.dir))
	metadata := filepath.Join(d.dir, "client.json")
	if err := os.WriteFile(metadata, []byte(`{"client_id":"file","redirect_uris":["https://file.example/cb"],"client_name":"From a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d.ok("client", "create", "--metadata", metadata, "--name", "Flags win")
	if list := d.ok("client", "list"); !strings.Contains(list, "shop") || !strings.Contains(list, "Flags win") || strings.Contains(list, made["client_secret"]) {
		t.Errorf("the list: %s", list)
	}
	if shown := d.ok("client", "show", "shop"); !strings.Contains(shown, `"state": "enabled"`) || strings.Contains(shown, "secret_hash") {
		t.Errorf("shown: %s", shown)
	}
	d.ok("client", "disable", "shop")
	if shown := d.ok("client", "show", "shop"); !strings.Contains(shown, `"state": "disabled"`) {
		t.Errorf("after disable: %s", shown)
	}
	d.ok("client", "disable", "--enable", "shop")
	if shown := d.ok("client", "show", "shop"); !strings.Contains(shown, `"state": "enabled"`) {
		t.Errorf("after --enable: %s", shown)
	}
	d.fails(exitFailure, "no client", "client", "show", "nobody")
	d.fails(exitFailure, "no client", "client", "disable", "nobody")
}

func TestMigrateMayBeRepeated(t *testing.T) {
	d := deploy(t)
	if out := d.ok("migrate"); !strings.Contains(out, "up to date") {
		t.Error(out)
	}
	d.set("TEGATA_DATABASE_URL", "mysql://x")
	if code, _, errs := d.tegata("migrate"); code == exitOK || errs == "" {
		t.Errorf("an unknown database: exit %d, %q", code, errs)
	}
}

// serve starts the server and waits until it is ready; stop ends it and returns its exit code.
func (d *deployment) serve() (base string, log *screen, stop func() int) {
	d.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.set("TEGATA_LISTEN", addr)
	ctx, cancel := context.WithCancel(d.t.Context())
	log = &screen{}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve"}, terminal{&screen{}, log}) }()
	soon(d.t, "the server is ready", func() bool {
		if len(ended) > 0 {
			d.t.Fatalf("the server ended: %s", log)
		}
		code, _, _ := d.tegata("healthcheck")
		return code == exitOK
	})
	stop = func() int { cancel(); return <-ended }
	d.t.Cleanup(cancel)
	return "http://" + addr, log, stop
}

// soon polls until a thing is so. The bound is generous: it is there for a machine that is busy, not for the promise.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute: " + what)
		}
	}
}

func status(t *testing.T, address string) int {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func TestAServerFromReadyToStopped(t *testing.T) {
	d := deploy(t)
	d.set("TEGATA_REQUEST_LIMIT", "0") // it asks until it is so
	d.ok("client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb")
	base, log, stop := d.serve()
	authorize := base + "/authorize?" + url.Values{
		"client_id": {"shop"}, "redirect_uri": {"https://shop.example/cb"}, "response_type": {"code"}, "scope": {"openid"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
	}.Encode()
	if got := status(t, authorize); got != http.StatusSeeOther {
		t.Errorf("a registered client: %d", got)
	}
	for _, path := range []string{"/healthz", "/readyz", "/.well-known/openid-configuration", "/oauth/jwks"} {
		if got := status(t, base+path); got != http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}
	d.ok("client", "disable", "shop")
	soon(t, "the client is not served any more", func() bool { return status(t, authorize) == http.StatusBadRequest })
	list := d.ok("keys", "list")
	if strings.Count(list, "ES256") != 1 || strings.Count(list, "RS256") != 1 {
		t.Errorf("keys: %s", list)
	}
	if out := d.ok("keys", "rotate"); !strings.Contains(out, "signs ES256 from") {
		t.Error(out)
	}
	if out := d.ok("keys", "rotate", "--alg", "RS256"); !strings.Contains(out, "signs RS256 from") {
		t.Error(out)
	}
	if after := d.ok("keys", "list"); strings.Count(after, "  next  ") != 2 || strings.Count(after, "  active  ") < 2 || strings.Count(after, "ES256") != 2 || strings.Count(after, "RS256") != 2 {
		t.Errorf("keys after the rotations: %s", after)
	}
	kid, _, _ := strings.Cut(list[strings.Index(list, "\n")+1:], " ")
	if out := d.ok("keys", "revoke", kid); !strings.Contains(out, kid+" is revoked") {
		t.Error(out)
	}
	if after := d.ok("keys", "list"); strings.Contains(after, kid) {
		t.Errorf("keys after the revocation: %s", after)
	}
	d.fails(exitUsage, "no such key", "keys", "revoke", kid)
	d.fails(exitFailure, "algorithm", "keys", "rotate", "--alg", "none")
	d.fails(exitUsage, "in use", "serve")
	if code := stop(); code != exitOK {
		t.Errorf("stopped with %d: %s", code, log)
	}
	d.fails(exitFailure, "does not answer", "healthcheck")
	for line := range strings.Lines(log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a log line that is no JSON: %s", line)
		}
	}
}

// A request that is running when the stop is asked for gets its answer.
func TestAStopLetsRunningRequestsFinish(t *testing.T) {
	d := deploy(t)
	base, log, stop := d.serve()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	replies := bufio.NewReader(conn)
	if line, err := replies.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" { // somebody is reading the body
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := replies.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int)
	go func() { ended <- stop() }()
	for code := exitOK; code == exitOK; code, _, _ = d.tegata("healthcheck") {
		time.Sleep(10 * time.Millisecond) // until the door is closed
	}
	if _, err := conn.Write([]byte("a=bc")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(replies, answer); err != nil || string(answer) != "HTTP/1.1 401" {
		t.Errorf("the running request got %q, %v", answer, err)
	}
	if code := <-ended; code != exitOK {
		t.Errorf("stopped with %d: %s", code, log)
	}
}
