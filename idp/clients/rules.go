package clients

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tegata/claims"
	"tegata/idp/keys"
	"tegata/storage"
)

// Authentication methods at the token endpoint that this version has.
const (
	AuthBasic = "client_secret_basic" // the default
	AuthPost  = "client_secret_post"
	AuthNone  = "none" // public client

	AuthKey        = "private_key_jwt" // OpenID Connect Core section 9
	AuthTLS        = "tls_client_auth" // RFC 8705 section 2.1: a certificate of a trusted authority
	AuthSelfSigned = "self_signed_tls_client_auth"
)

// AuthMethods are all of them.
var AuthMethods = []string{AuthBasic, AuthPost, AuthKey, AuthTLS, AuthSelfSigned, AuthNone}

// HasSecret says whether clients of a method have a secret.
func HasSecret(method string) bool { return method == AuthBasic || method == AuthPost }

// DefaultScope is what a client may ask for when its metadata has no scope: to sign in, and the two questions of age
// that tell least. Everything about the person has to be registered by name.
const DefaultScope = claims.ScopeOpenID + " " + string(claims.ItemAgeOver18) + " " + string(claims.ItemAgeOver20)

const (
	minSecret  = 32 // characters; see HashSecret
	maxSecret  = 512
	maxID      = 256
	maxName    = 100
	maxPurpose = 300
	maxURIs    = 50
)

// Rules are the operator's choices. The zero value is the strictest.
type Rules struct {
	AllowLoopbackHTTP bool          // http://localhost for web clients too: for development and the sandbox
	AllowShortSecrets bool          // secrets under 32 characters, which can be guessed: for the sandbox
	AllowWithoutPKCE  bool          // clients with credentials that send no code_challenge, one by one; see NeedsPKCE
	ByDay             []claims.Item // predicates that the operator counts by the day for this client (R20)
}

// Problem is one thing that keeps metadata from becoming a client.
type Problem struct {
	Field string // member, with an index for lists: redirect_uris[0]
	Text  string // English sentence; never quotes a secret
}

// String gives both parts, for lists of problems in a terminal.
func (p Problem) String() string { return p.Field + ": " + p.Text }

// registration collects the problems of one client.
type registration struct {
	Rules
	Metadata
	problems []Problem
}

func (r *registration) refuse(field, text string) {
	r.problems = append(r.problems, Problem{Field: field, Text: text})
}

