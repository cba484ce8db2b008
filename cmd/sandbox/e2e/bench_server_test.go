package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/storage/gormstore"
	"tegata/storage/seal"
)

// benchServerEnv holds a serverOptions as JSON in the environment of the server's process; elsewhere it is empty.
const benchServerEnv = "TEGATA_BENCH_SERVER"

// serverOptions is what the benchmark tells the process that is only a provider.
type serverOptions struct {
	Database  string
	Seal      []byte // keyset
	Subject   []byte // key
	Authority string // folder of the J-LIS stand-in: the provider reads its anchors there
	OCSP      string // base URL of the J-LIS stand-in
	Log       string // file, as a real server's log goes to one
	Profile   string // where profiles go, with .cpu and .allocs behind; "" for none
	Counting  *pace  // for counting: the server's clock; nil is the usual one
}

// pace is a clock that stands still while the machine works, however slow that is, and goes on by Pause before each step
// of a person, who reads or types.
type pace struct{ Pause time.Duration }

// serverAddresses is the line that the server prints when it is ready.
type serverAddresses struct{ Issuer, Control string }

// usage is what the server's process has used up since its start.
type usage struct {
	Statements int64 // SQL; BEGIN and COMMIT are none
	CPU        int64 // ns, user and system
	Mallocs    uint64
	Bytes      uint64 // allocated
}

// benchServer is the whole life of the server's process: it ends with its standard input, so with its parent.
func benchServer() {
	if err := runBenchServer(); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func runBenchServer() error {
	var o serverOptions
	if err := json.Unmarshal([]byte(os.Getenv(benchServerEnv)), &o); err != nil {
		return err
	}
	var statements atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	site, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "http://" + site.Addr().String()
	p, log, handler, err := openBenchProvider(ctx, o, issuer, func() { statements.Add(1) })
	if err != nil {
		return err
	}
	defer p.Close()
	if o.Profile != "" {
		end, err := profile(o.Profile)
		if err != nil {
			return err
		}
		defer end()
	}
	go p.Run(ctx)
	go func() { _ = provider.Serve(ctx, site, handler, log) }()
	go func() { _ = http.Serve(control, controlOver(&statements)) }()
	if err := json.NewEncoder(os.Stdout).Encode(serverAddresses{issuer, "http://" + control.Addr().String()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func openBenchProvider(ctx context.Context, o serverOptions, issuer string, onStatement func()) (*provider.Provider, *slog.Logger, http.Handler, error) {
	file, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, nil, err
	}
	log := slog.New(slog.NewJSONHandler(file, nil))
	slog.SetDefault(log) // zitadel/oidc logs there
	keyset, err := seal.FromKeyset(o.Seal)
	if err != nil {
		return nil, nil, nil, err
	}
	authority, err := jpkitest.New(jpkitest.Options{BaseURL: o.OCSP, Dir: o.Authority})
	if err != nil {
		return nil, nil, nil, err
	}
	now, step := clockOf(o.Counting)
	p, err := provider.Open(ctx, provider.Options{
		Issuer: issuer, DatabaseURL: o.Database, Seal: keyset, SubjectKey: o.Subject, Trust: authority.Trust(),
		Revocation: &revocation.OCSP{ // the stand-in shares its processors with 64 browsers and their cards
			URL: authority.ResponderOf, HTTP: provider.Outbound(), Now: now, Rand: rand.Reader, Timeout: time.Minute},
		CardInfoIssuers: []*rsa.PublicKey{authority.CardInfoIssuer()}, LaunchTemplate: "tegata:{ticket}",
		Now: now, Rand: rand.Reader, Log: log, OnStatement: onStatement})
	if err != nil {
		return nil, nil, nil, err
	}
	return p, log, paced(p, step), nil
}

// clockOf is the server's clock, and what makes it go on by a person's pause; nil when it goes by itself.
func clockOf(p *pace) (now func() time.Time, step func()) {
	if p == nil {
		return time.Now, nil
	}
	start, ahead := time.Now(), new(atomic.Int64)
	now = func() time.Time { return start.Add(time.Duration(ahead.Load())) }
	return now, func() { ahead.Add(int64(p.Pause)) }
}

// paced is the site of a provider whose clock goes on before each step of a person, and what the provider does in such a
// pause: it looks whether clients have changed.
func paced(p *provider.Provider, step func()) http.Handler {
	if step == nil {
		return p.Handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPersons(r) {
			step()
			if err := p.Follow(gormstore.Background(r.Context())); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		p.Handler.ServeHTTP(w, r)
	})
}

// isPersons says whether a request waited for a person: for a click at the relying party or on a page, or for a PIN. Every
// other one follows at once, or is the relying party's.
func isPersons(r *http.Request) bool {
	return r.URL.Path == "/authorize" || r.Method == http.MethodPost &&
		(strings.HasPrefix(r.URL.Path, "/login/") || strings.HasPrefix(r.URL.Path, "/agent/"))
}

// profile writes path.cpu and path.allocs when it is ended.
func profile(path string) (end func(), err error) {
	cpu, err := os.Create(path + ".cpu")
	if err != nil {
		return nil, err
	}
	allocs, err := os.Create(path + ".allocs")
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = errors.Join(cpu.Close(), pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close()) // a broken file shows itself
	}, pprof.StartCPUProfile(cpu)
}

// controlOver answers every request with the usage of this process.
func controlOver(statements *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		u := usage{Statements: statements.Load()}
		var spent syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &spent); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		u.CPU = spent.Utime.Nano() + spent.Stime.Nano()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		u.Mallocs, u.Bytes = memory.Mallocs, memory.TotalAlloc
		_ = json.NewEncoder(w).Encode(u) // the parent sees a broken answer
	})
}
