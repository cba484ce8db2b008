package ui

import (
	"html/template"
	"regexp"
	"strings"
)

// constant is a call in a template whose result no request can change; named is a sentence that only lacks the site's name.
var (
	constant = regexp.MustCompile(`\{\{(t|asset|lang|others)(?: "([^"]+)")?\}\}`)
	named    = regexp.MustCompile(`\{\{t "([^"]+)" "RPName" (\.[A-Za-z.]+)\}\}`)
)

// folded is a template with what is constant already in place: half the work of drawing a page would be to look up the
// same sentences again. html/template still judges the context in which each of them stands.
func (u *UI) folded(source string, s *speaker) string {
	source = constant.ReplaceAllStringFunc(source, func(call string) string {
		m := constant.FindStringSubmatch(call)
		text, ok := s.fixed[m[2]]
		switch m[1] {
		case "asset":
			text, ok = u.assets.paths[m[2]]
		case "lang":
			text, ok = s.lang, true
		case "others":
			return u.others(s.lang)
		}
		if !ok {
			return call
		}
		return template.HTMLEscapeString(text)
	})
	return named.ReplaceAllStringFunc(source, func(call string) string {
		m := named.FindStringSubmatch(call)
		parts := strings.Split(s.named[m[1]], siteName)
		if len(parts) == 1 {
			return call
		}
		for i := range parts {
			parts[i] = template.HTMLEscapeString(parts[i])
		}
		return strings.Join(parts, "{{tame "+m[2]+"}}")
	})
}

// others are links to a page in the other languages, where its address has no query.
func (u *UI) others(lang string) string {
	var links strings.Builder
	for _, other := range Langs {
		if other != lang {
			links.WriteString(`<a href="?lang=` + other + `" hreflang="` + other + `" lang="` + other + `">` +
				template.HTMLEscapeString(u.nameOf(other)) + `</a>`)
		}
	}
	return links.String()
}
