package web_test

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

var frame = regexp.MustCompile(`<iframe src="([^"]+)"[^>]* hidden`)

// told are the pages of relying parties that a page loads unseen, in order. The policy has to let it load them, and nothing else.
func told(t *testing.T, p idptest.Page) []string {
	t.Helper()
	var pages []string
	for _, m := range frame.FindAllStringSubmatch(p.Body, -1) {
		pages = append(pages, html.UnescapeString(m[1]))
	}
	slices.Sort(pages)
	_, policy, _ := strings.Cut(p.Header.Get("Content-Security-Policy"), "frame-src ")
	var may []string
	for _, page := range pages {
		at, err := url.Parse(page)
		if err != nil {
			t.Fatal(err)
		}
		may = append(may, at.Scheme+"://"+at.Host)
	}
	if policy != strings.Join(slices.Compact(may), " ") {
		t.Errorf("the policy allows frames of %q, the page has %q", policy, pages)
	}
	return pages
}

// greet logs a browser in at a relying party and returns what the party calls the session.
func greet(t *testing.T, w *idptest.World, b *idptest.Browser, rp *idptest.RP, persona string) string {
	t.Helper()
	r := rp.Request()
	code := ""
	if b.Get(r.URL()).Form("/start").Action != "" { // nobody is in, or not any more
		code = w.Login(b, r, persona).Get("code")
	} else {
		code = w.Answer(b, r).Get("code")
	}
	sid, _ := rp.Claims(rp.Exchange(code, r), r)["sid"].(string)
	return sid
}

// TestEndingASessionOnHerOwnPagesIsToldInTheBrowser: relying parties that have a page for it hear in her browser that its
// session is over, and those that tell sessions apart also of her sessions elsewhere; once.
func TestEndingASessionOnHerOwnPagesIsToldInTheBrowser(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", FrontLogoutURI: "https://shop.example/out"})
	bank := w.Register(clients.Metadata{ClientID: "bank", FrontLogoutURI: "https://bank.example/out?a=1", FrontLogoutSID: true})
	quiet := w.Register(clients.Metadata{ClientID: "quiet"})
	at := func(page, sid string) string {
		return page + "iss=" + url.QueryEscape(w.Issuer) + "&sid=" + url.QueryEscape(sid)
	}
	toShop := func(sid string) string { return at("https://shop.example/out?", sid) }
	toBank := func(sid string) string { return at("https://bank.example/out?a=1&", sid) }
	home, office := w.NewBrowser(), w.NewBrowser()
	enter := func(b *idptest.Browser) (inShop, inBank string) {
		greet(t, w, b, quiet, "taro")
		return greet(t, w, b, shop, "taro"), greet(t, w, b, bank, "taro")
	}
	homeShop, homeBank := enter(home)
	_, officeBank := enter(office)

	questions := asked(home.Get("/me"), "end")
	own := currentOf(t, home, questions)
	theOther := questions[0]
	if theOther == own {
		theOther = questions[1]
	}
	if got, want := told(t, decide(t, home, theOther, "end")), []string{toBank(officeBank)}; !slices.Equal(got, want) {
		t.Errorf("of a session in another browser, this one tells %q, want %q", got, want)
	}
	p := decide(t, home, own, "end")
	if got, want := told(t, p), []string{toBank(homeBank), toShop(homeShop)}; !slices.Equal(got, want) {
		t.Errorf("of its own session, a browser tells %q, want %q", got, want)
	}
	if p.Form("/me/login").Action == "" {
		t.Errorf("she is still in: %d %s", p.Status, p.Code)
	}
	if again := told(t, home.Get(p.URL.String())); len(again) > 0 {
		t.Errorf("the page that comes again tells it again: %q", again)
	}

	homeShop, homeBank = enter(home)
	_, officeBank = enter(office)
	want := []string{toBank(homeBank), toBank(officeBank), toShop(homeShop)}
	slices.Sort(want)
	if got := told(t, decide(t, home, "/me/ask/end-all", "end-all")); !slices.Equal(got, want) {
		t.Errorf("of all sessions, a browser tells %q, want %q", got, want)
	}

	homeShop, homeBank = enter(home)
	want = []string{toBank(homeBank), toShop(homeShop)}
	if got := told(t, decide(t, home, "/me/ask/delete", "delete")); !slices.Equal(got, want) {
		t.Errorf("of the end of an account, a browser tells %q, want %q", got, want)
	}
}

// TestAFarewellIsOnlySaidToRegisteredPages: whatever stands in the cookie, no address comes from it, and who is off is left
// alone.
func TestAFarewellIsOnlySaidToRegisteredPages(t *testing.T) {
	w := open(t)
	w.Register(clients.Metadata{ClientID: "shop", FrontLogoutURI: "https://shop.example/out"})
	w.Register(clients.Metadata{ClientID: "gone", FrontLogoutURI: "https://gone.example/out"})
	w.Register(clients.Metadata{ClientID: "quiet"})
	if err := w.Site.Store.DisableClient(t.Context(), "gone", true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	of := func(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) + "." }
	for value, want := range map[string][]string{
		of("shop") + "s~" + of("gone") + "s~" + of("quiet") + "s~" + of("nobody") + "s": {"https://shop.example/out?iss=" + url.QueryEscape(w.Issuer) + "&sid=s"},
		of("shop") + "<x>&iss=y#":             {"https://shop.example/out?iss=" + url.QueryEscape(w.Issuer) + "&sid=%3Cx%3E%26iss%3Dy%23"},
		of("https://evil.example/") + "s":     nil,
		"https://evil.example/~...~~!!!.s~.s": nil,
	} {
		b := w.NewBrowser()
		b.SetCookie("fw", value)
		if got := told(t, b.Get("/me?done=end-all")); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
		b.SetCookie("fw", value)
		if got := told(t, b.Get("/me")); len(got) > 0 {
			t.Errorf("a page after nothing tells %q", got)
		}
	}
}

// TestErrorPagesSpeakAsTheRelyingPartyWishes: ui_locales counts for what is wrong with the request, too.
func TestErrorPagesSpeakAsTheRelyingPartyWishes(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for name, request := range map[string]string{
		"a hint that is none of ours":     "/end_session?id_token_hint=x",
		"an address after it":             "/end_session?client_id=shop&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F",
		"a parameter that comes twice":    "/end_session?state=a&state=b",
		"a client that nobody knows":      "/authorize?client_id=nobody",
		"no client":                       "/authorize?scope=openid",
		"a redirect URI of somebody else": shop.Request("redirect_uri=https://evil.example/").URL(),
	} {
		for wish, want := range map[string]string{"en": "en", "ja": "ja", "fr en": "en", "ja-Hira": "ja-Hira"} {
			p := w.NewBrowser().Get(request + "&ui_locales=" + url.QueryEscape(wish))
			if p.Code == "" || p.Header.Get("Content-Language") != want {
				t.Errorf("%s, %s: %d %q in %s", name, wish, p.Status, p.Code, p.Header.Get("Content-Language"))
			}
		}
	}
}
