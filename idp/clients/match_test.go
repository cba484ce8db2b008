package clients

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tegata/storage"
)

var (
	website = storage.Client{AuthMethod: AuthBasic, RedirectURIs: []string{
		"https://rp.example/cb", "https://rp.example:8443/login/cb?tenant=a%2Fb", "http://127.0.0.1:9001/cb",
	}}
	app = storage.Client{AuthMethod: AuthNone, RedirectURIs: []string{
		"http://127.0.0.1/cb", "http://[::1]:5000/cb?x=1", "jp.example.app:/cb", "https://app.example/cb", "http://localhost:7000/cb",
	}}
)

func TestMatchRedirectAcceptsTheRegisteredBytes(t *testing.T) {
	for _, c := range []storage.Client{website, app} {
		for _, uri := range c.RedirectURIs {
			if !MatchRedirect(c, uri) {
				t.Errorf("%s is refused", uri)
			}
		}
	}
	for _, uri := range []string{
		"http://127.0.0.1:1/cb", "http://127.0.0.1:80/cb", "http://127.0.0.1:65535/cb",
		"http://[::1]/cb?x=1", "http://[::1]:49152/cb?x=1",
	} {
		if !MatchRedirect(app, uri) {
			t.Errorf("an app may not use %s (RFC 8252 section 7.3)", uri)
		}
	}
}

// variants gives URIs that a parser, a browser or a careless reader could take for the given one.
func variants(uri string) []string {
	scheme, rest, _ := strings.Cut(uri, "://")
	authority, path, _ := strings.Cut(rest, "/")
	path = "/" + path
	bare, query, _ := strings.Cut(uri, "?")
	v := []string{
		// case
		strings.ToUpper(uri), strings.ToUpper(scheme) + "://" + rest, scheme + "://" + strings.ToUpper(authority) + path,
		scheme + "://" + authority + strings.ToUpper(path), strings.ToUpper(uri[:1]) + uri[1:],
		// scheme
		"http" + strings.TrimPrefix(strings.TrimPrefix(uri, "https"), "http") + "s", "//" + rest, rest, ":" + uri, scheme + ":" + rest, scheme + ":/" + rest,
		scheme + ":///" + rest, "javascript:" + uri, "data:" + uri, "view-source:" + uri, "ftp://" + rest, "ws://" + rest,
		// authority
		scheme + "://user@" + rest, scheme + "://user:pw@" + rest, scheme + "://@" + rest, scheme + "://evil.example@" + rest,
		scheme + "://" + authority + "@evil.example" + path, scheme + "://" + authority + ".evil.example" + path,
		scheme + "://evil." + rest, scheme + "://evil.example/" + rest, scheme + "://" + authority + "." + path,
		scheme + "://" + authority + "%2e" + path, scheme + "://" + authority + "%00.evil.example" + path,
		scheme + "://" + authority + "\\@evil.example" + path, scheme + "://evil.example\\@" + rest, scheme + "://evil.example#@" + rest,
		scheme + "://" + authority + ";" + path, scheme + "://" + authority + "," + path, scheme + "://." + rest,
		strings.Replace(uri, "e", "е", 1) + "\u0435", strings.Replace(uri, ".", "。", 1) + "\u3002", strings.Replace(uri, ".", "\uff0e", 1) + " ",
		scheme + "://xn--" + rest, scheme + "://" + authority + "\u200b" + path, scheme + "://\u00ad" + rest,
		// port, in forms that no exception covers
		scheme + "://" + authority + ":" + path, scheme + "://" + authority + ":0" + path, scheme + "://" + authority + ":00443" + path,
		scheme + "://" + authority + ":65536" + path, scheme + "://" + authority + ":-1" + path, scheme + "://" + authority + ":+443" + path,
		scheme + "://" + authority + ":443:443" + path, scheme + "://" + authority + ":443@evil.example" + path, scheme + "://" + authority + ":4４3" + path,
		scheme + "://" + authority + ":http" + path, scheme + "://" + authority + ": 443" + path, scheme + "://" + authority + ":4e3" + path,
		// path
		uri + "/", bare + "//", scheme + "://" + authority + "/" + path, scheme + "://" + authority + "/." + path, scheme + "://" + authority + "/x/.." + path,
		scheme + "://" + authority + "/%2e" + path, scheme + "://" + authority + "/%2E%2E" + path, scheme + "://" + authority + "\\" + path[1:],
		bare + "/.", bare + "/..", bare + "/../cb", bare + "/%2e%2e/cb", bare + ";a=b", bare + "%2f", bare + "%20", bare + "%00", bare + "x", bare + ".html",
		scheme + "://" + authority + "/%63b", strings.Replace(uri, "cb", "c%62", 1), strings.Replace(uri, "/cb", "%2fcb", 1), strings.Replace(uri, "/cb", "%2Fcb", 1),
		strings.Replace(uri, "/cb", "/сb", 1), strings.Replace(uri, "/cb", "/ｃb", 1), strings.Replace(uri, "/cb", "/c\u0301b", 1), strings.Replace(uri, "/cb", "/", 1), strings.Replace(uri, "/cb", "", 1),
		strings.Replace(uri, "/cb", "/*", 1), strings.Replace(uri, "/cb", "/cb/*", 1), url.QueryEscape(uri), url.PathEscape(uri),
		// query and fragment
		bare + "?" + query + "&", bare + "?" + query + "&code=stolen", bare + "?" + query + "&" + query, bare + "?code=stolen&" + query, bare + "??" + query,
		bare + "?tenant=A%2FB", bare + "?tenant=a/b", bare + "?tenant=a%2fb", bare + "?tenant=a%252Fb", bare + "?x=2", bare + "?x=1&x=1", bare + "?X=1",
		uri + "#", uri + "#x", uri + "#/cb", bare + "#?" + query, uri + "%23", uri + "?",
		// white space and control characters
		" " + uri, uri + " ", "\t" + uri, uri + "\n", uri + "\r\n", uri + "\x00", strings.Replace(uri, "/cb", "/c\tb", 1), strings.Replace(uri, "/cb", "/c\nb", 1), "\ufeff" + uri, uri + "\u3000", uri + "\u202e",
		// shapes
		"", "/", "*", uri + "," + uri, uri + " " + uri, "<" + uri + ">", `"` + uri + `"`, uri[:len(uri)-1], uri[1:], uri + uri,
	}
	return v
}

