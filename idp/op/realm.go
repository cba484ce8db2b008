package op

import (
	"context"
	"net/http"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"tegata/idp"
)

// realm are the addresses of the Digital Authentication App's layout below idp.RealmPath, and ours behind them.
var realm = map[string]string{
	"/protocol/openid-connect/auth":     AuthorizePath,
	"/protocol/openid-connect/token":    TokenPath,
	"/protocol/openid-connect/userinfo": UserInfoPath,
	"/protocol/openid-connect/certs":    JWKSPath,
}

// Standard is our own path for one of the other layout; any other path stays.
func Standard(path string) string {
	if below, ok := strings.CutPrefix(path, idp.RealmPath); ok && realm[below] != "" {
		return realm[below]
	}
	return path
}

// realmKey marks a request that came by the other layout.
type realmKey struct{}

func viaRealm(ctx context.Context) bool { return ctx.Value(realmKey{}) != nil }

// mountRealm puts the other layout in front of the endpoints that mux has already.
func mountRealm(mux *http.ServeMux, p *idp.Provider, o Options) {
	for below := range realm {
		mux.HandleFunc(idp.RealmPath+below, func(w http.ResponseWriter, r *http.Request) {
			inner := r.Clone(context.WithValue(r.Context(), realmKey{}, true))
			inner.URL.Path, inner.URL.RawPath = Standard(r.URL.Path), ""
			mux.ServeHTTP(w, inner)
		})
	}
	doc := fixed(func() any { return realmDiscovery(p, o) })
	for _, path := range RealmDiscovery {
		mux.Handle("GET "+path, doc)
		mux.HandleFunc(path, otherMethod("GET, HEAD"))
	}
}

// RealmDiscovery is where the metadata of the other issuer are: below it (OpenID Connect Discovery section 4), and with its path
// behind the well-known one (RFC 8414 section 3.1).
var RealmDiscovery = []string{idp.RealmPath + DiscoveryPath, ServerPath + idp.RealmPath}

// realmDiscovery is our metadata under the other name.
func realmDiscovery(p *idp.Provider, o Options) metadata {
	m := discovery(p, o)
	base := p.Issuer + idp.RealmPath
	at := func(path string) string {
		for below, ours := range realm {
			if ours == path {
				return base + below
			}
		}
		return p.Issuer + path
	}
	m.Issuer = base
	m.AuthorizationEndpoint, m.TokenEndpoint = at(AuthorizePath), at(TokenPath)
	m.UserinfoEndpoint, m.JwksURI = at(UserInfoPath), at(JWKSPath)
	m.TokenEndpointAuthMethodsSupported = []oidc.AuthMethod{oidc.AuthMethodPrivateKeyJWT}
	return m
}
