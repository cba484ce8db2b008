// Package developer owns how a relying party's engineer is recognised in a browser: by a short note that the operator's
// command signs, which names one client and an end. It opens nothing but explanations of that client's own mistakes.
// It knows notes and time. It refuses to know HTTP, databases and people.
package developer

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Lives of the two notes: the one in a link, which histories and chats keep, and the one in the cookie.
const (
	LinkLife   = 15 * time.Minute
	CookieLife = 8 * time.Hour
)

// Kind keeps a note of one use from another.
type Kind string

// The two kinds.
const (
	Link   Kind = "link"
	Cookie Kind = "cookie"
)

// Key signs notes.
type Key []byte

// KeyFrom derives the key from the deployment's subject key.
func KeyFrom(subjectKey []byte) (Key, error) {
	key, err := hkdf.Key(sha256.New, subjectKey, nil, "tegata developer notes", 32)
	if err != nil {
		return nil, fmt.Errorf("developer: key: %w", err)
	}
	return key, nil
}

type note struct {
	Client string `json:"c"`
	Until  int64  `json:"u"` // seconds since 1970
}

// Sign writes a note about a client.
func (k Key) Sign(kind Kind, client string, until time.Time) string {
	body, _ := json.Marshal(note{client, until.Unix()}) // a text and a number
	payload := base64.RawURLEncoding.EncodeToString(body)
	return payload + "." + base64.RawURLEncoding.EncodeToString(k.mac(kind, payload))
}

// Client is whom a note is about, if we signed it for this use and it has not ended. Without a key there is nobody.
func (k Key) Client(kind Kind, text string, now time.Time) (client string, ok bool) {
	payload, signature, _ := strings.Cut(text, ".")
	sum, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if len(k) == 0 || err != nil || !hmac.Equal(sum, k.mac(kind, payload)) {
		return "", false
	}
	body, err := base64.RawURLEncoding.DecodeString(payload)
	var n note
	if err != nil || json.Unmarshal(body, &n) != nil || now.Unix() >= n.Until {
		return "", false
	}
	return n.Client, true
}

func (k Key) mac(kind Kind, payload string) []byte {
	m := hmac.New(sha256.New, k)
	m.Write([]byte(string(kind) + "\x00" + payload))
	return m.Sum(nil)
}
