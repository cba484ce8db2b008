package op_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// loggedIn is a fresh session of a persona with the ID token that her login gave.
func loggedIn(w *idptest.World, rp *idptest.RP, persona string) (b *idptest.Browser, idToken, accessToken string) {
	r := rp.Request()
	b = w.NewBrowser()
	tokens := rp.Exchange(w.Login(b, r, persona).Get("code"), r)
	return b, tokens.IDToken, tokens.AccessToken
}

func bye(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "/end_session?" + v.Encode()
}

const home = "https://shop.example/bye"

func TestLogoutWithTheHintOfTheVeryPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{home}})
		b, hint, access := loggedIn(w, shop, "taro")
		cookie := b.Cookie("ss")
		p := b.Get(bye("id_token_hint", hint, "post_logout_redirect_uri", home, "state", "a&b=<c>"))
		if p.Away == nil || p.Away.Scheme+"://"+p.Away.Host+p.Away.Path != home || p.Away.Query().Get("state") != "a&b=<c>" {
			t.Fatalf("sent to %v: %d %s", p.Away, p.Status, p.Code)
		}
		if b.Cookie("ss") != "" {
			t.Error("the browser keeps the cookie")
		}
		copied := w.NewBrowser()
		copied.SetCookie("ss", cookie)
		r := shop.Request("prompt=none")
		if got := w.Answered(copied.Get(r.URL()), r).Get("error"); got != "login_required" {
			t.Errorf("a copy of the cookie still works: %q", got)
		}
		if got := shop.UserInfo(access); got.Status != 401 {
			t.Errorf("the access token outlives the session: %d", got.Status)
		}
	})
}

func TestLogoutAsksWhenItDoesNotKnowThatThePersonWantsIt(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{home}})
	_, jiros, _ := loggedIn(w, shop, "jiro17")
	b, _, _ := loggedIn(w, shop, "taro")
	alive := func() bool {
		r := shop.Request("prompt=none")
		return w.Answered(b.Get(r.URL()), r).Has("code")
	}
	for name, address := range map[string]string{
		"no hint":               bye(),
		"a client without hint": bye("client_id", "shop", "post_logout_redirect_uri", home),
		"another person's hint": bye("id_token_hint", jiros),
		"a word of its own":     bye("confirmed", "true"),
	} {
		if p := b.Get(address); p.Form("/signout").Action == "" || !alive() {
			t.Errorf("%s: no question: %d %s, away %v, alive %v", name, p.Status, p.Code, p.Away, alive())
		}
	}
	ask := b.Get(bye("client_id", "shop", "post_logout_redirect_uri", home, "state", `"<s>`))
	if p := b.CrossPost("/signout", url.Values{}); p.Code != "cross_site" || !alive() {
		t.Errorf("another site pressed the button: %d %s", p.Status, p.Code)
	}
	if p := b.Submit(ask.Form("/signout")); p.Away == nil || p.Away.Query().Get("state") != `"<s>` || alive() {
		t.Errorf("after the button: %d %s, away %v", p.Status, p.Code, p.Away)
	}
}

func TestLogoutGoesOnlyWhereTheClientRegistered(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{home}})
	rival := w.Register(clients.Metadata{ClientID: "rival", PostLogoutRedirectURIs: []string{"https://rival.example/bye"}})
	_, foreign, _ := loggedIn(w, rival, "taro")
	b, hint, access := loggedIn(w, shop, "taro")
	for name, address := range map[string]string{
		"an address that nobody registered": bye("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"),
		"one character more":                bye("id_token_hint", hint, "post_logout_redirect_uri", home+"/"),
		"another client's address":          bye("id_token_hint", hint, "post_logout_redirect_uri", "https://rival.example/bye"),
		"an address without a client":       bye("post_logout_redirect_uri", home),
		"a hint of another client":          bye("id_token_hint", foreign, "client_id", "shop"),
		"a hint that is none":               bye("id_token_hint", "e30.e30.e30"),
		"a hint with a changed signature":   bye("id_token_hint", hint[:len(hint)-4]+"AAAA"),
		"a client that nobody knows":        bye("client_id", "nobody"),
		"two hints":                         bye("id_token_hint", hint) + "&id_token_hint=" + hint,
		"two states":                        bye("id_token_hint", hint, "post_logout_redirect_uri", home, "state", "1") + "&state=2",
	} {
		if p := b.Get(address); p.Away != nil || p.Status < 400 || p.Code != "logout_invalid" && p.Code != "client_unknown" {
			t.Errorf("%s: %d %s, away %v", name, p.Status, p.Code, p.Away)
		}
		if got := shop.UserInfo(access); got.Status != 200 {
			t.Fatalf("%s ended the session", name)
		}
	}
}

func TestLogoutWithoutASessionIsDone(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{home}})
	_, hint, _ := loggedIn(w, shop, "taro")
	if p := w.NewBrowser().Get(bye("id_token_hint", hint, "post_logout_redirect_uri", home)); p.Away == nil {
		t.Errorf("%d %s", p.Status, p.Code)
	}
	if p := w.NewBrowser().Get(bye()); p.Status != 200 || len(p.Forms) > 0 {
		t.Errorf("%d %s", p.Status, p.Code)
	}
	b := w.NewBrowser()
	posted := b.CrossPost("/end_session", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {home}})
	if posted = b.Submit(posted.Form("/end_session")); posted.Away == nil {
		t.Errorf("a posted request: %d %s", posted.Status, posted.Code)
	}
}

