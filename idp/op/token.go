package op

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/storage"
)

// grants are the grant types that discovery advertises.
var grants = []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}

// admission settles who calls the token endpoint, and for which grant, before zitadel's server reads the request: that one takes the
// first of two values, and credentials that it cannot read for none.
type admission struct {
	*authenticator
	next http.Handler
}

func (a *admission) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := a.admit(r)
	if err != nil {
		zop.WriteError(w, r, err, a.idp.Log)
		return
	}
	a.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), admittedKey{}, c)))
}

func (a *admission) admit(r *http.Request) (storage.Client, error) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return storage.Client{}, oidc.ErrInvalidRequest().WithDescription("the form cannot be read")
	}
	c, err := a.authenticate(ctx, caller{Form: r.PostForm, Header: r.Header, Path: TokenPath, Chain: chainFrom(ctx)})
	switch grant := r.PostForm.Get("grant_type"); {
	case err != nil:
		return c, err
	case grant == "":
		return c, oidc.ErrInvalidRequest().WithDescription("grant_type is missing")
	case !slices.Contains(grants, oidc.GrantType(grant)):
		return c, oidc.ErrUnsupportedGrantType()
	}
	return c, nil
}

// admittedKey is how the client passes through zitadel's server.
type admittedKey struct{}

func admitted(ctx context.Context) (storage.Client, bool) {
	c, ok := ctx.Value(admittedKey{}).(storage.Client)
	return c, ok
}

// repeatable parameters may come more than once (RFC 8707 section 2, RFC 8693 section 2.1).
var repeatable = []string{"resource", "audience"}

// once refuses a parameter that comes twice (RFC 6749 section 3.2): two readers could choose differently.
func once(form url.Values) error {
	for name, values := range form {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return oidc.ErrInvalidRequest().WithDescription("a parameter comes twice")
		}
	}
	return nil
}
