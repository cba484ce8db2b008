package headless

import (
	"io"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// page is what a browser would see of one HTML document.
type page struct {
	url    *url.URL
	error  string // code of an error page
	launch string // href of the launch link
	forms  []form
}

type form struct {
	action *url.URL
	fields [][2]string // hidden fields and ticked boxes; the button that is pressed comes on top
}

// formTo finds the form whose action ends like this.
func (p page) formTo(suffix string) (form, bool) {
	for _, f := range p.forms {
		if strings.HasSuffix(f.action.Path, suffix) {
			return f, true
		}
	}
	return form{}, false
}

// decided says that the consent was given on the page before, and that this one asks about more.
func (f form) decided() bool {
	return slices.ContainsFunc(f.fields, func(field [2]string) bool { return field[0] == "decision" })
}

func parse(at *url.URL, r io.Reader) (page, error) {
	root, err := html.Parse(r)
	if err != nil {
		return page{}, err
	}
	p := page{url: at}
	p.walk(root, nil)
	return p, nil
}

func (p *page) walk(n *html.Node, in *form) {
	if n.Type == html.ElementNode {
		switch n.Data {
		case "meta":
			if attr(n, "name") == "tegata-error" {
				p.error = attr(n, "content")
			}
		case "a":
			p.link(n)
		case "form":
			action, err := p.url.Parse(attr(n, "action"))
			if err == nil && strings.EqualFold(attr(n, "method"), "post") {
				p.forms = append(p.forms, form{action: action})
				in = &p.forms[len(p.forms)-1]
				for c := range n.ChildNodes() {
					p.walk(c, in)
				}
				return
			}
		case "input", "button":
			in.control(n)
		}
	}
	for c := range n.ChildNodes() {
		p.walk(c, in)
	}
}

func (p *page) link(n *html.Node) {
	if has(n, "data-tegata-launch") {
		p.launch = attr(n, "href")
	}
}

// control collects what a browser would send.
func (f *form) control(n *html.Node) {
	name := attr(n, "name")
	if f == nil || name == "" {
		return
	}
	field := [2]string{name, attr(n, "value")}
	switch kind := attr(n, "type"); {
	case n.Data == "button", kind == "submit", kind == "checkbox" && !has(n, "checked"):
	default:
		f.fields = append(f.fields, field)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
