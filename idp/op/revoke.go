package op

import (
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/storage"
)

// revocation is RFC 7009. Every client may give its tokens back, public ones too: whoever holds the token may as well
// end it. token_type_hint is only about where to look first, and one look finds any token of ours.
type revocation struct{ *authenticator }

func (e *revocation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, token, err := e.aboutToken(r, RevocationPath)
	if err == nil {
		err = protocolError(e.idp.Revoke(r.Context(), c, token), nil)
	}
	if err != nil {
		zop.WriteError(w, r, err, e.idp.Log)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// aboutToken reads a form that is about one token, and finds out who sends it. Its errors are ready to be written.
func (a *authenticator) aboutToken(r *http.Request, path string) (storage.Client, string, error) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return storage.Client{}, "", oidc.ErrInvalidRequest().WithDescription("the form cannot be read")
	}
	c, err := a.authenticate(ctx, caller{Form: r.PostForm, Header: r.Header, Path: path, Chain: chainFrom(ctx)})
	if err != nil {
		return storage.Client{}, "", err
	}
	if len(r.PostForm["token"]) != 1 || r.PostForm.Get("token") == "" {
		return storage.Client{}, "", oidc.ErrInvalidRequest().WithDescription("there must be one token")
	}
	return c, r.PostForm.Get("token"), nil
}