func nearMisses() map[string]storage.Client {
	corpus := map[string]storage.Client{}
	for _, c := range []storage.Client{website, app} {
		for _, uri := range c.RedirectURIs {
			if !strings.Contains(uri, "://") {
				continue
			}
			for _, v := range variants(uri) {
				corpus[v] = c
			}
		}
	}
	for _, v := range []string{
		"https://rp.example:443/cb", "https://rp.example:8443/cb", "https://rp.example/login/cb?tenant=a%2Fb", "http://rp.example/cb",
		"https://rp.example:8444/login/cb?tenant=a%2Fb", "http://127.0.0.1/cb", "http://127.0.0.1:9002/cb", "http://localhost:9001/cb", "http://[::1]:9001/cb",
		"https://127.0.0.1:9001/cb", "http://0.0.0.0:9001/cb", "http://127.1:9001/cb", "http://2130706433:9001/cb", "http://0x7f.0.0.1:9001/cb",
	} {
		corpus[v] = website
	}
	for _, v := range []string{
		"http://localhost:7001/cb", "http://localhost/cb", "http://[::1]:5000/cb", "http://[::1]:5000/cb?x=1&y=2", "http://127.0.0.1:5000/cb?x=1",
		"http://[::1]:5000/cb/?x=1", "http://127.0.0.2/cb", "http://127.0.0.1:08080/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:99999/cb", "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/cb/", "http://127.0.0.1:8080/CB", "http://127.0.0.1:8080//cb", "http://127.0.0.1:8080/cb#", "http://127.0.0.1:8080/cb?",
		"http://127.0.0.1:8080@evil.example/cb", "http://127.0.0.1:8080.evil.example/cb", "http://127.0.0.1.evil.example:8080/cb", "http://127.0.0.1:80:80/cb",
		"https://127.0.0.1:8080/cb", "HTTP://127.0.0.1:8080/cb", "http://127.1:8080/cb", "http://127.0.0.01:8080/cb", "http://0177.0.0.1/cb", "http://2130706433/cb",
		"http://[0:0:0:0:0:0:0:1]:5000/cb?x=1", "http://[::ffff:127.0.0.1]/cb", "http://[::1%25lo]/cb?x=1", "http://[::1]x/cb?x=1", "http://::1:5000/cb?x=1",
		"https://app.example:443/cb", "https://app.example:8443/cb", "jp.example.app:/cb/", "jp.example.app://cb", "jp.example.app:cb", "JP.EXAMPLE.APP:/cb",
		"jp.example.app:///cb", "jp.example.app:/cb?x", "jp.example.app:/cb#", "jp.example.app2:/cb", "jp.example.app.evil:/cb", "http://user@127.0.0.1:8080/cb",
		"http://127.0.0.1:8080\\@evil.example/cb", "http://127.0.0.1:٣٠٠٠/cb", "http://127.0.0.1:８０/cb", "http://127.0.0.1: 80/cb", "http://127.0.0.1:80 /cb",
	} {
		corpus[v] = app
	}
	for _, registered := range append(website.RedirectURIs, app.RedirectURIs...) {
		delete(corpus, registered)
	}
	return corpus
}

func TestNoNearMissIsTheRegisteredURI(t *testing.T) {
	corpus := nearMisses()
	if len(corpus) < 200 {
		t.Fatalf("only %d cases", len(corpus))
	}
	accepted := 0
	for raw, c := range corpus {
		if MatchRedirect(c, raw) {
			accepted++
			t.Errorf("%q is accepted", raw)
		}
	}
	t.Logf("%d near misses, %d accepted", len(corpus), accepted)
}

func TestOneEditAwayIsNotTheRegisteredURI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		uri := rapid.SampledFrom(website.RedirectURIs).Draw(t, "uri")
		at := rapid.IntRange(0, len(uri)-1).Draw(t, "at")
		b := string(rapid.Byte().Draw(t, "byte"))
		edited := rapid.SampledFrom([]string{
			uri[:at] + b + uri[at:], uri[:at] + b + uri[at+1:], uri[:at] + uri[at+1:],
		}).Draw(t, "edited")
		if MatchRedirect(website, edited) != slices.Contains(website.RedirectURIs, edited) {
			t.Fatalf("%q", edited)
		}
	})
}

// What the fuzzer gets accepted must be the registered bytes or, read by a parser that knows nothing of ours,
// the registered loopback URI with another port.
func FuzzMatchRedirect(f *testing.F) {
	for raw := range nearMisses() {
		f.Add(raw)
	}
	f.Add("http://127.0.0.1:8080/cb")
	f.Fuzz(func(t *testing.T, raw string) {
		if MatchRedirect(website, raw) != slices.Contains(website.RedirectURIs, raw) {
			t.Errorf("website: %q", raw)
		}
		if !MatchRedirect(app, raw) || slices.Contains(app.RedirectURIs, raw) {
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" {
			t.Fatalf("app: %q", raw)
		}
		if found := u.Hostname() + u.RequestURI(); found != "127.0.0.1/cb" && found != "::1/cb?x=1" {
			t.Errorf("app: %q", raw)
		}
	})
}
