package rp

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/language"
)

//go:embed pages locale
var files embed.FS

// Languages in order of preference: who asks for neither gets the first.
var languages = []string{"ja", "en"}

// pages holds the templates and sentences of each language.
type pages struct {
	matcher   language.Matcher
	sentences map[string]map[string]string
	templates map[string]*template.Template
}

// view is what a template may use. Fields that a page does not need stay empty.
type view struct {
	Lang      string
	Path      string
	Issuer    string
	Asks      []ask
	LoggedOut bool
	Told      bool   // it was the provider who said so
	Code      string // of the error page
	Result    *result
}

func loadPages() (pages, error) {
	p := pages{sentences: map[string]map[string]string{}, templates: map[string]*template.Template{}}
	var tags []language.Tag
	for _, lang := range languages {
		tags = append(tags, language.MustParse(lang))
		text, err := files.ReadFile("locale/" + lang + ".json")
		if err != nil {
			return pages{}, err
		}
		var sentences map[string]string
		if err := json.Unmarshal(text, &sentences); err != nil {
			return pages{}, fmt.Errorf("locale %s: %w", lang, err)
		}
		p.sentences[lang] = sentences
		t, err := template.New("").Funcs(template.FuncMap{"t": p.sentence(lang)}).ParseFS(files, "pages/*.html")
		if err != nil {
			return pages{}, err
		}
		p.templates[lang] = t
	}
	p.matcher = language.NewMatcher(tags)
	return p, nil
}

// sentence makes the t function of templates. A missing sentence is an error, never an empty page.
func (p pages) sentence(lang string) func(string) (string, error) {
	return func(key string) (string, error) {
		if s, ok := p.sentences[lang][key]; ok {
			return s, nil
		}
		return "", fmt.Errorf("no sentence %q in %s", key, lang)
	}
}

// say returns the sentence of key, or fallback for keys that foreign data made.
func (p pages) say(lang, key, fallback string) string {
	if s, ok := p.sentences[lang][key]; ok {
		return s
	}
	return fallback
}

// refusedBy maps the provider's error code to ours. The code arrives in a URL: one that we have no
// sentence for is not repeated on the page.
func (p pages) refusedBy(code string) error {
	if _, ok := p.sentences[languages[0]]["error."+code+".title"]; !ok || slices.Contains(ownCodes, code) {
		code = "provider_error"
	}
	return refuse(code, http.StatusForbidden, nil)
}

// ownCodes are the refusals that this package makes itself: a URL cannot claim them.
var ownCodes = []string{
	"ask_unknown", "attempt_unknown", "cookie_missing", "exchange_failed", "internal", "issuer_mismatch", "nonce_mismatch",
	"not_found", "provider_error", "provider_unreachable", "subject_mismatch", "token_invalid", "userinfo_failed",
}

// language chooses by ?lang=, then by the choice remembered from it, then by the browser's preference.
func (p pages) language(r *http.Request) string {
	wishes := []string{r.URL.Query().Get("lang")}
	if c, err := r.Cookie(languageCookie); err == nil {
		wishes = append(wishes, c.Value)
	}
	_, i := language.MatchStrings(p.matcher, append(wishes, r.Header.Get("Accept-Language"))...)
	return languages[i]
}

const languageCookie = "shop_lang" // a preference, not a secret

// show renders into memory first: a broken template must not leave half a page.
func (s *shop) show(w http.ResponseWriter, r *http.Request, status int, page string, v view) {
	v.Lang, v.Path, v.Issuer, v.Asks = s.pages.language(r), r.URL.Path, s.cfg.Issuer, asks
	if r.URL.Path == callbackPath {
		v.Path = "/" // the language switch must not repeat a callback
	}
	if r.URL.Query().Has("lang") {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: v.Lang, Path: "/", MaxAge: int(365 * 24 * time.Hour / time.Second), SameSite: http.SameSiteLaxMode, HttpOnly: true, Secure: s.origin.Scheme == "https"})
	}
	var body bytes.Buffer
	if err := s.pages.templates[v.Lang].ExecuteTemplate(&body, page+".html", v); err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "page not rendered", "page", page, "cause", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the reader may be gone: nobody is left to tell
}

func (s *shop) home(w http.ResponseWriter, r *http.Request) {
	_, goodbye := s.goodbyes.take(r.URL.Query().Get("state"))
	s.show(w, r, http.StatusOK, "home", view{LoggedOut: goodbye, Told: s.wasDismissed(r)})
}

func (s *shop) nowhere(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusNotFound, "error", view{Code: "not_found"})
}

func asset(name, contentType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "max-age=300")
		http.ServeFileFS(w, r, files, "pages/"+name)
	})
}
