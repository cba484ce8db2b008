package op

import (
	"errors"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/authn/fail"
	"tegata/idp"
	"tegata/storage"
)

// client shows a relying party to zitadel/oidc. Its front channel never runs, so most of these are unread; each still
// says what is true.
type client struct{ storage.Client }

func (c client) GetID() string                        { return c.ID }
func (c client) RedirectURIs() []string               { return c.Client.RedirectURIs }
func (c client) PostLogoutRedirectURIs() []string     { return c.Client.PostLogoutRedirectURIs }
func (c client) ApplicationType() zop.ApplicationType { return zop.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod          { return oidc.AuthMethod(c.Client.AuthMethod) }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) LoginURL(id string) string                                           { return "/login/" + id }
func (c client) AccessTokenType() zop.AccessTokenType                                { return zop.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration                                      { return idp.IDLife }
func (c client) DevMode() bool                                                       { return false }
func (c client) RestrictAdditionalIdTokenScopes() func(scopes []string) []string     { return asGiven }
func (c client) RestrictAdditionalAccessTokenScopes() func(scopes []string) []string { return asGiven }
func (c client) IsScopeAllowed(string) bool                                          { return false }
func (c client) IDTokenUserinfoClaimsAssertion() bool                                { return false }
func (c client) ClockSkew() time.Duration                                            { return 0 }

// GrantTypes lists all grants, so that those we lack are answered as unsupported_grant_type rather than as this
// client's fault.
func (c client) GrantTypes() []oidc.GrantType { return oidc.AllGrantTypes }

func asGiven(scopes []string) []string { return scopes }

func isClientUnknown(err error) bool { return errors.Is(err, fail.ClientUnknown) }
func isUnavailable(err error) bool   { return errors.Is(err, fail.Unavailable) }
