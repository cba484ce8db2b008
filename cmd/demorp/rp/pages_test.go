package rp

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestBothLanguagesHaveTheSameSentences(t *testing.T) {
	p, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	ja, en := slices.Sorted(maps.Keys(p.sentences["ja"])), slices.Sorted(maps.Keys(p.sentences["en"]))
	if !slices.Equal(ja, en) {
		t.Fatalf("ja and en differ:\n%v\n%v", ja, en)
	}
	for lang, sentences := range p.sentences {
		for key, s := range sentences {
			if s == "" {
				t.Errorf("%s has an empty %s", lang, key)
			}
		}
	}
}

// Every code that the source can refuse with has a page in both languages, and so has every verdict.
func TestEveryErrorAndVerdictHasItsPage(t *testing.T) {
	p, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^error\.([a-z_0-9]+)\.title$`)
	for _, lang := range languages {
		for k := range p.sentences[lang] {
			m := key.FindStringSubmatch(k)
			if m == nil {
				continue
			}
			var b bytes.Buffer
			if err := p.templates[lang].ExecuteTemplate(&b, "error.html", view{Lang: lang, Code: m[1]}); err != nil {
				t.Error(err)
			}
		}
		for _, code := range ownCodes {
			if _, ok := p.sentences[lang]["error."+code+".title"]; !ok {
				t.Errorf("%s has no page for %s", lang, code)
			}
		}
		for _, v := range []string{"result.age_over_18.yes", "result.age_over_18.no", "result.age_over_20.yes", "result.age_over_20.no", "result.age_unknown", "result.login", "result.profile", "result.profile.partial"} {
			var b bytes.Buffer
			if err := p.templates[lang].ExecuteTemplate(&b, "result.html", view{Lang: lang, Result: &result{Verdict: v}}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOwnCodesListsEveryRefusalOfTheSource(t *testing.T) {
	refusal := regexp.MustCompile(`refuse\("([a-z_]+)"|Code: "([a-z_]+)"|code: "([a-z_]+)"|code = "([a-z_]+)"`)
	sources, err := filepath.Glob("[a-z]*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range refusal.FindAllStringSubmatch(string(text), -1) {
			used[m[1]+m[2]+m[3]+m[4]] = true
		}
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, ownCodes) {
		t.Fatalf("the source refuses with\n%v, ownCodes has\n%v", got, ownCodes)
	}
}

func TestOverHTTPSCookiesAreBoundToTheHost(t *testing.T) {
	h, err := New(t.Context(), Config{Issuer: "https://op.example", ClientID: "shop", BaseURL: "https://shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://shop.example/logout", nil))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	if cookies[0].MaxAge >= 0 {
		t.Errorf("logging out leaves the cookie: %+v", cookies[0])
	}
	if c := cookies[0]; c.Name != "__Host-shop_customer" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Fatalf("cookie %+v", c)
	}
}
