package storage

import "time"

// Anchor is a CA certificate that the operator trusts, for every replica.
type Anchor struct {
	Fingerprint []byte // SHA-256 of Certificate
	Purpose     string // "authentication" or "signature": the words of jpki.Purpose
	Certificate []byte // DER
	Name        string // the official name, or "" for one that the operator vouched for
	Test        bool   // of a test hierarchy
	AddedAt     time.Time
}

// ClientsMark is the name of the setting that gets another value whenever a client record changes: who has seen the same
// value twice knows that none changed in between.
const ClientsMark = "clients"

// Setting is a switch that all replicas follow within a second.
type Setting struct {
	Name      string
	Value     string
	ChangedAt time.Time
}

// Fee counts revocation queries that cost the same.
type Fee struct {
	Month    string // 2026-11, in Japan
	ClientID string
	Purpose  string // the words of jpki.Purpose
	UnitYen  int64  // 0 in a free period
	Queries  int64
}

// Incident is one refusal, under the number that the person saw. It names no person, card or account.
type Incident struct {
	ID       string // T-…
	At       time.Time
	Event    string // what was going on, a route pattern or a word such as login_burned
	Code     string // of authn/fail
	ClientID string // "" where no relying party was known
}
