// Package trust keeps the list of login providers that this person's agent speaks to: a name, an origin, and if wished
// the key that its TLS certificate must carry. A launch link names none of them; nobody but the person adds one.
// It refuses to know tickets, cards and what is said to a provider.
package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tegata/authn/fail"
)

// What can be wrong with the list, in codes of the agent's own.
var (
	ErrNone    = fail.New("provider_none", 400, fail.You, "")        // the list is empty
	ErrUnknown = fail.New("provider_unknown", 404, fail.You, "")     // no provider of this name
	ErrPin     = fail.New("provider_pin_mismatch", 502, fail.Us, "") // TLS, but with another key
)

// Provider is one login provider.
type Provider struct {
	Name   string `json:"name"`          // the person's word for it, also for --provider
	Origin string `json:"origin"`        // the issuer: https, or http on this machine; no slash at the end
	Pin    string `json:"pin,omitempty"` // base64 SHA-256 of the SubjectPublicKeyInfo of its TLS certificate; "" = any that the system trusts
}

// Host is what a window shows of the origin.
func (p Provider) Host() string {
	_, host, _ := strings.Cut(p.Origin, "://")
	return host
}

var nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,39}$`)

// Check accepts what Add may write. The sentence is for the person at the command line.
func (p Provider) Check() error {
	u, err := url.Parse(p.Origin)
	switch {
	case !nameForm.MatchString(p.Name):
		return errors.New("a name is 1 to 40 letters, digits, spaces and . _ -")
	case err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(p.Origin, "?#%\\") || strings.HasSuffix(p.Origin, "/"):
		return errors.New("an origin is https://host, with a port or a path if need be, and nothing after it")
	case u.Scheme == "http" && !onThisMachine(u.Hostname()):
		return errors.New("an origin must be https: anybody on the way could read what is sent to another")
	case u.Scheme != "http" && u.Scheme != "https", strings.ToLower(p.Origin[:len(u.Scheme)+3+len(u.Host)]) != p.Origin[:len(u.Scheme)+3+len(u.Host)]:
		return errors.New("an origin is https://host in lower case")
	}
	return checkPin(p.Pin)
}

func checkPin(pin string) error {
	if pin == "" {
		return nil
	}
	if raw, err := base64.StdEncoding.DecodeString(pin); err != nil || len(raw) != sha256.Size {
		return errors.New("a pin is the base64 SHA-256 of a SubjectPublicKeyInfo, 44 characters")
	}
	return nil
}

func onThisMachine(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// Client speaks to the provider. A pin comes on top of the system's judgement of the certificate, not in its place.
func (p Provider) Client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if p.Pin != "" {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, VerifyConnection: p.verify}
	}
	return &http.Client{Transport: transport}
}

func (p Provider) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 || PinOf(state.PeerCertificates[0]) != p.Pin {
		return ErrPin
	}
	return nil
}

// PinOf is the pin of a certificate's key.
func PinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// List is the file that holds the providers.
type List struct{ Path string }

// Default is the person's own list, tegata/providers.json in the system's place for configuration.
func Default() (List, error) {
	dir, err := os.UserConfigDir()
	return List{filepath.Join(dir, "tegata", "providers.json")}, err
}

type file struct {
	Providers []Provider `json:"providers"`
}

// Load reads the list; a file that is not there is an empty one. A file with anything that Add would not have
// written is refused whole: half a list of whom to trust is none.
func (l List) Load() ([]Provider, error) {
	body, err := os.ReadFile(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var in file
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return nil, errors.New(l.Path + " is not a list of providers")
	}
	for i, p := range in.Providers {
		if err := p.Check(); err != nil {
			return nil, errors.New(l.Path + ": " + err.Error())
		}
		if slices.ContainsFunc(in.Providers[:i], p.clashes) {
			return nil, errors.New(l.Path + ": a provider twice")
		}
	}
	return in.Providers, nil
}

func (p Provider) clashes(q Provider) bool { return p.Name == q.Name || p.Origin == q.Origin }

// Add puts a provider at the end of the list. A name or an origin that is there already is an error: replacing whom
// to trust takes a Remove first.
func (l List) Add(p Provider) error {
	if err := p.Check(); err != nil {
		return err
	}
	all, err := l.Load()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, p.clashes) {
		return errors.New("a provider of this name or origin is in the list already; remove it first")
	}
	return l.save(append(all, p))
}

// Remove takes a provider off the list, or answers ErrUnknown.
func (l List) Remove(name string) error {
	all, err := l.Load()
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(p Provider) bool { return p.Name == name })
	if len(kept) == len(all) {
		return ErrUnknown
	}
	return l.save(kept)
}

// save replaces the file at once, so that a crash leaves the old list or the new one.
func (l List) save(all []Provider) error {
	body, err := json.MarshalIndent(file{all}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		return err
	}
	tmp := l.Path + ".new"
	if err := os.WriteFile(tmp, append(body, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, l.Path)
}

// Find gives the provider of a name.
func Find(all []Provider, name string) (Provider, error) {
	i := slices.IndexFunc(all, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return Provider{}, ErrUnknown
	}
	return all[i], nil
}
