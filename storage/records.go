// Package storage owns the shape of everything that Tegata persists and the Store interface.
// It knows records and their one-time rules. It does not know SQL, HTTP, people or cards.
package storage

import "time"

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
	Claims        []byte   `json:"claims,omitempty"`         // the claims parameter (OIDC Core 5.5), sealed at rest: a condition in it may name a person
	ClaimsLocales []string `json:"claims_locales,omitempty"` //
	Items         []string `json:"items,omitempty"`          // what Claims asks about the person and can hear, in the catalogue's words
	Subjects      []string `json:"subjects,omitempty"`       // whom Claims asks about; nobody else may be answered for; nil: anybody
	ACR           []string `json:"acr,omitempty"`            // of which Claims wants the login to be worth one; nil: whatever it is worth
	TellAuthTime  bool     `json:"tell_auth_time,omitempty"`
	Without       []string `json:"without,omitempty"`  // sources of attributes that the card at hand has turned out not to have
	Printed       bool     `json:"printed,omitempty"`  // the numbers on the card are to open its four attributes, rather than a PIN
	Subject       string   `json:"subject,omitempty"`  // whom the relying party expects (id_token_hint); nobody else may be answered for
	DPoPKey       []byte   `json:"dpop_jkt,omitempty"` // whose proof the code needs: RFC 7638 thumbprint (RFC 9449 section 10)
	Recall        string   `json:"recall,omitempty"`   // the account whose remembered facts are meant to answer it; "" the card's are
	Pushed        []byte   `json:"pushed,omitempty"`   // SHA-256 of the request_uri it came by (RFC 9126); its answer spends that
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
	Card              []byte // as in Credential
	SignCard          []byte // the same of the signature certificate, where the client may hear of changes later; sealed at rest
	CompletionHash    []byte // SHA-256 of the completion code
	CompletionExpires time.Time
	SessionID         string // the SSO session this login continues, if any

	Failure string // error code when Failed
}

// Link is what is remembered between one account and one relying party.
type Link struct {
	Subject string   // pairwise subject of the client's sector; "" when there is none yet
	Items   []string // items the person agreed to release to this client
	Texts   string   // of the Approval that remembered Items
	New     bool     // no relying party knows the account
	Told    Told     // what the owner of the client's sector has been told of the person's age
}

// Told is the ledger of one person and one owner of sectors, which keeps the sector from learning a birthdate by asking again.
type Told struct {
	Version int64     // of the record; 0 when there is none
	Ledger  []byte    // of package ledger, sealed at rest; opaque here
	Expires time.Time // when nothing of it counts any more
}

// Session is an SSO session of one browser.
type Session struct {
	ID        string // SHA-256 of the cookie, base64url: the cookie itself is not stored
	AccountID string
	AuthTime  time.Time
	ACR       string
	AMR       []string
	Facts     []byte // sealed at rest
	Browser   string // family of the browser and its system, for the person's own eyes; "" not known
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // absolute end
}

// Ending says which sessions end: one, all of an account, or, with both named, the one if it is the account's.
// The zero Ending ends none.
type Ending struct {
	SessionID string
	AccountID string
	Except    string // of all of an account, the session that stays
	Heir      string // a session that takes over the grants, if it is of the same account: then nothing ends for anybody outside
}

// Ended is what an Ending did.
type Ended struct {
	Sessions int     // how many there were
	Parties  []Party // by client
}

// Party is a relying party that has been told of a session, under a name, and got tokens in it.
type Party struct {
	Client  Client // as registered now
	Subject string // pairwise
	SID     string // what the client calls the session
}

// Delivery is a message to a relying party that has to arrive: it waits in the outbox until it has, or is given up.
type Delivery struct {
	ID        string // 256-bit handle
	Kind      string // who writes it out and can read Body
	ClientID  string // whom it is for
	Body      []byte // what is to be told, sealed at rest
	Attempts  int    // how often it was taken out to be sent
	CreatedAt time.Time
	NextTry   time.Time // not sent before; while somebody sends it, the end of their lease
	GiveUp    time.Time // not sent after
}

