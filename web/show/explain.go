package show

import (
	"errors"
	"html/template"
	"net/http"
	"strings"

	"tegata/idp"
	"tegata/idp/developer"
	"tegata/web/ui"
)

// developerCookie holds a note of idp/developer: whose mistakes are explained in this browser.
const developerCookie = "dv"

// Explain turns a link of the operator's into a cookie, and says whether the link was good. The cookie opens nothing but
// explanations, so a browser that got it by somebody's trick has lost nothing.
func (s *Show) Explain(w http.ResponseWriter, link string) bool {
	now := s.Now()
	client, ok := s.Developers.Client(developer.Link, link, now)
	if ok {
		http.SetCookie(w, s.cookie(developerCookie, s.Developers.Sign(developer.Cookie, client, now.Add(developer.CookieLife))))
	}
	return ok
}

// explanation is what this browser may see of an error besides the page for everybody; nil for nothing.
func (s *Show) explanation(r *http.Request, err error) *ui.Explanation {
	var e idp.Explained
	if !errors.As(err, &e) {
		return nil
	}
	c, missing := r.Cookie(s.name(developerCookie))
	if missing != nil {
		return nil
	}
	client, ok := s.Developers.Client(developer.Cookie, c.Value, s.Now())
	if !ok || client != e.Client {
		return nil
	}
	if strings.HasSuffix(e.Field, "redirect_uri") {
		return ui.Explain(e.Client, e.Field, e.Got, e.Registered)
	}
	return ui.Unmarked(e.Client, e.Field, e.Got, e.Member, e.Registered)
}

// stopped shows an error on its way to the relying party to that party's own developer, who sends it on with a click; it
// says whether it did. For everybody else the answer goes on as it is.
func (s *Show) stopped(w http.ResponseWriter, r *http.Request, step idp.Step) bool {
	if step.Why == nil {
		return false
	}
	explain := s.explanation(r, *step.Why)
	if explain == nil {
		return false
	}
	explain.Onward = &ui.Onward{URL: template.URL(answerURL(step.Answer))} //nolint:gosec // G203: it is registered, and so of no scheme that runs anything
	if step.Answer.Mode == "form_post" {
		explain.Onward = &ui.Onward{Action: step.Answer.RedirectURI, Fields: step.Answer.Params}
	}
	s.drawn(w, r, step.Err, ui.ErrorPage{Explain: explain})
	return true
}
