package ui

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// view is what the layout sees: the page and what this request adds to it.
type view struct {
	Page   Page
	Name   string
	Lang   string
	Script string
	Reader bool
	Wide   bool
	Switch bool    // the other languages are on offer
	Others []other // how they can be had, where the page has a query; without one it is everywhere the same

	clicked string
}

// other is a language in which the same page can be had.
type other struct {
	Lang string
	Name string // in that language
	URL  string // relative
}

func newView(r *http.Request, page Page, s spec, name func(lang string) string) view {
	v := view{
		Page: page, Name: s.name, Lang: Lang(r, nil), Script: s.script,
		Reader: s.reader, Wide: s.wide, clicked: Clicked(r),
	}
	v.Switch = s.repeatable && r.Method == http.MethodGet
	if v.Switch && r.URL.RawQuery != "" {
		query := r.URL.Query()
		for _, lang := range Langs {
			if lang != v.Lang {
				query.Set("lang", lang)
				v.Others = append(v.Others, other{lang, name(lang), "?" + query.Encode()})
			}
		}
	}
	return v
}

// Keep returns one of our own URLs with the language that the person clicked, if any.
func (v view) Keep(target string) string {
	if v.clicked == "" {
		return target
	}
	return addLang(target, v.clicked)
}

// KeepLang returns target, a path of this server, with the ?lang= of r when there is one: a
// handler that redirects keeps the language which the person has clicked.
func KeepLang(r *http.Request, target string) string {
	return view{clicked: Clicked(r)}.Keep(target)
}

func addLang(target, lang string) string {
	u, err := url.Parse(target)
	if err != nil || u.IsAbs() || u.Host != "" {
		return target
	}
	query := u.Query()
	query.Set("lang", lang)
	u.RawQuery = query.Encode()
	return u.String()
}

// web says whether a link may be shown: http(s), or a path of ours. A native app's own scheme has
// no page to go back to.
func web(link string) bool {
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return false
	}
	return u.Scheme == "http" || u.Scheme == "https" || (u.Scheme == "" && u.Host == "" && strings.HasPrefix(link, "/"))
}

// Civil time in Japan has had no daylight saving since 1951, so no zone database is needed.
var japan = time.FixedZone("JST", 9*60*60)

// moment is a point in time for people, to the minute.
func (s *speaker) moment(t time.Time) string {
	t = t.In(japan)
	return s.say("moment", map[string]any{
		"Year": t.Year(), "Month": int(t.Month()), "MonthName": t.Month().String(), "Day": t.Day(), "Time": t.Format("15:04")})
}

func jst(t time.Time) string {
	return t.In(japan).Format("2006-01-02 15:04:05 MST")
}
