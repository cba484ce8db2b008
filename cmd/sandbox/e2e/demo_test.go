package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// buy presses the shop's button for adults; launch opens the card reader in a tab of its own.
func (b *tab) buy(w *world, what string) {
	b.t.Helper()
	b.open(w.RP)
	b.click("#ask-" + what + " a.button")
}

func (b *tab) launch(w *world) *tab {
	b.t.Helper()
	b.click("#start")
	return b.newTab(w.Cards, func() { b.click("#launch") })
}

// layDown puts a persona's card on the reader.
func (b *tab) layDown(persona string) {
	b.t.Helper()
	b.click(`button[name=persona][value="` + persona + `"]`)
}

func (b *tab) enterPIN(pin, password string) {
	b.t.Helper()
	b.enter("#pin", pin)
	if password != "" {
		b.enter("#password", password)
	}
	b.click("#ok")
}

var (
	twoDigits = regexp.MustCompile(`^\d\d$`)
	theRule   = "document.querySelector('#wait').dataset.code"
)

// This is the demo as README promises it, from the button to the claims.
func TestAPersonProvesHerAgeWithACard(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPerson(t, "ja")

	p.buy(w, "age_over_18")
	p.see("body.page-login")
	if host := p.text(".who-host"); !strings.HasSuffix(w.RP, host) {
		t.Errorf("the page names %q as the one who asks, not %s", host, w.RP)
	}
	reader := p.launch(w)
	reader.see("body.page-cardpick")
	p.until(theRule + ` === "waiting_agent" || ` + theRule + ` === "reading" || !document.querySelector("#number-box").hidden`)
	p.see("#number")
	if here, there := p.text("#number"), reader.text("#number"); !twoDigits.MatchString(here) || here != there {
		t.Errorf("the number is %q on the page and %q at the reader", here, there)
	}

	reader.layDown("taro")
	reader.see("body.page-cardpin")
	p.until(theRule + ` === "pin_needed"`)
	reader.enterPIN("1234", "ABC123")
	reader.see("body.page-carddone")

	p.see("body.page-consent") // by itself
	if values := p.texts(".value-item .item-value"); len(values) != 1 {
		t.Errorf("the consent page shows the values %q, want one", values)
	}
	if kept := p.texts(".kept li"); len(kept) < 5 {
		t.Errorf("the consent page says that only %q stay here", kept)
	}
	if body := p.describe(); strings.Contains(body, "1990") {
		t.Error("the consent page for an age shows the birthdate")
	}
	p.click("#allow")

	p.see("#verdict[data-verdict='result.age_over_18.yes']")
	if got := p.texts("tr[data-claim] th code"); !slices.Equal(got, []string{"age_over_18"}) {
		t.Errorf("the shop received %q", got)
	}
	if got, want := p.cookies(), []string{"bs", "shop_browser", "shop_customer", "ss"}; !slices.Equal(got, want) {
		t.Errorf("cookies %q, want %q", got, want)
	}

	t.Run("the next login needs no card", func(t *testing.T) {
		p.buy(w, "age_over_18")
		p.see("#verdict[data-verdict='result.age_over_18.yes']")
		if at := p.address(); at != w.RP+"/result" {
			t.Errorf("she is at %s", at)
		}
	})
	t.Run("after the shop's logout a card is needed again", func(t *testing.T) {
		p.click("#logout")
		p.see("main .note[role=status]")
		if got := p.cookies(); slices.Contains(got, "ss") || slices.Contains(got, "shop_customer") {
			t.Errorf("cookies %q stay", got)
		}
		p.buy(w, "age_over_18")
		p.see("body.page-login")
	})
}

func TestARefusalOnTheConsentPageIsToldKindly(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPerson(t, "ja")
	p.buy(w, "age_over_20")
	reader := p.launch(w)
	reader.layDown("taro")
	reader.enterPIN("1234", "ABC123")
	p.click("#deny")
	p.see("#error[data-code=access_denied]")
	if !strings.HasPrefix(p.address(), w.RP) {
		t.Errorf("she is at %s", p.address())
	}
	p.click("#error a.button")
	p.see("#ask-login")
}

