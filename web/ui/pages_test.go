package ui

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"tegata/authn/fail"
)

var voidElements = []string{"meta", "link", "input", "br", "hr", "img"}

// checkBalance fails unless every tag that opens closes again in order: browsers repair what they
// are given, and not all of them alike.
func checkBalance(t *testing.T, page []byte) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			if len(open) != 0 {
				t.Fatalf("never closed: %v", open)
			}
			return
		case html.StartTagToken:
			if name := z.Token().Data; !slices.Contains(voidElements, name) {
				open = append(open, name)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func parse(t rapid.TB, page []byte) *html.Node {
	t.Helper()
	doc, err := html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func elements(doc *html.Node, name string) []*html.Node {
	var list []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (name == "" || n.Data == name) {
			list = append(list, n)
		}
	}
	return list
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestEveryPageInEveryLanguage(t *testing.T) {
	u := mustNew(t)
	key := regexp.MustCompile(`\b(error|item|login|wait|consent|progress|value|who|message|card)_[a-z_]+\b`)
	for name, page := range samples("Aoba") {
		for _, lang := range Langs {
			t.Run(name+" in "+lang, func(t *testing.T) {
				w := draw(u, lang, page)
				if w.Code != http.StatusOK {
					t.Fatalf("status %d", w.Code)
				}
				body := w.Body.Bytes()
				checkBalance(t, body)
				doc := parse(t, body)
				if got := attr(elements(doc, "html")[0], "lang"); got != lang {
					t.Errorf("html lang %q", got)
				}
				if n := len(elements(doc, "h1")); n != 1 {
					t.Errorf("%d h1", n)
				}
				checkElements(t, doc)
				if found := key.FindString(strings.ReplaceAll(words(elements(doc, "main")[0]), "redirect_uri", "")); found != "" && found != "pin_locked" {
					t.Errorf("a key is shown instead of its sentence: %s", found)
				}
			})
		}
	}
}

// checkElements looks for what the content security policy would stop and what a screen reader
// would stumble over.
func checkElements(t *testing.T, doc *html.Node) {
	t.Helper()
	ids := map[string]bool{}
	labelled := map[string]bool{}
	for _, label := range elements(doc, "label") {
		labelled[attr(label, "for")] = true
	}
	for _, n := range elements(doc, "") {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s=...> is inline", n.Data, a.Key)
			}
		}
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %s twice", id)
			}
			ids[id] = true
		}
		switch {
		case n.Data == "style":
			t.Error("inline style")
		case n.Data == "script" && (attr(n, "src") == "" || n.FirstChild != nil):
			t.Error("inline script")
		case n.Data == "form" && attr(n, "method") != "post":
			t.Error("a form that is not a post")
		case n.Data == "input" && attr(n, "type") == "password" && !labelled[attr(n, "id")]:
			t.Errorf("field %s has no label", attr(n, "name"))
		}
	}
}

func TestFilesOfAPageExistAndAreSmall(t *testing.T) {
	u := mustNew(t)
	for name, page := range samples("Aoba") {
		w := draw(u, "ja", page)
		total := w.Body.Len()
		doc := parse(t, w.Body.Bytes())
		for _, n := range append(elements(doc, "link"), elements(doc, "script")...) {
			at := attr(n, "href") + attr(n, "src")
			file := httptest.NewRecorder()
			u.Static().ServeHTTP(file, httptest.NewRequest(http.MethodGet, at, nil))
			if file.Code != http.StatusOK {
				t.Errorf("%s: %s is not served", name, at)
			}
			total += file.Body.Len()
		}
		if total > 100<<10 {
			t.Errorf("%s: %d bytes, more than 100 KiB", name, total)
		}
	}
}

// skeleton is a page without its text and attribute values: what a site's name must not change.
func skeleton(t rapid.TB, page []byte) string {
	var b strings.Builder
	for _, n := range elements(parse(t, page), "") {
		b.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
	}
	return b.String()
}

