package show

import "strings"

// browsers and systems are the words of a User-Agent header, the more telling ones first: Edge also calls itself Chrome,
// and Chrome Safari.
var (
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "Mac"}, {"Linux", "Linux"}}
)

// family is what of a User-Agent lets a person recognise a browser of her own, and no more: no version, no model. Only
// words of ours come out.
func family(userAgent string) string {
	var parts []string
	for _, words := range [][][2]string{browsers, systems} {
		for _, w := range words {
			if strings.Contains(userAgent, w[0]) {
				parts = append(parts, w[1])
				break
			}
		}
	}
	return strings.Join(parts, ", ")
}
