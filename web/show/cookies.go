package show

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"tegata/authn"
	"tegata/idp"
)

// The cookies. Each holds 256 random bits; the first two end with the browser, and all times are kept by us.
const (
	browserCookie = "bs" // proves that this is the browser that started a login
	sessionCookie = "ss" // the SSO session
	hintCookie    = "rm" // brings to mind who lets herself be remembered in this browser; it opens nothing
)

// secure says whether cookies can be locked to https. Only a loopback sandbox runs without.
func (s *Show) secure() bool { return strings.HasPrefix(s.Issuer, "https://") }

// name carries the __Host- prefix wherever a browser accepts it: no subdomain and no plain-http page can then plant a
// cookie of ours (RFC 6265bis 4.1.3.2).
func (s *Show) name(cookie string) string {
	if s.secure() {
		return "__Host-" + cookie
	}
	return cookie
}

func (s *Show) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: s.name(name), Value: value, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode}
}

// Known reads what the browser's cookies say.
func (s *Show) Known(r *http.Request) idp.Browser {
	b := idp.Browser{Family: family(r.UserAgent())}
	for _, c := range slices.Backward(r.Cookies()) { // so that of two with one name the first one counts, as in http.Request.Cookie
		switch c.Name {
		case s.name(browserCookie):
			b.Secret, b.Known = authn.ParseSecret(c.Value)
		case s.name(sessionCookie):
			b.Session, b.HasSession = authn.ParseSecret(c.Value)
		case s.name(hintCookie):
			b.Hint, b.HasHint = authn.ParseSecret(c.Value)
		}
	}
	return b
}

// Browser is Known for the start of a login: a browser without a secret gets one.
func (s *Show) Browser(w http.ResponseWriter, r *http.Request) idp.Browser {
	b := s.Known(r)
	if b.Known {
		return b
	}
	secret, err := authn.NewSecret(s.Rand)
	if err != nil {
		return b // without randomness nothing can start; the next step says so
	}
	http.SetCookie(w, s.cookie(browserCookie, secret.Reveal()))
	b.Secret, b.Known = secret, true
	return b
}

func (s *Show) setSession(w http.ResponseWriter, secret authn.Secret) {
	http.SetCookie(w, s.cookie(sessionCookie, secret.Reveal()))
}

// setHint outlives the browser's window by as much as the memory lives: the same for everybody.
func (s *Show) setHint(w http.ResponseWriter, secret authn.Secret) {
	c := s.cookie(hintCookie, secret.Reveal())
	c.MaxAge = int(idp.MemoryLife.Seconds())
	http.SetCookie(w, c)
}

// DropSession takes the SSO session's cookie from the browser.
func (s *Show) DropSession(w http.ResponseWriter) { s.drop(w, sessionCookie) }

// DropHint takes the cookie from the browser that brings somebody to mind.
func (s *Show) DropHint(w http.ResponseWriter) { s.drop(w, hintCookie) }

// farewellCookie carries what the next page has to tell relying parties' pages: clients and their names for sessions that
// are over. It opens nothing, and what it names is looked up again.
const farewellCookie = "fw"

// farewellLife is how long the next page may take to come, and farewellMost how many parties fit into a cookie.
const (
	farewellLife = time.Minute
	farewellMost = 3000 // bytes; browsers take 4096 with name and attributes
)

// Keep holds farewells for the page after a redirect.
func (s *Show) Keep(w http.ResponseWriter, list []idp.Farewell) {
	var value string
	for _, f := range list {
		one := base64.RawURLEncoding.EncodeToString([]byte(f.Client)) + "." + f.SID
		if len(value)+1+len(one) > farewellMost {
			break
		}
		value = strings.TrimPrefix(value+"~"+one, "~")
	}
	if value != "" {
		c := s.cookie(farewellCookie, value)
		c.MaxAge = int(farewellLife.Seconds())
		http.SetCookie(w, c)
	}
}

// Kept gives what Keep held, once.
func (s *Show) Kept(w http.ResponseWriter, r *http.Request) []idp.Farewell {
	c, err := r.Cookie(s.name(farewellCookie))
	if err != nil {
		return nil
	}
	s.drop(w, farewellCookie)
	var list []idp.Farewell
	for _, one := range strings.Split(c.Value, "~") {
		client, sid, _ := strings.Cut(one, ".")
		if id, err := base64.RawURLEncoding.DecodeString(client); err == nil && len(id) > 0 {
			list = append(list, idp.Farewell{Client: string(id), SID: sid})
		}
	}
	return list
}

func (s *Show) drop(w http.ResponseWriter, cookie string) {
	c := s.cookie(cookie, "")
	c.MaxAge = -1
	http.SetCookie(w, c)
}
