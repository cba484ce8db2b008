package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// visit logs a person in to her own pages with her card.
func visit(t *testing.T, w *idptest.World, b *idptest.Browser, persona string) idptest.Page {
	t.Helper()
	p := b.Submit(b.Get("/me").Form("/me/login"))
	if p = b.Submit(p.Form("/start")); p.Launch == "" {
		t.Fatalf("no launch link: %d %s %s", p.Status, p.URL.Path, p.Code)
	}
	code, err := w.UseCard(p.Launch, persona)
	if err != nil {
		t.Fatal(err)
	}
	if p = b.Get("/login/return/" + code); p.URL.Path != "/me" || p.Away != nil || p.Status != http.StatusOK {
		t.Fatalf("after the card: %d %s %s, away %v", p.Status, p.URL.Path, p.Code, p.Away)
	}
	return p
}

// silently asks for an answer without a page.
func silently(w *idptest.World, b *idptest.Browser, rp *idptest.RP) url.Values {
	r := rp.Request("prompt=none")
	return w.Answered(b.Get(r.URL()), r)
}

// asked are the questions that a page leads to, by act.
func asked(p idptest.Page, act string) []string {
	var found []string
	for _, part := range strings.Split(p.Body, `href="/me/ask/`+act)[1:] {
		rest, _, _ := strings.Cut(part, `"`)
		if rest == "" || rest[0] == '?' {
			found = append(found, "/me/ask/"+act+strings.ReplaceAll(rest, "&amp;", "&"))
		}
	}
	return found
}

// decide answers a question with yes.
func decide(t *testing.T, b *idptest.Browser, question, act string) idptest.Page {
	t.Helper()
	p := b.Get(question)
	f := p.Form("/me/" + act)
	if f.Action == "" {
		t.Fatalf("%s does not ask: %d %s", question, p.Status, p.Code)
	}
	return b.Submit(f)
}

func TestOwnPagesNeedTheCardAndTellNobody(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid"})
	b := w.NewBrowser()
	if p := b.Get("/me"); p.Status != http.StatusOK || len(asked(p, "end")) > 0 {
		t.Errorf("a stranger sees %d %s", p.Status, p.Body)
	}
	for _, path := range []string{"/me/ask/end-all", "/me/ask/end?id=x"} {
		if p := b.Get(path); p.URL.Path != "/me" || p.Form("/me/login").Action == "" {
			t.Errorf("%s shows a stranger %s", path, p.URL)
		}
	}
	if p := b.Get("/me/ask/nothing"); p.Code != "not_found" {
		t.Errorf("an act that is none: %s", p.Code)
	}
	p := visit(t, w, b, "taro")
	if len(asked(p, "end")) != 1 {
		t.Errorf("the page lists %v", asked(p, "end"))
	}
	// The session is like any other: with it the shop still asks before it gets anything.
	if got := silently(w, b, shop); got.Get("error") != "consent_required" {
		t.Errorf("the shop hears %v", got)
	}
	// Nobody can speak as the provider's own pages.
	for _, id := range []string{"own%20pages", "own+pages"} {
		if p := b.Get("/authorize?client_id=" + id + "&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(w.Issuer)); p.Code != "client_unknown" {
			t.Errorf("a request as %s: %d %s", id, p.Status, p.Code)
		}
	}
}

func TestGivingUpOnTheWayLeadsBack(t *testing.T) {
	w := open(t)
	b := w.NewBrowser()
	p := b.Submit(b.Get("/me").Form("/me/login"))
	if p = b.Submit(p.Form("/cancel")); p.URL.Path != "/me" || p.Away != nil {
		t.Errorf("cancelled: %s, away %v", p.URL, p.Away)
	}
	p = b.Submit(b.Get("/me").Form("/me/login"))
	p = b.Submit(p.Form("/start"))
	if _, err := w.UseCard(p.Launch, "revoked"); err == nil {
		t.Fatal("a revoked card is taken")
	}
	if p = b.Get(p.URL.Path); p.Code != "certificate_revoked" {
		t.Fatalf("%d %s", p.Status, p.Code)
	}
	if p = b.Get(p.URL.Path + "/leave"); p.URL.Path != "/me" || p.Away != nil {
		t.Errorf("after a refusal: %s, away %v", p.URL, p.Away)
	}
}

func TestAPersonEndsHerSessionsAtOnce(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	home, office, other := w.NewBrowser(), w.NewBrowser(), w.NewBrowser()
	w.Login(home, shop.Request(), "taro")
	w.Login(office, shop.Request(), "taro")
	w.Login(other, shop.Request(), "jiro17")

	theirs := asked(other.Get("/me"), "end")
	mine := asked(home.Get("/me"), "end")
	if len(mine) != 2 || len(theirs) != 1 {
		t.Fatalf("%v and %v", mine, theirs)
	}
	if p := home.Get(theirs[0]); p.Code != "not_found" {
		t.Errorf("somebody else's session: %d %s", p.Status, p.Code)
	}
	id := strings.TrimPrefix(theirs[0], "/me/ask/end?id=")
	if p := home.Post("/me/end", url.Values{"id": {id}}); p.Code != "not_found" {
		t.Errorf("ending somebody else's session: %d %s", p.Status, p.Code)
	}
	if got := silently(w, other, shop); got.Get("code") == "" {
		t.Errorf("the other person is out: %v", got)
	}
	// What stands in the form opens no session.
	thief := w.NewBrowser()
	thief.SetCookie("ss", id)
	if p := thief.Get("/me"); p.Form("/me/login").Action == "" {
		t.Error("the name of a session is its key")
	}

	for _, question := range mine {
		if p := home.Get(question); !strings.Contains(p.Body, "/me/end") {
			t.Errorf("%s: %d", question, p.Status)
		}
	}
	before := asked(office.Get("/me"), "end")
	decide(t, office, currentOf(t, office, before), "end")
	if got := silently(w, office, shop); got.Get("error") != "login_required" {
		t.Errorf("the ended session answers: %v", got)
	}
	if got := silently(w, home, shop); got.Get("code") == "" {
		t.Errorf("the other session is gone too: %v", got)
	}
	w.Login(office, shop.Request(), "taro")
	if p := decide(t, home, "/me/ask/end-all", "end-all"); p.Form("/me/login").Action == "" {
		t.Errorf("still in: %d %s", p.Status, p.URL)
	}
	for name, b := range map[string]*idptest.Browser{"home": home, "office": office} {
		if got := silently(w, b, shop); got.Get("error") != "login_required" {
			t.Errorf("%s answers: %v", name, got)
		}
	}
	if got := silently(w, other, shop); got.Get("code") == "" {
		t.Errorf("everywhere is also somebody else's: %v", got)
	}
}

// currentOf is the question about the browser's own session, which its page marks.
func currentOf(t *testing.T, b *idptest.Browser, questions []string) string {
	t.Helper()
	p := b.Get("/me?lang=en")
	_, after, ok := strings.Cut(p.Body, "this one")
	if !ok {
		t.Fatal("no session is the current one")
	}
	for _, q := range questions {
		if at := strings.Index(after, strings.TrimPrefix(q, "/me/ask/end?id=")); at >= 0 && !strings.Contains(after[:at], "row-name") {
			return q
		}
	}
	t.Fatal("the current session has no question")
	return ""
}
