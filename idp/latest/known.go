package latest

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tegata/claims"
)

// Key makes the marks by which a change is noticed.
type Key []byte

// KeyFrom derives it from the deployment's subject key.
func KeyFrom(subjectKey []byte) (Key, error) {
	key, err := hkdf.Key(sha256.New, subjectKey, nil, "tegata latest attributes", 32)
	if err != nil {
		return nil, fmt.Errorf("latest: key: %w", err)
	}
	return key, nil
}

// Known is what a client has heard, item by item: keyed marks in place of the values. To see that something is new it is
// enough to compare, so nobody's name and address is kept for ten years (R25).
type Known map[claims.Item][]byte

// ErrKnown: these bytes are not what Encode made.
var ErrKnown = errors.New("latest: marks cannot be read")

// Encode gives the bytes to seal.
func (k Known) Encode() ([]byte, error) {
	out, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("latest: encode: %w", err)
	}
	return out, nil
}

// DecodeKnown undoes Encode. ErrKnown.
func DecodeKnown(b []byte) (Known, error) {
	k := Known{}
	if len(b) > 0 && json.Unmarshal(b, &k) != nil || k == nil {
		return nil, ErrKnown
	}
	return k, nil
}

// Change is what a client does not know yet.
type Change struct {
	Items  []claims.Item
	Claims []byte // JSON object; of Items alone
	Known  Known  // afterwards
}

// Compare finds what is new about a person among items, for the consent id. An item that the register does not give now
// is no change: its last value stays.
func (key Key) Compare(id string, known Known, p claims.Person, items []claims.Item, now time.Time) Change {
	offers := claims.Evaluate(p, items, now)
	next := Known{}
	for item, mark := range known {
		next[item] = mark
	}
	var changed []claims.Item
	for _, o := range offers {
		if !o.Available {
			continue
		}
		mark := key.mark(id, o)
		if !bytes.Equal(mark, known[o.Item]) {
			changed = append(changed, o.Item)
		}
		next[o.Item] = mark
	}
	return Change{changed, claims.Release(offers, changed).UserInfo.Encode(), next}
}

// mark is another one for every consent, so that equal values do not show.
func (key Key) mark(id string, o claims.Offer) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "\x00" + string(o.Item) + "\x00"))
	mac.Write(claims.Release([]claims.Offer{o}, []claims.Item{o.Item}).UserInfo.Encode())
	return mac.Sum(nil)
}
