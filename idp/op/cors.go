package op

import (
	"net/http"
	"slices"
	"strings"

	"tegata/idp"
)

// cors lets the scripts of registered browser clients read the answers of an endpoint (Fetch, CORS protocol). The list
// is theirs alone; credentials are never allowed, since no endpoint of the back channel reads a cookie; and the pages,
// authorize among them, have no such permission at all.
type cors struct{ idp *idp.Provider }

// What scripts may send and read besides what every script may.
const (
	scriptsSend = "Authorization, Content-Type, DPoP"
	scriptsRead = "DPoP-Nonce, ETag, Retry-After, WWW-Authenticate"
	preflightOK = "600" // seconds that a browser may remember a permission
)

// mount puts an endpoint on mux, with a preflight answer.
func (c *cors) mount(mux *http.ServeMux, path string, next http.Handler, methods ...string) {
	for _, method := range methods {
		mux.Handle(method+" "+path, c.readable(next))
	}
	mux.HandleFunc("OPTIONS "+path, c.preflight(methods))
}

func (c *cors) readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.allow(w, r) {
			w.Header().Set("Access-Control-Expose-Headers", scriptsRead)
		}
		next.ServeHTTP(w, r)
	})
}

// allow names the origin to its browser if it is a registered one.
func (c *cors) allow(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || !c.idp.BrowserOrigin(r.Context(), origins[0]) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origins[0])
	return true
}

func (c *cors) preflight(methods []string) http.HandlerFunc {
	list := strings.Join(methods, ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		asked := r.Header.Get("Access-Control-Request-Method")
		if asked == "" || !slices.Contains(methods, asked) || !c.allow(w, r) {
			w.Header().Set("Allow", list)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Access-Control-Allow-Methods", list)
		w.Header().Set("Access-Control-Allow-Headers", scriptsSend)
		w.Header().Set("Access-Control-Max-Age", preflightOK)
		w.WriteHeader(http.StatusNoContent)
	}
}
