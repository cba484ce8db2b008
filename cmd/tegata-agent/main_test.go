package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/cmd/tegata-agent/login"
	"tegata/cmd/tegata-agent/status"
	"tegata/cmd/tegata-agent/trust"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tegata-agent": main})
}

// TestTheCommandLine runs the stories of testdata/script, each in a home of its own and without readers.
func TestTheCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("LANG", "en_US.UTF-8")
			e.Setenv("XDG_DATA_DIRS", filepath.Join(e.WorkDir, "system"))
			e.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(e.WorkDir, "none"))
			return os.MkdirAll(home, 0o700)
		},
	})
}

// sealed is a machine on which everything that a bad link must not reach fails the test.
func sealed(t *testing.T) (machine, *bytes.Buffer) {
	t.Helper()
	silent, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	var out bytes.Buffer
	return machine{
		In: silent, Out: &out, Err: &out, Now: time.Now, Rand: rand.Reader,
		Find: func(context.Context, pcsc.Options) (login.Card, error) {
			t.Error("the card was looked for")
			return nil, fail.ReaderNone
		},
		Stack: noStack{t},
		Open: func(_ context.Context, url string) error {
			t.Errorf("a browser was opened at %q", url)
			return nil
		},
		Executable: func() (string, error) { return "/nowhere", nil },
	}, &out
}

type noStack struct{ t *testing.T }

func (n noStack) Readers(context.Context) ([]pcsc.Reader, error) {
	n.t.Error("the readers were listed")
	return nil, fail.ReaderNone
}

func (n noStack) Open(context.Context, string) (status.Card, error) {
	n.t.Error("a card was opened")
	return nil, fail.ReaderNone
}

// atHome gives the test a home with one trusted provider, which fails the test when anybody calls.
func atHome(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = http.Serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the provider was called: %s", r.URL.Path) }))
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	list, err := trust.Default()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Add(trust.Provider{Name: "City", Origin: "http://" + l.Addr().String()}); err != nil {
		t.Fatal(err)
	}
}

// what a link could do elsewhere: the ticket in it is well-formed, so that only what is wrong decides.
const good = "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func hostile() []string {
	links := []string{
		"", " ", "tegata", "tegata:", "tegata::", "tegata:.", "tegata:/", "tegata://", "tegata:///", good, ":" + good,
		// Flags.
		"--help", "-h", "--version", "--lang=ja", "--pin-stdin", "--provider=evil", "--pinentry=/bin/sh", "--reader=x", "-", "--", "---",
		"tegata:--help", "tegata:-h", "tegata: --provider evil", "tegata:" + good + " --provider evil", "tegata:" + good + " -- --help",
		"tegata:" + good + "\t--pin-stdin", "--provider=evil tegata:" + good,
		// Other schemes, and names that look alike.
		"http://evil.example/" + good, "https://evil.example/" + good, "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ssh://x",
		"tegata2:" + good, "xtegata:" + good, "TEGATA:" + good, "Tegata:" + good, "tegata%3A" + good, "web+tegata:" + good, "tеgata:" + good,
		"tegata\u200b:" + good, "ｔｅｇａｔａ:" + good, "vnd.tegata:" + good, "view-source:tegata:" + good, "tegata:tegata:" + good,
		// A provider's address: it never comes from a link.
		"tegata://evil.example/" + good, "tegata://" + good, "tegata:///" + good, "tegata:/" + good, "tegata://127.0.0.1:9000/" + good,
		"tegata:" + good + "@evil.example", "tegata:evil.example:" + good, "tegata:" + good + "?issuer=https://evil.example",
		"tegata:" + good + "?provider=evil", "tegata:" + good + "#https://evil.example", "tegata:" + good + "&iss=evil", "tegata:?ticket=" + good,
		"tegata:login?ticket=" + good, "tegata:" + good + ";evil", "tegata:" + good + "/", "tegata:" + good + "/..", "tegata:" + good + "\\",
		// Paths.
		"tegata:../../../etc/passwd", "tegata:..%2f..%2f" + good, "tegata:./" + good, "tegata:C:\\Windows\\System32\\calc.exe", "tegata:\\\\evil\\share",
		"tegata:/etc/passwd", "tegata:~/.ssh/id_rsa",
		// Quotes and what shells read.
		`tegata:"` + good + `"`, `tegata:'` + good + `'`, `tegata:` + good + `"`, `tegata:` + good + `" --provider "evil`, "tegata:`id`", "tegata:$(id)",
		"tegata:" + good + ";id", "tegata:" + good + "|id", "tegata:" + good + "&id", "tegata:" + good + ">x", "tegata:$HOME", "tegata:%USERNAME%", "tegata:!1",
		"tegata:{" + good + "}", "tegata:{ticket}", "tegata:*", "tegata:[A-Z]",
		// White space, line ends, NULs, control characters.
		" tegata:" + good, "tegata:" + good + " ", "tegata: " + good, "tegata:" + good + "\n", "\ntegata:" + good, "tegata:" + good + "\r\nX: y",
		"tegata:\n" + good, "tegata:" + good + "\x00", "tegata:\x00" + good, "\x00", "tegata:" + good + "\t", "tegata:" + good + "\x1b[2J", "tegata:" + good + "\x7f",
		"tegata:" + good[:22] + "\n" + good[22:], "tegata:" + good + "\u2028", "tegata:" + good + "\u00a0",
		// Escapes.
		"tegata:" + strings.ReplaceAll(good, ".", "%2E"), "tegata:%41" + good[1:], "tegata:" + good + "%00", "tegata:" + good + "%0a", "tegata:" + good + "%20", "tegata:%",
		"tegata:" + good + "%", "tegata:&#65;" + good[1:], "tegata:\\u0041" + good[1:],
		// Almost tickets.
		"tegata:" + good[1:], "tegata:A" + good, "tegata:" + good + "A", "tegata:" + good[:len(good)-1], "tegata:" + good[:len(good)-1] + "B",
		"tegata:" + good[:len(good)-1] + "=", "tegata:" + strings.Replace(good, ".", "..", 1), "tegata:" + strings.Replace(good, ".", "", 1),
		"tegata:" + strings.Replace(good, ".", ",", 1), "tegata:." + good, "tegata:" + good + ".", "tegata:" + good + "." + good, "tegata:" + good + "," + good,
		"tegata:" + strings.Replace(good, "A", "+", 1), "tegata:" + strings.Replace(good, "A", "/", 1), "tegata:" + strings.Replace(good, "A", "Ａ", 1),
		"tegata:" + strings.Replace(good, "A", "А", 1), "tegata:" + strings.Replace(good, "A", "A\u0301", 1), "tegata:" + strings.Replace(good, "A", "A\u202e", 1),
		"tegata:" + strings.Replace(good, "A", "\xff", 1), "tegata:" + strings.Replace(good, "A", " ", 1), "tegata:🐰", "tegata:1234", "tegata:null", "tegata:undefined",
		// Size.
		"tegata:" + strings.Repeat("A", 1<<20), "tegata:" + good + strings.Repeat("A", 1<<20), strings.Repeat("tegata:", 1<<17), "tegata:" + strings.Repeat(".", 1<<20),
		strings.Repeat("A", 1<<20), "tegata:" + strings.Repeat("%41", 1<<18), "tegata:" + strings.Repeat(good+",", 1000),
	}
	return links
}

