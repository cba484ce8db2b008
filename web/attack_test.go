package web_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/statement"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
	"tegata/web"
)

func loginID(p idptest.Page) string {
	return strings.Split(strings.TrimPrefix(p.URL.Path, "/login/"), "/")[0]
}

func stored(t *testing.T, w *idptest.World, id string) storage.Login {
	t.Helper()
	l, err := w.Site.Store.Login(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A person is sent the launch link of a login that an attacker has started in her own browser, and uses his card.
func TestAForwardedLaunchLinkCompletesNothingAnywhere(t *testing.T) {
	for _, victim := range []struct {
		name string
		own  func(w *idptest.World, shop *idptest.RP, b *idptest.Browser)
	}{
		{"a victim who never was here", func(*idptest.World, *idptest.RP, *idptest.Browser) {}},
		{"a victim in the middle of his own login", func(w *idptest.World, shop *idptest.RP, b *idptest.Browser) { w.Approach(b, shop.Request()) }},
		{"a victim who is logged in", func(w *idptest.World, shop *idptest.RP, b *idptest.Browser) { w.Login(b, shop.Request(), "jiro17") }},
	} {
		t.Run(victim.name, func(t *testing.T) {
			w := open(t)
			shop := w.Register(clients.Metadata{ClientID: "shop"})
			attacker, his := w.NewBrowser(), w.NewBrowser()
			victim.own(w, shop, his)
			r := shop.Request()
			page := w.Approach(attacker, r)
			code, err := w.UseCard(page.Launch, "taro")
			if err != nil {
				t.Fatal(err)
			}
			if p := attacker.Get(page.URL.Path); p.Away == nil || p.Away.String() != idptest.Loopback {
				t.Errorf("the attacker's page goes on to %v: %d %s", p.Away, p.Status, p.Code)
			}
			before := his.Cookie("ss")
			if p := his.Get("/login/return/" + code); p.Code != "different_browser" || p.Away != nil || his.Cookie("ss") != before {
				t.Errorf("the victim's browser: %d %s, away %v", p.Status, p.Code, p.Away)
			}
			if p := attacker.Get(page.URL.Path); p.Code != "different_browser" || p.Away != nil {
				t.Errorf("the attacker's page afterwards: %d %s, away %v", p.Status, p.Code, p.Away)
			}
			if p := attacker.Get("/login/return/" + code); p.Code != "already_used" || p.Away != nil {
				t.Errorf("the stolen code in the attacker's browser: %d %s, away %v", p.Status, p.Code, p.Away)
			}
			if l := stored(t, w, loginID(page)); l.State != storage.Burned || l.Facts != nil {
				t.Errorf("the login is %s and holds %d bytes about the victim", l.State, len(l.Facts))
			}
			if !strings.Contains(w.Log.String(), "login_burned") {
				t.Error("the operator hears nothing")
			}
			silent := shop.Request("prompt=none")
			if got := w.Answered(attacker.Get(silent.URL()), silent); got.Get("error") != "login_required" {
				t.Errorf("the attacker has a session: %v", got)
			}
			for _, h := range attacker.Hops {
				if strings.Contains(h.Header.Get("Location"), "code=") {
					t.Errorf("the attacker got an answer: %s", h.Header.Get("Location"))
				}
			}
		})
	}
}

func TestTheFirstClaimWins(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, r := w.NewBrowser(), shop.Request()
	page := w.Approach(b, r)
	first, second := w.Claim(page.Launch), w.Stranger(page.Launch)
	claim := agent.ClaimRequest{Ticket: second.Ticket.Reveal(), Key: second.Key.Public(), Version: "1.0"}
	if status, body := second.Call(agent.ClaimPath, claim); status != http.StatusConflict || idptest.Code(body) != "ticket_claimed" {
		t.Errorf("the second claim: %d %s", status, body)
	}
	claim.Key = first.Key.Public()
	if status, body := first.Call(agent.ClaimPath, claim); status != http.StatusConflict {
		t.Errorf("the same agent again: %d %s", status, body)
	}
	code, refusal := first.Result(first.Honest("taro"))
	if refusal != "" {
		t.Fatalf("the first agent: %s", refusal)
	}
	if p := b.Get("/login/return/" + code); p.Form("/consent").Action == "" {
		t.Errorf("%d %s", p.Status, p.Code)
	}
}

func TestOnlyTheKeyThatClaimedMaySpeak(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	page := w.Approach(w.NewBrowser(), shop.Request())
	honest, thief := w.Claim(page.Launch), w.Stranger(page.Launch)
	result := honest.Honest("taro")
	for path, body := range map[string]any{
		agent.ProgressPath: agent.ProgressRequest{Login: honest.Context.Login, Code: "pin_locked"},
		agent.ResultPath:   result,
		agent.CancelPath:   agent.CancelRequest{Login: honest.Context.Login, Code: "user_cancelled"},
	} {
		if status, out := thief.Call(path, body); status != http.StatusUnauthorized || idptest.Code(out) != "proof_invalid" {
			t.Errorf("%s with another key: %d %s", path, status, out)
		}
	}
	for path, body := range map[string]any{
		agent.ProgressPath: agent.ProgressRequest{Login: strings.Repeat("A", 22), Code: "reading"},
		agent.ResultPath:   agent.ResultRequest{Login: strings.Repeat("A", 22), Statement: result.Statement},
		agent.CancelPath:   agent.CancelRequest{Login: strings.Repeat("A", 22), Code: "user_cancelled"},
	} {
		if status, out := honest.Call(path, body); status != http.StatusUnauthorized || idptest.Code(out) != "proof_invalid" {
			t.Errorf("%s for a login that is not there: %d %s", path, status, out)
		}
	}
	if l := stored(t, w, honest.Context.Login); l.State != storage.Claimed || l.Progress != "reading" {
		t.Errorf("the thief moved the login: %s %s", l.State, l.Progress)
	}
	if _, refusal := honest.Result(result); refusal != "" {
		t.Errorf("the honest agent: %s", refusal)
	}
}

func TestAResultCountsOnce(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	a := w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch)
	result := a.Honest("taro")
	if _, refusal := a.Result(result); refusal != "" {
		t.Fatal(refusal)
	}
	if code, refusal := a.Result(result); refusal != "already_used" {
		t.Errorf("the second time: %q %s", code, refusal)
	}
	if _, refusal := a.Result(a.Honest("jiro17")); refusal != "already_used" {
		t.Errorf("another person's evidence afterwards: %s", refusal)
	}
}

func TestAResultOfAnotherLoginIsRefusedAndEndsTheLogin(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	mine, other := w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch), w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch)
	stolen := other.Honest("taro")
	if status, body := mine.Call(agent.ResultPath, stolen); status != http.StatusUnauthorized {
		t.Errorf("addressed to the other login: %d %s", status, body)
	}
	stolen.Login = mine.Context.Login
	if code, refusal := mine.Result(stolen); refusal != "statement_mismatch" {
		t.Errorf("addressed to this login: %q %s", code, refusal)
	}
	if _, refusal := mine.Result(mine.Honest("taro")); refusal != "already_used" {
		t.Errorf("a second try: %s", refusal)
	}
	stolen.Login = other.Context.Login
	if _, refusal := other.Result(stolen); refusal != "" {
		t.Errorf("the other login suffered: %s", refusal)
	}
}

