package show

import (
	"net/http"
	"time"

	"tegata/claims"
	"tegata/idp"
	"tegata/web/ui"
)

// Latest draws the question that follows a consent. It is the answer to a form and has no address of its own: whoever loads
// the login again sees the consent page.
func (s *Show) Latest(w http.ResponseWriter, r *http.Request, step idp.Step) {
	r = ui.WithUILocales(r, step.Login.Request.UILocales)
	s.UI.Render(w, r, http.StatusOK, s.latestPage(step, ui.Lang(r, nil)))
}

func (s *Show) latestPage(step idp.Step, lang string) ui.LatestPage {
	q := step.Latest
	p := ui.LatestPage{
		RPName: Name(step.Client, lang), RPHost: host(step.Login.Request.RedirectURI), Purpose: Purpose(step.Client, lang),
		Until: q.Until.Format(time.DateOnly), Said: q.Said.Items, Remember: q.Said.Remember, Texts: s.UI.Texts(lang),
		Action: LoginPath(step.Login.ID) + "/consent", FormTargets: targets(step.Login.Request.RedirectURI),
	}
	if !q.Earlier.IsZero() {
		p.Earlier = q.Earlier.Format(time.DateOnly)
	}
	for _, i := range q.Items {
		p.Items = append(p.Items, ui.ItemLine{Key: i, Purpose: itemPurpose(step.Client, claims.Item(i), lang)})
	}
	return p
}
