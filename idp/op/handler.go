package op

import (
	"net/http"

	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/idp"
)

// Register mounts the protocol endpoints on mux, one explicit route per method.
func Register(mux *http.ServeMux, p *idp.Provider, pages Pages) {
	f := &front{idp: p, pages: pages}
	mux.HandleFunc("GET "+AuthorizePath, f.authorize)
	mux.HandleFunc("POST "+AuthorizePath, f.authorize)
	mux.HandleFunc("GET "+EndSessionPath, f.endSession)
	mux.HandleFunc("POST "+EndSessionPath, f.endSession)

	u := &userInfo{idp: p}
	mux.Handle("GET "+UserInfoPath, u)
	mux.Handle("POST "+UserInfoPath, u)

	back := zop.RegisterServer(&server{idp: p}, zop.Endpoints{
		Token:   zop.NewEndpoint(TokenPath),
		JwksURI: zop.NewEndpoint(JWKSPath),
	}, zop.WithServerCORSOptions(nil))
	mux.Handle("POST "+TokenPath, tokenGuard(back))
	mux.Handle("GET "+JWKSPath, back)
	mux.Handle("GET "+DiscoveryPath, back)

	for path, allow := range map[string]string{
		AuthorizePath: "GET, HEAD, POST", EndSessionPath: "GET, HEAD, POST", UserInfoPath: "GET, HEAD, POST",
		TokenPath: "POST", JWKSPath: "GET, HEAD", DiscoveryPath: "GET, HEAD",
	} {
		mux.HandleFunc(path, otherMethod(allow))
	}
}

// otherMethod answers what no route of an endpoint takes; without it the pages behind the same mux would say that there
// is no such address.
func otherMethod(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// tokenGuard keeps what zitadel's token handler leaves open: credentials and codes in the query, answers without
// no-store, and 401 without a challenge (RFC 6749 5.1, 5.2).
func tokenGuard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.RawQuery = ""
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		next.ServeHTTP(&challenger{ResponseWriter: w}, r)
	})
}

// challenger names the way to authenticate on every 401.
type challenger struct{ http.ResponseWriter }

func (c *challenger) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		c.Header().Set("WWW-Authenticate", `Basic realm="tegata"`)
	}
	c.ResponseWriter.WriteHeader(status)
}
