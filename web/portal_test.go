package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// visit logs a person in to her own pages with her card.
func visit(t *testing.T, w *idptest.World, b *idptest.Browser, persona string) idptest.Page {
	t.Helper()
	door := b.Get("/me").Form("/me/login")
	if door.Action == "" { // who is in uses the card again for what cannot be undone
		door = b.Get("/me/ask/delete").Form("/me/login")
	}
	p := b.Submit(door)
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

func historyOf(t *testing.T, b *idptest.Browser) []map[string]any {
	t.Helper()
	var entries []map[string]any
	p := b.Get("/me/history.json")
	if err := json.Unmarshal([]byte(p.Body), &entries); err != nil {
		t.Fatalf("%d %s: %v", p.Status, p.Body, err)
	}
	return entries
}

func TestTheHistoryNamesWhatWentWhereAtOnce(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid"})
	b, other := w.NewBrowser(), w.NewBrowser()
	w.Login(other, shop.Request(), "jiro17")
	p := w.Present(b, shop.Request(), "taro")
	b.Submit(p.Form("/consent").Without("name"), "decision=allow")
	w.Town.Clock.Advance(time.Minute)
	w.Answer(b, bank.Request())
	w.Town.Clock.Advance(time.Minute)
	p = b.Get(shop.Request("prompt=consent").URL())
	b.Submit(p.Form("/consent"), "decision=deny")

	got := historyOf(t, b)
	want := []struct {
		client, outcome string
		items           []any
	}{{"shop", "declined", []any{}}, {"bank", "signed_in", []any{}}, {"shop", "shared", []any{"age_over_18"}}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i, e := range want {
		if got[i]["client_id"] != e.client || got[i]["outcome"] != e.outcome || !reflect.DeepEqual(got[i]["items"], e.items) || got[i]["time"] == "" {
			t.Errorf("entry %d: %v", i, got[i])
		}
	}
	person := w.Town.Persona(t, "taro")
	page := b.Get("/me?lang=en")
	for _, value := range []string{person.Name, person.Address} {
		if strings.Contains(page.Body, value) || strings.Contains(b.Get("/me/history.json").Body, value) {
			t.Error("the history holds a value")
		}
	}
	if stranger := w.NewBrowser().Get("/me/history.json"); stranger.URL.Path != "/me" {
		t.Errorf("a stranger gets %s %s", stranger.URL, stranger.Body)
	}
	if p := b.Submit(page.Form("/me/keep"), "days=30"); p.Status != http.StatusOK {
		t.Errorf("%d %s", p.Status, p.Code)
	}
	for _, days := range []string{"", "1", "x"} {
		if p := b.Post("/me/keep", url.Values{"days": {days}}); p.Code != "bad_input" {
			t.Errorf("days %q: %s", days, p.Code)
		}
	}
}

func TestWhatIsTakenBackIsAskedForAgain(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_18"})
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid"})
	b := w.NewBrowser()
	r := shop.Request()
	answer := w.Login(b, r, "taro")
	tokens := shop.Exchange(answer.Get("code"), r)
	w.Answer(b, bank.Request())
	for _, rp := range []*idptest.RP{shop, bank} {
		if got := silently(w, b, rp); got.Get("code") == "" {
			t.Fatalf("before: %v", got)
		}
	}
	questions := asked(b.Get("/me"), "take-back")
	if len(questions) != 2 {
		t.Fatal(questions)
	}
	if p := b.Get("/me/ask/take-back?id=nowhere"); p.Code != "not_found" {
		t.Errorf("a service without consent: %s", p.Code)
	}
	for _, q := range questions {
		decide(t, b, q, "take-back")
	}
	if a := shop.UserInfo(tokens.AccessToken); a.Status != http.StatusUnauthorized {
		t.Errorf("the token still works: %d", a.Status)
	}
	for _, rp := range []*idptest.RP{shop, bank} {
		if got := silently(w, b, rp); got.Get("error") != "consent_required" {
			t.Errorf("after: %v", got)
		}
	}
	if len(asked(b.Get("/me"), "take-back")) != 0 {
		t.Error("still listed")
	}
}

func TestOfADeletedAccountNothingIsLeft(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_18"})
	b := w.NewBrowser()
	login := func() (sub string) {
		r := shop.Request()
		sub, _ = shop.Claims(shop.Exchange(w.Login(b, r, "taro").Get("code"), r), r)["sub"].(string)
		return sub
	}
	before := login()
	w.Town.Clock.Advance(16 * time.Minute)
	if p := b.Get("/me/ask/delete"); p.Form("/me/delete").Action != "" || p.Form("/me/login").Action == "" {
		t.Errorf("a browser alone deletes: %d %s", p.Status, p.URL)
	}
	if p := b.Post("/me/delete", nil); p.Form("/me/login").Action == "" || len(historyOf(t, b)) == 0 {
		t.Errorf("a form alone deletes: %d %s", p.Status, p.Code)
	}
	visit(t, w, b, "taro")
	if p := decide(t, b, "/me/ask/delete", "delete"); p.Form("/me/login").Action == "" {
		t.Errorf("still in: %d %s", p.Status, p.Code)
	}
	if b.Cookie("ss") != "" {
		t.Error("the cookie stays")
	}
	if _, err := w.Site.Store.AccountBySubject(t.Context(), "shop.example", before); err == nil {
		t.Error("the subject is still known")
	}
	if after := login(); after == before || after == "" {
		t.Errorf("somebody new is called %q as before", after)
	}
}
