// Package storage owns the shape of everything that Tegata persists and the Store interface.
// It knows records and their one-time rules. It does not know SQL, HTTP, people or cards.
package storage

import "time"

// Client is a relying party as registered. Names of fields follow RFC 7591 where it has one.
type Client struct {
	ID                     string    `json:"client_id"`
	Name                   string    `json:"client_name"`
	NameJa                 string    `json:"client_name#ja,omitempty"`
	URI                    string    `json:"client_uri,omitempty"`
	RedirectURIs           []string  `json:"redirect_uris"`
	PostLogoutRedirectURIs []string  `json:"post_logout_redirect_uris,omitempty"`
	AuthMethod             string    `json:"token_endpoint_auth_method"` // client_secret_basic, client_secret_post, none
	SecretHashes           [][]byte  `json:"secret_hashes,omitempty"`    // SHA-256 of each valid secret: they are 256 random bits, so no slow hash
	Scopes                 []string  `json:"scopes"`                     // what the client may ever ask for
	IDTokenAlg             string    `json:"id_token_signed_response_alg"`
	Sector                 string    `json:"sector"`               // host that pairwise subjects are computed for (OIDC Core 8.1)
	Purpose                string    `json:"purpose,omitempty"`    // shown at consent (R25)
	PurposeJa              string    `json:"purpose#ja,omitempty"` //
	Disabled               bool      `json:"-"`
	CreatedAt              time.Time `json:"-"`
	UpdatedAt              time.Time `json:"-"`
}

// LoginState is the place of a login in the state machine of design/flows.md.
type LoginState string

const (
	Created   LoginState = "created"   // the authorization request is valid and waits for a person
	Waiting   LoginState = "waiting"   // a ticket is out
	Claimed   LoginState = "claimed"   // one agent holds the ticket
	Verified  LoginState = "verified"  // the card's evidence is good; a completion code is with the agent
	Returned  LoginState = "returned"  // the same browser came back with the code
	Answered  LoginState = "answered"  // the relying party has its answer
	Cancelled LoginState = "cancelled" // the person said no
	Failed    LoginState = "failed"    // see Failure
	Burned    LoginState = "burned"    // the completion code turned up in another browser
)

// Terminal says that no step leads out of s.
func (s LoginState) Terminal() bool {
	return s == Answered || s == Cancelled || s == Failed || s == Burned
}

// AuthRequest is the validated authorization request of a login, exactly as it will be answered.
type AuthRequest struct {
	RedirectURI   string   `json:"redirect_uri"`
	ResponseMode  string   `json:"response_mode"`
	Scopes        []string `json:"scopes"`
	State         string   `json:"state,omitempty"`
	Nonce         string   `json:"nonce,omitempty"`
	CodeChallenge string   `json:"code_challenge"`
	Prompt        []string `json:"prompt,omitempty"`
	MaxAge        *int64   `json:"max_age,omitempty"` // seconds
	UILocales     []string `json:"ui_locales,omitempty"`
	Subject       string   `json:"subject,omitempty"` // whom the relying party expects (id_token_hint); nobody else may be answered for
}

// Login is one authorization request being answered in one browser.
// Every change goes through SwapLogin and raises Version by one.
type Login struct {
	ID          string // 128-bit handle, in URLs; not a secret
	Version     int64
	State       LoginState
	ClientID    string
	Request     AuthRequest
	BrowserHash []byte // SHA-256 of the browser's cookie: only that browser may go on
	CreatedAt   time.Time
	ExpiresAt   time.Time

	TicketHash    []byte    // SHA-256 of the ticket of the launch link
	TicketExpires time.Time //
	TicketSerial  int64     // how many tickets this login has had

	AgentKey     []byte // the agent's ephemeral public key, JWK
	AgentVersion string
	ReturnTo     string // the agent's loopback address for the browser
	Nonce        []byte // server nonce, 256 bit, that the card must sign
	Number       string // two digits shown on the page and by the agent
	Progress     string // progress code for the page (design/flows.md)
	Tries        int    // tries left that go with Progress; -1 none

	AccountID         string // set from Verified on
	AuthTime          time.Time
	ACR               string
	AMR               []string
	Facts             []byte // what the card said about the person, sealed at rest; opaque here
	CompletionHash    []byte // SHA-256 of the completion code
	CompletionExpires time.Time
	SessionID         string // the SSO session this login continues, if any

	Failure string // error code when Failed
}

// Credential ties an authentication certificate to an account.
// Index is HMAC(deployment key, purpose, serial); the serial itself is never stored (R6).
type Credential struct {
	Index     []byte
	AccountID string
	SeenAt    time.Time
}

// Link is what is remembered between one account and one relying party.
type Link struct {
	Subject string   // pairwise subject of the client's sector; "" when there is none yet
	Items   []string // items the person agreed to release to this client
}

// Session is an SSO session of one browser.
type Session struct {
	ID        string // SHA-256 of the cookie, base64url: the cookie itself is not stored
	AccountID string
	AuthTime  time.Time
	ACR       string
	AMR       []string
	Facts     []byte // sealed at rest
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // absolute end
}

// Grant is one answered login: the authorization code, then the access token that replaced it.
type Grant struct {
	ID            string
	ClientID      string
	AccountID     string
	SessionID     string
	Subject       string // pairwise
	Scopes        []string
	Nonce         string
	RedirectURI   string
	CodeChallenge string // S256
	AuthTime      time.Time
	ACR           string
	AMR           []string
	TellAuthTime  bool   // the ID token carries auth_time only where max_age asked for it
	IDToken       []byte // released claims for the ID token, JSON, sealed at rest
	UserInfo      []byte // released claims for userinfo, JSON, sealed at rest
	CodeHash      []byte // SHA-256
	CodeExpires   time.Time
	RedeemedAt    time.Time // zero: not yet
	AccessHash    []byte    // SHA-256 of the access token, after redemption
	AccessExpires time.Time
	RevokedAt     time.Time // zero: alive
	CreatedAt     time.Time
}

// Approval is everything that the answer to a login writes at once.
type Approval struct {
	Login   *Login   // next version, state Answered; nil when an SSO session answered without a page
	Grant   Grant    //
	Sector  string   // with Grant.Subject: stored once per (account, sector)
	Items   []string // consented items to remember; nil leaves the record alone
	Session *Session // a new SSO session; nil when Grant.SessionID already exists, whose SeenAt becomes Grant.CreatedAt
}

// SigningKey is one key of the provider's ring.
type SigningKey struct {
	ID         string // RFC 7638 thumbprint
	Alg        string // ES256, RS256
	Private    []byte // PKCS #8, sealed at rest
	CreatedAt  time.Time
	ActivateAt time.Time // published before, signs from here on
	RetireAt   time.Time // zero: open end; stays published for the token lifetime after it
}
