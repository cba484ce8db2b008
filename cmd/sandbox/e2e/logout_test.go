package e2e_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// party is a relying party's own site: it takes answers, shows pages, and hears of logouts in frames and at its server.
type party struct {
	*httptest.Server
	at     string // its address as browsers know it
	codes  chan string
	frames chan url.Values
	posts  chan *http.Request
}

const plainPage = "<!doctype html><html lang=en><link rel=icon href=data:,><title>x</title>"

// newParty opens a site. Under the name localhost it is another site to a browser than the sandbox at 127.0.0.1.
func newParty(t *testing.T, host string) *party {
	t.Helper()
	s := &party{codes: make(chan string, 9), frames: make(chan url.Values, 9), posts: make(chan *http.Request, 9)}
	mux := http.NewServeMux()
	page := func(path, body string, seen func(*http.Request)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			seen(r)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, plainPage+body)
		})
	}
	page("GET /callback", "<p id=in>in", func(r *http.Request) { s.codes <- r.URL.Query().Get("code") })
	page("GET /out", "<p>out", func(r *http.Request) { s.frames <- r.URL.Query() })
	page("GET /bye", "<p id=bye>bye", func(*http.Request) {})
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, plainPage+`<form method=post action="`+r.URL.Query().Get("to")+`"><input type=hidden name=id_token_hint value="`+
			r.URL.Query().Get("hint")+`"><input type=hidden name=post_logout_redirect_uri value="`+s.at+`/bye"><button id=go>go</button></form>`)
	})
	mux.HandleFunc("POST /back", func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil {
			s.posts <- r
		}
		<-r.Context().Done() // no answer: whoever tells must try again
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	s.at = strings.Replace(s.URL, "127.0.0.1", host, 1)
	return s
}

// client is its metadata.
func (s *party) client(id, more string) string {
	return `{"client_id": "` + id + `", "client_secret": "` + id + `-secret-of-more-than-32-characters-00", "client_name": "Bank",
		"redirect_uris": ["` + s.at + `/callback"], "post_logout_redirect_uris": ["` + s.at + `/bye"]` + more + `}`
}

// enter logs the person in at the party, which gets its tokens.
func (s *party) enter(t *testing.T, w *world, p *tab, id string) token {
	t.Helper()
	p.open(w.authorize(id, url.Values{"prompt": {"consent"}}))
	reader := p.launch(w)
	reader.layDown("taro")
	reader.enterPIN("1234", "ABC123")
	p.click("#allow")
	p.see("#in")
	return w.tokens(t, id, <-s.codes)
}

// The page after a logout loads the relying party's page unseen, and goes on to it by itself; scripts are off.
func TestTheBrowserTellsARelyingPartyThatItSignedOut(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"ja", "en"} {
		site := newParty(t, "127.0.0.1")
		w := start(t, "--clients", clientsFile(t, "["+site.client("bank", `, "frontchannel_logout_uri": "`+site.at+`/out", "frontchannel_logout_session_required": true`)+"]"))
		p := newPersonWithoutScripts(t, lang)
		tok := site.enter(t, w, p, "bank")
		sid, _ := tok.claims["sid"].(string)
		p.open(w.Issuer + "/end_session?" + url.Values{"id_token_hint": {tok.raw}, "post_logout_redirect_uri": {site.at + "/bye"}}.Encode())
		if got := <-site.frames; sid == "" || got.Get("sid") != sid || got.Get("iss") != w.Issuer {
			t.Errorf("the frame is asked for with %v, the session is %q", got, sid)
		}
		p.see("#bye")

		tok = site.enter(t, w, p, "bank")
		p.open(w.Issuer + "/end_session?" + url.Values{"id_token_hint": {tok.raw}}.Encode())
		<-site.frames
		p.see("body.page-signedout")
		if frames := ask[int](p, `[...document.querySelectorAll("iframe")].filter(f => f.getClientRects().length > 0).length`); frames != 0 {
			t.Error("a frame can be seen")
		}
		pictured(t, p, "signedout-frames", lang)
	}
}

// On her own pages, too: the page after the question loads the relying party's page unseen. Scripts are off.
func TestHerOwnPagesTellARelyingPartyThatASessionIsOver(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"ja", "en"} {
		site := newParty(t, "127.0.0.1")
		w := start(t, "--clients", clientsFile(t, "["+site.client("bank", `, "frontchannel_logout_uri": "`+site.at+`/out", "frontchannel_logout_session_required": true`)+"]"))
		p := newPersonWithoutScripts(t, lang)
		for _, end := range []string{"a[href*='/me/ask/end?id=']", "#end-all"} {
			tok := site.enter(t, w, p, "bank")
			p.open(w.Issuer + "/me")
			p.click(end)
			p.click("main form button")
			if got := <-site.frames; got.Get("sid") != tok.claims["sid"] || got.Get("iss") != w.Issuer {
				t.Errorf("the frame is asked for with %v, the session is %v", got, tok.claims["sid"])
			}
			p.see("body.page-mesignin")
			if frames := ask[int](p, `[...document.querySelectorAll("iframe")].filter(f => f.getClientRects().length > 0).length`); frames != 0 {
				t.Error("a frame can be seen")
			}
		}
		pictured(t, p, "me-ended-frames", lang)
	}
}

