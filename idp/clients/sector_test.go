package clients

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestASectorListStandsForEveryRedirectURI(t *testing.T) {
	uris := []string{"https://a.example/cb", "https://b.example/cb?x=%2F"}
	for _, tc := range []struct {
		name, document string
		good           bool
	}{
		{"both", `["https://a.example/cb","https://b.example/cb?x=%2F"]`, true},
		{"both and others", ` ["https://c.example/", "https://b.example/cb?x=%2F", "https://a.example/cb"] `, true},
		{"both, escaped as JSON may", `["https:\/\/a.example\/cb","https://b.example/cb?x=%2F"]`, true},
		{"one of them", `["https://a.example/cb"]`, false},
		{"one with another spelling", `["https://a.example/cb","https://b.example/cb?x=%2f"]`, false},
		{"one with a slash more", `["https://a.example/cb/","https://b.example/cb?x=%2F"]`, false},
		{"none", `[]`, false},
		{"null", `null`, false},
		{"an object", `{"redirect_uris":["https://a.example/cb","https://b.example/cb?x=%2F"]}`, false},
		{"a list with a number", `["https://a.example/cb","https://b.example/cb?x=%2F",1]`, false},
		{"a list with more behind it", `["https://a.example/cb","https://b.example/cb?x=%2F"]{}`, false},
		{"a page", `<html>`, false},
		{"nothing", ``, false},
	} {
		if text := CheckSectorList([]byte(tc.document), uris); (text == "") != tc.good || text != "" && !strings.HasSuffix(text, ".") {
			t.Errorf("%s: %q", tc.name, text)
		}
	}
}

func TestTheOwnerOfASector(t *testing.T) {
	for sector, want := range map[string]string{
		"shop.example": "", "a.shop.example": "shop.example", "b.c.shop.example": "shop.example", "shop.co.jp": "", "a.shop.co.jp": "shop.co.jp",
		"shop.tokyo.jp": "", "a.shop.chiyoda.tokyo.jp": "shop.chiyoda.tokyo.jp", "a.github.io": "", "b.a.github.io": "a.github.io",
		"co.jp": "", "localhost": "", "127.0.0.1": "", "::1": "", "192.0.2.1": "",
		"com.shop.app:": "shop.com", "com.shop.app.two:": "shop.com", "com.shop:": "shop.com", "shopapp:": "", "native:bar": "",
		"a.shop.example.": "shop.example",
	} {
		if got := owner(sector); got != want {
			t.Errorf("%s belongs to %q, want %q", sector, got, want)
		}
	}
}

func FuzzCheckSectorList(f *testing.F) {
	for _, s := range []string{`["https://a.example/cb"]`, `[]`, `null`, `{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if CheckSectorList(document, []string{"https://a.example/cb"}) != "" {
			return
		}
		var list []any
		if err := json.Unmarshal(document, &list); err != nil {
			t.Errorf("%q passes and is no array", document)
		}
	})
}
