package show

import (
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
	case "fragment":
		SeeOther(w, r, a.RedirectURI+"#"+encode(a.Params))
	default:
		SeeOther(w, r, withQuery(a.RedirectURI, encode(a.Params)))
	}
}

// encode keeps the order of params, which url.Values would not.
func encode(params [][2]string) string {
	parts := make([]string, 0, len(params))
	for _, p := range params {
		parts = append(parts, url.QueryEscape(p[0])+"="+url.QueryEscape(p[1]))
	}
	return strings.Join(parts, "&")
}

// withQuery adds to the query that the registered redirect URI already has, byte for byte (RFC 6749 3.1.2).
func withQuery(uri, query string) string {
	switch {
	case !strings.Contains(uri, "?"):
		return uri + "?" + query
	case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
		return uri + query
	}
	return uri + "&" + query
}

// SignOut asks before a session ends, or confirms that it has.
func (s *Show) SignOut(w http.ResponseWriter, r *http.Request, l idp.Logout, step idp.LogoutStep) {
	switch {
	case step.Ask:
		s.UI.Render(w, r, http.StatusOK, ui.SignOutPage{
			RPName: Name(step.Client, ui.Lang(r, nil)), Action: "/signout", FormTargets: targets(l.RedirectURI),
			Fields: [][2]string{{"id_token_hint", l.Hint}, {"client_id", l.ClientID}, {"post_logout_redirect_uri", l.RedirectURI}, {"state", l.State}},
		})
	case step.Go != "":
		s.DropSession(w)
		SeeOther(w, r, step.Go)
	default:
		s.DropSession(w)
		s.UI.Render(w, r, http.StatusOK, ui.SignedOutPage{RPName: Name(step.Client, ui.Lang(r, nil)), ReturnURL: step.Client.URI})
	}
}
