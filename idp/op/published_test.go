package op_test

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// documents are the addresses that anybody may read and keep.
var documents = []string{
	"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource",
	"/.well-known/oauth-protected-resource/userinfo", "/oauth/jwks",
}

// ask sends a request without a body; headers are "Name: value".
func ask(t *testing.T, method, address string, headers ...string) idptest.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return idptest.Do(t, r)
}

func TestPublicDocumentsAreKeptByTheirReaders(t *testing.T) {
	w := open(t)
	for _, path := range documents {
		first := get(t, w.Issuer+path)
		tag := first.Header.Get("ETag")
		if first.Status != 200 || !strings.HasPrefix(tag, `"`) || first.Header.Get("Cache-Control") != "public, max-age=3600" ||
			first.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v", path, first.Status, first.Header)
		}
		if again := get(t, w.Issuer+path); again.Body != first.Body || again.Header.Get("ETag") != tag {
			t.Errorf("%s changes by itself", path)
		}
		head := ask(t, http.MethodHead, w.Issuer+path)
		if head.Status != 200 || head.Body != "" || head.Header.Get("ETag") != tag || head.Header.Get("Content-Length") != first.Header.Get("Content-Length") {
			t.Errorf("HEAD %s: %d %q %v", path, head.Status, head.Body, head.Header)
		}
		for name, known := range map[string]string{"the tag": tag, "one of several": `"x", ` + tag, "a weak one": "W/" + tag, "any": "*"} {
			got := ask(t, http.MethodGet, w.Issuer+path, "If-None-Match: "+known)
			if got.Status != http.StatusNotModified || got.Body != "" || got.Header.Get("ETag") != tag || got.Header.Get("Cache-Control") == "" {
				t.Errorf("%s, If-None-Match with %s: %d %q %v", path, name, got.Status, got.Body, got.Header)
			}
		}
		got := ask(t, http.MethodGet, w.Issuer+path, `If-None-Match: "another"`)
		got.Header.Del("Date")
		first.Header.Del("Date")
		if got.Status != 200 || got.Body != first.Body || !maps.EqualFunc(got.Header, first.Header, slices.Equal) {
			t.Errorf("%s with another tag: %d %v, without any: %v", path, got.Status, got.Header, first.Header)
		}
		if got := ask(t, http.MethodGet, w.Issuer+path, "Range: bytes=1-3"); got.Status != http.StatusPartialContent || got.Body != first.Body[1:4] {
			t.Errorf("a part of %s: %d %q", path, got.Status, got.Body)
		}
		if got := ask(t, http.MethodPost, w.Issuer+path); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, got.Status, got.Header.Get("Allow"))
		}
	}
}

func TestANewKeyChangesTheTagOfTheKeySet(t *testing.T) {
	w := open(t)
	tag := get(t, w.Issuer+"/oauth/jwks").Header.Get("ETag")
	if _, err := w.Site.IDP.Keys.Rotate(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, http.MethodGet, w.Issuer+"/oauth/jwks", "If-None-Match: "+tag); got.Status != 200 || got.Header.Get("ETag") == tag {
		t.Errorf("after a rotation: %d %s", got.Status, got.Header.Get("ETag"))
	}
}

func TestOAuthClientsFindTheServerFromAnyEnd(t *testing.T) {
	w := open(t)
	if get(t, w.Issuer+"/.well-known/oauth-authorization-server").Body != get(t, w.Issuer+"/.well-known/openid-configuration").Body {
		t.Error("RFC 8414 says something else than OpenID Connect Discovery")
	}
	// RFC 9728 section 3: the resource is what the well-known part was inserted into.
	if listed := members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)["protected_resources"]; !reflect.DeepEqual(listed, []any{w.Issuer, w.Issuer + "/userinfo"}) {
		t.Errorf("discovery lists %v", listed) // and each of them names us in return
	}
	for path, resource := range map[string]string{"": "", "/userinfo": "/userinfo"} {
		said := members(t, get(t, w.Issuer+"/.well-known/oauth-protected-resource"+path).Body)
		if said["resource"] != w.Issuer+resource {
			t.Errorf("the resource is %v", said["resource"])
		}
		if servers := texts(t, said["authorization_servers"]); len(servers) != 1 || servers[0] != w.Issuer {
			t.Errorf("its servers are %v", servers)
		}
	}
	denied := get(t, w.Issuer+"/userinfo")
	for _, challenge := range denied.Header.Values("WWW-Authenticate") {
		if !strings.Contains(challenge, `resource_metadata="`+w.Issuer+`/.well-known/oauth-protected-resource/userinfo"`) {
			t.Errorf("userinfo says %s", challenge)
		}
	}
	if len(denied.Header.Values("WWW-Authenticate")) != 2 {
		t.Errorf("userinfo says %v", denied.Header.Values("WWW-Authenticate"))
	}
}

