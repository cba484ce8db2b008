// Package show turns what idp says comes next into a response: a page, a redirect, the answer for the relying party;
// and it owns the browser's two cookies. Every handler of a login ends here, so the look of a step is decided once.
// It refuses to know what a step means for the login, and how pages are drawn (web/ui).
package show

import (
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/authn/source"
	"tegata/authn/statement"
	"tegata/claims"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/developer"
	"tegata/storage"
	"tegata/web/ui"
)

// Show implements op.Pages.
type Show struct {
	UI             *ui.UI
	Issuer         string
	LaunchTemplate string                 // with {ticket}: tegata:{ticket}
	AsksHolder     bool                   // the authority is asked whether two certificates are of one person
	Audit          func(storage.Incident) // hears of every refusal; nil for nobody
	Developers     developer.Key          // recognises engineers of relying parties; nil: nobody
	Now            func() time.Time
	Rand           io.Reader
	Log            *slog.Logger
}

// LoginPath is the one address of a login, whatever its state.
func LoginPath(id string) string { return "/login/" + id }

// OwnPath is where a person's own pages begin.
const OwnPath = "/me"

// Step sends the browser to the login's own address, or with the answer to the relying party.
func (s *Show) Step(w http.ResponseWriter, r *http.Request, step idp.Step) {
	if step.Cookie != nil {
		s.setSession(w, *step.Cookie)
	}
	if step.Hint != nil {
		s.setHint(w, *step.Hint)
	}
	if step.Show == idp.ShowAnswer {
		Note(r, slog.String("client", step.Client.ID), slog.String("answer", answerWord(step.Answer)))
		if !s.stopped(w, r, step) {
			s.answer(w, r, step)
		}
		return
	}
	if step.Show == idp.ShowOwn {
		SeeOther(w, r, ui.KeepLang(r, OwnPath))
		return
	}
	SeeOther(w, r, ui.KeepLang(r, LoginPath(step.Login.ID)))
}

// Page draws the login where it stands.
func (s *Show) Page(w http.ResponseWriter, r *http.Request, step idp.Step) {
	r = ui.WithUILocales(r, step.Login.Request.UILocales)
	switch step.Show {
	case idp.ShowLogin:
		s.UI.Render(w, r, http.StatusOK, s.loginPage(step, ui.Lang(r, nil)))
	case idp.ShowWait:
		s.UI.Render(w, r, http.StatusOK, s.waitPage(step, ui.Lang(r, nil)))
	case idp.ShowReturn:
		SeeOther(w, r, step.Login.ReturnTo)
	case idp.ShowConsent:
		s.UI.Render(w, r, http.StatusOK, s.consentPage(step, ui.Lang(r, nil)))
	case idp.ShowFailure:
		Note(r, slog.String("client", step.Client.ID))
		s.error(w, r, step.Err, LoginPath(step.Login.ID)+"/leave", "")
	default:
		s.Error(w, r, errors.New("show: a step without a page"))
	}
}

func (s *Show) loginPage(step idp.Step, lang string) ui.LoginPage {
	base := LoginPath(step.Login.ID)
	p := ui.LoginPage{
		RPName: Name(step.Client, lang), RPHost: host(step.Login.Request.RedirectURI), ProviderHost: host(s.Issuer), Purpose: Purpose(step.Client, lang),
		Own: step.Client.ID == idp.Own, OnlyYes: clients.OnlyYes(step.Client), Transient: clients.Transient(step.Client),
		StartAction: base + "/start", CancelAction: base + "/cancel", FormTargets: targets(step.Login.Request.RedirectURI),
	}
	for _, i := range claims.Asked(step.Login.Request.Scopes, step.Login.Request.Items) {
		p.Items = append(p.Items, ui.ItemLine{Key: string(i), Purpose: itemPurpose(step.Client, i, lang)})
	}
	p.Again = step.Login.Progress == authn.CardAgain
	if p.Remembered = step.Login.Request.Recall != ""; p.Remembered {
		p.ForgetAction = base + "/forget"
	} else if len(p.Items) > 0 {
		first, _ := source.Choose(step.Sources, source.Card{Signature: true})
		other, _ := source.Choose(step.Sources, source.Card{})
		p.ReadsSignature, p.ReadsCardInfo = first == statement.SignatureCertificate, first == statement.CardInfo || first == source.Unverified
		p.Unverified = first == source.Unverified
		p.OtherWay, p.AsksHolder = p.ReadsSignature && other != "", s.AsksHolder
		p.Printable = p.ReadsCardInfo && printable(step)
	}
	return p
}

// printable says that the numbers printed on the card would do for its four attributes, and that nobody has chosen them yet.
func printable(step idp.Step) bool {
	return slices.Index(step.Opens, statement.NumberB) > 0
}

func (s *Show) waitPage(step idp.Step, lang string) ui.WaitPage {
	base := LoginPath(step.Login.ID)
	return ui.WaitPage{
		RPName: Name(step.Client, lang), RPHost: host(step.Login.Request.RedirectURI),
		LaunchURL:   template.URL(strings.ReplaceAll(s.LaunchTemplate, "{ticket}", step.Ticket)), // the template is the operator's, the ticket is ours
		Number:      step.Login.Number,
		ProgressKey: s.Progress(step.Login), Tries: step.Login.Tries, Printable: printable(step),
		Events: base + "/events", Refresh: base, RestartAction: base + "/start", CancelAction: base + "/cancel",
		FormTargets: targets(step.Login.Request.RedirectURI),
	}
}

