package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"tegata/authn/card/pcsc"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/scheme"
	"tegata/cmd/tegata-agent/status"
	"tegata/cmd/tegata-agent/trust"
)

// Prober is where the facts come from.
type Prober struct {
	Stack   status.Stack
	Reader  string
	List    trust.List
	Around  prompt.Surroundings // as a browser would start the agent: without a terminal
	Program string
	Version string
	Env     func(string) string
	Now     func() time.Time
}

// probeTimeout bounds one question to one provider.
const probeTimeout = 8 * time.Second

// Probe gathers the facts. What cannot be found out stays at its zero value.
func (p Prober) Probe(ctx context.Context) Facts {
	f := Facts{Now: p.Now(), Version: p.Version, System: runtime.GOOS, Wanted: p.Reader, Program: p.Program}
	f.Readers, f.Service = status.Look(ctx, p.Stack, p.Reader, f.Now)
	errors.As(f.Service, &f.Cause)
	f.NotBuilt = errors.Is(f.Service, pcsc.ErrNotBuilt)
	f.Socket = p.socket(ctx)
	p.list(ctx, &f)
	p.scheme(&f)
	way, path := p.Around.Way()
	f.Way = way
	f.Display = runtime.GOOS != "linux" || p.Env("DISPLAY") != "" || p.Env("WAYLAND_DISPLAY") != ""
	f.TextOnly = way == prompt.Pinentry && drawsTextOnly(path)
	return f
}

// drawsTextOnly follows the links that a distribution makes from the plain name to its default.
func drawsTextOnly(path string) bool {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	name := filepath.Base(path)
	return strings.HasSuffix(name, "-curses") || strings.HasSuffix(name, "-tty")
}

// pcscdSocket is where Debian's and most other pcscds listen; the variable is pcsc-lite's own.
const pcscdSocket = "/run/pcscd/pcscd.comm"

func (p Prober) socket(ctx context.Context) Socket {
	if runtime.GOOS != "linux" {
		return SocketUnknown
	}
	path := p.Env("PCSCLITE_CSOCK_NAME")
	if path == "" {
		path = pcscdSocket
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close() // nothing was said
		return SocketFine
	case errors.Is(err, os.ErrPermission):
		return SocketForbidden
	case errors.Is(err, os.ErrNotExist):
		return SocketMissing
	}
	return SocketDead
}

func (p Prober) list(ctx context.Context, f *Facts) {
	all, err := p.List.Load()
	f.ListError = err
	if info, err := os.Stat(p.List.Path); err == nil && runtime.GOOS != "windows" {
		f.ListOpen = info.Mode().Perm()&0o022 != 0
	}
	for _, each := range all {
		f.Providers = append(f.Providers, p.provider(ctx, each))
	}
}

// provider reads the discovery document. Nothing of ours goes there.
func (p Prober) provider(ctx context.Context, t trust.Provider) Provider {
	out := Provider{Provider: t}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Origin+"/.well-known/openid-configuration", nil)
	if err != nil {
		out.NotOne = true
		return out
	}
	client := t.Client()
	defer client.CloseIdleConnections()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		out.blame(err)
		return out
	}
	defer response.Body.Close()
	var said struct {
		Issuer     string `json:"issuer"`
		MinVersion string `json:"tegata_agent_min_version"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&said)
	out.NotOne = response.StatusCode != http.StatusOK || err != nil || said.Issuer != t.Origin
	out.MinVersion = said.MinVersion
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		out.Skew = date.Sub(p.Now())
	}
	return out
}

func (p *Provider) blame(err error) {
	var (
		certificate *tls.CertificateVerificationError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
		invalid     x509.CertificateInvalidError
	)
	switch {
	case errors.Is(err, trust.ErrPin):
		p.PinMismatch = true
	case errors.As(err, &certificate), errors.As(err, &host), errors.As(err, &authority), errors.As(err, &invalid):
		p.Untrusted = true
	default:
		p.Unreachable = true
	}
}

func (p Prober) scheme(f *Facts) {
	s, err := scheme.Lookup()
	if err != nil {
		return
	}
	f.Scheme, f.SchemeRuns = s.Handler, s.Program
	if s.Program == "" {
		return
	}
	real, err := filepath.EvalSymlinks(s.Program)
	if err != nil {
		f.SchemeGone = true
		return
	}
	if own, err := filepath.EvalSymlinks(p.Program); err == nil && own == real {
		f.SchemeRuns = p.Program
	}
}

// Healthy says whether nothing but notes was found.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if !f.Note {
			return false
		}
	}
	return true
}
