package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// nonceLife is how long one nonce is given out. It is good until the next one ends, so that nobody is turned away who asked
// a moment before.
const nonceLife = time.Minute

// Nonces are what proofs have to repeat where the operator wants them no older than two minutes, whatever clock the client
// has (RFC 9449 section 8). They are computed, not stored: every replica with the key knows those of the others.
type Nonces struct {
	Key []byte // secret, 32 bytes
	Now func() time.Time
}

// Fresh is the nonce that a client shall use from now on.
func (n *Nonces) Fresh() string { return n.of(n.Now().Unix() / int64(nonceLife/time.Second)) }

func (n *Nonces) good(nonce string) bool {
	now := n.Now().Unix() / int64(nonceLife/time.Second)
	for _, period := range []int64{now, now - 1} {
		if hmac.Equal([]byte(nonce), []byte(n.of(period))) {
			return true
		}
	}
	return false
}

func (n *Nonces) of(period int64) string {
	mac := hmac.New(sha256.New, n.Key)
	mac.Write([]byte(strconv.FormatInt(period, 10)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:24])
}