// unseenAfter is when the page starts to help with an agent that does not report.
const unseenAfter = 6 * time.Second

// Progress is the code that the page shows for a login that waits.
func (s *Show) Progress(l storage.Login) string {
	now := s.Now()
	switch {
	case l.State != storage.Waiting:
		return l.Progress
	case !now.Before(l.TicketExpires):
		return "expired"
	case l.TicketExpires.Sub(now) < authn.TicketLife-unseenAfter:
		return "agent_not_seen"
	}
	return l.Progress
}

// japan is where the last day of a certificate ends.
var japan = time.FixedZone("JST", 9*60*60)

func (s *Show) consentPage(step idp.Step, lang string) ui.ConsentPage {
	p := ui.ConsentPage{
		Texts:  s.UI.Texts(lang),
		RPName: Name(step.Client, lang), RPHost: host(step.Login.Request.RedirectURI), Purpose: Purpose(step.Client, lang),
		Action: LoginPath(step.Login.ID) + "/consent", FormTargets: targets(step.Login.Request.RedirectURI),
		Retention: retention(step.Client, lang),
		PolicyURL: clients.In(step.Client, "policy_uri", step.Client.About.PolicyURI, lang),
		TermsURL:  clients.In(step.Client, "tos_uri", step.Client.About.TermsURI, lang),
		OnlyYes:   clients.OnlyYes(step.Client), Transient: clients.Transient(step.Client), Offline: slices.Contains(step.Login.Request.Scopes, claims.ScopeOffline),
		Renewable: step.Renewable, Memorable: step.Memorable,
	}
	if !step.Ends.IsZero() {
		p.CardEnds = step.Ends.In(japan).Format(time.DateOnly)
	}
	if !step.LatestEnds.IsZero() {
		p.LatestEnds = step.LatestEnds.Format(time.DateOnly)
	}
	asked := claims.Asked(step.Login.Request.Scopes, step.Login.Request.Items)
	would := step.Wants.Unconditional().Release(step.Offers, asked)
	for _, o := range step.Offers {
		if line, shown := consentItem(would, o); shown {
			line.Required = !idp.Optional(step.Offers)
			line.Needed = slices.Contains(step.Needed, o.Item)
			line.Purpose, line.ByDay = itemPurpose(step.Client, o.Item, lang), step.Ages[o.Item] == claims.ByDay
			p.Items = append(p.Items, line)
			p.Verified, p.Unverified = p.Verified || line.Verified, p.Unverified || o.Available && o.Unverified
		}
	}
	for _, i := range claims.Catalogue() {
		if !slices.Contains(asked, i) && !i.Predicate() && !i.Coarse() {
			p.NotSent = append(p.NotSent, string(i))
		}
	}
	return p
}

// answerWord is what the log says of an answer: that there is a code, or the OAuth error. Never a value.
func answerWord(a idp.Answer) string {
	if e := a.Get("error"); e != "" {
		return e
	}
	return "code"
}

// host is what a person can compare with an address bar.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw
	}
	return u.Host
}

// Name is what the relying party is called in the reader's language.
func Name(c storage.Client, lang string) string {
	if japanese(lang) && c.NameJa != "" {
		return c.NameJa
	}
	return clients.In(c, "client_name", c.Name, lang)
}

// Purpose is the relying party's own sentence in the reader's language, or the one it has.
func Purpose(c storage.Client, lang string) string { return inLang(lang, c.Purpose, c.PurposeJa) }

// itemPurpose is what the relying party wants one item for, "" where it said nothing of its own.
func itemPurpose(c storage.Client, i claims.Item, lang string) string {
	one := c.Policy.Items[string(i)]
	return inLang(lang, one.Purpose, one.PurposeJa)
}

// retention is what the relying party promises about keeping what it gets.
func retention(c storage.Client, lang string) string {
	return inLang(lang, c.Policy.Retention, c.Policy.RetentionJa)
}

// japanese says whether readers of lang read Japanese.
func japanese(lang string) bool { return lang == "ja" || lang == ui.Easy }

func inLang(lang, en, ja string) string {
	if japanese(lang) && ja != "" || en == "" {
		return ja
	}
	return en
}

// targets are where a form of ours may end. Browsers hold form-action against every redirect that follows, and a relying
// party's callback may send the browser on to another address of its own.
func targets(redirectURI string) []string {
	if strings.HasPrefix(redirectURI, "https://") {
		return []string{redirectURI, ui.AnyHTTPS}
	}
	return []string{redirectURI}
}

// SeeOther is the one redirect of the house: 303, so that a form is never sent on (RFC 9700 4.12).
func SeeOther(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// logLevel is louder for what is our own fault.
func logLevel(e *fail.Error) slog.Level {
	if e.Status >= 500 {
		return slog.LevelError
	}
	return slog.LevelInfo
}
