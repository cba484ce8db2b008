package op

import (
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/text/language"

	"tegata/authn/source"
	"tegata/claims"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/clients/register"
	"tegata/idp/dpop"
	"tegata/idp/jwe"
	"tegata/idp/jwt"
	"tegata/idp/keys"
)

// Paths of the endpoints under the issuer.
const (
	AuthorizePath  = "/authorize"
	TokenPath      = "/oauth/token"
	PARPath        = "/par"
	RevocationPath = "/oauth/revoke"
	IntrospectPath = "/oauth/introspect"
	UserInfoPath   = "/userinfo"
	JWKSPath       = "/oauth/jwks"
	EndSessionPath = "/end_session"
	DiscoveryPath  = "/.well-known/openid-configuration"
	ServerPath     = "/.well-known/oauth-authorization-server"        // RFC 8414; an issuer of ours has no path to insert
	ResourcesPath  = "/.well-known/oauth-protected-resource"          // RFC 9728, of the issuer as a whole
	ResourcePath   = "/.well-known/oauth-protected-resource/userinfo" // the same, of userinfo
	ManualPath     = "/docs/registration.md"                          // what an engineer reads first
)

// What the front channel understands; discovery advertises exactly these.
var (
	ResponseModes = []string{"query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
	Prompts       = []string{"none", "login", "consent", "select_account"}
)

// metadata adds what zitadel's type does not know yet.
type metadata struct {
	*oidc.DiscoveryConfiguration
	ISSParameter   bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	FrontLogout    bool     `json:"frontchannel_logout_supported"`
	FrontLogoutSID bool     `json:"frontchannel_logout_session_supported"`
	PromptValues   []string `json:"prompt_values_supported"`
	ClaimsSupport  bool     `json:"claims_parameter_supported"`
	ClaimsLocales  []string `json:"claims_locales_supported"`
	RequestSupport bool     `json:"request_parameter_supported"`
	PAREndpoint    string   `json:"pushed_authorization_request_endpoint"` // RFC 9126 section 5
	RequirePAR     bool     `json:"require_pushed_authorization_requests"`
	ResponseKeys   []string `json:"authorization_encryption_alg_values_supported"`
	ResponseEncs   []string `json:"authorization_encryption_enc_values_supported"`
	IntrospectKeys []string `json:"introspection_encryption_alg_values_supported"`
	IntrospectEncs []string `json:"introspection_encryption_enc_values_supported"`
	ResponseAlgs   []string `json:"authorization_signing_alg_values_supported"` // JARM section 4
	IntrospectAlgs []string `json:"introspection_signing_alg_values_supported"` // RFC 9701 section 7
	ProofAlgs      []string `json:"dpop_signing_alg_values_supported"`          // RFC 9449 section 5.1
	Aliases        *aliases `json:"mtls_endpoint_aliases,omitempty"`
	CertBound      bool     `json:"tls_client_certificate_bound_access_tokens"` // RFC 8705 section 3.3
	Resources      []string `json:"protected_resources"`                        // RFC 9728 section 4
	Profiles       []string `json:"tegata_client_profiles_supported"`           // what a client's profile may be
	AgesByDay      []string `json:"tegata_ages_by_day,omitempty"`               // reached on the day before the birthday, for every relying party (R20)
	MinAgent       string   `json:"tegata_agent_min_version,omitempty"`         // oldest agent that may claim a login; its doctor asks
	identityAssurance
}

func discovery(p *idp.Provider, o Options) metadata {
	issuer, certs := p.Issuer, o.Certificates
	methods := authMethods(certs)
	m := metadata{
		DiscoveryConfiguration: &oidc.DiscoveryConfiguration{
			Issuer:                                             issuer,
			AuthorizationEndpoint:                              issuer + AuthorizePath,
			TokenEndpoint:                                      issuer + TokenPath,
			UserinfoEndpoint:                                   issuer + UserInfoPath,
			EndSessionEndpoint:                                 issuer + EndSessionPath,
			JwksURI:                                            issuer + JWKSPath,
			ServiceDocumentation:                               issuer + ManualPath,
			OPPolicyURI:                                        o.PolicyURI,
			OPTermsOfServiceURI:                                o.TermsURI,
			ScopesSupported:                                    clients.Scopes(),
			ClaimsSupported:                                    claimNames(p),
			ResponseTypesSupported:                             []string{"code"},
			ResponseModesSupported:                             ResponseModes,
			GrantTypesSupported:                                grants,
			ACRValuesSupported:                                 []string{p.Judge.ACR()},
			SubjectTypesSupported:                              clients.SubjectTypes,
			IDTokenSigningAlgValuesSupported:                   keys.Algorithms,
			IDTokenEncryptionAlgValuesSupported:                jwe.Algs,
			IDTokenEncryptionEncValuesSupported:                jwe.Encs,
			UserinfoSigningAlgValuesSupported:                  keys.Algorithms,
			UserinfoEncryptionAlgValuesSupported:               jwe.Algs,
			UserinfoEncryptionEncValuesSupported:               jwe.Encs,
			TokenEndpointAuthMethodsSupported:                  methods,
			TokenEndpointAuthSigningAlgValuesSupported:         jwt.Algorithms,
			IntrospectionEndpoint:                              issuer + IntrospectPath,
			IntrospectionEndpointAuthMethodsSupported:          confidential(methods),
			IntrospectionEndpointAuthSigningAlgValuesSupported: jwt.Algorithms,
			RevocationEndpoint:                                 issuer + RevocationPath,
			RevocationEndpointAuthMethodsSupported:             methods,
			RevocationEndpointAuthSigningAlgValuesSupported:    jwt.Algorithms,
			RequestObjectSigningAlgValuesSupported:             jwt.Algorithms,
			CodeChallengeMethodsSupported:                      []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
			ClaimTypesSupported:                                []string{"normal"},
			BackChannelLogoutSupported:                         true,
			BackChannelLogoutSessionSupported:                  true,
			UILocalesSupported:                                 oidc.Locales{language.Japanese, language.MustParse("ja-Hira"), language.English},
		},
		ISSParameter:   true,
		FrontLogout:    true,
		FrontLogoutSID: true,
		Resources:      []string{issuer, issuer + UserInfoPath},
		Profiles:       clients.Profiles,
		MinAgent:       p.MinAgent,
		PromptValues:   Prompts,
		RequestSupport: true,
		PAREndpoint:    issuer + PARPath,
		ResponseAlgs:   keys.Algorithms,
		ResponseKeys:   jwe.Algs,
		ResponseEncs:   jwe.Encs,
		IntrospectKeys: jwe.Algs,
		IntrospectEncs: jwe.Encs,
		IntrospectAlgs: keys.Algorithms,
		ProofAlgs:      dpop.Algorithms,
		Aliases:        certs.aliases(),
		CertBound:      certs.enabled(),
	}
	m.ClaimsSupport, m.ClaimsLocales, m.identityAssurance = true, claims.Tags, assurance(p.Frameworks())
	for _, i := range claims.Catalogue() {
		if p.AgeRules[i] == claims.ByDay {
			m.AgesByDay = append(m.AgesByDay, string(i))
		}
	}
	if o.Registration != nil {
		m.RegistrationEndpoint = issuer + register.Path
	}
	return m
}

// authMethods leaves out what needs certificates where nobody would see them.
func authMethods(certs Certificates) []oidc.AuthMethod {
	methods := []oidc.AuthMethod{clients.AuthBasic, clients.AuthPost, clients.AuthKey, clients.AuthNone}
	if certs.enabled() {
		methods = append(methods, clients.AuthSelfSigned)
		if certs.Roots != nil {
			methods = append(methods, clients.AuthTLS)
		}
	}
	return methods
}

// confidential leaves out clients that prove nothing.
func confidential(methods []oidc.AuthMethod) []oidc.AuthMethod {
	return slices.DeleteFunc(slices.Clone(methods), func(m oidc.AuthMethod) bool { return m == clients.AuthNone })
}

func claimNames(p *idp.Provider) []string {
	names := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"}
	if slices.Contains(p.Sources, source.Unverified) {
		names = append(names, claims.Unverified)
	}
	return append(append(names, claims.Names()...), "verified_claims")
}
