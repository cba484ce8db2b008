package web_test

import (
	"crypto/sha256"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/limit"
	"tegata/idp/op"
	"tegata/storage/storagetest"
	"tegata/web"
)

// acts are the GET routes that do something by their nature: a protocol of others wants them to be GET, and each is worth
// nothing to a foreign page that links to it. Authorize begins a login that nobody has agreed to; a completion code works once,
// in one browser; logout asks first unless an ID token of the very person comes along.
var acts = []string{"/authorize", "/login/return/:code"}

var param = regexp.MustCompile(`:[a-z_]+|\*[a-z_]+`)

// gets are all GET routes: pages as they are mounted, then the protocol's.
func gets(t *testing.T) []string {
	t.Helper()
	routes, err := web.Routes()
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{
		op.AuthorizePath, op.EndSessionPath, op.UserInfoPath, op.JWKSPath, op.DiscoveryPath, op.ServerPath, op.ResourcesPath, op.ResourcePath,
		op.RealmDiscovery[0], op.RealmDiscovery[1], "/register/x", "/healthz", "/readyz", "/docs/registration.md", "/static/x", "/nowhere",
	}
	for _, r := range routes {
		if r.Method == http.MethodGet {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

func TestNoGETChangesAnything(t *testing.T) {
	at := storagetest.SQLite(t)
	dir := filepath.Dir(strings.TrimPrefix(at, "sqlite:"))
	w := openOn(t, at, func(o *provider.Options) {
		o.Edge.Registration = &op.Registration{}
		o.Edge.Limits = limit.Limits{Table: limit.New(o.Now), Rules: limit.Default()}
	})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	w.Login(b, shop.Request(), "taro")
	page := w.Approach(b, shop.Request("prompt=login"))
	b.Get(op.JWKSPath) // the first to ask has the keys made that nobody needed before
	tried := 0
	for _, path := range gets(t) {
		if slices.Contains(acts, path) || strings.HasSuffix(path, "/events") { // the stream of a login that waits has no end
			continue
		}
		tried++
		before := contents(t, dir)
		at := param.ReplaceAllString(path, loginID(page))
		for _, p := range []string{at, at + "?lang=en", at + "?id=" + loginID(page) + "&client_id=shop&decision=allow"} {
			got := b.Get(p)
			if got.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("GET %s: may be sniffed", path)
			}
			if strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") && got.Body != "" {
				policy := got.Header.Get("Content-Security-Policy")
				if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") {
					t.Errorf("GET %s: policy %q", path, policy)
				}
			}
		}
		if contents(t, dir) != before {
			t.Errorf("GET %s writes", path)
		}
	}
	if tried < 15 {
		t.Errorf("only %d routes were tried", tried)
	}
	for _, h := range b.Hops {
		if h.Status >= 300 && h.Status < 400 && h.Status != http.StatusSeeOther && h.Status != http.StatusNotModified && h.Status != http.StatusMovedPermanently {
			t.Errorf("%s %s: %d", h.Method, h.URL, h.Status)
		}
	}
	before := contents(t, dir)
	b.Get(shop.Request().URL())
	if contents(t, dir) == before {
		t.Error("a login begins and the files stay as they are: this test looks at the wrong ones")
	}
}

// contents is a digest of the database and what was written to it since.
func contents(t *testing.T, dir string) [32]byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"tegata.db", "tegata.db-wal"} {
		body, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, body...)
	}
	return sha256.Sum256(all)
}
