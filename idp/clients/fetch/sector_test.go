package fetch

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tegata/idp/clients"
)

func TestTheListOfASectorIsLookedAt(t *testing.T) {
	mux := http.NewServeMux()
	list := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	mux.HandleFunc("/good", list(`["https://a.example/cb","https://b.example/cb"]`))
	mux.HandleFunc("/short", list(`["https://a.example/cb"]`))
	mux.HandleFunc("/page", list(`<html>`))
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	server := httptest.NewServer(mux)
	defer server.Close()
	gone := httptest.NewServer(mux)
	gone.Close()
	for _, tc := range []struct {
		name, uri   string
		outside     Outside
		says        string // "" accepts
		unreachable bool
	}{
		{"no list to look at", "", Outside{}, "", false},
		{"a list with both", server.URL + "/good", Outside{Loopback: true}, "", false},
		{"a list without one", server.URL + "/short", Outside{Loopback: true}, "without https://b.example/cb", false},
		{"a page", server.URL + "/page", Outside{Loopback: true}, "JSON array", false},
		{"nothing there", server.URL + "/none", Outside{Loopback: true}, "could not be fetched", false},
		{"a list elsewhere", server.URL + "/moved", Outside{Loopback: true}, "without a redirect", false},
		{"nobody there", gone.URL + "/good", Outside{Loopback: true}, "could not be fetched", true},
		{"this machine", server.URL + "/good", Outside{}, "no public https address", false},
		{"the metadata service of a cloud", "https://169.254.169.254/latest", Outside{}, "no public https address", false},
		{"a neighbour", "http://10.0.0.1/list", Outside{Loopback: true}, "no public https address", false},
	} {
		m := clients.Metadata{SectorIdentifierURI: tc.uri, RedirectURIs: []string{"https://a.example/cb", "https://b.example/cb"}}
		wrong, unreachable := tc.outside.Sector(t.Context(), m)
		if unreachable != tc.unreachable || (tc.says == "") != (len(wrong) == 0) {
			t.Errorf("%s: %v, unreachable %v", tc.name, wrong, unreachable)
			continue
		}
		for _, p := range wrong {
			if p.Field != "sector_identifier_uri" || !strings.Contains(p.Text, tc.says) || !strings.HasSuffix(p.Text, ".") {
				t.Errorf("%s: %v", tc.name, p)
			}
		}
	}
}
