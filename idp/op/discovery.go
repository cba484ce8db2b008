package op

import (
	"fmt"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"

	"tegata/authn"
	"tegata/claims"
	"tegata/idp/keys"
)

// Paths of the endpoints under the issuer.
const (
	AuthorizePath  = "/authorize"
	TokenPath      = "/oauth/token"
	UserInfoPath   = "/userinfo"
	JWKSPath       = "/oauth/jwks"
	EndSessionPath = "/end_session"
	DiscoveryPath  = "/.well-known/openid-configuration"
)

// What the front channel understands; discovery advertises exactly these.
var (
	ResponseModes = []string{"query", "fragment", "form_post"}
	Prompts       = []string{"none", "login", "consent", "select_account"}
)

// metadata adds what zitadel's type does not know yet.
type metadata struct {
	*oidc.DiscoveryConfiguration
	ISSParameter   bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	PromptValues   []string `json:"prompt_values_supported"`
	ClaimsSupport  bool     `json:"claims_parameter_supported"`
	RequestSupport bool     `json:"request_parameter_supported"`
}

func discovery(issuer string) metadata {
	return metadata{
		DiscoveryConfiguration: &oidc.DiscoveryConfiguration{
			Issuer:                            issuer,
			AuthorizationEndpoint:             issuer + AuthorizePath,
			TokenEndpoint:                     issuer + TokenPath,
			UserinfoEndpoint:                  issuer + UserInfoPath,
			EndSessionEndpoint:                issuer + EndSessionPath,
			JwksURI:                           issuer + JWKSPath,
			ScopesSupported:                   claims.Scopes(),
			ClaimsSupported:                   claimNames(),
			ResponseTypesSupported:            []string{"code"},
			ResponseModesSupported:            ResponseModes,
			GrantTypesSupported:               []oidc.GrantType{oidc.GrantTypeCode},
			ACRValuesSupported:                []string{authn.ACR},
			SubjectTypesSupported:             []string{"pairwise"},
			IDTokenSigningAlgValuesSupported:  keys.Algorithms,
			TokenEndpointAuthMethodsSupported: []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodNone},
			CodeChallengeMethodsSupported:     []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
			ClaimTypesSupported:               []string{"normal"},
			UILocalesSupported:                oidc.Locales{language.Japanese, language.English},
		},
		ISSParameter: true,
		PromptValues: Prompts,
	}
}

// cached lets relying parties keep an answer as long as a key may be trusted unseen.
func cached(data any) *zop.Response {
	r := zop.NewResponse(data)
	r.Header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(keys.MaxAge/time.Second)))
	r.Header.Set("Access-Control-Allow-Origin", "*")
	return r
}

func claimNames() []string {
	names := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash"}
	for _, i := range claims.Catalogue() {
		names = append(names, i.Claims()...)
	}
	return names
}
