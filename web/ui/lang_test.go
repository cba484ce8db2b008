package ui

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestLang(t *testing.T) {
	tests := []struct {
		name, url, accept string
		locales           []string
		want              string
	}{
		{"nothing is known", "/", "", nil, "ja"},
		{"the browser asks for English", "/", "en-GB,en;q=0.9", nil, "en"},
		{"the browser likes Japanese less but can read nothing else of ours", "/", "de, ja;q=0.2", nil, "ja"},
		{"the browser speaks neither", "/", "fr, de;q=0.5", nil, "ja"},
		{"the site's wish goes before the browser's", "/", "ja", []string{"en"}, "en"},
		{"the site's first wish that we speak counts", "/", "ja", []string{"fr", "en-US", "ja"}, "en"},
		{"a site's wish that is no language is passed over", "/", "en", []string{"!!", ""}, "en"},
		{"the person's click goes before everything", "/?lang=en", "ja", []string{"ja"}, "en"},
		{"a click on a language that we do not have is none", "/?lang=xx", "en", nil, "en"},
		{"the site asks for plain Japanese", "/", "ja", []string{"ja-Hira"}, "ja-Hira"},
		{"the browser asks for plain Japanese", "/", "ja-Hira,ja;q=0.9", nil, "ja-Hira"},
		{"Japanese as in Japan is Japanese", "/", "ja-JP", nil, "ja"},
		{"a click on plain Japanese", "/?lang=ja-Hira", "en", nil, "ja-Hira"},
		{"a broken header is none", "/", "\x00;;q=", nil, "ja"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tt.url, nil)
			r.Header.Set("Accept-Language", tt.accept)
			if got := Lang(r, tt.locales); got != tt.want {
				t.Errorf("given directly: %s, want %s", got, tt.want)
			}
			if got := Lang(WithUILocales(r, tt.locales), nil); got != tt.want {
				t.Errorf("carried by the request: %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTheClickedLanguageStays(t *testing.T) {
	u := mustNew(t)
	r := httptest.NewRequest(http.MethodGet, "/login/a?lang=en&x=1", nil)
	r.Header.Set("Accept-Language", "ja")
	w := httptest.NewRecorder()
	u.Render(w, r, http.StatusOK, samples("Aoba")["login"])
	body := w.Body.String()
	for _, want := range []string{`action="/login/a/start?lang=en"`, `href="?lang=ja&amp;x=1"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if got := w.Header().Get("Content-Language"); got != "en" {
		t.Errorf("Content-Language %s", got)
	}
}

func TestKeepLang(t *testing.T) {
	tests := []struct{ name, url, target, want string }{
		{"no click, no change", "/", "/login/a", "/login/a"},
		{"a path of ours", "/?lang=en", "/login/a", "/login/a?lang=en"},
		{"a path with a query", "/?lang=en", "/login/a?b=c", "/login/a?b=c&lang=en"},
		{"another site's URL is left alone", "/?lang=en", "https://shop.example/?code=x", "https://shop.example/?code=x"},
		{"another site's URL without a scheme too", "/?lang=en", "//shop.example/", "//shop.example/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tt.url, nil)
			if got := KeepLang(r, tt.target); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTheOtherLanguageIsOfferedOnlyWhereAskingAgainIsHarmless(t *testing.T) {
	u := mustNew(t)
	offered := func(method string, page Page) bool {
		w := httptest.NewRecorder()
		u.Render(w, httptest.NewRequest(method, "/login/a", nil), http.StatusOK, page)
		return strings.Contains(w.Body.String(), "hreflang")
	}
	pages := samples("Aoba")
	if !offered(http.MethodGet, pages["login"]) {
		t.Error("the login page offers it")
	}
	if offered(http.MethodPost, pages["login"]) || offered(http.MethodGet, pages["error"]) || offered(http.MethodGet, pages["formpost"]) {
		t.Error("a page that cannot be asked for again offers it")
	}
}

func FuzzLang(f *testing.F) {
	f.Add("ja,en;q=0.5", "en-US")
	f.Add("*", "x-private")
	f.Add("und-Latn-u-co-phonebk;q=1.2", "")
	f.Fuzz(func(t *testing.T, accept, locale string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Accept-Language"] = []string{accept}
		if got := Lang(r, []string{locale}); !slices.Contains(Langs, got) {
			t.Errorf("%q is not a language of ours", got)
		}
	})
}
