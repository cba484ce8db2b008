// Package ui owns how the pages look and what they say: templates, style, sentences in every
// language, and the headers that keep a page from doing more than it must.
// It refuses to know routes and their logic, databases, sessions and protocols: a page is a
// struct that somebody else has filled.
package ui

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
)

//go:embed templates/*.html
var templates embed.FS

// UI draws pages. It is safe for concurrent use.
type UI struct {
	Log *slog.Logger // hears of a template that cannot be drawn; never of what is on a page

	speakers map[string]*speaker
	pages    map[string]map[string]*template.Template // language, then page name
	assets   *assets
}

// Page is one of the page structs of this package.
type Page interface {
	spec() spec
}

// spec says which template draws a page and what the browser must allow it to do.
type spec struct {
	name       string   // templates/<name>.html
	script     string   // a file of static/, or ""
	listens    bool     // the page follows server-sent events
	targets    []string // URLs outside this origin at which a form of the page may end
	frames     []string // URLs of other origins that the page loads, unseen
	repeatable bool     // asking for the page again is harmless, so it offers the other language
	reader     bool     // drawn as the sandbox's card reader, not as the provider
	wide       bool     // two columns or a grid where there is room
	crossPost  bool     // the form goes to another origin, which may want to see ours
}

var everyPage = []Page{
	LoginPage{}, WaitPage{}, ConsentPage{}, ErrorPage{}, SignOutPage{}, SignedOutPage{},
	LatestPage{}, FormPostPage{}, MessagePage{}, OwnSignInPage{}, OwnPage{}, OwnAskPage{}, CardPickPage{}, CardPINPage{}, CardDonePage{},
}

// New loads sentences, templates and static files. An error means that the build is broken.
func New() (*UI, error) {
	u := &UI{Log: slog.Default(), pages: map[string]map[string]*template.Template{}}
	var err error
	if u.speakers, err = loadSpeakers(); err != nil {
		return nil, err
	}
	if u.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	for lang, s := range u.speakers {
		if u.pages[lang], err = u.parsePages(s); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (u *UI) parsePages(s *speaker) (map[string]*template.Template, error) {
	funcs := template.FuncMap{
		"asset": u.assets.path, "t": s.pairs, "has": s.has, "value": s.value, "item": s.item, "itemNote": s.itemNote, "tame": tameString, "tries": s.tries, "progress": s.progress, "moment": s.moment,
		"web": web, "jst": jst,
	}
	base := template.New("layout").Funcs(funcs).Option("missingkey=error")
	for _, name := range []string{"layout", "parts"} {
		if err := u.parsePage(base, name, s); err != nil {
			return nil, err
		}
	}
	pages := map[string]*template.Template{}
	for _, p := range everyPage {
		name := p.spec().name
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if err := u.parsePage(t, name, s); err != nil {
			return nil, err
		}
		pages[name] = t
	}
	return pages, nil
}

// parsePage adds templates/<name>.html to t.
func (u *UI) parsePage(t *template.Template, name string, s *speaker) error {
	source, err := templates.ReadFile("templates/" + name + ".html")
	if err != nil {
		return err
	}
	_, err = t.New(name + ".html").Parse(u.folded(string(source), s))
	return err
}

// usualSize is a little more than what most pages have.
const usualSize = 8 << 10

// Render writes the page with every header it needs, in the language of Lang.
// It answers a plain 500 if the page cannot be drawn; nothing is sent before that is known.
func (u *UI) Render(w http.ResponseWriter, r *http.Request, status int, page Page) {
	s := page.spec()
	v := newView(r, page, s, u.nameOf)
	var body bytes.Buffer
	body.Grow(usualSize)
	if err := u.pages[v.Lang][s.name].ExecuteTemplate(&body, "layout", v); err != nil {
		u.Log.ErrorContext(r.Context(), "page cannot be drawn", "page", s.name) // the error may quote the page's data
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	setHeaders(w.Header(), s, v.Lang)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len())) // net/http would cut a page into chunks
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the reader is gone: nobody is left to tell
}
