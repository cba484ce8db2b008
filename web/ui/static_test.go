package ui

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestStaticFiles(t *testing.T) {
	u := mustNew(t)
	at, err := u.assets.path("tegata.css")
	if err != nil {
		t.Fatal(err)
	}
	get := func(method, path, etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		u.Static().ServeHTTP(w, r)
		return w
	}
	first := get(http.MethodGet, at, "")
	on, err := os.ReadFile("static/tegata.css")
	if err != nil || first.Body.String() != string(on) {
		t.Fatalf("other content than the file: %v", err)
	}
	h := first.Header()
	if h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Content-Type") != "text/css; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", h)
	}
	tests := []struct {
		name, method, path, etag string
		want                     int
	}{
		{"known content is not sent again", http.MethodGet, at, h.Get("ETag"), http.StatusNotModified},
		{"other content is sent", http.MethodGet, at, `"old"`, http.StatusOK},
		{"HEAD is a GET without content", http.MethodHead, at, "", http.StatusOK},
		{"a name without its hash", http.MethodGet, StaticPrefix + "tegata.css", "", http.StatusNotFound},
		{"a path that climbs", http.MethodGet, StaticPrefix + "../ui.go", "", http.StatusNotFound},
		{"the folder", http.MethodGet, StaticPrefix, "", http.StatusNotFound},
		{"a post", http.MethodPost, at, "", http.StatusMethodNotAllowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := get(tt.method, tt.path, tt.etag).Code; got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
}

func TestEveryFileHasATypeAndAnUnknownNameIsAnError(t *testing.T) {
	u := mustNew(t)
	for at, file := range u.assets.files {
		if file.contentType == "" {
			t.Errorf("%s has no content type", at)
		}
	}
	if _, err := u.assets.path("nothing.css"); err == nil {
		t.Error("a template could ask for a file that is not there")
	}
}

// The licence of the tokens asks for its notice in every copy.
func TestTokensCarryTheirNotice(t *testing.T) {
	text, err := os.ReadFile("static/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MIT License", "Copyright (c) 2023", "shall be included in all"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing", want)
		}
	}
}
