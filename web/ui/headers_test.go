package ui

import (
	"net/http"
	"strings"
	"testing"
)

func TestHeadersOfEveryPage(t *testing.T) {
	u := mustNew(t)
	want := map[string]string{
		"Content-Type":                 "text/html; charset=utf-8",
		"Content-Language":             "en",
		"Vary":                         "Accept-Language",
		"Cache-Control":                "no-store",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for name, page := range samples("Aoba") {
		h := draw(u, "en", page).Header()
		for key, value := range want {
			if got := h.Get(key); got != value {
				t.Errorf("%s: %s is %q, want %q", name, key, got, value)
			}
		}
		policy := h.Get("Content-Security-Policy")
		for _, rule := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy+";", rule+";") {
				t.Errorf("%s: no %s in %s", name, rule, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", name, policy)
		}
	}
}

func rule(h http.Header, name string) string {
	for part := range strings.SplitSeq(h.Get("Content-Security-Policy"), "; ") {
		if value, ok := strings.CutPrefix(part, name+" "); ok {
			return value
		}
	}
	return ""
}

func TestAPageMayDoNoMoreThanItNeeds(t *testing.T) {
	u := mustNew(t)
	tests := []struct {
		page                           string
		script, connect, form, referer string
	}{
		{"login", "'none'", "'none'", "'self' https://shop.example", "same-origin"},
		{"wait", "'self'", "'self'", "'self' https://shop.example", "same-origin"},
		{"consent", "'none'", "'none'", "'self' https://shop.example", "same-origin"},
		{"error", "'none'", "'none'", "'self'", "same-origin"},
		{"cardpin", "'none'", "'none'", "'self'", "same-origin"},
		{"signout", "'none'", "'none'", "'self'", "same-origin"},
		{"signout, relay", "'self'", "'none'", "'self' https://shop.example", "same-origin"},
		{"signedout, frames", "'none'", "'none'", "'self'", "same-origin"},
		{"formpost", "'self'", "'none'", "'self' https://shop.example https:", "strict-origin"},
	}
	for _, tt := range tests {
		t.Run(tt.page, func(t *testing.T) {
			h := draw(u, "en", samples("Aoba")[tt.page]).Header()
			got := []string{rule(h, "script-src"), rule(h, "connect-src"), rule(h, "form-action"), h.Get("Referrer-Policy")}
			want := []string{tt.script, tt.connect, tt.form, tt.referer}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("got %q, want %q", got[i], want[i])
				}
			}
		})
	}
}

// No page loads another site's but those after a logout, and these load no others.
func TestFramesOfThePagesAfterALogoutAlone(t *testing.T) {
	u := mustNew(t)
	for name, page := range samples("Aoba") {
		want := map[string]string{"signedout, frames": "http://127.0.0.1:9001 https://shop.example", "mesignin, frames": "https://shop.example"}[name]
		drawn := draw(u, "en", page)
		if got := rule(drawn.Header(), "frame-src"); got != want {
			t.Errorf("%s may frame %q", name, got)
		}
		if got := strings.Count(drawn.Body.String(), "<iframe "); (got > 0) != (want != "") {
			t.Errorf("%s has %d frames", name, got)
		}
	}
	body := draw(u, "en", samples("Aoba")["signedout, frames"]).Body.String()
	for _, part := range []string{`content="5;url=https://shop.example/bye?state=1"`, `href="https://shop.example/bye?state=1"`,
		`<iframe src="https://shop.example/out?iss=x&amp;sid=3" sandbox="allow-scripts allow-same-origin" referrerpolicy="no-referrer" hidden>`} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in %s", part, body)
		}
	}
}

func TestFormTargets(t *testing.T) {
	tests := []struct{ name, target, want string }{
		{"a site", "https://shop.example/callback?x=1", "https://shop.example"},
		{"a site with a port", "http://127.0.0.1:9001/cb", "http://127.0.0.1:9001"},
		{"a native app", "com.example.shop:/callback", "com.example.shop:"},
		{"any https address", AnyHTTPS, "https:"},
		{"http without a host", "http:", ""},
		{"no URL", "", ""},
		{"a path", "/callback", ""},
		{"a script", "javascript:alert(1)", ""},
		{"a wildcard", "https://*/", ""},
		{"a wildcard below a domain", "https://*.example/", ""},
		{"an end of the rule", "https://shop.example;script-src/", ""},
		{"an end of the policy", "https://shop.example,x/", ""},
		{"a user in front of the host", "https://'self'@shop.example/", "https://shop.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := source(tt.target); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzFormTarget(f *testing.F) {
	f.Add("https://shop.example/callback")
	f.Add("https://shop.example%3b/")
	f.Add("a:;script-src *")
	f.Fuzz(func(t *testing.T, target string) {
		if got := source(target); strings.ContainsAny(got, " ;,*'\"\r\n\t") {
			t.Errorf("%q breaks out of its rule as %q", target, got)
		}
	})
}
