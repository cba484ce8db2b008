package op

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tegata/authn/fail"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/storage"
)

// Pages is how the front channel reaches people; web implements it.
type Pages interface {
	// Browser reads the request's cookies and gives the browser its secret if it has none.
	Browser(w http.ResponseWriter, r *http.Request) idp.Browser
	// Step shows what comes next, or sends the answer.
	Step(w http.ResponseWriter, r *http.Request, s idp.Step)
	// Speak has the pages for a request speak as its relying party wishes (ui_locales, best first).
	Speak(r *http.Request, locales []string) *http.Request
	// Error shows a coded error.
	Error(w http.ResponseWriter, r *http.Request, err error)
	// SignOut asks, or says that it is done.
	SignOut(w http.ResponseWriter, r *http.Request, l idp.Logout, s idp.LogoutStep)
}

type front struct {
	idp   *idp.Provider
	pages Pages
	desk  *desk
}

// authorize is the authorization endpoint, GET and POST (OIDC Core 3.1.2.1). An error goes to the relying party exactly
// when its redirect URI is trusted, and to the person in front of the screen otherwise.
func (f *front) authorize(w http.ResponseWriter, r *http.Request) {
	v, err := params(w, r)
	if err != nil {
		f.pages.Error(w, r, err)
		return
	}
	r = f.wish(r, v)
	id, err := single(v, "client_id")
	if err != nil {
		f.pages.Error(w, r, err)
		return
	}
	c, err := f.idp.Client(r.Context(), id)
	if err == nil && viaRealm(r.Context()) != clients.DAA(c) { // its answer would come from an issuer it did not ask
		err = fail.ClientUnknown
	}
	if err != nil {
		f.pages.Error(w, r, err)
		return
	}
	asked, pushed, err := f.desk.source(r.Context(), v, c)
	if err != nil {
		f.refuseOutside(w, r, c, v, err)
		return
	}
	r = f.wish(r, asked)
	uri, err := redirectOf(asked, c)
	if err != nil {
		f.show(w, r, c, asked, err)
		return
	}
	req, err := requestOf(asked, c, uri)
	if err != nil {
		f.refuse(w, r, c, req, asked, err)
		return
	}
	if idp.Encrypted(asked.Get("id_token_hint")) { // nobody but its receiver can open it (OIDC Core 3.1.2.1)
		f.refuse(w, r, c, req, asked, fail.HintEncrypted.At("id_token_hint"))
		return
	}
	req.Subject, req.Pushed = f.hintSubject(asked, c), pushed
	step, err := f.idp.Begin(r.Context(), c, req, f.pages.Browser(w, r))
	if err != nil {
		f.refuse(w, r, c, req, asked, err)
		return
	}
	if step.Show == idp.ShowAnswer && step.Err != nil {
		step.Why = f.why(r, c, asked, step.Err)
	}
	f.pages.Step(w, r, step)
}

// wish has error pages speak the language that the request wishes for (OIDC Core 3.1.2.1), whatever is wrong with the rest.
func (f *front) wish(r *http.Request, v url.Values) *http.Request {
	if tags := languages(v.Get("ui_locales")); len(tags) > 0 {
		return f.pages.Speak(r, tags)
	}
	return r
}

// refuse tells the relying party why not, at an address that is known to be its own.
func (f *front) refuse(w http.ResponseWriter, r *http.Request, c storage.Client, req storage.AuthRequest, v url.Values, err error) {
	e, why := fail.From(err), f.why(r, c, v, err)
	answer, err := f.idp.Refusal(c, req, e)
	if err != nil {
		f.show(w, r, c, v, err)
		return
	}
	f.pages.Step(w, r, idp.Step{Show: idp.ShowAnswer, Client: c, Err: e, Why: why, Answer: answer})
}

// why explains an error that goes to the relying party. Requests without a page are left alone: nobody looks there.
func (f *front) why(r *http.Request, c storage.Client, v url.Values, err error) *idp.Explained {
	if slices.Contains(strings.Fields(v.Get("prompt")), "none") {
		return nil
	}
	return f.desk.explained(r.Context(), c, v, err)
}

// show is for an error that cannot go to the relying party.
func (f *front) show(w http.ResponseWriter, r *http.Request, c storage.Client, v url.Values, err error) {
	if why := f.desk.explained(r.Context(), c, v, err); why != nil {
		err = *why
	}
	f.pages.Error(w, r, err)
}

// refuseOutside is refuse when the request inside cannot be read: the address outside of it will do, if it is registered
// and spoken to in a way we know. Used and expired request_uris are for the person, who has come back too late.
func (f *front) refuseOutside(w http.ResponseWriter, r *http.Request, c storage.Client, v url.Values, err error) {
	uri, untrusted := redirectOf(v, c)
	if untrusted != nil || errors.Is(err, fail.AlreadyUsed) || errors.Is(err, fail.RequestURIInvalid) {
		f.show(w, r, c, v, err)
		return
	}
	req, _ := addressOf(v, uri) // a second mistake adds nothing
	f.refuse(w, r, c, req, v, err)
}

// hintSubject is whom the relying party expects. A hint that is not ours, or is another client's, says nothing.
func (f *front) hintSubject(v interface{ Get(string) string }, c storage.Client) string {
	if h, ok := f.idp.ParseHint(v.Get("id_token_hint")); ok && h.ClientID == c.ID {
		return h.Subject
	}
	return ""
}

// endSession is RP-initiated logout, GET and POST. Confirmed comes only from our own page's button, which the
// same-origin check in front of the pages guards. logout_hint is taken and not used: a browser has one session, and whoever
// brings no ID token has to be asked anyway (RP-Initiated Logout 1.0 section 2).
func (f *front) endSession(w http.ResponseWriter, r *http.Request) {
	v, err := params(w, r)
	if err != nil {
		f.pages.Error(w, r, err)
		return
	}
	r = f.wish(r, v)
	l := idp.Logout{Foreign: f.foreign(r)}
	var locales, unused string
	for name, into := range map[string]*string{
		"id_token_hint": &l.Hint, "client_id": &l.ClientID, "post_logout_redirect_uri": &l.RedirectURI, "state": &l.State,
		"ui_locales": &locales, "logout_hint": &unused,
	} {
		if *into, err = single(v, name); err != nil {
			f.pages.Error(w, r, fail.LogoutInvalid.At(name))
			return
		}
	}
	l.UILocales = languages(locales)
	step, err := f.idp.EndSession(r.Context(), l, f.pages.Browser(w, r))
	if err != nil {
		f.pages.Error(w, r, err)
		return
	}
	f.pages.SignOut(w, r, l, step)
}

// foreign says that a form of another site's page brought this request. Old browsers do not tell sites apart, but all name
// the origin.
func (f *front) foreign(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "cross-site"
	}
	origin := r.Header.Get("Origin")
	return origin != "" && origin != f.idp.Issuer
}