// A browser sends no cookie along with a form of another site (SameSite=Lax). To call that signed out, while the session
// lives, would be a lie: a page of ours sends the same again.
func TestALogoutThatAnotherSitePostsEndsTheSession(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{home}})
	_, jiros, _ := loggedIn(w, shop, "jiro17")
	for name, tc := range map[string]struct {
		hint func(own string) string
		asks string // where the form of the first page leads
		more bool   // a question follows
	}{
		"with the hint of the very person": {func(own string) string { return own }, "/end_session", false},
		"with another person's hint":       {func(string) string { return jiros }, "/end_session", true},
		"without a hint":                   {func(string) string { return "" }, "/signout", false},
	} {
		b, own, access := loggedIn(w, shop, "taro")
		without := w.NewBrowser() // as the same browser looks from outside
		fields := url.Values{"client_id": {"shop"}, "post_logout_redirect_uri": {home}, "state": {"s"}, "ui_locales": {"en"}}
		if hint := tc.hint(own); hint != "" {
			fields.Set("id_token_hint", hint)
		}
		page := without.CrossPost("/end_session", fields)
		for _, h := range page.Header.Values("Set-Cookie") {
			if strings.HasPrefix(h, "ss=") {
				t.Errorf("%s: the cookie of a session that lives is taken", name)
			}
		}
		if got := shop.UserInfo(access); got.Status != 200 || page.Form(tc.asks).Action == "" || !strings.Contains(page.Body, `lang="en"`) {
			t.Fatalf("%s: %d, %d %s", name, got.Status, page.Status, page.Body)
		}
		end := b.Submit(page.Form(tc.asks))
		if tc.more {
			if end.Away != nil {
				t.Errorf("%s: nobody asks", name)
			}
			end = b.Submit(end.Form("/signout"))
		}
		if end.Away == nil || end.Away.String() != home+"?state=s" || shop.UserInfo(access).Status != 401 {
			t.Errorf("%s: %d %s, away %v", name, end.Status, end.Code, end.Away)
		}
	}
}

func TestWhichPostIsFromAnotherSite(t *testing.T) {
	w := open(t)
	for _, tc := range []struct {
		name         string
		site, origin string
		foreign      bool
	}{
		{"another site", "cross-site", "https://shop.example", true},
		{"an old browser at another site", "", "https://shop.example", true},
		{"an old browser that hides where it was", "", "null", true},
		{"an old browser at a page of ours", "", w.Issuer, false},
		{"a sister of ours, whom the cookie goes along with", "same-site", "https://shop.example", false},
		{"no browser", "", "", false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+"/end_session", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Sec-Fetch-Site": tc.site, "Origin": tc.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || strings.Contains(string(body), "<form") != tc.foreign {
			t.Errorf("%s: %v, %d %s", tc.name, err, response.StatusCode, body)
		}
	}
}

func TestLogoutKeepsARegisteredQueryAsItIs(t *testing.T) {
	w := open(t)
	odd := "https://shop.example/bye?b=%7e&a=1+2&b=%2F"
	shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{odd}})
	_, hint, _ := loggedIn(w, shop, "taro")
	for state, want := range map[string]string{"": odd, "a&b": odd + "&state=a%26b"} {
		w.NewBrowser().Get(bye("id_token_hint", hint, "post_logout_redirect_uri", odd, "state", state))
		if p := w.NewBrowser().Get(bye("id_token_hint", hint, "post_logout_redirect_uri", odd, "state", state)); p.Header.Get("Location") != want {
			t.Errorf("sent to %s", p.Header.Get("Location"))
		}
	}
}

func TestLogoutSpeaksTheLanguageThatIsAskedFor(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for _, lang := range []string{"ja", "en"} {
		b, _, _ := loggedIn(w, shop, "taro")
		wish := "xx " + lang
		ask := b.Get(bye("client_id", "shop", "ui_locales", wish, "logout_hint", "taro@shop.example"))
		if !strings.Contains(ask.Body, `<html lang="`+lang+`">`) || strings.Contains(ask.Body, "taro@") {
			t.Errorf("the question: %s", ask.Body)
		}
		if done := b.Submit(ask.Form("/signout")); done.Status != 200 || !strings.Contains(done.Body, `<html lang="`+lang+`">`) {
			t.Errorf("the end: %d %s", done.Status, done.Body)
		}
	}
	if p := w.NewBrowser().Get(bye("ui_locales", "ja") + "&ui_locales=en"); p.Code != "logout_invalid" {
		t.Errorf("two of them: %d %s", p.Status, p.Code)
	}
}

func TestSignedUserInfoIsNoHint(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", UserInfoAlg: "ES256"})
	b, _, access := loggedIn(w, shop, "taro")
	info := shop.UserInfo(access)
	if strings.Count(info.Body, ".") != 2 {
		t.Fatalf("%d %s", info.Status, info.Body)
	}
	if p := b.Get(bye("id_token_hint", info.Body)); p.Code != "logout_invalid" {
		t.Errorf("%d %s", p.Status, p.Code)
	}
}
