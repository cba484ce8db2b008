package rp

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Two cookies, both random keys and nothing else: one ties attempts to the browser that started them,
// the other finds the logged-in customer.
const (
	browserCookie  = "shop_browser"
	customerCookie = "shop_customer"
)

// attemptKey makes the binding to the browser part of the look-up: an attempt started elsewhere, such
// as in the browser of somebody who mailed our customer a callback link, simply is not there.
func attemptKey(state, browser string) string { return state + " " + browser }

// browser returns this browser's key and sets the cookie again, so that it outlives the attempt.
func (s *shop) browser(w http.ResponseWriter, r *http.Request) string {
	id := random()
	if c, err := r.Cookie(s.cookieName(browserCookie)); err == nil && c.Value != "" {
		id = c.Value // shared by all tabs of the browser, so that two logins at once both finish
	}
	s.setCookie(w, browserCookie, id, attemptLife)
	return id
}

func (s *shop) customer(r *http.Request) (customer, bool) {
	c, err := r.Cookie(s.cookieName(customerCookie))
	if err != nil {
		return customer{}, false
	}
	return s.customers.get(c.Value)
}

// cookieName adds the prefix that keeps other hosts of our domain from setting the cookie. Browsers
// accept it over https only, so the demo on http://127.0.0.1 goes without.
func (s *shop) cookieName(name string) string {
	if s.origin.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

// setCookie sets a cookie; a negative life removes it.
func (s *shop) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/",
		MaxAge:   int(life / time.Second),
		HttpOnly: true,
		Secure:   s.origin.Scheme == "https",
		SameSite: http.SameSiteLaxMode, // Strict would hide it from the provider's redirect
	})
}

// guarded sets the headers that every answer carries.
func (s *shop) guarded(next http.Handler) http.Handler {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		// The logout form is answered by a redirect to the provider, which browsers count as its target too.
		"form-action 'self' " + originOf(s.cfg.Issuer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer") // the callback's URL holds a code
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// refusal is why a login did not happen: a code that has its own sentences in the locale files, and a
// cause for the log that the customer never sees.
type refusal struct {
	code   string
	status int
	cause  error
}

func refuse(code string, status int, cause error) error {
	return &refusal{code: code, status: status, cause: cause}
}

func (e *refusal) Error() string { return e.code }
func (e *refusal) Unwrap() error { return e.cause }

// sorry shows the error page. Nothing of the request is echoed into it.
func (s *shop) sorry(w http.ResponseWriter, r *http.Request, err error) {
	var why *refusal
	if !errors.As(err, &why) {
		why = &refusal{code: "internal", status: http.StatusInternalServerError, cause: err}
	}
	s.cfg.Log.WarnContext(r.Context(), "login refused", "code", why.code, "cause", why.cause)
	s.show(w, r, why.status, "error", view{Code: why.code})
}
