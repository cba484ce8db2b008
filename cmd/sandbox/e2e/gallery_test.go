package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// gallery is where the pictures of the pages go: ignored by git, looked at by people.
var gallery = filepath.Join("..", "..", "..", "screenshots")

// looks are the screens on which every page is looked at.
var looks = []struct {
	width  int64
	scheme string
}{{320, "light"}, {320, "dark"}, {1280, "light"}, {1280, "dark"}}

// picture takes the page in all looks. Nothing may stick out at the side.
func (b *tab) picture(name, lang string) {
	b.t.Helper()
	b.call("coming to the front", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.BringToFront, cdp.Empty{}) // a tab behind another one may not be drawn
		return err
	}))
	for _, look := range looks {
		b.call("looking", chromedp.EmulateViewport(look.width, 800))
		b.call("looking", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
			return err
		}))
		if out := ask[[]string](b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 && !e.closest("pre, svg, .visually-hidden, .skip")).map(e => e.tagName + "." + e.className)`); ask[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
			b.t.Errorf("%s in %s is wider than %d pixels: %q", name, lang, look.width, out)
		}
		file := filepath.Join(gallery, fmt.Sprintf("%s-%s-%d-%s.jpg", name, lang, look.width, look.scheme))
		b.call("taking "+file, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			image, err := chromedp.FullScreenshot(85)(ctx, t) // JPEG: a PNG of a long page takes a second
			if err != nil {
				return err
			}
			return os.WriteFile(file, image, 0o644)
		}))
	}
	b.call("the usual look", chromedp.EmulateReset())
}

// TestEveryPageFitsEveryScreen walks past each page of the provider, the reader and the shop.
func TestEveryPageFitsEveryScreen(t *testing.T) {
	if err := os.MkdirAll(gallery, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w, p := start(t, "--clients", shops(t)), newPerson(t, lang)
			w.tour(p, lang)
			w.formPost(newPersonWithoutScripts(t, lang), lang)
		})
	}
}

// tour is one long evening of somebody who tries everything.
func (w *world) tour(p *tab, lang string) {
	p.open(w.Issuer + "/")
	p.picture("provider-home", lang)
	p.open(w.Cards + "/")
	p.picture("reader-home", lang)
	p.open(w.RP)
	p.picture("shop-home", lang)

	p.click("#ask-profile a.button")
	p.see("#start")
	p.picture("login", lang)
	reader := p.launch(w)
	reader.see("body.page-cardpick")
	p.until(`!document.querySelector("#number-box").hidden`)
	p.picture("wait", lang)
	reader.picture("reader-pick", lang)
	reader.layDown("henkan")
	reader.see("#pin")
	reader.picture("reader-pin", lang)
	for range 2 {
		reader.enterPIN("0000", "ABC123")
		reader.see("#error[data-code=pin_wrong]")
	}
	p.until(theRule + ` === "pin_wrong"`)
	p.picture("wait-wrong-pin", lang)
	reader.picture("reader-wrong-pin", lang)
	reader.click("input[name=confirm_last]")
	reader.enterPIN("1234", "ABC123")
	reader.see("body.page-carddone")
	reader.picture("reader-done", lang)
	p.see("#allow")
	p.picture("consent", lang)
	p.click("#allow")
	p.see("#verdict")
	p.picture("shop-result", lang)

	p.open(w.authorize("poster", url.Values{"response_mode": {"form_post"}, "scope": {"openid age_over_18"}, "prompt": {"consent"}}))
	p.see("#allow")
	if to := ask[[]string](p, `[...document.querySelectorAll("#policy, #terms")].map(a => a.href)`); strings.Join(to, " ") != "http://127.0.0.1:8000/policy http://127.0.0.1:8000/terms" {
		p.t.Errorf("the site's own pages are at %q", to)
	}
	p.picture("consent-age", lang)
	p.open(w.Issuer + "/end_session")
	p.see("#signout")
	p.picture("signout", lang)
	p.click("#signout")
	p.see("body.page-signedout")
	p.picture("signedout", lang)

	p.buy(w, "age_over_18")
	reader = p.launch(w)
	reader.layDown("revoked")
	reader.enterPIN("1234", "ABC123")
	reader.see("#error-code")
	reader.picture("reader-error", lang)
	p.see("#error-code")
	p.picture("error-revoked", lang)
	p.click("#back")
	p.see("#error")
	p.picture("shop-refused", lang)

	p.buy(w, "age_over_18")
	reader = p.launch(w)
	reader.click("#cancel")
	reader.see("body.page-message")
	reader.picture("reader-cancelled", lang)
	p.see("#error-code")
	p.picture("error-cancelled", lang)

	p.open(w.Issuer + "/authorize?client_id=nobody")
	p.see("#error-code")
	p.picture("error-client", lang)
	p.open(w.Issuer + "/nowhere")
	p.see("#error-code")
	p.picture("error-not-found", lang)
}

// formPost is the page that a script would leave at once.
func (w *world) formPost(p *tab, lang string) {
	p.open(w.authorize("poster", url.Values{"response_mode": {"form_post"}}))
	reader := p.launch(w)
	reader.layDown("taro")
	reader.enterPIN("1234", "ABC123")
	p.click("#allow")
	p.see("body.page-formpost #answer button")
	p.picture("formpost", lang)
}

// A listener that hears nothing would pass every story above.
func TestComplaintsOfTheBrowserAreHeard(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ header, body, want string }{
		"a script that throws":           {"default-src * 'unsafe-inline'", `<script>throw new Error("x")</script>`, "exception"},
		"a script that logs an error":    {"default-src * 'unsafe-inline'", `<script>console.error("x")</script>`, "console error"},
		"a style that the policy blocks": {"default-src 'none'", `<style>p{color:red}</style>`, "Content Security Policy"},
		"an image that is missing":       {"default-src *", `<img src="/missing.png">`, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					http.NotFound(rw, r)
					return
				}
				rw.Header().Set("Content-Security-Policy", tc.header)
				rw.Header().Set("Content-Type", "text/html")
				_, _ = rw.Write([]byte("<!doctype html><link rel=icon href=data:,><title>x</title>" + tc.body + `<p id="end">end`))
			}))
			defer site.Close()
			p := newPerson(t, "en")
			p.open(site.URL)
			p.see("#end")
			p.call("settling", chromedp.Sleep(0))
			p.mu.Lock()
			heard := strings.Join(p.trouble, "\n")
			p.trouble = nil
			p.mu.Unlock()
			if !strings.Contains(heard, tc.want) {
				t.Errorf("heard %q, want %q", heard, tc.want)
			}
		})
	}
}
