package ui

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// everywhere are the headers that all pages have.
var everywhere = http.Header{
	"Content-Type":                 {"text/html; charset=utf-8"},
	"Cache-Control":                {"no-store"},
	"X-Content-Type-Options":       {"nosniff"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Permissions-Policy":           {"camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), payment=(), serial=(), usb=()"},
}

// setHeaders lets a page do what its spec says and nothing else.
func setHeaders(h http.Header, s spec, lang string) {
	maps.Copy(h, everywhere) // the values are shared: nobody writes into them, and to append copies them
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", contentPolicy(s))
	h.Set("Referrer-Policy", referrerPolicy(s))
}

// referrerPolicy is not no-referrer: under that a browser sends "Origin: null" even with a form to
// our own origin (Fetch, append a request Origin header), and a browser without Sec-Fetch-Site
// could not be told from an attacker. same-origin keeps every URL of ours from the others as well.
func referrerPolicy(s spec) string {
	if s.crossPost {
		return "strict-origin" // our origin and no path, so that the relying party may check who posts
	}
	return "same-origin"
}

func contentPolicy(s spec) string {
	script, connect := "'none'", "'none'"
	if s.script != "" {
		script = "'self'"
	}
	if s.listens {
		connect = "'self'"
	}
	policy := "default-src 'none'; style-src 'self'; script-src " + script + "; img-src 'self'; connect-src " + connect +
		"; form-action " + strings.Join(append([]string{"'self'"}, sources(s.targets)...), " ") +
		"; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	if frames := sources(s.frames); len(frames) > 0 { // without it default-src allows none
		slices.Sort(frames)
		policy += "; frame-src " + strings.Join(slices.Compact(frames), " ")
	}
	return policy
}

// sources turns URLs into CSP source expressions; what cannot be one is left out, which only
// ever forbids more.
func sources(targets []string) []string {
	var list []string
	for _, target := range targets {
		if source := source(target); source != "" {
			list = append(list, source)
		}
	}
	return list
}

// AnyHTTPS as a form target lets a form end at any https address. Chromium holds form-action
// against every redirect after the post, also against those of a relying party whose callback
// leads on to another of its hosts.
const AnyHTTPS = "https:"

func source(target string) string {
	u, err := url.Parse(target)
	switch {
	case target == AnyHTTPS:
		return AnyHTTPS
	case err != nil || u.Scheme == "" || u.Scheme == "javascript" || u.Scheme == "data":
		return ""
	case u.Scheme != "http" && u.Scheme != "https":
		return u.Scheme + ":" // a native app's own scheme (RFC 8252 7.1)
	case !hostOnly(u.Host):
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// hostOnly keeps separators of the policy and wildcards out of it.
func hostOnly(host string) bool {
	return host != "" && !strings.ContainsAny(host, " \t\r\n;,'\"*")
}
