package e2e_test

import (
	"os"
	"testing"
)

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
			p.click("#allow")
			p.see("#verdict")

			p.open(w.Issuer + "/me")
			p.see("body.page-me")
			if got := len(p.texts("a[href*='/me/ask/take-back']")); got != 1 {
				t.Errorf("%d sites have something", got)
			}
			p.picture("me", lang)
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
