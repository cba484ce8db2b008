package storage

import "time"

// Client is a relying party as registered. Names of fields follow RFC 7591 where it has one.
type Client struct {
	ID                     string       `json:"client_id"`
	Name                   string       `json:"client_name"`
	NameJa                 string       `json:"client_name#ja,omitempty"`
	URI                    string       `json:"client_uri,omitempty"`
	About                  ClientAbout  `json:"about,omitzero"`
	RedirectURIs           []string     `json:"redirect_uris"`
	PostLogoutRedirectURIs []string     `json:"post_logout_redirect_uris,omitempty"`
	AuthMethod             string       `json:"token_endpoint_auth_method"` // one of clients.AuthMethods
	SecretHashes           [][]byte     `json:"secret_hashes,omitempty"`    // SHA-256 of each valid secret: they are 256 random bits, so no slow hash
	Scopes                 []string     `json:"scopes"`                     // what the client may ever ask for
	IDTokenAlg             string       `json:"id_token_signed_response_alg"`
	Sector                 string       `json:"sector"`                 // host that pairwise subjects are computed for (OIDC Core 8.1)
	Owner                  string       `json:"owner,omitempty"`        // registrable domain of Sector, where that is another name
	SubjectType            string       `json:"subject_type,omitempty"` // "transient"; empty: pairwise
	Purpose                string       `json:"purpose,omitempty"`      // shown at consent (R25)
	PurposeJa              string       `json:"purpose#ja,omitempty"`   //
	Profile                string       `json:"profile,omitempty"`      // one of clients.Profiles; empty: basic
	Policy                 ClientPolicy `json:"policy,omitzero"`
	Keys                   ClientKeys   `json:"keys,omitzero"`
	TLS                    ClientTLS    `json:"tls,omitzero"`
	Logout                 ClientLogout `json:"logout,omitzero"`
	LatestURI              string       `json:"latest_attributes_uri,omitempty"`                 // where its server hears of changed attributes
	RequirePAR             bool         `json:"require_pushed_authorization_requests,omitempty"` // RFC 9126 section 6
	RequireSignedRequest   bool         `json:"require_signed_request_object,omitempty"`         // RFC 9101 section 10.5
	DPoPBound              bool         `json:"dpop_bound_access_tokens,omitempty"`              // RFC 9449 section 5.2
	DefaultMaxAge          *int64       `json:"default_max_age,omitempty"`                       // seconds since the card was used, where a request does not say; nil: any
	RequireAuthTime        bool         `json:"require_auth_time,omitempty"`                     // every ID token has auth_time
	WithoutPKCE            bool         `json:"without_pkce,omitempty"`                          // the operator's exception; see clients.NeedsPKCE
	Registration           Registered   `json:"registration,omitzero"`
	Disabled               bool         `json:"-"`
	CreatedAt              time.Time    `json:"-"`
	UpdatedAt              time.Time    `json:"-"`
}

// ClientAbout is what a client says about itself besides. People see the two addresses of pages and names in their language;
// the rest is for the operator.
type ClientAbout struct {
	Contacts        []string          `json:"contacts,omitempty"`
	LogoURI         string            `json:"logo_uri,omitempty"` // never fetched and never shown
	PolicyURI       string            `json:"policy_uri,omitempty"`
	TermsURI        string            `json:"tos_uri,omitempty"`
	SoftwareID      string            `json:"software_id,omitempty"`
	SoftwareVersion string            `json:"software_version,omitempty"`
	Localized       map[string]string `json:"localized,omitempty"` // such as client_name#en (RFC 7591 section 2.2)
}

// Registered is what a client that registered itself has besides (RFC 7591); zero: the operator made it.
type Registered struct {
	Pending   bool   `json:"pending,omitempty"`    // no operator has approved it yet: it may do nothing
	By        string `json:"by,omitempty"`         // name of the initial access token
	TokenHash []byte `json:"token_hash,omitempty"` // SHA-256 of the registration access token
	Metadata  string `json:"metadata,omitempty"`   // what it registered, JSON, without its secret
}

