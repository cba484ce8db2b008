package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static/*
var static embed.FS

// StaticPrefix is the path under which Static must be mounted.
const StaticPrefix = "/static/"

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

type asset struct {
	body        []byte
	contentType string
	etag        string
}

// assets are the static files under names that change with their content.
type assets struct {
	paths map[string]string // tegata.css -> /static/tegata.<hash>.css
	files map[string]asset  // by path
}

func loadAssets() (*assets, error) {
	entries, err := static.ReadDir("static")
	if err != nil {
		return nil, err
	}
	a := &assets{paths: map[string]string{}, files: map[string]asset{}}
	for _, entry := range entries {
		name := entry.Name()
		body, err := static.ReadFile("static/" + name)
		if err != nil {
			return nil, err
		}
		ext := path.Ext(name)
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:8])
		at := StaticPrefix + strings.TrimSuffix(name, ext) + "." + hash + ext
		a.paths[name] = at
		a.files[at] = asset{body: body, contentType: contentTypes[ext], etag: `"` + hash + `"`}
	}
	return a, nil
}

func (a *assets) path(name string) (string, error) {
	at, ok := a.paths[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return at, nil
}

// Static serves style, scripts and pictures below StaticPrefix. A name is never reused for other
// content, so caches may keep a file for good.
func (u *UI) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := u.assets.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", file.etag)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.body))
	})
}
