package storage

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound: there is no such record, or it is past its time.
	ErrNotFound = errors.New("storage: not found")
	// ErrSpent: a one-time thing was used before. The first use may have been an attacker's.
	ErrSpent = errors.New("storage: already used")
	// ErrStale: the record has changed since it was read. Load it again and decide again.
	ErrStale = errors.New("storage: changed meanwhile")
	// ErrExists: a record with that key is there already.
	ErrExists = errors.New("storage: exists")
)

// Store keeps the records. Each method is atomic; one-time things are spent in one statement, so two
// racing callers never both win. Times are given by the caller: the store judges none by its own clock, which is there to be asked for.
// Errors other than the sentinels mean that the database could not answer.
type Store interface {
	People
	Latest

	CreateClient(ctx context.Context, c Client) error      // ErrExists
	PutClient(ctx context.Context, c Client) error         // create or replace
	Client(ctx context.Context, id string) (Client, error) // ErrNotFound; disabled clients are returned
	Clients(ctx context.Context) ([]Client, error)         // by id
	// DisableClient switches a client off, which revokes its grants for ever, or on. ErrNotFound.
	DisableClient(ctx context.Context, id string, disabled bool, now time.Time) error

	// UpdateClient replaces everything but Disabled and CreatedAt if the client has not changed since was, its UpdatedAt. ErrStale.
	UpdateClient(ctx context.Context, next Client, was time.Time) error
	// DeleteClient removes a client, revokes its grants and forgets what people agreed to. ErrNotFound.
	DeleteClient(ctx context.Context, id string, now time.Time) error
	// RegisterClient creates a client for one use of an initial access token. ErrNotFound: there is no such token, or it is
	// past its time or used up.
	RegisterClient(ctx context.Context, tokenHash []byte, c Client, now time.Time) error

	CreateInitialToken(ctx context.Context, t InitialToken) error // ErrExists, also for the name
	// InitialToken finds one that is good now. ErrNotFound.
	InitialToken(ctx context.Context, hash []byte, now time.Time) (InitialToken, error)
	InitialTokens(ctx context.Context) ([]InitialToken, error) // by name
	DeleteInitialToken(ctx context.Context, name string) error // ErrNotFound

	CreateLogin(ctx context.Context, l Login) error
	Login(ctx context.Context, id string) (Login, error)
	// SwapLogin writes what differs between was, a login as it was read or written, and next, its next version, if was is
	// still the stored version, else ErrStale.
	SwapLogin(ctx context.Context, was, next Login) error
	// VerifyLogin is SwapLogin that also finds or creates the account of the credential: next.AccountID is
	// ignored, cred.AccountID is used if the index is new. It returns the account written into the login.
	VerifyLogin(ctx context.Context, was, next Login, cred Credential) (accountID string, err error)
	// ReturnLogin is SwapLogin that also reads the link of next.AccountID with the client, in one round trip.
	ReturnLogin(ctx context.Context, was, next Login, sector Sector) (Link, error)
	// Link of an account with a client; neither subject nor items when they never met.
	Link(ctx context.Context, accountID, clientID string, sector Sector) (Link, error)
	// ApproveLogin writes the answer: login, grant, subject, consent, ledger and session together or not at all. ErrStale,
	// also when Spend is spent already or the ledger is not at the version before.
	ApproveLogin(ctx context.Context, a Approval) error

	// Tell moves the ledger of an account without an answer to a login: what is not said tells something, too. ErrStale.
	Tell(ctx context.Context, accountID string, l Ledger) error
	// Ledgers are all of an account, by sector.
	Ledgers(ctx context.Context, accountID string) ([]Ledger, error)

	// RedeemCode spends a code for client and stores what replaces it. ErrNotFound: unknown, another client's, or
	// expired. ErrSpent: used before; the whole grant is revoked by this call.
	RedeemCode(ctx context.Context, codeHash []byte, clientID string, now time.Time, i Issue) (Grant, error)
	// Refresh spends the last refresh token of a family for client and stores what replaces it; the access token before
	// ends. ErrNotFound: unknown, another client's, expired, revoked, or bound to another certificate or key (with Rebind: bound,
	// and none is shown). ErrSpent: not the last one; the whole grant is revoked by this call.
	Refresh(ctx context.Context, family, refresh []byte, clientID string, now time.Time, i Issue) (Grant, error)
	// FamilyScopes are the Scopes of client's grant with a family of refresh tokens, whatever has become of it. ErrNotFound.
	FamilyScopes(ctx context.Context, family []byte, clientID string) ([]string, error)
	// GrantByAccess finds the live (unexpired, unrevoked) grant of an access token, without what belongs to its authorization
	// request, its ID token, its times but AccessExpires, or its refresh tokens. ErrNotFound.
	GrantByAccess(ctx context.Context, accessHash []byte, now time.Time) (Grant, error)
	// RevokeGrant revokes the grant that a code stands for, or stood for. One that is revoked already, or gone, is not an error.
	RevokeGrant(ctx context.Context, codeHash []byte, now time.Time) error
	// RevokeFamily revokes client's grant by what its refresh tokens share. No such grant is not an error.
	RevokeFamily(ctx context.Context, family []byte, clientID string, now time.Time) error

	// PushRequest keeps a pushed request. ErrExists.
	PushRequest(ctx context.Context, p Pushed) error
	// PushedRequest finds one. ErrNotFound: unknown or past ExpiresAt. ErrSpent: a login answered it.
	PushedRequest(ctx context.Context, hash []byte, now time.Time) (Pushed, error)
	// Spend uses a one-time thing. ErrSpent: it was used before.
	Spend(ctx context.Context, s Spent) error

	// SessionLink finds the live session (not ended, before ExpiresAt, seen after idleSince) and its account's link
	// with the client, in one statement. ErrNotFound.
	SessionLink(ctx context.Context, id, clientID string, sector Sector, now, idleSince time.Time) (Session, Link, error)
	// Sessions are the account's live ones (before ExpiresAt, seen after idleSince), newest first.
	Sessions(ctx context.Context, accountID string, now, idleSince time.Time) ([]Session, error)
	// EndSessions ends sessions and revokes their grants but the redeemed Offline ones. No session is not an error. tell
	// hears who knows the sessions; its deliveries are kept if and only if the sessions end. It must not use the store, may be called
	// again after a conflict, and may be nil.
	EndSessions(ctx context.Context, e Ending, now time.Time, tell func([]Party) ([]Delivery, error)) (Ended, error)
	// AccountBySubject is the account that a relying party of the sector knows as subject. ErrNotFound.
	AccountBySubject(ctx context.Context, sector, subject string) (string, error)

	// Cards are the account's present credentials, last seen first.
	Cards(ctx context.Context, accountID string) ([]Credential, error)
	// TakeDue leases credentials whose authority is to be asked, longest unasked first: nobody else gets them before
	// d.Until. Without a Card nobody can ask.
	TakeDue(ctx context.Context, d Due) ([]Credential, error)
	// NoteAsked ends the lease of a credential that its authority said something about.
	NoteAsked(ctx context.Context, index []byte, at time.Time) error
	// RevokeAccount revokes all grants of an account, Offline ones too.
	RevokeAccount(ctx context.Context, accountID string, now time.Time) error

	// PutLinkConsent keeps a consent. ErrExists.
	PutLinkConsent(ctx context.Context, c LinkConsent) error
	LinkConsents(ctx context.Context, accountID string) ([]LinkConsent, error) // by GivenAt
	// Predecessors are the present credentials of every account that some relying party knows and that ever had one of indexes.
	Predecessors(ctx context.Context, indexes [][]byte) ([]Credential, error)
	// Renew makes r.Login.AccountID, which must be the Earlier account, the one of the login, its card, and whatever else
	// r.From has begun; the cards before are replaced. ErrStale: one of them is not (any more) as the caller saw it, or a
	// ledger of either account has moved.
	Renew(ctx context.Context, r Renewal) error

	// PutDeliveries puts messages into the outbox. ErrExists.
	PutDeliveries(ctx context.Context, d []Delivery) error
	// TakeDeliveries leases at most n messages whose NextTry has come until a time, and counts the attempt: who takes one
	// is alone with it until then. Oldest first.
	TakeDeliveries(ctx context.Context, now, until time.Time, n int) ([]Delivery, error)
	// PostponeDelivery gives a message back for another try. ErrStale: the lease ended, and somebody else has taken it.
	PostponeDelivery(ctx context.Context, d Delivery, next time.Time) error
	// DropDelivery removes a message that has arrived or never will. ErrStale as before.
	DropDelivery(ctx context.Context, d Delivery) error

	SigningKeys(ctx context.Context) ([]SigningKey, error) // by CreatedAt
	// ChangeSigningKeys deletes the keys gone and then creates or replaces the others, all or nothing. ErrExists: an
	// algorithm would have two keys without an end, because somebody else was faster.
	ChangeSigningKeys(ctx context.Context, gone []string, put ...SigningKey) error
	// Clock is the database's own time, one for all replicas.
	Clock(ctx context.Context) (time.Time, error)

	// PutAnchor adds or replaces the anchor of a fingerprint.
	PutAnchor(ctx context.Context, a Anchor) error
	Anchors(ctx context.Context) ([]Anchor, error)              // by purpose, then AddedAt
	DeleteAnchor(ctx context.Context, fingerprint []byte) error // ErrNotFound

	PutSetting(ctx context.Context, s Setting) error // create or replace
	DeleteSetting(ctx context.Context, name string) error
	Settings(ctx context.Context) ([]Setting, error) // by name

	// AddFees adds the counts to those of the same month, client, purpose and price, in one statement.
	AddFees(ctx context.Context, fees []Fee) error
	Fees(ctx context.Context, month string) ([]Fee, error) // by client, purpose, price

	// AddIncidents writes refusals in one statement; an incident that is there already stays as it is.
	AddIncidents(ctx context.Context, incidents []Incident) error
	Incident(ctx context.Context, id string) (Incident, error) // ErrNotFound

	// Sweep removes what is past its time and returns how many rows went.
	Sweep(ctx context.Context, now time.Time) (int64, error)
	Ping(ctx context.Context) error
	Close() error
}
