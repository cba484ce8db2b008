// Package headless walks one login as a browser and an agent would, for the tests of relying parties' engineers: the
// provider's real pages, its real agent protocol, a virtual card at the end of a wire. It has no other way in.
package headless

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tegata/authn/statement"
	"tegata/idp"
)

// Options of one walk.
type Options struct {
	AuthorizeURL string // as the relying party made it
	Persona      string
	PIN          string
	Password     string
	NumberB      string // opens the four attributes in place of a PIN, where those are read; "" for the PIN
	Deny         bool   // say no on the consent page
	Renewed      bool   // tick that the card was renewed
	Latest       bool   // agree, where it is asked, that later changes are told; else refuse
	CookieJar    string // Netscape file, read and written; "" keeps nothing
	Cards        string // base URL of the card reader

	Transport http.RoundTripper // what every request goes through; nil: the default one
}

// Result is what the relying party would receive.
type Result struct {
	URL  string            `json:"url"`            // final redirect, not followed; for a form post its target
	Form map[string]string `json:"form,omitempty"` // fields of a form post
}

// ErrPage is the error page of the provider.
type ErrPage struct{ Code string }

// Error gives the code.
func (e ErrPage) Error() string { return e.Code }

// maxSteps bounds a walk: a login has about ten pages.
const maxSteps = 40

type walker struct {
	Options
	origin *url.URL // the provider's: scheme, host and path before /authorize
	http   *http.Client
	jar    *jar
	issuer string
}

// Login walks until the provider hands over to the relying party. Errors: ErrPage at an error page, a *fail.Error when
// the card or the agent protocol refuses, others when something could not be reached.
func Login(ctx context.Context, o Options) (Result, error) {
	start, err := url.Parse(o.AuthorizeURL)
	if err != nil || start.Host == "" {
		return Result{}, errors.New("the authorize URL is not an absolute URL")
	}
	path, ok := strings.CutSuffix(start.Path, "/authorize")
	if !ok { // the layout of profile daa-compatible
		path, ok = strings.CutSuffix(start.Path, idp.RealmPath+"/protocol/openid-connect/auth")
	}
	if !ok {
		return Result{}, errors.New("the authorize URL does not end in /authorize")
	}
	w := &walker{Options: o, jar: &jar{now: time.Now}}
	w.origin = &url.URL{Scheme: start.Scheme, Host: start.Host, Path: path}
	w.issuer = w.origin.String()
	w.http = &http.Client{Transport: o.Transport, Jar: w.jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if o.CookieJar != "" {
		if err := w.jar.load(o.CookieJar); err != nil {
			return Result{}, err
		}
	}
	result, err := w.walk(ctx, start)
	if o.CookieJar != "" {
		err = errors.Join(err, w.jar.save(o.CookieJar))
	}
	return result, err
}

func (w *walker) walk(ctx context.Context, at *url.URL) (Result, error) {
	p, away, err := w.get(ctx, at)
	for range maxSteps {
		switch {
		case err != nil:
			return Result{}, err
		case away != "":
			return Result{URL: away}, nil
		case p.error != "":
			return Result{}, ErrPage{p.error}
		}
		if out, ok := w.formPost(p); ok {
			return out, nil
		}
		p, away, err = w.step(ctx, p)
	}
	return Result{}, errors.New("the login does not end")
}

// step does on a page what a person would.
func (w *walker) step(ctx context.Context, p page) (page, string, error) {
	if f, ok := p.formTo("/consent"); ok {
		decision := "allow"
		if w.Deny {
			decision = "deny"
		}
		if f.decided() {
			return w.submit(ctx, f, [2]string{"latest", w.latest()})
		}
		if w.Renewed && !w.Deny {
			return w.submit(ctx, f, [2]string{"decision", decision}, [2]string{"renewed", "yes"})
		}
		return w.submit(ctx, f, [2]string{"decision", decision})
	}
	if p.launch != "" {
		return w.agent(ctx, p)
	}
	if f, ok := p.formTo("/start"); ok {
		if w.NumberB != "" {
			return w.submit(ctx, f, [2]string{"card_info_by", statement.NumberB})
		}
		return w.submit(ctx, f)
	}
	return page{}, "", fmt.Errorf("a page that this program does not know: %s", p.url.Path)
}

// latest answers whether later changes may be told.
func (w *walker) latest() string {
	if w.Latest {
		return "agree"
	}
	return "refuse"
}

// formPost recognises the page that posts the answer: a form to somebody else.
func (w *walker) formPost(p page) (Result, bool) {
	for _, f := range p.forms {
		if w.isOurs(f.action) {
			continue
		}
		out := Result{URL: f.action.String(), Form: map[string]string{}}
		for _, field := range f.fields {
			out.Form[field[0]] = field[1]
		}
		return out, true
	}
	return Result{}, false
}

func (w *walker) isOurs(u *url.URL) bool {
	return u.Scheme == w.origin.Scheme && u.Host == w.origin.Host
}

func (w *walker) get(ctx context.Context, at *url.URL) (page, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return page{}, "", err
	}
	return w.do(req)
}

func (w *walker) submit(ctx context.Context, f form, more ...[2]string) (page, string, error) {
	values := url.Values{}
	for _, field := range append(f.fields, more...) {
		values.Add(field[0], field[1])
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.action.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return page{}, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", w.origin.Scheme+"://"+w.origin.Host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.do(req)
}

// do follows redirects inside the provider and returns the first address outside as the end.
func (w *walker) do(req *http.Request) (page, string, error) {
	for range maxSteps {
		req.Header.Set("Accept", "text/html")
		resp, err := w.http.Do(req)
		if err != nil {
			return page{}, "", err
		}
		location := resp.Header.Get("Location")
		if location == "" || resp.StatusCode < 300 || resp.StatusCode > 399 {
			p, err := parse(resp.Request.URL, resp.Body)
			return p, "", errors.Join(err, resp.Body.Close())
		}
		_ = resp.Body.Close() // a redirect's body says nothing
		next, err := resp.Request.URL.Parse(location)
		if err != nil {
			return page{}, "", err
		}
		if !w.isOurs(next) {
			return page{}, location, nil
		}
		if req, err = http.NewRequestWithContext(req.Context(), http.MethodGet, next.String(), nil); err != nil {
			return page{}, "", err
		}
	}
	return page{}, "", errors.New("the provider redirects in circles")
}
