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
	Shared   = "shared"    // Items went out
	SignedIn = "signed_in" // nothing but that she is the one
	Declined = "declined"  // she looked at what would be shared and said no
	Aborted  = "aborted"   // it was not what the client wanted, so nothing went out
)

// KeepDays are the times for which a person may have her history kept, in days; the first is usual (R26).
var KeepDays = []int{730, 180, 30}

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
	// DeleteAccount removes every row about an account. Its sessions are ended before (EndSessions).
	DeleteAccount(ctx context.Context, accountID string) error
}
