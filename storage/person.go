package storage

import (
	"context"
	"time"
)

// Consent is what a person agreed to share with one client.
type Consent struct {
	ClientID string
	Items    []string
	Texts    string // version of the texts that she was shown; "" not known
	GivenAt  time.Time
}

// Release is one entry of a person's history: what went where by a login. It has names of items, never a value.
type Release struct {
	ID        string // random
	AccountID string
	ClientID  string
	At        time.Time
	Items     []string
	Method    []string // the amr of the login
	Outcome   string   // one of the Outcomes
}

// Outcomes of a login, for the history.
const (
	Shared           = "shared"            // Items went out
	SharedUnverified = "shared_unverified" // Items went out that nobody could verify
	SignedIn         = "signed_in"         // nothing but that she is the one
	Declined         = "declined"          // she looked at what would be shared and said no
	Aborted          = "aborted"           // it was not what the client wanted, so nothing went out
	Updated          = "updated"           // Items went out without a login, because they had changed (LatestConsent)
)

// KeepDays are the times for which a person may have her history kept, in days; the first is usual (R26).
var KeepDays = []int{730, 180, 30}

// Memory is what a person lets be remembered between logins: facts that a card said of her once.
type Memory struct {
	AccountID string // set when read; when written it is the Approval's
	ACR       string // what the login was worth that brought the facts
	Facts     []byte // sealed at rest under a key of hers alone, and once more; opaque here
	Until     time.Time
	Hint      []byte // SHA-256 of the cookie of a browser that may bring this memory to mind; only written
}

// People is the part of Store about what a person sees and decides of herself.
type People interface {
	// Consents of an account, by client.
	Consents(ctx context.Context, accountID string) ([]Consent, error)
	// TakeBack removes a consent and revokes the grants that came of it, so that the client has to ask again.
	// No such consent is not an error.
	TakeBack(ctx context.Context, accountID, clientID string, now time.Time) error
	// AddRelease writes an entry that no Approval writes.
	AddRelease(ctx context.Context, r Release) error
	// Releases are an account's history, the latest first.
	Releases(ctx context.Context, accountID string) ([]Release, error)
	// Keep says for how many days, one of KeepDays, an account's history is kept from now on. What is older goes at once.
	Keep(ctx context.Context, accountID string, days int, now time.Time) error
	// Kept is the number of days that Keep set.
	Kept(ctx context.Context, accountID string) (days int, err error)
	// Hinted is the memory that a browser's cookie brings to mind. ErrNotFound: none, or past its Until.
	Hinted(ctx context.Context, hint []byte, now time.Time) (Memory, error)
	// Memory of an account. ErrNotFound.
	Memory(ctx context.Context, accountID string, now time.Time) (Memory, error)
	// Forget destroys the key of an account's memory and the rest of it, and takes the facts out of its sessions.
	Forget(ctx context.Context, accountID string) error
	// ForgetHint makes one browser bring nothing to mind any more. No such hint is not an error.
	ForgetHint(ctx context.Context, hint []byte) error
	// DeleteAccount removes every row about an account. Its sessions are ended before (EndSessions).
	DeleteAccount(ctx context.Context, accountID string) error
}