func TestACardThatIsNoLongerGoodIsExplainedAndLeadsBackToTheShop(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, tc := range []struct{ persona, code string }{
		{"revoked", "certificate_revoked"},
		{"suspended", "certificate_suspended"},
		{"expired", "certificate_expired"},
	} {
		t.Run(tc.persona, func(t *testing.T) {
			p := newPerson(t, "ja")
			p.buy(w, "age_over_18")
			reader := p.launch(w)
			reader.layDown(tc.persona)
			reader.enterPIN("1234", "ABC123")
			if code := reader.text("#error-code"); code != tc.code {
				t.Errorf("the reader shows %q", code)
			}
			if code := p.text("#error-code"); code != tc.code {
				t.Errorf("the page shows %q", code)
			}
			if incident := p.text("#incident"); !strings.HasPrefix(incident, "T-") {
				t.Errorf("the incident is %q", incident)
			}
			if !strings.Contains(p.text("main"), "0120-95-0178") {
				t.Error("the page does not name the call centre")
			}
			p.click("#back")
			p.see("#error[data-code=access_denied]")
		})
	}
}

func TestAWrongPINCostsATryAndTheNextOneMayBeRight(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPerson(t, "ja")
	p.buy(w, "age_over_18")
	reader := p.launch(w)
	reader.layDown("taro")
	if tries := reader.text("#pin-hint .tries"); !strings.Contains(tries, "3") {
		t.Errorf("at first the page says %q", tries)
	}
	reader.enterPIN("0000", "ABC123")
	reader.see("#error[data-code=pin_wrong]")
	if tries := reader.text("#pin-hint .tries"); !strings.Contains(tries, "2") {
		t.Errorf("after one wrong entry the page says %q", tries)
	}
	p.until(theRule + ` === "pin_wrong"`)
	if said := p.text("#progress"); !strings.Contains(said, "2") {
		t.Errorf("the first tab says %q", said)
	}
	reader.enterPIN("1234", "ABC123")
	p.click("#allow")
	p.see("#verdict[data-verdict='result.age_over_18.yes']")
}

func TestTheLastTryIsAskedForTwiceAndALockedPINSaysWhoUnlocksIt(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPerson(t, "ja")
	p.buy(w, "age_over_18")
	reader := p.launch(w)
	reader.layDown("taro")
	for range 2 {
		reader.enterPIN("0000", "ABC123")
		reader.see("#error[data-code=pin_wrong]")
	}
	reader.see("input[name=confirm_last]")
	reader.click("input[name=confirm_last]")
	reader.enterPIN("0000", "ABC123")
	reader.see("#error[data-code=pin_locked]")
	p.until(theRule + ` === "pin_locked"`)
	reader.click("#cancel")
	reader.see("body.page-message")
	p.click("#back")
	p.see("#error[data-code=access_denied]")
}

func TestACardThatCameLockedCanBeGivenUp(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPerson(t, "ja")
	p.buy(w, "age_over_18")
	reader := p.launch(w)
	reader.layDown("locked")
	reader.enterPIN("1234", "ABC123")
	reader.see("#error[data-code=pin_locked]")
	reader.click("#other-card")
	reader.layDown("taro")
	reader.enterPIN("1234", "ABC123")
	p.click("#allow")
	p.see("#verdict[data-verdict='result.age_over_18.yes']")
}

