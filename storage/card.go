package storage

import (
	"bytes"
	"slices"
	"time"
)

// Credential ties an authentication certificate to an account.
// Index is HMAC(deployment key, purpose, serial): the serial itself is in Card alone, sealed (R6).
type Credential struct {
	Index      []byte
	AccountID  string
	Card       []byte // what its authority knows it by, and its end, sealed at rest; opaque here. nil: last seen before that was kept
	SeenAt     time.Time
	AskedAt    time.Time // when its authority last said something about it; a login asks, and so does the status job
	ReplacedAt time.Time // zero: it is the present one
}

// Due says which credentials a status job takes.
type Due struct {
	Now         time.Time
	AskedBefore time.Time // those that nobody has asked about since
	IdleSince   time.Time // of accounts with a session that was seen after, or with offline grants
	Until       time.Time // they are the caller's until then
	Most        int
}

// LinkConsent is one word of a person that the authority may be asked which certificates she had before (R10).
type LinkConsent struct {
	LoginID   string
	GivenAt   time.Time
	AccountID string
	ClientID  string // the relying party in whose login it was given
	Wording   string // version of the text that she read
	TakenOver bool   // an earlier account was found, and is AccountID now
}

// Renewal moves a login and its card to the account of the cards before it.
type Renewal struct {
	Login    Login  // next version; it differs in AccountID alone, which is the earlier account
	From     string // the account that the card made, which no relying party knows
	Index    []byte // of the card
	Previous [][]byte
	Consent  LinkConsent // as it was put before
	Told     []Merged    // all ledgers of From, as they become the earlier account's
	At       time.Time
}

// Merged is the next version of a ledger with what the same sector was told of another account, whose ledger goes.
type Merged struct {
	Ledger
	Gone int64 // version of the one that goes
}

// Earlier is the account that the owner of a new card had, by the present cards of all known accounts that ever had one of
// previous. It must be one account, and its present cards must all be among previous: somebody with a card that the new
// one does not replace is somebody else, whatever an authority says.
func Earlier(present []Credential, previous [][]byte) (accountID string, ok bool) {
	for i, c := range present {
		if i > 0 && c.AccountID != accountID || !slices.ContainsFunc(previous, func(p []byte) bool { return bytes.Equal(p, c.Index) }) {
			return "", false
		}
		accountID = c.AccountID
	}
	return accountID, accountID != ""
}
