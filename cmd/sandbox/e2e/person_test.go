package e2e_test

import (
	"os"
	"testing"
)

// plainly takes the same picture in plain Japanese, where there is Japanese, and goes back.
func (b *tab) plainly(name, lang string) {
	b.t.Helper()
	if lang != "ja" {
		return
	}
	b.click(".switch a[hreflang='ja-Hira']")
	b.see("html[lang=ja-Hira] h1")
	b.picture(name, "ja-Hira")
	b.click(".switch a[hreflang='ja']")
	b.see("html[lang=ja] h1")
}

// TestAPersonSeesToHerOwnAffairs: she shops, looks at what is known of her, takes it back, signs out everywhere, comes
// back with her card and leaves for good. The pages need no scripts.
func TestAPersonSeesToHerOwnAffairs(t *testing.T) {
	if err := os.MkdirAll(gallery, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w, p := start(t), newPerson(t, lang)
			p.open(w.Issuer + "/me")
			p.see("body.page-mesignin #start")
			p.picture("me-door", lang)

			p.buy(w, "profile")
			reader := p.launch(w)
			reader.layDown("taro")
			reader.enterPIN("1234", "ABC123")
			p.see("#allow")
			p.plainly("consent-remember", lang)
			p.click("input[name=remember]")
			p.picture("consent-remember", lang)
			p.click("#allow")
			p.see("#verdict")

			p.open(w.Issuer + "/me")
			p.see("body.page-me")
			if got := len(p.texts("a[href*='/me/ask/take-back']")); got != 1 {
				t.Errorf("%d sites have something", got)
			}
			p.picture("me", lang)
			p.plainly("me", lang)
			p.click("a[href*='/me/ask/take-back']")
			p.see("body.page-meask #do")
			p.picture("me-ask", lang)
			p.click("#do")
			p.see("body.page-me #done")
			if got := len(p.texts("a[href*='/me/ask/take-back']")); got != 0 {
				t.Errorf("%d sites still have something", got)
			}
			p.click("#end-all")
			p.click("#do")
			p.see("body.page-mesignin #done")

			p.buy(w, "profile")
			p.see("body.page-login #remembered")
			p.picture("login-remembered", lang)
			p.plainly("login-remembered", lang)
			p.open(w.Issuer + "/me")
			p.click("#start")
			p.see("body.page-login")
			p.picture("me-login", lang)
			reader = p.launch(w)
			reader.layDown("taro")
			reader.enterPIN("1234", "")
			p.see("body.page-me")
			p.click("#delete")
			p.click("#do")
			p.see("body.page-mesignin #done")
		})
	}
}