// InitialToken lets its holder register clients (RFC 7591 section 3).
type InitialToken struct {
	Hash      []byte // SHA-256
	Name      string // what the operator calls it
	Uses      int64  // registrations left
	CreatedAt time.Time
	ExpiresAt time.Time
}

// ClientKeys are the public keys that a client signs with, inline or at an address, and the one algorithm for each use.
// An empty algorithm means any that we accept.
type ClientKeys struct {
	JWKS         string `json:"jwks,omitempty"` // JSON Web Key Set (RFC 7517)
	JWKSURI      string `json:"jwks_uri,omitempty"`
	AssertionAlg string `json:"token_endpoint_auth_signing_alg,omitempty"`
	RequestAlg   string `json:"request_object_signing_alg,omitempty"`
	ResponseAlg  string `json:"authorization_signed_response_alg,omitempty"` // ours, for JARM; empty: as the ID token

	UserInfoAlg       string     `json:"userinfo_signed_response_alg,omitempty"`      // ours; empty: plain JSON
	IntrospectAlg     string     `json:"introspection_signed_response_alg,omitempty"` // ours; empty: as the ID token
	IDTokenSeal       Encryption `json:"id_token_encrypted_response,omitzero"`        // to the client's key, as are the next
	UserInfoSeal      Encryption `json:"userinfo_encrypted_response,omitzero"`        //
	ResponseSeal      Encryption `json:"authorization_encrypted_response,omitzero"`   // of signed authorization responses (JARM)
	IntrospectionSeal Encryption `json:"introspection_encrypted_response,omitzero"`   // of signed introspections (RFC 9701)
}

// Encryption is how something is encrypted to a client; without Alg it is not.
type Encryption struct {
	Alg string `json:"alg"` // one of jwe.Algs
	Enc string `json:"enc"` // one of jwe.Encs
}

// ClientLogout is where a client hears that a session has ended: its server (OpenID Connect Back-Channel Logout 1.0), or a
// page of its own in the browser that signs out (Front-Channel Logout 1.0).
type ClientLogout struct {
	BackURI  string `json:"backchannel_logout_uri,omitempty"`
	BackSID  bool   `json:"backchannel_logout_session_required,omitempty"`
	FrontURI string `json:"frontchannel_logout_uri,omitempty"`
	FrontSID bool   `json:"frontchannel_logout_session_required,omitempty"`
}

// ClientTLS is what a client certificate must be (RFC 8705 section 2.1.2); one of the names is set for tls_client_auth.
type ClientTLS struct {
	SubjectDN string `json:"tls_client_auth_subject_dn,omitempty"` // RFC 4514
	SANDNS    string `json:"tls_client_auth_san_dns,omitempty"`
	SANURI    string `json:"tls_client_auth_san_uri,omitempty"`
	SANIP     string `json:"tls_client_auth_san_ip,omitempty"`
	SANEmail  string `json:"tls_client_auth_san_email,omitempty"`
	Bound     bool   `json:"tls_client_certificate_bound_access_tokens,omitempty"`
}

// ClientPolicy is what was agreed with a relying party about people's data. The zero value agrees nothing beyond the scopes.
type ClientPolicy struct {
	Items       map[string]ItemPolicy `json:"items,omitempty"`                  // all that it may ask, by claims.Item; empty: its scopes say
	Predicates  int                   `json:"predicates_per_request,omitempty"` // how many ages one request may ask about; 0: one
	Source      string                `json:"source,omitempty"`                 // claims.Source that facts must come from; empty: any
	TellsNo     bool                  `json:"tells_no,omitempty"`               // an age-only client hears false too
	ByDay       []string              `json:"by_day,omitempty"`                 // predicates that are counted by the day (R20)
	Retention   string                `json:"retention,omitempty"`              // how long it keeps what it gets, shown at consent
	RetentionJa string                `json:"retention#ja,omitempty"`           //

	LatestAttributes bool `json:"latest_attributes,omitempty"` // people may be asked whether it hears of later changes (R11)
}

// ItemPolicy is what was agreed about one item.
type ItemPolicy struct {
	Purpose   string `json:"purpose,omitempty"` // shown at consent beside the item (R25)
	PurposeJa string `json:"purpose#ja,omitempty"`
}
