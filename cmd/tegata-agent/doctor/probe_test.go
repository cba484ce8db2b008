package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/status"
	"tegata/cmd/tegata-agent/trust"
)

type noReaders struct{ err error }

func (n noReaders) Readers(context.Context) ([]pcsc.Reader, error) { return nil, n.err }

func (n noReaders) Open(context.Context, string) (status.Card, error) { return nil, n.err }

// at probes a machine with one provider.
func at(t *testing.T, p trust.Provider, change func(*Prober)) Facts {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	list := trust.List{Path: filepath.Join(t.TempDir(), "providers.json")}
	if err := list.Add(p); err != nil {
		t.Fatal(err)
	}
	prober := Prober{
		Stack: noReaders{fail.PCSCUnavailable.Because(pcsc.NoService)}, List: list, Version: "1.0", Now: time.Now, Env: func(string) string { return "" },
		Around: prompt.Surroundings{System: "linux", Env: func(string) string { return "" }, LookPath: func(string) (string, error) { return "", errors.New("none") }},
	}
	if change != nil {
		change(&prober)
	}
	return prober.Probe(t.Context())
}

// provider answers as the discovery document of its own address, after change.
func provider(t *testing.T, change func(doc map[string]any, w http.ResponseWriter)) string {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		doc := map[string]any{"issuer": server.URL, "tegata_agent_min_version": "1.0"}
		if change != nil {
			change(doc, w)
		}
		_ = json.NewEncoder(w).Encode(doc)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAProviderAsItAnswers(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	for _, tc := range []struct {
		name, origin string
		is           func(Provider) bool
	}{
		{"well", provider(t, nil), func(p Provider) bool {
			return !p.Unreachable && !p.Untrusted && !p.NotOne && p.MinVersion == "1.0" && p.Skew.Abs() < maxSkew
		}},
		{"with a clock of its own", provider(t, func(_ map[string]any, w http.ResponseWriter) {
			w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		}), func(p Provider) bool { return p.Skew < -59*time.Minute }},
		{"that wants a newer agent", provider(t, func(doc map[string]any, _ http.ResponseWriter) { doc["tegata_agent_min_version"] = "2.0" }),
			func(p Provider) bool { return p.MinVersion == "2.0" }},
		{"that is another", provider(t, func(doc map[string]any, _ http.ResponseWriter) { doc["issuer"] = "https://evil.example" }),
			func(p Provider) bool { return p.NotOne }},
		{"that sends elsewhere", provider(t, func(_ map[string]any, w http.ResponseWriter) {
			w.Header().Set("Location", "https://evil.example/")
			w.WriteHeader(http.StatusFound)
		}), func(p Provider) bool { return p.NotOne }},
		{"that is not there", "http://127.0.0.1:1", func(p Provider) bool { return p.Unreachable }},
		{"whose certificate nobody vouches for", secure.URL, func(p Provider) bool { return p.Untrusted && !p.Unreachable }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := at(t, trust.Provider{Name: "x", Origin: tc.origin}, nil)
			if len(f.Providers) != 1 || !tc.is(f.Providers[0]) {
				t.Fatalf("%+v", f.Providers)
			}
		})
	}
	var p Provider
	if p.blame(trust.ErrPin); !p.PinMismatch {
		t.Error("another key than the one noted")
	}
}

func TestPcscdsSocket(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		make func(path string)
		want Socket
	}{
		"missing": {func(string) {}, SocketMissing},
		"fine": {func(path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, SocketFine},
		"dead": {func(path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			l.Close()
		}, SocketDead},
	} {
		path := filepath.Join(dir, name)
		tc.make(path)
		p := Prober{Env: func(string) string { return path }}
		if got := p.socket(t.Context()); got != tc.want {
			t.Errorf("%s is %d", name, got)
		}
	}
}

func TestTheMachineAsItIs(t *testing.T) {
	origin := provider(t, nil)
	curses := filepath.Join(t.TempDir(), "pinentry-curses")
	if err := os.WriteFile(curses, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	f := at(t, trust.Provider{Name: "x", Origin: origin}, func(p *Prober) {
		p.Env = func(name string) string { return map[string]string{"DISPLAY": ":0"}[name] }
		p.Around.Env, p.Around.LookPath = p.Env, func(string) (string, error) { return curses, nil }
		if err := os.Chmod(p.List.Path, 0o622); err != nil {
			t.Fatal(err)
		}
	})
	if !f.ListOpen || f.Way != prompt.Pinentry || !f.TextOnly || !f.Display || f.Cause != pcsc.NoService || f.NotBuilt || f.Scheme != "" {
		t.Errorf("%+v", f)
	}
	if f := at(t, trust.Provider{Name: "x", Origin: origin}, func(p *Prober) { p.Stack = noReaders{fail.PCSCUnavailable.Because(pcsc.ErrNotBuilt)} }); !f.NotBuilt {
		t.Errorf("%+v", f)
	}
}