func TestScriptsOfRegisteredBrowserClientsReadAnswersAndNobodyElse(t *testing.T) {
	w := open(t)
	w.Register(clients.Metadata{ClientID: "spa", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://spa.example/cb"}})
	w.Register(clients.Metadata{ClientID: "shop", RedirectURIs: []string{"https://shop.example/cb"}})
	gone := w.Register(clients.Metadata{ClientID: "gone", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://gone.example/cb"}})
	if err := w.Site.Store.DisableClient(t.Context(), gone.ClientID, true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	open := map[string]string{"/oauth/token": "POST", "/par": "POST", "/oauth/revoke": "POST", "/userinfo": "GET"}
	for _, path := range documents {
		open[path] = "GET"
	}
	closed := map[string]string{"/authorize": "GET", "/end_session": "GET", "/oauth/introspect": "POST", "/": "GET", "/login/x": "GET", "/agent/v1/claim": "POST", "/healthz": "GET"}
	const origin = "https://spa.example"
	for path, method := range open {
		got := ask(t, method, w.Issuer+path, "Origin: "+origin)
		if got.Header.Get("Access-Control-Allow-Origin") != origin || got.Header.Get("Vary") != "Origin" {
			t.Errorf("%s %s: %v", method, path, got.Header)
		}
		before := ask(t, http.MethodOptions, w.Issuer+path, "Origin: "+origin, "Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: dpop, content-type")
		if before.Status != http.StatusNoContent || before.Header.Get("Access-Control-Allow-Origin") != origin || before.Header.Get("Vary") != "Origin" ||
			!strings.Contains(before.Header.Get("Access-Control-Allow-Methods"), method) || !strings.Contains(before.Header.Get("Access-Control-Allow-Headers"), "DPoP") {
			t.Errorf("the preflight of %s %s: %d %v", method, path, before.Status, before.Header)
		}
		if got := ask(t, http.MethodOptions, w.Issuer+path, "Origin: "+origin, "Access-Control-Request-Method: DELETE"); got.Status != http.StatusForbidden || allowed(got) {
			t.Errorf("the preflight of DELETE %s: %d %v", path, got.Status, got.Header)
		}
	}
	for _, stranger := range []string{"https://evil.example", "https://shop.example", "https://gone.example", "null", "https://spa.example:444", "http://spa.example", "https://spa.example.evil.example", "HTTPS://SPA.EXAMPLE", "https://spa.example/"} {
		for path, method := range open {
			for _, got := range []idptest.Answer{
				ask(t, method, w.Issuer+path, "Origin: "+stranger), ask(t, http.MethodOptions, w.Issuer+path, "Origin: "+stranger, "Access-Control-Request-Method: "+method),
			} {
				if allowed(got) {
					t.Errorf("%s reads %s: %v", stranger, path, got.Header)
				}
			}
		}
	}
	for path, method := range closed {
		for _, got := range []idptest.Answer{
			ask(t, method, w.Issuer+path, "Origin: "+origin), ask(t, http.MethodOptions, w.Issuer+path, "Origin: "+origin, "Access-Control-Request-Method: "+method),
		} {
			if allowed(got) {
				t.Errorf("%s may be read: %v", path, got.Header)
			}
		}
	}
}

// allowed says whether any script may read an answer.
func allowed(a idptest.Answer) bool {
	return a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Access-Control-Allow-Credentials") != ""
}

func BenchmarkDiscoveryAndKeys(b *testing.B) {
	w := open(b)
	for _, path := range []string{"/.well-known/openid-configuration", "/oauth/jwks"} {
		b.Run(path, func(b *testing.B) {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RequestURI = path
			b.ReportAllocs()
			for b.Loop() {
				w.Site.Handler.ServeHTTP(&discard{header: http.Header{}}, r)
			}
		})
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