func TestWhatTheCardSignedIsComparedOverTheWire(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	taro, jiro := w.Town.Material(t, "taro"), w.Town.Material(t, "jiro17")
	for _, tc := range []struct {
		name, want string
		change     func(a *idptest.Agent) agent.ResultRequest
	}{
		{"another client", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			l, attributes := a.Statements(taro)
			l.Client = "bank"
			return a.Sign(taro, l, attributes)
		}},
		{"another issuer", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			l, attributes := a.Statements(taro)
			l.Issuer = "https://idp.example"
			return a.Sign(taro, l, attributes)
		}},
		{"no attributes though they were asked for", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			r := a.Honest("taro")
			r.Attributes = ""
			return r
		}},
		{"the adult's signature certificate beside the minor's authentication certificate, named by nobody", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			r, adult := a.Honest("jiro17"), a.Honest("taro")
			r.Attributes = adult.Attributes
			return r
		}},
		{"a signature that is not the card's", "signature_invalid", func(a *idptest.Agent) agent.ResultRequest {
			r := a.Honest("taro")
			parts := strings.Split(r.Statement, ".")
			r.Statement = parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2]))
			return r
		}},
		{"the minor's key under the adult's certificate", "signature_invalid", func(a *idptest.Agent) agent.ResultRequest {
			r, minor := a.Honest("taro"), a.Honest("jiro17")
			parts, hers := strings.Split(r.Statement, "."), strings.Split(minor.Statement, ".")
			r.Statement = parts[0] + "." + hers[1] + "." + hers[2]
			return r
		}},
		{"card-info files beside a signature certificate", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			r := a.Honest("taro")
			r.CardInfo = &agent.CardInfo{Attributes: []byte{1}, Signature: []byte{2}, Certificate: []byte{3}}
			return r
		}},
		{"the statements of two cards of one login", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			l, attributes := a.Statements(jiro)
			attributes.Nonce = statement.Hash([]byte("another"))
			return a.Sign(jiro, l, attributes)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, r := w.NewBrowser(), shop.Request()
			page := w.Approach(b, r)
			a := w.Claim(page.Launch)
			if code, refusal := a.Result(tc.change(a)); refusal != tc.want {
				t.Errorf("answered %q %q, want %s", code, refusal, tc.want)
			}
			if _, refusal := a.Result(a.Honest("taro")); refusal != "already_used" {
				t.Errorf("a second try: %s", refusal)
			}
			if p := b.Get(page.URL.Path); p.Code != tc.want || p.Away != nil {
				t.Errorf("the page says %s", p.Code)
			}
		})
	}
}

