package idptest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// Browser keeps cookies and follows redirects as long as they stay at the provider.
type Browser struct {
	t      testing.TB
	issuer *url.URL
	http   *http.Client
	Hops   []Hop // every answer so far
}

// Hop is one answer of the provider.
type Hop struct {
	Method, URL string
	Status      int
	Header      http.Header
	Body        string
}

// NewBrowser opens a browser without cookies.
func (w *World) NewBrowser() *Browser {
	w.T.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.T.Fatal(err)
	}
	issuer, err := url.Parse(w.Issuer)
	if err != nil {
		w.T.Fatal(err)
	}
	b := &Browser{t: w.T, issuer: issuer, http: &http.Client{Jar: jar, CheckRedirect: stay}}
	w.browsers = append(w.browsers, b)
	return b
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Get opens an address: absolute, or a path at the provider.
func (b *Browser) Get(address string) Page {
	b.t.Helper()
	return b.walk(b.request(http.MethodGet, address, nil))
}

// Post sends a form to an address as the provider's own page would.
func (b *Browser) Post(address string, fields url.Values) Page {
	b.t.Helper()
	r := b.request(http.MethodPost, address, fields)
	r.Header.Set("Origin", b.issuer.Scheme+"://"+b.issuer.Host)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.walk(r)
}

// CrossPost sends a form from a page of another site.
func (b *Browser) CrossPost(address string, fields url.Values) Page {
	b.t.Helper()
	r := b.request(http.MethodPost, address, fields)
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return b.walk(r)
}

// Submit sends a form of a page with its hidden fields and ticked boxes, and what a person adds, "name=value" each.
func (b *Browser) Submit(f Form, more ...string) Page {
	b.t.Helper()
	fields := url.Values{}
	for _, field := range f.Fields {
		fields.Add(field[0], field[1])
	}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		fields.Add(name, value)
	}
	return b.Post(f.Action, fields)
}

// Cookie is the value of a cookie at the provider, "" without one.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.http.Jar.Cookies(b.issuer) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie plants a cookie, as a copy of another browser's.
func (b *Browser) SetCookie(name, value string) {
	b.http.Jar.SetCookies(b.issuer, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (b *Browser) request(method, address string, fields url.Values) *http.Request {
	b.t.Helper()
	at, err := b.issuer.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, at.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *Browser) walk(r *http.Request) Page {
	b.t.Helper()
	for range 10 {
		p := b.hop(r)
		if p.Away != nil || p.next == nil {
			return p
		}
		r = b.request(http.MethodGet, p.next.String(), nil)
	}
	b.t.Fatal("the provider redirects in circles")
	return Page{}
}

func (b *Browser) hop(r *http.Request) Page {
	b.t.Helper()
	r.Header.Set("Accept", "text/html")
	response, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Hops = append(b.Hops, Hop{r.Method, r.URL.String(), response.StatusCode, response.Header, string(body)})
	p := readPage(b.t, r.URL, string(body))
	p.Status, p.Header = response.StatusCode, response.Header
	if location := response.Header.Get("Location"); location != "" {
		to, err := r.URL.Parse(location)
		if err != nil {
			b.t.Fatal(err)
		}
		if to.Host == b.issuer.Host {
			p.next = to
		} else {
			p.Away = to
		}
	}
	return p
}
