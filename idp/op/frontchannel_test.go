package op_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

var frame = regexp.MustCompile(`<iframe src="([^"]+)"`)

// frames are the addresses that a page loads, and its policy about them.
func frames(p idptest.Page) (addresses []string, policy string) {
	for _, m := range frame.FindAllStringSubmatch(p.Body, -1) {
		addresses = append(addresses, html.UnescapeString(m[1]))
	}
	_, policy, _ = strings.Cut(p.Header.Get("Content-Security-Policy"), "frame-src ")
	return addresses, policy
}

// named registers a relying party whose page hears of logouts, and lets a browser visit it.
func named(t *testing.T, w *idptest.World, b *idptest.Browser, m clients.Metadata) (rp *idptest.RP, sid, idToken string) {
	t.Helper()
	rp = w.Register(m)
	r := rp.Request()
	var code string
	if b.Cookie("ss") == "" {
		code = w.Login(b, r, "taro").Get("code")
	} else {
		code = w.Answer(b, r).Get("code")
	}
	tokens := rp.Exchange(code, r)
	sid, _ = rp.Claims(tokens, r)["sid"].(string)
	return rp, sid, tokens.IDToken
}

func TestTheBrowserTellsEveryPageOfASession(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		b := w.NewBrowser()
		_, shopSID, hint := named(t, w, b, clients.Metadata{ClientID: "shop", FrontLogoutURI: "https://shop.example/out?a=%7e", PostLogoutRedirectURIs: []string{home}})
		_, bankSID, _ := named(t, w, b, clients.Metadata{ClientID: "bank", FrontLogoutURI: "https://bank.example/out"})
		named(t, w, b, clients.Metadata{ClientID: "quiet"})
		_, goneSID, _ := named(t, w, b, clients.Metadata{ClientID: "gone", FrontLogoutURI: "https://gone.example/out"})
		if shopSID == "" || bankSID == "" || goneSID == "" || shopSID == bankSID {
			t.Fatalf("the session is called %q, %q, %q", shopSID, bankSID, goneSID)
		}
		if err := w.Site.Store.DisableClient(t.Context(), "gone", true, w.Town.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		p := b.Get(bye("id_token_hint", hint, "post_logout_redirect_uri", home, "state", "s"))
		got, policy := frames(p)
		iss := "iss=" + url.QueryEscape(w.Issuer) + "&sid="
		if want := []string{"https://bank.example/out?" + iss + bankSID, "https://shop.example/out?a=%7e&" + iss + shopSID}; !slices.Equal(got, want) {
			t.Errorf("the page loads %q, want %q", got, want)
		}
		if policy != "https://bank.example https://shop.example" {
			t.Errorf("the page may frame %q", policy)
		}
		if p.Status != http.StatusOK || !strings.Contains(p.Body, `content="5;url=`+home+`?state=s"`) || b.Cookie("ss") != "" {
			t.Errorf("%d, cookie %q: %s", p.Status, b.Cookie("ss"), p.Body)
		}
		if again := b.Get(bye("id_token_hint", hint, "post_logout_redirect_uri", home)); again.Away == nil {
			t.Errorf("a second time there is nobody to tell: %d", again.Status)
		}
	})
}

func TestASessionWithoutPagesHasNoFrames(t *testing.T) {
	w := open(t)
	b := w.NewBrowser()
	_, _, hint := named(t, w, b, clients.Metadata{ClientID: "quiet", PostLogoutRedirectURIs: []string{home}})
	w.Register(clients.Metadata{ClientID: "shop", FrontLogoutURI: "https://shop.example/out"}) // nobody was there
	if p := b.Get(bye("id_token_hint", hint, "post_logout_redirect_uri", home)); p.Away == nil {
		t.Errorf("%d %s", p.Status, p.Body)
	}
}

// Without an address to go to, the page stays; what the answer to the question shows is the same.
func TestThePageAfterTheQuestionTellsThemToo(t *testing.T) {
	w := open(t)
	b := w.NewBrowser()
	named(t, w, b, clients.Metadata{ClientID: "shop", FrontLogoutURI: "https://shop.example/out"})
	ask := b.Get(bye())
	if got, policy := frames(ask); len(got) > 0 || policy != "" {
		t.Errorf("the question loads %q", got)
	}
	p := b.Submit(ask.Form("/signout"))
	if got, _ := frames(p); len(got) != 1 || strings.Contains(p.Body, "http-equiv") {
		t.Errorf("%d %s", p.Status, p.Body)
	}
	w.Town.Clock.Advance(time.Minute)
	deliver(t, w, 0) // no server of theirs wants to hear
}
