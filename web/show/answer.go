package show

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"tegata/idp"
	"tegata/web/ui"
)

// answer sends an authorization response in the mode that was asked for.
func (s *Show) answer(w http.ResponseWriter, r *http.Request, step idp.Step) {
	a := step.Answer
	switch a.Mode {
	case "form_post":
		r = ui.WithUILocales(r, step.Login.Request.UILocales)
		s.UI.Render(w, r, http.StatusOK, ui.FormPostPage{RPName: Name(step.Client, ui.Lang(r, nil)), Action: a.RedirectURI, Fields: a.Params})
	default:
		SeeOther(w, r, answerURL(a))
	}
}

// answerURL is an answer as an address.
func answerURL(a idp.Answer) string {
	if a.Mode == "fragment" {
		return a.RedirectURI + "#" + encode(a.Params)
	}
	return idp.AddQuery(a.RedirectURI, encode(a.Params))
}

// encode keeps the order of params, which url.Values would not.
func encode(params [][2]string) string {
	parts := make([]string, 0, len(params))
	for _, p := range params {
		parts = append(parts, url.QueryEscape(p[0])+"="+url.QueryEscape(p[1]))
	}
	return strings.Join(parts, "&")
}

// Speak has the pages for a request speak as its relying party wishes.
func (s *Show) Speak(r *http.Request, locales []string) *http.Request {
	return ui.WithUILocales(r, locales)
}

// SignOut asks before a session ends, or confirms that it has.
func (s *Show) SignOut(w http.ResponseWriter, r *http.Request, l idp.Logout, step idp.LogoutStep) {
	r = ui.WithUILocales(r, l.UILocales)
	name := Name(step.Client, ui.Lang(r, nil))
	switch {
	case step.Again:
		s.UI.Render(w, r, http.StatusOK, ui.SignOutPage{RPName: name, Action: "/end_session", Relay: true, FormTargets: targets(l.RedirectURI), Fields: fields(l)})
	case step.Ask:
		s.UI.Render(w, r, http.StatusOK, ui.SignOutPage{RPName: name, Action: "/signout", FormTargets: targets(l.RedirectURI), Fields: fields(l)})
	case step.Go != "" && len(step.Frames) == 0:
		s.DropSession(w)
		SeeOther(w, r, step.Go)
	default:
		s.DropSession(w)
		s.UI.Render(w, r, http.StatusOK, ui.SignedOutPage{RPName: name, ReturnURL: step.Client.URI,
			ContinueURL: template.URL(step.Go), Frames: step.Frames}) //nolint:gosec // G203: it is registered, and so of no scheme that runs anything
	}
}

// fields carry a logout through a page of ours.
func fields(l idp.Logout) [][2]string {
	return [][2]string{{"id_token_hint", l.Hint}, {"client_id", l.ClientID}, {"post_logout_redirect_uri", l.RedirectURI}, {"state", l.State},
		{"ui_locales", strings.Join(l.UILocales, " ")}}
}
