package e2e_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/net/html"
)

// site is what one administrator of an Apache has written into its configuration, in testdata/strangers/apache/httpd.conf.
type site struct {
	Name        string
	Port        int
	ClientID    string
	Secret      string
	RedirectURI string
	Auth        string
	Alg         string
	Directives  []string // more lines
	FormPost    bool
	Refuses     bool           // the module has to refuse
	metadata    map[string]any // more of the client's registration
}

func apacheSites(folder string) []site {
	private, public := "OIDCPrivateKeyFiles k#"+filepath.Join(folder, "private.pem"), "OIDCPublicKeyFiles k#"+filepath.Join(folder, "public.pem")
	return []site{
		{Name: "a secret in the header", Auth: "client_secret_basic", Alg: "ES256"},
		{Name: "a secret in the form, the request in one too", Auth: "client_secret_post", Alg: "RS256", Directives: []string{"OIDCProviderAuthRequestMethod POST"}},
		{Name: "a key", Auth: "private_key_jwt", Alg: "ES256", Directives: []string{private, public}},
		{Name: "the answer in a form", Auth: "client_secret_basic", Alg: "PS256", Directives: []string{"OIDCResponseMode form_post"}, FormPost: true},
		{Name: "another algorithm than the site expects", Auth: "client_secret_basic", Alg: "RS256", Refuses: true, metadata: map[string]any{"id_token_signed_response_alg": "ES256"}},
	}
}

// TestApacheLogsIn starts a web server with mod_auth_openidc in front of pages for adults, and visits it.
func TestApacheLogsIn(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sites := apacheSites(folder)
	clients := make([]map[string]any, len(sites))
	key := apacheKey(t, folder)
	for i := range sites {
		clients[i] = sites[i].register(t, fmt.Sprint("apache", i), key)
	}
	body, err := json.Marshal(clients)
	must(t, err)
	w := start(t, "--clients", clientsFile(t, string(body)))
	startApache(t, w, folder, sites)
	for _, s := range sites {
		t.Run(s.Name, func(t *testing.T) {
			v := newVisitor(t, s)
			ask := v.get(v.address("/"))
			answer := w.walkJSON(t, v.authorizeURL(ask))
			v.refuses(t, answer)
			back := v.follow(answer)
			if s.Refuses {
				if back.StatusCode/100 == 3 || v.get(v.address("/")).StatusCode == http.StatusOK { // its error page is a 200
					t.Errorf("taken: %s", back.Status)
				}
				return
			}
			if back.StatusCode/100 != 3 {
				t.Fatalf("after the login: %s", back.Status)
			}
			page := v.get(back.Header.Get("Location"))
			if page.StatusCode != http.StatusOK || page.Header.Get("Issuer") != w.Issuer || page.Header.Get("Subject") == "" {
				t.Errorf("%s for %q of %q", page.Status, page.Header.Get("Subject"), page.Header.Get("Issuer"))
			}
		})
	}
	t.Run("a child stays outside", func(t *testing.T) {
		v := newVisitor(t, sites[0])
		back := v.follow(w.walkJSON(t, v.authorizeURL(v.get(v.address("/"))), "--persona", "jiro17"))
		if page := v.get(back.Header.Get("Location")); page.StatusCode == http.StatusOK {
			t.Error("somebody of seventeen sees the page")
		}
	})
}

// apacheKey leaves an RSA key for the module and returns it as the client registers it.
func apacheKey(t *testing.T, folder string) json.RawMessage {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, "private.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	der, err = x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, "public.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
	public, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"})
	must(t, err)
	return public
}

// register chooses a port and describes the client as --clients wants it.
func (s *site) register(t *testing.T, id string, key json.RawMessage) map[string]any {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()                                       // Apache takes the port soon
	s.Port, s.ClientID = l.Addr().(*net.TCPAddr).Port, id //nolint:forcetypeassert // it is one
	s.RedirectURI = fmt.Sprintf("http://127.0.0.1:%d/back", s.Port)
	c := map[string]any{"client_id": id, "redirect_uris": []string{s.RedirectURI}, "token_endpoint_auth_method": s.Auth, "id_token_signed_response_alg": s.Alg}
	if s.Auth == "private_key_jwt" {
		c["jwks"] = map[string]any{"keys": []json.RawMessage{key}}
	} else {
		s.Secret = rand.Text() + rand.Text()
		c["client_secret"] = s.Secret
	}
	for name, value := range s.metadata {
		c[name] = value
	}
	return c
}

