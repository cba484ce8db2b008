package dpop_test

import (
	"errors"
	"testing"
	"time"

	"tegata/idp/dpop"
)

func TestAProofRepeatsAFreshNonceOfOurs(t *testing.T) {
	p, at := newProver(t), now
	nonces := &dpop.Nonces{Key: []byte("a key of thirty-two bytes, or so"), Now: func() time.Time { return at }}
	replica := &dpop.Nonces{Key: nonces.Key, Now: nonces.Now}
	stranger := &dpop.Nonces{Key: []byte("another key"), Now: nonces.Now}
	with := func(nonce any) string { return p.proof(t, func(_, c object) { c["nonce"] = nonce }) }
	check := func(what string, n *dpop.Nonces, proof string, want error) {
		t.Helper()
		_, err := dpop.Verify(dpop.Request{Method: "GET", URL: endpoint, Proofs: []string{proof}, Token: token, Nonces: n}, now)
		if !errors.Is(err, want) || errors.Is(err, dpop.ErrNonce) && errors.Is(err, dpop.ErrProof) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	first := nonces.Fresh()
	check("fresh", nonces, with(first), nil)
	check("of another replica", nonces, with(replica.Fresh()), nil)
	check("none", nonces, p.proof(t, nil), dpop.ErrNonce)
	check("empty", nonces, with(""), dpop.ErrNonce)
	check("a number", nonces, with(1), dpop.ErrNonce)
	check("of a stranger", nonces, with(stranger.Fresh()), dpop.ErrNonce)
	check("where none was given", nil, with(first), dpop.ErrProof)
	check("a bad proof comes first", nonces, p.proof(t, func(_, c object) { c["htm"] = "POST" }), dpop.ErrProof)
	at = now.Add(time.Minute)
	check("of the minute before", nonces, with(first), nil)
	if nonces.Fresh() == first {
		t.Error("a nonce lives for ever")
	}
	at = now.Add(2 * time.Minute)
	check("two minutes old", nonces, with(first), dpop.ErrNonce)
	at = now.Add(-time.Minute)
	check("of a time to come", nonces, with(first), dpop.ErrNonce)
}
