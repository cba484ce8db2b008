package op

import (
	"context"
	"net/http"
	"strconv"
	"time"

	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/clients/register"
	"tegata/idp/dpop"
	"tegata/idp/limit"
	"tegata/idp/par"
)

// Options is what an operator decides about the edge. The zero value is the strictest.
type Options struct {
	Outside      fetch.Outside // how keys at a jwks_uri are reached
	Certificates Certificates
	PolicyURI    string // the operator's page on what it does with data; "": none is named
	TermsURI     string // the operator's terms of service; "": none
	Registration *Registration
	Nonces       *dpop.Nonces // that DPoP proofs must repeat; nil: they need none
	Limits       limit.Limits // of what clients do here; of sources, whoever mounts the endpoints takes care
}

// Registration lets clients register themselves with a token of the operator; nil where only the operator registers them.
type Registration struct {
	Rules   clients.Rules
	Approve bool // every client at once, with nobody looking: for development and the sandbox
}

// Register mounts the protocol endpoints on mux, one explicit route per method.
func Register(mux *http.ServeMux, p *idp.Provider, pages Pages, o Options) {
	auth := &authenticator{idp: p, keys: p.ClientKeys, certs: o.Certificates, limits: o.Limits, nonces: o.Nonces}
	d := &desk{issuer: p.Issuer, acr: func() string { return p.Judge.ACR() }, keys: p.ClientKeys, pushed: &par.Desk{Store: p.Store, Now: p.Now, Rand: p.Rand}, now: p.Now}
	f := &front{idp: p, pages: pages, desk: d}
	mux.HandleFunc("GET "+AuthorizePath, f.authorize)
	mux.HandleFunc("POST "+AuthorizePath, f.authorize)
	mux.HandleFunc("GET "+EndSessionPath, f.endSession)
	mux.HandleFunc("POST "+EndSessionPath, f.endSession)

	u := &userInfo{idp: p, certs: o.Certificates, nonces: o.Nonces}
	shared := &cors{idp: p}
	shared.mount(mux, UserInfoPath, u, http.MethodGet, http.MethodPost)

	back := zop.RegisterServer(&server{authenticator: auth}, zop.Endpoints{
		Token: zop.NewEndpoint(TokenPath),
	}, zop.WithServerCORSOptions(nil))
	shared.mount(mux, TokenPath, tokenGuard(o, &admission{auth, back}), http.MethodPost)
	shared.mount(mux, PARPath, tokenGuard(o, &push{authenticator: auth, desk: d}), http.MethodPost)
	shared.mount(mux, RevocationPath, tokenGuard(o, &revocation{auth}), http.MethodPost)
	mux.Handle("POST "+IntrospectPath, tokenGuard(o, &introspection{auth}))

	shared.mount(mux, JWKSPath, &keySet{ring: p.Keys}, http.MethodGet)
	provider := fixed(func() any { return discovery(p, o) })
	shared.mount(mux, DiscoveryPath, provider, http.MethodGet)
	shared.mount(mux, ServerPath, provider, http.MethodGet)
	shared.mount(mux, ResourcesPath, fixed(resourceAt(p.Issuer, p, o.Certificates)), http.MethodGet)
	shared.mount(mux, ResourcePath, fixed(resourceAt(p.Issuer+UserInfoPath, p, o.Certificates)), http.MethodGet)

	mountRealm(mux, p, o)
	if o.Registration != nil {
		(&register.Desk{Store: p.Store, Issuer: p.Issuer, Rules: o.Registration.Rules, Approve: o.Registration.Approve,
			Outside: o.Outside, Now: p.Now, Rand: p.Rand, Log: p.Log}).Mount(mux)
	}
	for path, allow := range map[string]string{
		AuthorizePath: "GET, HEAD, POST", EndSessionPath: "GET, HEAD, POST", UserInfoPath: "GET, HEAD, POST",
		TokenPath: "POST", PARPath: "POST", RevocationPath: "POST", IntrospectPath: "POST",
		JWKSPath: "GET, HEAD", DiscoveryPath: "GET, HEAD", ServerPath: "GET, HEAD", ResourcesPath: "GET, HEAD", ResourcePath: "GET, HEAD",
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
func tokenGuard(o Options, next http.Handler) http.Handler {
	retry := seconds(o.Limits.Clients.Step())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chain, err := o.Certificates.of(r)
		if err != nil {
			writeJSON(w, http.StatusBadRequest, []byte(`{"error":"invalid_request","error_description":"the client certificate cannot be read"}`))
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), chainKey{}, chain))
		bare := *r.URL // the caller's own is not ours to change
		bare.RawQuery, r.URL = "", &bare
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		offerNonce(o.Nonces, w, r)
		next.ServeHTTP(&challenger{ResponseWriter: w, retry: retry}, r)
	})
}

// chainKey is how the caller's certificate passes through zitadel's server, which does not hand on the connection.
type chainKey struct{}

func chainFrom(ctx context.Context) chain {
	c, _ := ctx.Value(chainKey{}).(chain)
	return c
}

// seconds is a Retry-After, rounded up (RFC 9110 section 10.2.3).
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// challenger names the way to authenticate on every 401, and the time to wait on every 429.
type challenger struct {
	http.ResponseWriter
	retry string
}

func (c *challenger) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		c.Header().Set("WWW-Authenticate", `Basic realm="tegata"`)
	}
	if status == http.StatusTooManyRequests {
		c.Header().Set("Retry-After", c.retry)
	}
	c.ResponseWriter.WriteHeader(status)
}