// startApache runs the server until the test ends. It needs no rights, having its own folder and ports, and takes none: it
// does not serve as root.
func startApache(t *testing.T, w *world, folder string, sites []site) {
	t.Helper()
	const library = "/usr/lib/apache2/modules"
	modules := []string{"mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc"}
	text, err := template.ParseFiles(filepath.Join("..", "..", "..", "testdata", "strangers", "apache", "httpd.conf"))
	must(t, err)
	var config bytes.Buffer
	must(t, text.Execute(&config, map[string]any{
		"Folder": folder, "Library": library, "Modules": modules, "Issuer": w.Issuer, "Sites": sites, "Passphrase": rand.Text()}))
	for _, name := range []string{"site", "cache"} {
		must(t, os.Mkdir(filepath.Join(folder, name), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(folder, "site", "index.html"), []byte("<title>For adults</title>"), 0o600))
	path := filepath.Join(folder, "httpd.conf")
	must(t, os.WriteFile(path, config.Bytes(), 0o600))
	server := exec.Command("/usr/sbin/apache2", "-D", "FOREGROUND", "-f", path)
	said := &safeBuffer{}
	server.Stdout, server.Stderr = said, said
	if os.Getuid() == 0 {
		const nobody = 65534
		server.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		must(t, os.Chmod(filepath.Dir(folder), 0o711))
		must(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, nobody, nobody))
		}))
	}
	must(t, server.Start())
	ended := make(chan error, 1)
	go func() { ended <- server.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		<-ended // how it ends is its affair
		if log, _ := os.ReadFile(filepath.Join(folder, "error.log")); t.Failed() {
			t.Logf("Apache says:\n%s%s\n%s", said, log, w.stderr)
		}
	})
	for _, s := range sites {
		listens(t, s.Port, ended)
	}
}

// listens waits until somebody does.
func listens(t *testing.T, port int, ended <-chan error) {
	t.Helper()
	for range 600 {
		select {
		case err := <-ended:
			t.Fatal("Apache does not start:", err)
		default:
		}
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("nobody listens on port %d", port)
}

// walkJSON is what `sandbox login --json` prints for an authorization request.
func (w *world) walkJSON(t *testing.T, address string, flags ...string) (out struct {
	URL  string
	Form map[string]string
}) {
	t.Helper()
	s := w.login(t, append(flags, "--json", address)...)
	if err := json.Unmarshal([]byte(s.out), &out); err != nil || s.code != 0 {
		t.Fatalf("%q, %q, exit code %d: %v", s.out, s.err, s.code, err)
	}
	return out
}

// visitor is a browser at the site.
type visitor struct {
	t    *testing.T
	site site
	http *http.Client
}

func newVisitor(t *testing.T, s site) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &visitor{t, s, &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) address(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", v.site.Port, path)
}

type visit struct {
	*http.Response
	body string
}

func (v *visitor) do(r *http.Request) visit {
	v.t.Helper()
	r.Header.Set("Accept", "text/html") // the module sends nobody else to a login
	resp, err := v.http.Do(r)
	must(v.t, err)
	defer resp.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(resp.Body)
	must(v.t, err)
	return visit{resp, body.String()}
}

func (v *visitor) get(address string) visit {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	must(v.t, err)
	return v.do(r)
}

// authorizeURL is where the site sends the visitor: by a redirect, or by a form, whose fields make the same request.
func (v *visitor) authorizeURL(p visit) string {
	v.t.Helper()
	if at := p.Header.Get("Location"); at != "" {
		return at
	}
	action, fields := formOf(v.t, p.body)
	return action + "?" + fields.Encode()
}

// follow brings the answer to the site as the browser would.
func (v *visitor) follow(answer struct {
	URL  string
	Form map[string]string
}) visit {
	v.t.Helper()
	if !v.site.FormPost {
		return v.get(answer.URL)
	}
	form := url.Values{}
	for name, value := range answer.Form {
		form.Set(name, value)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, answer.URL, strings.NewReader(form.Encode()))
	must(v.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// refuses holds the module to refusing a stolen answer: in a browser that never asked.
func (v *visitor) refuses(t *testing.T, answer struct {
	URL  string
	Form map[string]string
}) {
	t.Helper()
	thief := newVisitor(t, v.site)
	if got := thief.follow(answer); got.StatusCode < 400 {
		if page := thief.get(thief.address("/")); page.StatusCode == http.StatusOK {
			t.Error("another browser gets in with this answer")
		}
	}
}

// formOf reads the one form of a page that posts itself.
func formOf(t *testing.T, body string) (action string, fields url.Values) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	must(t, err)
	fields = url.Values{}
	for n := range root.Descendants() {
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
		}
		switch n.Data {
		case "form":
			action = attributes["action"]
		case "input":
			if name := attributes["name"]; name != "" {
				fields.Set(name, attributes["value"])
			}
		}
	}
	if action == "" {
		t.Fatalf("no form:\n%s", body)
	}
	return action, fields
}