// Grant is one answered login: the authorization code, then the access token that replaced it.
type Grant struct {
	ID            string
	ClientID      string
	AccountID     string
	SessionID     string
	Subject       string // pairwise or transient
	Scopes        []string
	Nonce         string
	RedirectURI   string
	CodeChallenge string // S256
	AuthTime      time.Time
	ACR           string
	AMR           []string
	TellAuthTime  bool   // the ID token carries auth_time only where max_age or claims asked for it
	IDToken       []byte // released claims for the ID token, JSON, sealed at rest
	UserInfo      []byte // released claims for userinfo, JSON, sealed at rest
	CodeHash      []byte // SHA-256
	CodeExpires   time.Time
	RedeemedAt    time.Time // zero: not yet
	AccessHash    []byte    // SHA-256 of the access token, after redemption
	AccessExpires time.Time
	AccessScopes  []string // what that token is for where it is less than Scopes; nil: all of them
	Certificate   []byte   // SHA-256 of the client certificate that the tokens are bound to (RFC 8705 section 3); nil: none
	DPoPKey       []byte   // SHA-256 thumbprint of the key that code and tokens are bound to (RFC 9449); nil: none
	Offline       bool     // refresh tokens come with it, and it outlives its session (OIDC Core 11)
	SID           string   // what the client calls the session; "" where it has no use for a name

	RefreshFamily  []byte    // SHA-256 of the half that all refresh tokens of the grant share; nil: not Offline or not redeemed
	RefreshHash    []byte    // SHA-256 of the half of the last one
	RefreshExpires time.Time // when that one dies unused
	RefreshUntil   time.Time // when the family dies

	RevokedAt time.Time // zero: alive
	CreatedAt time.Time
}

// Issue is what a client gets for a code or for a refresh token. Secrets are here as their SHA-256.
type Issue struct {
	Access         []byte
	AccessExpires  time.Time
	Refresh        []byte // the refresh token's changing half; kept for Offline grants alone, as is all that follows
	RefreshExpires time.Time
	RefreshFamily  []byte    // at redemption only: it stays for ever
	RefreshUntil   time.Time // at redemption only
	Certificate    []byte    // at redemption what the grant is bound to, at refresh what its holder showed; nil: none
	DPoPKey        []byte    // the same, of keys; a code that is bound already keeps its own
	Scopes         []string  // at refresh: Grant.AccessScopes
	Rebind         bool      // at refresh: what the holder shows binds the next tokens, instead of having to be what bound the last
}

// Approval is everything that the answer to a login writes at once.
type Approval struct {
	Login   *Login   // next version, state Answered, without what the card said; nil when an SSO session answered without a page
	Grant   Grant    // one without an ID is none: the login was for the person's own pages
	Sector  string   // with Grant.Subject: stored once per (account, sector); "" when it is stored already
	Items   []string // consented items to remember; nil leaves the record alone
	Texts   string   // version of the texts under which Items were agreed to; "" not known
	Release *Release // the entry of the person's history; nil: none
	Told    *Ledger  // what the sector is told by this answer; nil when that is nothing new
	Memory  *Memory  // what the person lets be remembered from now on; nil changes nothing
	Session *Session // a new SSO session; nil when Grant.SessionID already exists, whose SeenAt becomes Grant.CreatedAt
	Spend   *Spent   // a one-time thing that this answer uses up; nil: none
}

// Sector is how a relying party knows people. Subjects are of a host, or of hosts that say so together (OIDC Core 8.1); answers
// about an age are of whoever owns the domain, who could ask under as many hosts as it likes.
type Sector struct {
	Subject string
	Owner   string
}

// Sectors are the names of a client's sector.
func (c Client) Sectors() Sector {
	if c.Owner == "" {
		return Sector{c.Sector, c.Sector}
	}
	return Sector{c.Sector, c.Owner}
}

// Ledger is the next version of what the owner of a sector has been told.
type Ledger struct {
	Sector string // Sector.Owner
	Told
}

// Spent marks a one-time thing of others as used: an answered request_uri, the jti of an assertion. A thing that is not
// marked has not been used.
type Spent struct {
	Hash  []byte    // SHA-256 of the thing and its kind
	Until time.Time // when the thing is worthless anyway
}

// Pushed is an authorization request that waits behind a request_uri (RFC 9126).
type Pushed struct {
	Hash      []byte // SHA-256 of the request_uri
	ClientID  string
	Params    []byte // the request's parameters as a form, sealed at rest: hints may name a person
	ExpiresAt time.Time
}

// SigningKey is one key of the provider's ring.
type SigningKey struct {
	ID         string // RFC 7638 thumbprint
	Alg        string // one of keys.Algorithms
	Private    []byte // PKCS #8, sealed at rest
	CreatedAt  time.Time
	ActivateAt time.Time // published before, signs from here on
	RetireAt   time.Time // zero: open end; stays published for the token lifetime after it
}
