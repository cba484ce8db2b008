package show

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"tegata/authn"
	"tegata/idp"
)

func secretOf(t *testing.T) authn.Secret {
	t.Helper()
	s, err := authn.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCookiesAreLockedToTheHost(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://login.example": {"__Host-bs", "__Host-ss"}, // no Domain, Path=/, Secure, or browsers refuse the name
		"http://127.0.0.1:9000": {"bs", "ss"},
	} {
		s := &Show{Issuer: issuer, Rand: rand.Reader}
		w := httptest.NewRecorder()
		b := s.Browser(w, httptest.NewRequest(http.MethodGet, "/", nil))
		s.setSession(w, secretOf(t))
		var names []string
		for _, c := range w.Result().Cookies() {
			names = append(names, c.Name)
			https := strings.HasPrefix(issuer, "https:")
			if c.Domain != "" || c.Path != "/" || !c.HttpOnly || c.Secure != https || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 || !c.Expires.IsZero() {
				t.Errorf("%s: %s", issuer, c.Raw)
			}
		}
		if !slices.Equal(names, want) || !b.Known {
			t.Errorf("%s: cookies %v, known %v", issuer, names, b.Known)
		}
	}
}

func TestABrowserKeepsItsSecret(t *testing.T) {
	s := &Show{Issuer: "https://login.example", Rand: rand.Reader}
	first := httptest.NewRecorder()
	b := s.Browser(first, httptest.NewRequest(http.MethodGet, "/", nil))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range first.Result().Cookies() {
		r.AddCookie(c)
	}
	second := httptest.NewRecorder()
	if again := s.Browser(second, r); again.Secret != b.Secret || len(second.Result().Cookies()) > 0 {
		t.Error("a second login in the same browser ends the first one")
	}
	plain := httptest.NewRequest(http.MethodGet, "/", nil)
	plain.AddCookie(&http.Cookie{Name: "bs", Value: secretOf(t).Reveal()})
	if s.Known(plain).Known {
		t.Error("under https a cookie without __Host- counts: a subdomain may have planted it")
	}
	garbage := httptest.NewRequest(http.MethodGet, "/", nil)
	garbage.AddCookie(&http.Cookie{Name: "__Host-bs", Value: "garbage"})
	if s.Known(garbage).Known {
		t.Error("garbage is a secret")
	}
	r.AddCookie(&http.Cookie{Name: "__Host-bs", Value: secretOf(t).Reveal()})
	if s.Known(r).Secret != b.Secret {
		t.Error("of two cookies with one name the second counts")
	}
	garbage.AddCookie(&http.Cookie{Name: "__Host-bs", Value: secretOf(t).Reveal()})
	if s.Known(garbage).Known {
		t.Error("a cookie behind one that is garbage counts")
	}
}

func TestWithoutRandomnessNothingStarts(t *testing.T) {
	s := &Show{Issuer: "https://login.example", Rand: iotest.ErrReader(errors.New("dry"))}
	w := httptest.NewRecorder()
	if b := s.Browser(w, httptest.NewRequest(http.MethodGet, "/", nil)); b.Known || len(w.Result().Cookies()) > 0 {
		t.Error("a browser got a secret of zeros")
	}
}

func TestAnAnswerIsAddedToTheQueryThatIsThere(t *testing.T) {
	for uri, want := range map[string]string{
		"https://a.example/cb":        "https://a.example/cb?x=1",
		"https://a.example/cb?":       "https://a.example/cb?x=1",
		"https://a.example/cb?a=%20b": "https://a.example/cb?a=%20b&x=1",
		"https://a.example/cb?a&":     "https://a.example/cb?a&x=1",
		"com.example.app:/cb":         "com.example.app:/cb?x=1",
	} {
		if got := idp.AddQuery(uri, "x=1"); got != want {
			t.Errorf("%s became %s", uri, got)
		}
	}
	if got := encode([][2]string{{"state", "a&b= c"}, {"iss", "https://i"}}); got != "state=a%26b%3D+c&iss=https%3A%2F%2Fi" {
		t.Error(got)
	}
}

func TestARedirectIsNeverCachedNorRepeated(t *testing.T) {
	w := httptest.NewRecorder()
	SeeOther(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(nil)), "https://a.example/cb?code=x")
	h := w.Result().Header
	if w.Code != http.StatusSeeOther || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%d %v", w.Code, h)
	}
}