func TestARestartedLoginForgetsItsOldAgent(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, r := w.NewBrowser(), shop.Request()
	page := w.Approach(b, r)
	old := w.Claim(page.Launch)
	result := old.Honest("taro")
	again := b.Submit(page.Form("/start"))
	if again.Launch == page.Launch {
		t.Fatal("the ticket did not change")
	}
	if _, refusal := old.Result(result); refusal != "proof_invalid" {
		t.Errorf("the old agent's result: %s", refusal)
	}
	stranger := w.Stranger(page.Launch)
	status, body := stranger.Call(agent.ClaimPath, agent.ClaimRequest{Ticket: stranger.Ticket.Reveal(), Key: stranger.Key.Public(), Version: "1.0"})
	if status != http.StatusNotFound || idptest.Code(body) != "login_unknown" {
		t.Errorf("the old ticket: %d %s", status, body)
	}
	fresh := w.Claim(again.Launch)
	if _, refusal := old.Result(result); refusal != "proof_invalid" {
		t.Errorf("the old agent's result after the new claim: %s", refusal)
	}
	if _, refusal := fresh.Result(result); refusal != "statement_mismatch" {
		t.Errorf("the old result by the new agent: %s", refusal)
	}
}

func TestEverythingOfALoginExpires(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()

	page := w.Approach(b, shop.Request())
	w.Town.Clock.Advance(120 * time.Second)
	if _, err := w.UseCard(page.Launch, "taro"); !errors.Is(err, fail.LoginExpired) {
		t.Errorf("a ticket after two minutes: %v", err)
	}

	page = w.Approach(b, shop.Request())
	code, err := w.UseCard(page.Launch, "taro")
	if err != nil {
		t.Fatal(err)
	}
	w.Town.Clock.Advance(60 * time.Second)
	if p := b.Get("/login/return/" + code); p.Code != "login_expired" || p.Away != nil {
		t.Errorf("a completion code after a minute: %d %s", p.Status, p.Code)
	}

	page = w.Approach(b, shop.Request())
	a := w.Claim(page.Launch)
	w.Town.Clock.Advance(10 * time.Minute)
	if _, refusal := a.Result(a.Honest("taro")); refusal != "login_expired" {
		t.Errorf("a result after ten minutes: %s", refusal)
	}
	if p := b.Get(page.URL.Path); p.Code != "login_expired" {
		t.Errorf("the page after ten minutes: %d %s", p.Status, p.Code)
	}
	if p := b.Submit(page.Form("/start")); p.Code != "login_expired" {
		t.Errorf("its button: %d %s", p.Status, p.Code)
	}

	consent := w.Present(b, shop.Request("prompt=login"), "taro")
	w.Town.Clock.Advance(10 * time.Minute)
	if p := b.Submit(consent.Form("/consent"), "decision=allow"); p.Code != "login_expired" || p.Away != nil {
		t.Errorf("a consent after ten minutes: %d %s\n%s", p.Status, p.Code, w.Log)
	}
}

