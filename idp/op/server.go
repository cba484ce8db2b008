package op

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp"
	"tegata/storage"
)

// server answers the back channel behind zitadel's op.Server. What it does not override is answered as unsupported.
type server struct {
	zop.UnimplementedServer
	*authenticator
}

// VerifyClient is the client that was admitted.
func (s *server) VerifyClient(ctx context.Context, _ *zop.Request[zop.ClientCredentials]) (zop.Client, error) {
	c, ok := admitted(ctx)
	if !ok {
		return nil, oidc.ErrServerError()
	}
	return client{c}, nil
}

// CodeExchange turns a code into tokens (OIDC Core 3.1.3).
func (s *server) CodeExchange(ctx context.Context, r *zop.ClientRequest[oidc.AccessTokenRequest]) (*zop.Response, error) {
	c, ok := r.Client.(client)
	if !ok {
		return nil, oidc.ErrServerError()
	}
	holder, err := s.holder(ctx, c.Client, r.Header)
	if err != nil {
		return nil, err
	}
	t, err := s.idp.Exchange(ctx, c.Client, r.Data.Code, r.Data.RedirectURI, r.Data.CodeVerifier, holder)
	return issued(t, err)
}

// RefreshToken turns a refresh token into the next ones (RFC 6749 section 6).
func (s *server) RefreshToken(ctx context.Context, r *zop.ClientRequest[oidc.RefreshTokenRequest]) (*zop.Response, error) {
	c, ok := r.Client.(client)
	if !ok {
		return nil, oidc.ErrServerError()
	}
	if !slices.Contains(c.Scopes, claims.ScopeOffline) {
		return nil, oidc.ErrUnauthorizedClient().WithDescription("the client is not registered for offline_access")
	}
	holder, err := s.holder(ctx, c.Client, r.Header)
	if err != nil {
		return nil, err
	}
	t, err := s.idp.Refresh(ctx, c.Client, r.Data.RefreshToken, strings.Fields(r.Form.Get("scope")), holder)
	return issued(t, err)
}

// holder is what the caller proved to hold besides its credentials; a client whose tokens are bound has to.
func (s *server) holder(ctx context.Context, c storage.Client, header http.Header) (idp.Holder, error) {
	h := idp.Holder{Certificate: chainFrom(ctx).thumbprint()}
	if c.TLS.Bound && h.Certificate == nil {
		return h, oidc.ErrInvalidRequest().WithDescription("the client's tokens are bound to its certificate, and the connection has none")
	}
	var err error
	if h.Key, err = (proofs{s.idp, s.certs.Origin, s.nonces}).key(ctx, header, TokenPath); err == nil && c.DPoPBound && h.Key == nil {
		err = badProof("the client's tokens are bound to a key, and there is no proof")
	}
	return h, err
}

func issued(t idp.Tokens, err error) (*zop.Response, error) {
	if err != nil {
		return nil, protocolError(err, oidc.ErrInvalidClient())
	}
	return zop.NewResponse(&oidc.AccessTokenResponse{
		AccessToken: t.Access.Reveal(), TokenType: t.Type, ExpiresIn: uint64(idp.AccessLife.Seconds()),
		RefreshToken: t.Refresh.Reveal(), IDToken: t.IDToken, Scope: t.Scopes,
	}), nil
}

// keyMissing is what an authenticated client's engineers read.
var keyMissing = fail.EncryptionKeyNone.Code + ": no public key in the client's jwks or jwks_uri is for the registered encrypted_response_alg"

// protocolError chooses the OAuth word for an error of idp. unknownClient is used when the client is the problem.
// Everything else is a detail-free server_error: the cause is the operator's.
func protocolError(err, unknownClient error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, idp.ErrInvalidGrant):
		return oidc.ErrInvalidGrant()
	case errors.Is(err, idp.ErrInvalidScope):
		return oidc.ErrInvalidScope().WithDescription("scope may only have what the refresh token was issued for, and openid")
	case errors.Is(err, fail.EncryptionKeyNone):
		return oidc.ErrInvalidRequest().WithDescription("%s", keyMissing)
	case isClientUnknown(err):
		return unknownClient
	case isUnavailable(err):
		return zop.NewStatusError(oidc.ErrServerError().WithDescription("temporarily unavailable"), http.StatusServiceUnavailable)
	}
	return oidc.ErrServerError()
}