func TestHostileLinksAreRefusedBeforeAnythingHappens(t *testing.T) {
	atHome(t)
	links := hostile()
	if len(links) < 100 {
		t.Fatalf("only %d links", len(links))
	}
	seen := map[string]bool{}
	for _, link := range links {
		if seen[link] {
			t.Errorf("twice: %.60q", link)
		}
		seen[link] = true
		m, out := sealed(t)
		if code := run(t.Context(), []string{"--lang", "en", "login", "--", link}, m); code != exitUsage {
			t.Errorf("%.60q ended with %d: %s", link, code, out)
		}
		if !strings.Contains(out.String(), "tegata-agent: ") || out.Len() > 300 || strings.Contains(out.String(), good) {
			t.Errorf("%.60q: said %.300q", link, out)
		}
	}
}

// A desktop that forgets the "--", or splits the link at its spaces, still starts no login.
func TestHostileLinksThatArriveInPieces(t *testing.T) {
	atHome(t)
	for _, link := range hostile() {
		m, out := sealed(t)
		if code := run(t.Context(), []string{"login", link}, m); code != exitUsage && link != "--help" && link != "-h" {
			t.Errorf("%.60q ended with %d: %.300q", link, code, out)
		}
		pieces := strings.Fields(link)
		if len(pieces) < 2 {
			continue
		}
		m, out = sealed(t)
		if code := run(t.Context(), append([]string{"login", "--"}, pieces...), m); code != exitUsage {
			t.Errorf("%.60q in pieces ended with %d: %.300q", link, code, out)
		}
	}
}

func TestALinkIsShownToNobodyUntilAProviderIsChosen(t *testing.T) {
	atHome(t)
	list, err := trust.Default()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Add(trust.Provider{Name: "Bank", Origin: "https://id.bank.example"}); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"two providers and nobody to ask": {"--pin-stdin", "login", "tegata:" + good},
		"a provider that is not trusted":  {"--pin-stdin", "login", "--provider", "Evil", "tegata:" + good},
	} {
		m, out := sealed(t)
		if code := run(t.Context(), args, m); code != exitUsage || strings.Contains(out.String(), good) {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
}

func TestEveryCodeHasItsExit(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), exitFailed}, {told{errUnwell}, exitFailed}, {usageError{errors.New("x")}, exitUsage}, {fail.BadInput, exitUsage},
		{trust.ErrNone, exitUsage}, {trust.ErrUnknown, exitUsage}, {fail.UserCancelled, exitCancelled}, {told{fail.CardNone}, exitCard},
		{fail.ReaderNone, exitCard}, {fail.PINLocked.Left(0), exitPIN}, {fail.PINUnknown, exitPIN}, {fail.Unavailable, exitProvider},
		{trust.ErrPin, exitProvider}, {fail.CertificateRevoked, exitProvider}, {fail.Internal, exitFailed},
	} {
		var out bytes.Buffer
		if got := report(&out, "en", tc.err); got != tc.want {
			t.Errorf("%v is %d, not %d", tc.err, got, tc.want)
		}
		var seen told
		if silent := tc.err == nil || errors.As(tc.err, &seen); silent != (out.Len() == 0) {
			t.Errorf("%v: said %q", tc.err, out.String())
		}
	}
}