func TestACompletionCodeWorksOnce(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	code, err := w.UseCard(w.Approach(b, shop.Request()).Launch, "taro")
	if err != nil {
		t.Fatal(err)
	}
	if p := b.Get("/login/return/" + code); p.Form("/consent").Action == "" {
		t.Fatalf("%d %s", p.Status, p.Code)
	}
	if p := b.Get("/login/return/" + code); p.Code != "already_used" {
		t.Errorf("the second time: %d %s", p.Status, p.Code)
	}
	id, _, _ := strings.Cut(code, ".")
	for name, wrong := range map[string]string{
		"another secret": id + "." + strings.Repeat("A", 43), "no secret": id, "no login": "." + strings.Repeat("A", 43), "nothing known": "x",
	} {
		if p := b.Get("/login/return/" + wrong); p.Code != "login_unknown" {
			t.Errorf("%s: %d %s", name, p.Status, p.Code)
		}
	}
}

func TestALoginBelongsToItsBrowser(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	page := w.Approach(w.NewBrowser(), shop.Request())
	other, bare := w.NewBrowser(), w.NewBrowser()
	other.Get(shop.Request().URL())
	for _, visit := range []struct {
		name string
		open func(b *idptest.Browser) idptest.Page
	}{
		{"its page", func(b *idptest.Browser) idptest.Page { return b.Get(page.URL.Path) }},
		{"its events", func(b *idptest.Browser) idptest.Page { return b.Get(page.URL.Path + "/events") }},
		{"its way back", func(b *idptest.Browser) idptest.Page { return b.Get(page.URL.Path + "/leave") }},
		{"its start", func(b *idptest.Browser) idptest.Page { return b.Post(page.URL.Path+"/start", nil) }},
		{"its cancel", func(b *idptest.Browser) idptest.Page { return b.Post(page.URL.Path+"/cancel", nil) }},
		{"its consent", func(b *idptest.Browser) idptest.Page {
			return b.Post(page.URL.Path+"/consent", url.Values{"decision": {"allow"}})
		}},
		{"its refusal", func(b *idptest.Browser) idptest.Page {
			return b.Post(page.URL.Path+"/consent", url.Values{"decision": {"deny"}})
		}},
	} {
		if p := visit.open(other); p.Code != "different_browser" || p.Away != nil || p.Launch != "" {
			t.Errorf("%s in another browser: %d %s", visit.name, p.Status, p.Code)
		}
		if p := visit.open(bare); p.Code != "cookies_blocked" || p.Away != nil || p.Launch != "" {
			t.Errorf("%s in a browser without cookies: %d %s", visit.name, p.Status, p.Code)
		}
	}
	if l := stored(t, w, loginID(page)); l.State != storage.Waiting {
		t.Errorf("a stranger moved the login to %s", l.State)
	}
}

