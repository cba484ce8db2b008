package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
	"tegata/cmd/sandbox/cards"
	"tegata/idp/clients"
	"tegata/storage/gormstore"
	"tegata/storage/seal"
	"tegata/storage/storagetest"
	"tegata/testdata/personas"
	"tegata/web/ui"
)

// outside is everything around a provider that is not the provider, in this process: its CPU does not count.
type outside struct {
	dir   string
	jpki  string // base URL of the J-LIS stand-in
	cards string // base URL of the reader with the virtual cards
}

// holders is how many people there are, each with a card and keys of her own: more browsers than that share them.
const holders = 16

func holder(i int) string { return fmt.Sprintf("holder%d", i%holders) }

func newOutside(t testing.TB) *outside {
	t.Helper()
	o := &outside{dir: t.TempDir()}
	keepConnections(t)
	jpki := httptest.NewUnstartedServer(nil)
	o.jpki = "http://" + jpki.Listener.Addr().String()
	authority, err := jpkitest.New(jpkitest.Options{BaseURL: o.jpki, Dir: o.authority()})
	must(t, err)
	jpki.Config.Handler = authority.Handler()
	jpki.Start()
	t.Cleanup(jpki.Close)

	pages, err := ui.New()
	must(t, err)
	reader := httptest.NewUnstartedServer(nil)
	host := reader.Listener.Addr().String()
	reader.Config.Handler = cards.New(cards.Config{
		Box: cards.NewBox(authority, people(t)), UI: pages, Host: host, HTTP: http.DefaultClient, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
	reader.Start()
	t.Cleanup(reader.Close)
	o.cards = "http://" + host
	return o
}

func (o *outside) authority() string { return filepath.Join(o.dir, "jpki") }

// people are copies of the plain adult, so that every one of them takes the same way.
func people(t testing.TB) []cardtest.Persona {
	all, err := cardtest.LoadFS(personas.FS)
	must(t, err)
	taro := all[slices.IndexFunc(all, func(p cardtest.Persona) bool { return p.ID == "taro" })]
	var out []cardtest.Persona
	for i := range holders {
		p := taro
		p.ID = holder(i)
		out = append(out, p)
	}
	return out
}

// keepConnections makes this process's HTTP clients do what browsers do: read every answer to its end and use the
// connection again.
func keepConnections(t testing.TB) {
	before := http.DefaultTransport
	pool := before.(*http.Transport).Clone()
	pool.MaxIdleConns, pool.MaxIdleConnsPerHost = 0, 256
	http.DefaultTransport = wholeAnswers{pool}
	t.Cleanup(func() { http.DefaultTransport = before; pool.CloseIdleConnections() })
}

type wholeAnswers struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w wholeAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // read to its end or broken
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// server is a provider in a process of its own.
type server struct {
	*outside
	serverAddresses
	name  string
	url   string           // of the database
	store *gormstore.Store // to register clients
	spare []shop           // registered and never logged in at
	shops int

	endpoints struct {
		Token      string `json:"token_endpoint"`
		UserInfo   string `json:"userinfo_endpoint"`
		Introspect string `json:"introspection_endpoint"`
		PAR        string `json:"pushed_authorization_request_endpoint"`
		JWKS       string `json:"jwks_uri"`
	}
}

// databases are the two that a login is measured on: the name and the URL of a fresh, migrated database.
var databases = []struct {
	name string
	url  func(t testing.TB) string
}{
	{"SQLite", func(t testing.TB) string {
		url := "sqlite:" + filepath.Join(t.TempDir(), "tegata.db")
		must(t, gormstore.Migrate(t.Context(), url))
		return url
	}},
	{"Postgres", storagetest.Postgres},
}

const discoveryPath = "/.well-known/openid-configuration"

func (o *outside) serve(t testing.TB, name, url string, counting *pace) *server {
	t.Helper()
	keyset, err := seal.NewKeyset()
	must(t, err)
	sealer, err := seal.FromKeyset(keyset)
	must(t, err)
	store, err := gormstore.Open(t.Context(), gormstore.Config{URL: url, Seal: sealer})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() }) // the database goes with the test
	s := &server{outside: o, name: name, url: url, store: store}
	subject := make([]byte, 32)
	rand.Read(subject)
	options := serverOptions{
		Database: url, Seal: keyset, Subject: subject, Authority: o.authority(), OCSP: o.jpki, Counting: counting,
		Log: filepath.Join(t.TempDir(), "server.log")}
	if path := os.Getenv("TEGATA_BENCH_PROFILE"); path != "" {
		options.Profile = path + "." + name
	}
	s.start(t, options)
	must(t, getJSON(t.Context(), s.Issuer+discoveryPath, &s.endpoints))
	return s
}

// start runs this test binary once more, as the server.
func (s *server) start(t testing.TB, o serverOptions) {
	t.Helper()
	settings, err := json.Marshal(o)
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), benchServerEnv+"="+string(settings))
	cmd.Stderr = os.Stderr
	life, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = life.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("server:", err)
		}
		if t.Failed() {
			complaints(t, o.Log)
		}
	})
	ready, err := bufio.NewReader(out).ReadBytes('\n')
	must(t, err)
	must(t, json.Unmarshal(ready, &s.serverAddresses))
}

// complaints shows what the server's log says beyond the usual.
func complaints(t testing.TB, path string) {
	log, err := os.ReadFile(path)
	must(t, err)
	for line := range bytes.Lines(log) {
		if !bytes.Contains(line, []byte(`"level":"INFO"`)) {
			t.Logf("server: %s", line)
		}
	}
}

// usage asks the server's process.
func (s *server) usage(t testing.TB) usage {
	t.Helper()
	var u usage
	must(t, getJSON(t.Context(), s.Control, &u))
	return u
}

func getJSON(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// shop is a relying party of its own sector.
type shop struct {
	id, secret, redirect, scope string
	key                         *ecdsa.PrivateKey // of a strict one: of its assertions and, for brevity, of its proofs
}

// register makes relying parties where nobody has been before: the next first logins go to them.
func (s *server) register(t testing.TB, n int) {
	t.Helper()
	for range n {
		s.spare = append(s.spare, s.client(t, clients.Metadata{}))
	}
}

// client registers one relying party; what m leaves out is filled in.
func (s *server) client(t testing.TB, m clients.Metadata) shop {
	t.Helper()
	s.shops++
	at := shop{id: fmt.Sprintf("shop%d", s.shops), redirect: fmt.Sprintf("https://shop%d.example/callback", s.shops), scope: "openid age_over_18"}
	if m.Scope != "" {
		at.scope = m.Scope
	}
	m.ClientID, m.ClientName, m.RedirectURIs, m.Scope, m.Purpose = at.id, "Shop", []string{at.redirect}, at.scope, "To sell only to adults."
	if m.AuthMethod == "" {
		secret, _, err := clients.NewSecret(rand.Reader)
		must(t, err)
		at.secret, m.ClientSecret = secret, clients.Secret(secret)
	} else {
		at.key, m.JWKS = strictKey(t)
	}
	record, problems := clients.Rules{}.Client(m, time.Now())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	must(t, s.store.PutClient(t.Context(), record))
	return at
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
