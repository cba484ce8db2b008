package storage

import (
	"context"
	"time"
)

// LatestConsent is one word of a person, yes or no, to one client hearing of changes of her attributes (R11). One at most
// stands between the two; another word takes its place.
type LatestConsent struct {
	ID         string // random; the authority knows the consent by it
	AccountID  string
	ClientID   string
	Refused    bool // she said no: what follows Texts is empty but GivenAt, and she is not asked again
	Items      []string
	Texts      string // version of the texts that she was shown; "" not known
	Number     []byte // of the signature certificate that it was given with, sealed at rest; opaque here
	Sent       []byte // what the client knows, item by item, sealed at rest; opaque here
	Registered bool   // the authority knows of it
	GivenAt    time.Time
	ExpiresAt  time.Time
}

// Feed is how far the news of somebody else have been read.
type Feed struct {
	Name  string
	Place string    // in their words; "" from the start
	Until time.Time // the reader's lease: nobody else reads before
}

// Latest is the part of Store about the latest four attributes.
type Latest interface {
	// PutLatest keeps a word and ends the one that stood before. ErrExists: another word was being kept.
	PutLatest(ctx context.Context, c LatestConsent) error
	// StandingLatest is the word that stands between a person and a client, even one past its time. ErrNotFound.
	StandingLatest(ctx context.Context, accountID, clientID string) (LatestConsent, error)
	// LatestConsents are an account's, which stand and are a yes, by client; one past its time too.
	LatestConsents(ctx context.Context, accountID string) ([]LatestConsent, error)
	// WithdrawLatest ends a yes of the account. ErrNotFound.
	WithdrawLatest(ctx context.Context, id, accountID string, now time.Time) error
	// LatestConsent finds a yes that stands and whose time has not come. ErrNotFound.
	LatestConsent(ctx context.Context, id string, now time.Time) (LatestConsent, error)
	// UnregisteredLatest are at most n of those that the authority does not know, the oldest first.
	UnregisteredLatest(ctx context.Context, now time.Time, n int) ([]LatestConsent, error)
	// NoteLatest writes Registered and Sent, and with them the message that goes out and the line of the person's history,
	// if the consent still stands: all or nothing. d and r may be nil. ErrStale.
	NoteLatest(ctx context.Context, c LatestConsent, now time.Time, d *Delivery, r *Release) error
	// EndedLatest are the ids of at most n consents that ended and that the authority has to forget.
	EndedLatest(ctx context.Context, n int) ([]string, error)
	// DropEndedLatest says that it has.
	DropEndedLatest(ctx context.Context, id string) error

	// TakeFeed leases a feed that was last read before. ErrNotFound: it was read since, or somebody is reading it.
	TakeFeed(ctx context.Context, name string, now, before, until time.Time) (Feed, error)
	// KeepFeed writes how far it was read. The lease ends if done. ErrStale: somebody else has taken it.
	KeepFeed(ctx context.Context, f Feed, now time.Time, done bool) error
}