func TestNoOtherSiteMovesAnything(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	page := w.Approach(b, shop.Request())
	routes, err := web.Routes()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, route := range routes {
		if route.Method == http.MethodGet || route.Method == http.MethodHead {
			continue
		}
		tried++
		path := strings.ReplaceAll(strings.ReplaceAll(route.Path, ":id", loginID(page)), ":code", "x")
		p := b.CrossPost(path, url.Values{"decision": {"allow"}})
		if strings.HasPrefix(route.Path, "/agent/") {
			if idptest.Code(p.Body) != "bad_input" || p.Status != http.StatusBadRequest {
				t.Errorf("%s took a form: %d %s", route.Path, p.Status, p.Body)
			}
			continue
		}
		if p.Status != http.StatusForbidden || p.Code != "cross_site" || p.Away != nil {
			t.Errorf("%s %s: %d %s", route.Method, route.Path, p.Status, p.Code)
		}
	}
	if tried < 8 {
		t.Errorf("only %d routes were tried", tried)
	}
	if l := stored(t, w, loginID(page)); l.State != storage.Waiting || l.TicketSerial != 1 {
		t.Errorf("another site moved the login: %s, ticket %d", l.State, l.TicketSerial)
	}
}

func TestAnAgentThatSpeaksNonsense(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	a := w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch)
	stranger := w.Stranger(w.Approach(w.NewBrowser(), shop.Request()).Launch)
	claim := func(change func(*agent.ClaimRequest)) agent.ClaimRequest {
		c := agent.ClaimRequest{Ticket: stranger.Ticket.Reveal(), Key: stranger.Key.Public(), Version: "1.0"}
		change(&c)
		return c
	}
	for _, tc := range []struct {
		name, path, want string
		by               *idptest.Agent
		body             any
	}{
		{"a progress code that no page knows", agent.ProgressPath, "bad_input", a, agent.ProgressRequest{Login: a.Context.Login, Code: "<script>"}},
		{"no progress code", agent.ProgressPath, "bad_input", a, agent.ProgressRequest{Login: a.Context.Login}},
		{"a member that nobody knows", agent.ProgressPath, "bad_input", a, map[string]any{"login": a.Context.Login, "code": "reading", "x": 1}},
		{"a list", agent.ResultPath, "bad_input", a, []string{"x"}},
		{"a return address elsewhere", agent.ClaimPath, "bad_input", stranger, claim(func(c *agent.ClaimRequest) { c.Return = "http://evil.example/r/AAAAAAAAAAAAAAAAAAAAAA" })},
		{"a return address by name", agent.ClaimPath, "bad_input", stranger, claim(func(c *agent.ClaimRequest) { c.Return = "http://localhost:80/r/AAAAAAAAAAAAAAAAAAAAAA" })},
		{"a script as return address", agent.ClaimPath, "bad_input", stranger, claim(func(c *agent.ClaimRequest) { c.Return = "javascript:alert(1)" })},
		{"an old agent", agent.ClaimPath, "agent_outdated", stranger, claim(func(c *agent.ClaimRequest) { c.Version = "0.9" })},
		{"no version", agent.ClaimPath, "agent_outdated", stranger, claim(func(c *agent.ClaimRequest) { c.Version = "" })},
		{"half a ticket", agent.ClaimPath, "bad_input", stranger, claim(func(c *agent.ClaimRequest) { c.Ticket = c.Ticket[:30] })},
		{"a ticket of nobody", agent.ClaimPath, "login_unknown", stranger, claim(func(c *agent.ClaimRequest) { c.Ticket = strings.Repeat("A", 22) + "." + strings.Repeat("A", 43) })},
		{"somebody else's key", agent.ClaimPath, "proof_invalid", stranger, claim(func(c *agent.ClaimRequest) { c.Key = a.Key.Public() })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body := tc.by.Call(tc.path, tc.body)
			if status < 400 || status >= 500 || idptest.Code(body) != tc.want {
				t.Errorf("%d %s, want %s", status, body, tc.want)
			}
		})
	}
	for path, body := range map[string]string{agent.ClaimPath: "{", agent.ProgressPath: "", agent.ResultPath: "null", agent.CancelPath: strings.Repeat("[", 70<<10)} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer := idptest.Do(t, r)
		if answer.Status < 400 || answer.Status >= 500 || !json.Valid([]byte(answer.Body)) || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %.80s", path, answer.Status, answer.Body)
		}
	}
	if _, refusal := a.Result(a.Honest("taro")); refusal != "" {
		t.Errorf("after all the nonsense the honest result: %s", refusal)
	}
}