func TestPagesSpeakTheLanguageOfTheBrowserAndOfTheSwitch(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, tc := range []struct{ browser, other string }{{"en", "ja"}, {"ja", "ja-Hira"}} {
		t.Run(tc.browser, func(t *testing.T) {
			p := newPerson(t, tc.browser)
			speaks := func(b *tab, lang string) {
				t.Helper()
				if got := ask[string](b, "document.documentElement.lang"); got != lang {
					t.Errorf("%s speaks %s, want %s", b.address(), got, lang)
				}
			}
			p.buy(w, "age_over_18")
			p.see("body.page-login")
			speaks(p, tc.browser)
			p.click(".switch a[hreflang='" + tc.other + "']")
			p.see("html[lang=" + tc.other + "] #start")
			reader := p.launch(w)
			reader.see("body.page-cardpick")
			speaks(reader, tc.browser) // the reader is another site; the browser's own language counts there
			speaks(p, tc.other)
			reader.layDown("taro")
			reader.enterPIN("1234", "ABC123")
			p.see("body.page-consent")
			speaks(p, tc.other) // the choice is kept with the login: the way back from the agent carries a code alone
			p.click("#deny")
			p.see("#error[data-code=access_denied]")
			speaks(p, tc.browser)
		})
	}
}

// The page posts itself to another site: its policy must let it, and the other site must get all of the answer.
func TestAnAnswerByFormPostArrives(t *testing.T) {
	t.Parallel()
	answers := make(chan url.Values, 1)
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(rw, "<!doctype html><link rel=icon href=data:,><title>x</title><p id=end>end")
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			answers <- r.PostForm
		}
	}))
	defer site.Close()
	w := start(t, "--clients", clientsFile(t, `[{"client_id": "bank", "client_name": "Bank", "redirect_uris": ["`+site.URL+`/callback"]}]`))
	p := newPerson(t, "ja")
	p.open(w.authorize("bank", url.Values{"response_mode": {"form_post"}}))
	reader := p.launch(w)
	reader.layDown("taro")
	reader.enterPIN("1234", "ABC123")
	p.click("#allow")
	p.see("#end")
	answer := <-answers
	if answer.Get("state") != "s1" || answer.Get("iss") != w.Issuer || len(answer) != 3 {
		t.Errorf("the answer has %d fields, state %q, iss %q", len(answer), answer.Get("state"), answer.Get("iss"))
	}
	if tok := w.tokens(t, "bank", answer.Get("code")); tok.claims["age_over_18"] != true {
		t.Errorf("the token says %v", tok.claims)
	}
	if at := p.address(); at != site.URL+"/callback" {
		t.Errorf("the address holds more than it should: %s", at)
	}
}

// Scripts are off: the waiting page refreshes, and the person herself presses what a script would have pressed.
func TestTheLoginWorksWithoutJavaScript(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPersonWithoutScripts(t, "ja")
	p.buy(w, "age_over_18")
	reader := p.launch(w)
	reader.layDown("taro")
	reader.enterPIN("1234", "ABC123")
	reader.see("body.page-carddone")
	p.see("body.page-consent") // by the refresh
	p.click("#allow")
	p.see("#verdict[data-verdict='result.age_over_18.yes']")
}

// No mouse: Tab until the wanted thing has the focus and shows it, then Enter.
func TestTheLoginWorksWithTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	w, p := start(t), newPerson(t, "ja")
	reach := func(b *tab, css string) {
		t.Helper()
		b.see(css)
		for range 60 {
			b.press("\t")
			if ask[bool](b, `document.activeElement.matches(`+"`"+css+"`"+`)`) {
				if ask[string](b, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
					t.Errorf("%s does not show that it has the focus", css)
				}
				return
			}
		}
		t.Fatalf("Tab never comes to %s", css)
	}
	p.open(w.RP)
	reach(p, "#ask-age_over_18 a.button")
	p.press("\r")
	reach(p, "#start")
	p.press("\r")
	reader := p.newTab(w.Cards, func() { reach(p, "#launch"); p.press("\r") })
	reach(reader, "button[value=taro]")
	reader.press("\r")
	reader.see("#pin:focus")
	reader.press("1234")
	reach(reader, "#password")
	reader.press("ABC123\r")
	reader.see("body.page-carddone")
	reach(p, "#allow")
	p.press("\r")
	p.see("#verdict[data-verdict='result.age_over_18.yes']")
}
