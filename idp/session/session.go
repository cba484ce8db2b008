// Package session owns the rules of a browser's SSO session: when it is good for an authorization request and when
// it is over. It does not know cookies, stores or who the person is.
package session

import (
	"encoding/base64"
	"slices"
	"time"

	"tegata/storage"
)

// Rule is how long a session lives.
type Rule struct {
	Idle     time.Duration // without use
	Absolute time.Duration // in all
}

// ID is the name of the session whose cookie has this SHA-256. It is no secret: the cookie cannot be made from it.
func ID(cookieHash []byte) string { return base64.RawURLEncoding.EncodeToString(cookieHash) }

// Default is the rule of acceptance figure 33.
var Default = Rule{Idle: time.Hour, Absolute: 24 * time.Hour}

// Serves says whether s may answer the request without the card: not when the relying party wants a fresh login
// (prompt=login, select_account), not when the card was used longer ago than max_age.
func Serves(s storage.Session, r storage.AuthRequest, now time.Time) bool {
	if slices.Contains(r.Prompt, "login") || slices.Contains(r.Prompt, "select_account") {
		return false
	}
	return r.MaxAge == nil || now.Sub(s.AuthTime) <= time.Duration(*r.MaxAge)*time.Second
}