func TestANameNeverBecomesMarkup(t *testing.T) {
	u := mustNew(t)
	want := map[string]string{}
	for name, page := range samples("Aoba") {
		want[name] = skeleton(t, draw(u, "en", page).Body.Bytes())
	}
	hostile := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune(`<>"'&/={}.;script `)), 1, 30, -1),
		rapid.String().Filter(func(s string) bool { return s != "" }),
		rapid.Just(`</title></bdi><script>alert(1)</script>`),
		rapid.Just(`{{.Secret}}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		rp := hostile.Draw(t, "name")
		for name, page := range samples(rp) {
			if got := skeleton(t, draw(u, "en", page).Body.Bytes()); got != want[name] {
				t.Fatalf("%s: the name %q changed the page", name, rp)
			}
		}
	})
}

func TestANameCannotTurnASentenceAround(t *testing.T) {
	w := draw(mustNew(t), "en", LoginPage{RPName: "shop\u202emoc.elpmaxe\u2069\n"})
	title := words(elements(parse(t, w.Body.Bytes()), "title")[0])
	if want := "Sign in to shopmoc.elpmaxe | Tegata"; title != want {
		t.Errorf("title %q, want %q", title, want)
	}
}

func byID(doc *html.Node, id string) *html.Node {
	for _, n := range elements(doc, "") {
		if attr(n, "id") == id {
			return n
		}
	}
	return nil
}

func TestTheErrorPageNamesItsCode(t *testing.T) {
	u := mustNew(t)
	for _, e := range fail.All() {
		doc := parse(t, draw(u, "en", ErrorPage{Err: e, BackURL: "myapp:/callback"}).Body.Bytes())
		if got := words(byID(doc, "error-code")); got != e.Code {
			t.Errorf("%s: code element says %q", e.Code, got)
		}
		found := slices.ContainsFunc(elements(doc, "meta"), func(n *html.Node) bool {
			return attr(n, "name") == "tegata-error" && attr(n, "content") == e.Code
		})
		if !found {
			t.Errorf("%s: no meta element", e.Code)
		}
		if byID(doc, "back") != nil {
			t.Error("a link that no browser page stands behind is shown")
		}
	}
}

func TestTheWaitPage(t *testing.T) {
	u := mustNew(t)
	page := samples("Aoba")["wait"].(WaitPage)
	doc := parse(t, draw(u, "en", page).Body.Bytes())
	launch := byID(doc, "launch")
	if attr(launch, "href") != "tegata:abc" || attr(launch, "target") != "" {
		t.Errorf("a program's link opens in place: %v", launch.Attr)
	}
	if refresh := refreshOf(doc); refresh != "2;url=/login/a" {
		t.Errorf("without scripts the page asks again: %q", refresh)
	}
	page.LaunchURL = "http://127.0.0.1:9002/agent/abc"
	launch = byID(parse(t, draw(u, "en", page).Body.Bytes()), "launch")
	if attr(launch, "target") != "_blank" || attr(launch, "rel") != "noopener" {
		t.Errorf("a page's link opens a window without a way back: %v", launch.Attr)
	}
	page = samples("Aoba")["wait, verified"].(WaitPage)
	doc = parse(t, draw(u, "en", page).Body.Bytes())
	if attr(byID(doc, "continue"), "href") != page.ContinueURL || refreshOf(doc) != "2;url="+page.ContinueURL {
		t.Error("a verified login goes on to the agent")
	}
}

func refreshOf(doc *html.Node) string {
	for _, n := range elements(doc, "meta") {
		if attr(n, "http-equiv") == "refresh" {
			return attr(n, "content")
		}
	}
	return ""
}

func TestConsentShowsTheValueThatIsSent(t *testing.T) {
	doc := parse(t, draw(mustNew(t), "en", samples("Aoba")["consent"]).Body.Bytes())
	text := words(elements(doc, "main")[0])
	for _, want := range []string{"Yes", "April 1, 1990", "My Number"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	var boxes []string
	for _, n := range elements(doc, "input") {
		if attr(n, "type") == "hidden" {
			continue
		}
		_, checked := attrOK(n, "checked")
		boxes = append(boxes, attr(n, "value")+map[bool]string{true: "+", false: "-"}[checked])
	}
	if want := []string{"address+", "birthdate-", "yes-"}; !slices.Equal(boxes, want) {
		t.Errorf("check boxes %v, want %v", boxes, want)
	}
}

func attrOK(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func TestTheLastTryIsConfirmed(t *testing.T) {
	tests := []struct {
		name string
		page CardPINPage
		want bool
	}{
		{"three tries left", CardPINPage{PINTries: 3}, false},
		{"one try left", CardPINPage{PINTries: 1}, true},
		{"one try left for a password that is not asked for", CardPINPage{PINTries: 3, PasswordTries: 1}, false},
		{"one try left for the password", CardPINPage{PINTries: 3, PasswordTries: 1, AskPassword: true}, true},
	}
	u := mustNew(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Contains(draw(u, "en", tt.page).Body.String(), `name="confirm_last"`)
			if got != tt.want {
				t.Errorf("confirmation shown: %v", got)
			}
		})
	}
}

func TestAPageThatCannotBeDrawnSendsNothingOfItself(t *testing.T) {
	w := draw(mustNew(t), "en", ErrorPage{Incident: "I-1"})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "<") {
		t.Errorf("status %d, body %q", w.Code, w.Body.String())
	}
}