// A form of another site brings no cookie along: the page in between sends it again, by itself or by a button.
func TestALogoutThatAnotherSitePosts(t *testing.T) {
	t.Parallel()
	site := newParty(t, "localhost")
	w := start(t, "--clients", clientsFile(t, "["+site.client("bank", "")+"]"))
	leave := func(p *tab) {
		t.Helper()
		tok := site.enter(t, w, p, "bank")
		p.open(site.at + "/form?" + url.Values{"to": {w.Issuer + "/end_session"}, "hint": {tok.raw}}.Encode())
		p.click("#go")
	}
	p := newPerson(t, "en")
	leave(p)
	p.see("#bye")
	p.open(w.Issuer + "/me")
	p.see("body.page-mesignin")
	for _, lang := range []string{"ja", "en"} {
		p = newPersonWithoutScripts(t, lang)
		leave(p)
		p.see("body.page-signout")
		pictured(t, p, "signout-relay", lang)
		p.click("#signout")
		p.see("#bye")
		p.open(w.Issuer + "/me")
		p.see("body.page-mesignin")
	}
}

// What a person ends at her own pages, the shop hears of: she finds herself signed out there.
func TestTheShopHearsThatASessionIsOver(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"ja", "en"} {
		w, p := start(t), newPerson(t, lang)
		p.buy(w, "age_over_18")
		reader := p.launch(w)
		reader.layDown("taro")
		reader.enterPIN("1234", "ABC123")
		p.click("#allow")
		p.see("#verdict")
		p.open(w.Issuer + "/me")
		p.click("#end-all")
		p.click("#do")
		p.see("body.page-mesignin #done")
		for end := time.Now().Add(patience); ; {
			p.open(w.RP + "/result")
			if ask[bool](p, `!!document.querySelector("#told")`) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the shop is not told\n%s\n%s", p.describe(), w.stderr)
			}
		}
		pictured(t, p, "shop-told", lang)
		p.open(w.RP + "/result")
		p.see("#ask-login")
	}
}

func pictured(t *testing.T, p *tab, name, lang string) {
	t.Helper()
	if err := os.MkdirAll(gallery, 0o755); err != nil {
		t.Fatal(err)
	}
	p.picture(name, lang)
}

// An operator ends a session; the server dies while it tells the relying party; the next one tells it.
func TestALogoutOutlivesTheProcessThatTellsIt(t *testing.T) {
	t.Parallel()
	site, data := newParty(t, "127.0.0.1"), t.TempDir()
	args := []string{"--data", data, "--clients", clientsFile(t, "["+site.client("bank", `, "backchannel_logout_uri": "`+site.at+`/back"`)+"]")}
	w := start(t, args...)
	tok := w.tokens(t, "bank", w.walk(t, w.authorize("bank", nil)))
	seal, err := os.ReadFile(filepath.Join(data, "seal.json"))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"TEGATA_DATABASE_URL=sqlite:" + filepath.Join(data, "tegata.db"), "TEGATA_SEAL_KEYSET=" + string(seal)}
	if s := tryIn(t, data, env, program(t, "tegata"), "sessions", "end", "--client", "bank", "--subject", tok.Subject); s.code != 0 || s.out != "sessions ended: 1\n" {
		t.Fatalf("exit code %d: %s%s", s.code, s.out, s.err)
	}
	first := (<-site.posts).PostForm.Get("logout_token")
	w.kill(t)
	// A minute later the dead one has lost its claim to the message.
	again := start(t, append(args, "--now", time.Now().Add(2*time.Minute).Format(time.RFC3339), "--listen", hostPort(t, w.Issuer))...)
	second := (<-site.posts).PostForm.Get("logout_token")
	if first == "" || second == "" || first == second || again.Issuer != w.Issuer {
		t.Errorf("told %q and %q by %s", first, second, again.Issuer)
	}
}

// kill ends the sandbox as a power cut does.
func (w *world) kill(t *testing.T) {
	t.Helper()
	ended := w.ended
	w.ended = nil
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

func hostPort(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := net.SplitHostPort(u.Host); err != nil {
		t.Fatal(err)
	}
	return u.Host
}
