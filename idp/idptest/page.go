package idptest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Page is where a walk ended: a document of the provider, or a redirect away from it.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string
	Code   string   // error code of an error page
	Launch string   // launch link of the waiting page
	Away   *url.URL // where the browser was sent, not followed
	Forms  []Form
	next   *url.URL
}

// Form is a form of a page.
type Form struct {
	Action string
	Fields [][2]string // hidden fields and ticked boxes
	Boxes  []string    // values of the checkboxes of items
}

// Form finds the form whose action ends like this; the zero Form without one.
func (p Page) Form(suffix string) Form {
	for _, f := range p.Forms {
		if at, err := url.Parse(f.Action); err == nil && strings.HasSuffix(at.Path, suffix) {
			return f
		}
	}
	return Form{}
}

// Without is the form with one box unticked.
func (f Form) Without(value string) Form {
	out := Form{Action: f.Action, Boxes: f.Boxes}
	for _, field := range f.Fields {
		if field != [2]string{"item", value} {
			out.Fields = append(out.Fields, field)
		}
	}
	return out
}

func readPage(t testing.TB, at *url.URL, body string) Page {
	t.Helper()
	p := Page{URL: at, Body: body}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var form *Form
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.Data == "meta" && attribute(n, "name") == "tegata-error":
			p.Code = attribute(n, "content")
		case n.Data == "a" && attribute(n, "id") == "launch":
			p.Launch = attribute(n, "href")
		case n.Data == "form":
			action, err := at.Parse(attribute(n, "action"))
			if err != nil {
				t.Fatal(err)
			}
			p.Forms = append(p.Forms, Form{Action: action.String()})
			form = &p.Forms[len(p.Forms)-1]
		case n.Data == "input" && form != nil:
			form.control(n)
		}
	}
	return p
}

// control collects what a browser would send; our pages close a form before the next begins.
func (f *Form) control(n *html.Node) {
	field := [2]string{attribute(n, "name"), attribute(n, "value")}
	if attribute(n, "type") != "checkbox" {
		f.Fields = append(f.Fields, field)
		return
	}
	if field[0] == "item" {
		f.Boxes = append(f.Boxes, field[1])
	}
	for _, a := range n.Attr {
		if a.Key == "checked" {
			f.Fields = append(f.Fields, field)
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
