package ui

import (
	"context"
	"net/http"

	"golang.org/x/text/language"
)

// Langs are the languages of the pages as BCP 47 tags; the first is the default.
var Langs = []string{"ja", Easy, "en"}

// Easy is plain Japanese for people who learn it: short sentences, and readings behind the characters.
const Easy = "ja-Hira"

var matcher = language.NewMatcher(tags())

func tags() []language.Tag {
	tags := make([]language.Tag, len(Langs))
	for i, lang := range Langs {
		tags[i] = language.MustParse(lang)
	}
	return tags
}

// Lang chooses the language of a page: the person's own click (?lang=), then what the relying
// party asked for (ui_locales, OIDC Core 3.1.2.1), then Accept-Language, then Japanese.
// Locales given to WithUILocales count like uiLocales when uiLocales is empty.
func Lang(r *http.Request, uiLocales []string) string {
	if lang := Clicked(r); lang != "" {
		return lang
	}
	if len(uiLocales) == 0 {
		if lang, ok := r.Context().Value(langKey{}).(string); ok {
			return lang
		}
	}
	for _, locale := range uiLocales {
		if tag, err := language.Parse(locale); err == nil {
			if lang := match(tag); lang != "" {
				return lang
			}
		}
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return Langs[0]
	}
	if lang := match(tags...); lang != "" {
		return lang
	}
	return Langs[0]
}

type langKey struct{}

// WithUILocales returns r carrying the language that it has with the ui_locales of its login, so that Render speaks it too.
func WithUILocales(r *http.Request, uiLocales []string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), langKey{}, Lang(r, uiLocales)))
}

// Clicked gives the language of ?lang=, or "" if there is none that we speak.
func Clicked(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	asked := r.URL.Query().Get("lang")
	for _, lang := range Langs {
		if asked == lang {
			return lang
		}
	}
	return ""
}

// match gives the best of Langs for the tags, or "" if none is understood.
func match(tags ...language.Tag) string {
	_, i, confidence := matcher.Match(tags...)
	if len(tags) == 0 || confidence == language.No {
		return ""
	}
	return Langs[i]
}
