package op_test

import (
	"net/url"
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
	posted := w.NewBrowser().CrossPost("/end_session", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {home}})
	if posted.Away == nil {
		t.Errorf("a posted request: %d %s", posted.Status, posted.Code)
	}
}