// Client turns metadata into the record of a client, or says everything that is wrong with it at once. With
// problems the record is the zero Client.
func (rules Rules) Client(m Metadata, now time.Time) (storage.Client, []Problem) {
	r := &registration{Rules: rules, Metadata: m}
	r.AuthMethod = orDefault(m.AuthMethod, AuthBasic)
	profile := r.profile()
	r.checkNames()
	r.checkAuthentication()
	r.checkProtocol()
	r.checkURIs()
	c := storage.Client{
		ID:                     m.ClientID,
		NameJa:                 m.ClientNameJa,
		URI:                    m.ClientURI,
		About:                  r.about(),
		RedirectURIs:           slices.Clone(m.RedirectURIs),
		PostLogoutRedirectURIs: slices.Clone(m.PostLogoutRedirectURIs),
		AuthMethod:             r.AuthMethod,
		Scopes:                 r.scopes(),
		IDTokenAlg:             orDefault(m.IDTokenAlg, keys.Algorithms[0]),
		Sector:                 r.sector(),
		SubjectType:            r.subjectType(),
		Purpose:                m.Purpose,
		PurposeJa:              m.PurposeJa,
		Profile:                profile,
		Policy:                 r.policy(),
		Keys:                   r.keys(),
		TLS:                    r.tls(),
		Logout:                 r.logout(),
		LatestURI:              r.latest(),
		RequirePAR:             r.RequirePAR,
		DPoPBound:              r.DPoPBound,
		RequireSignedRequest:   m.RequireSignedRequest,
		WithoutPKCE:            r.withoutPKCE(),
		DefaultMaxAge:          r.maxAge(),
		RequireAuthTime:        m.RequireAuthTime,
		CreatedAt:              now,
		UpdatedAt:              now,
	}
	if len(r.problems) > 0 {
		return storage.Client{}, r.problems
	}
	c.Owner = owner(c.Sector)
	// A client without a name is shown by its sector, which says at least where the answer goes.
	c.Name = orDefault(m.ClientName, c.Sector)
	if m.ClientSecret != "" {
		c.SecretHashes = [][]byte{HashSecret(string(m.ClientSecret))}
	}
	return c, nil
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func (r *registration) checkNames() {
	switch {
	case r.ClientID == "":
		r.refuse("client_id", "is missing.")
	case !visible(r.ClientID) || len(r.ClientID) > maxID:
		r.refuse("client_id", "must be 1 to 256 printable ASCII characters without spaces.")
	}
	for _, t := range []struct {
		field, text string
		max         int
	}{
		{"client_name", r.ClientName, maxName},
		{"client_name#ja", r.ClientNameJa, maxName},
		{"purpose", r.Purpose, maxPurpose},
		{"purpose#ja", r.PurposeJa, maxPurpose},
	} {
		r.checkLine(t.field, t.text, t.max)
	}
	for _, name := range r.Unsupported {
		r.refuse(name, "is not supported yet; the client would rely on it.")
	}
}

// visible accepts the ASCII characters from ! to ~.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

// showable keeps out what could make a consent page say something else than it seems to: line breaks, and
// format characters such as those that reverse the direction of writing.
func showable(s string, maximum int) bool {
	bad := func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maximum && !strings.ContainsFunc(s, bad)
}

func (r *registration) checkAuthentication() {
	switch {
	case !slices.Contains(AuthMethods, r.AuthMethod):
		r.refuse("token_endpoint_auth_method", "must be one of: "+strings.Join(AuthMethods, " ")+".")
	case HasSecret(r.AuthMethod):
		r.checkSecret()
	case r.ClientSecret != "":
		r.refuse("client_secret", "has no use with token_endpoint_auth_method "+r.AuthMethod+".")
	}
}

func (r *registration) checkSecret() {
	secret := string(r.ClientSecret)
	switch {
	case secret == "":
		r.refuse("client_secret", "is missing; only public clients have none.")
	case !visible(secret) || len(secret) > maxSecret:
		r.refuse("client_secret", "must be at most 512 printable ASCII characters without spaces.")
	case len(secret) < minSecret && !r.AllowShortSecrets:
		r.refuse("client_secret", "must be random and have at least 32 characters.")
	}
}

func (r *registration) checkProtocol() {
	for i, grant := range r.GrantTypes {
		// Asking for refresh tokens without the scope is no mistake: a client that gets none does without.
		if grant != "authorization_code" && grant != "refresh_token" {
			r.refuse(fmt.Sprintf("grant_types[%d]", i), "only authorization_code and refresh_token are supported.")
		}
	}
	if len(r.GrantTypes) > 0 && !slices.Contains(r.GrantTypes, "authorization_code") {
		r.refuse("grant_types", "must contain authorization_code.")
	}
	for i, response := range r.ResponseTypes {
		if response != "code" {
			r.refuse(fmt.Sprintf("response_types[%d]", i), "only code is supported.")
		}
	}
	if !slices.Contains([]string{"", "web", "native"}, r.ApplicationType) {
		r.refuse("application_type", "must be web or native.")
	}
}

// scopes gives the registered scopes in the order of the catalogue.
func (r *registration) scopes() []string {
	asked := r.asked()
	known := Scopes()
	for _, scope := range asked {
		if !slices.Contains(known, scope) {
			r.refuse("scope", "may only contain: "+strings.Join(known, " ")+".")
			break
		}
	}
	if !slices.Contains(asked, claims.ScopeOpenID) {
		r.refuse("scope", "must contain openid.")
	}
	if slices.Contains(asked, claims.ScopeOffline) && !slices.Contains(r.GrantTypes, "refresh_token") {
		r.refuse("scope", "offline_access needs refresh_token in grant_types.")
	}
	return slices.DeleteFunc(known, func(s string) bool { return !slices.Contains(asked, s) })
}
