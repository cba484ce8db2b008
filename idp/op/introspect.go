package op

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/idp/clients"
)

const signedIntrospection = "application/token-introspection+jwt" // RFC 9701 section 4

// introspection is RFC 7662, for the client that the token was issued to and for nobody else. A public client proves
// nothing, so it could ask about tokens that it found; it is refused (section 4).
type introspection struct{ *authenticator }

func (e *introspection) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, token, err := e.aboutToken(r, IntrospectPath)
	if err == nil && c.AuthMethod == clients.AuthNone {
		err = invalidClient("")
	}
	var body []byte
	kind := "application/json"
	switch {
	case err != nil:
	case accepts(r.Header, signedIntrospection):
		var signed string
		signed, err = e.idp.IntrospectSigned(r.Context(), c, token)
		body, kind, err = []byte(signed), signedIntrospection, protocolError(err, nil)
	default:
		body, err = e.idp.Introspect(r.Context(), c, token)
		err = protocolError(err, nil)
	}
	if err != nil {
		zop.WriteError(w, r, err, e.idp.Log)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // the client may be gone; there is nobody to tell
}

// accepts says whether the sender asks for a media type by its name. A wildcard asks for nothing special.
func accepts(h http.Header, want string) bool {
	for _, one := range strings.Split(strings.Join(h.Values("Accept"), ","), ",") {
		kind, params, err := mime.ParseMediaType(one)
		if err != nil || kind != want {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		return params["q"] == "" || err == nil && q > 0
	}
	return false
}
