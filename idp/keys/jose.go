package keys

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Sign wraps payload in a compact JWS with the active key of alg.
func (r *Ring) Sign(alg string, payload []byte) (string, error) {
	e, err := r.signer(alg)
	if err != nil {
		return "", err
	}
	jws, err := e.jose.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("keys: sign: %w", err)
	}
	return jws.CompactSerialize()
}

// SignAs is Sign with another typ than JWT, for tokens that must never pass as an ID token (RFC 8725 section 3.11).
func (r *Ring) SignAs(typ, alg string, payload []byte) (string, error) {
	e, err := r.signer(alg)
	if err != nil {
		return "", err
	}
	signer, err := newSigner(e.SigningKey, e.signer, typ)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("keys: sign: %w", err)
	}
	return jws.CompactSerialize()
}

// signer is the key that signs with alg now.
func (r *Ring) signer(alg string) (entry, error) {
	e, ok := r.active(alg)
	if !ok && slices.Contains(Algorithms, alg) && len(r.entries()) > 0 {
		if err := r.whole(context.Background()); err != nil {
			return entry{}, err
		}
		e, ok = r.active(alg)
	}
	if !ok {
		return entry{}, fmt.Errorf("%w: %s", ErrNoKey, alg)
	}
	return e, nil
}

// Half is the left half of the hash of text that goes with a signature of alg: at_hash, c_hash and s_hash (OIDC Core
// 3.1.3.6). Ed25519 hashes with SHA-512 itself, and so do relying parties' libraries here.
func Half(alg, text string) string {
	if alg == string(jose.EdDSA) {
		sum := sha512.Sum512([]byte(text))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// JWKS is what relying parties may verify with now: the signing keys, the next ones, and those retired
// for less than Linger.
func (r *Ring) JWKS() (jose.JSONWebKeySet, error) {
	if err := r.whole(context.Background()); err != nil {
		return jose.JSONWebKeySet{}, err
	}
	now := r.now()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, e := range r.entries() {
		if !e.RetireAt.IsZero() && e.RetireAt.Add(Linger).Before(now) {
			continue
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: e.signer.Public(), KeyID: e.ID, Algorithm: e.Alg, Use: "sig"})
	}
	return set, nil
}

var signatures = []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA}

// Verify opens a compact JWS of a type that this ring signed at any time: logout hints outlive their key.
// It proves only that we signed it; expiry and audience are the caller's.
func (r *Ring) Verify(typ, compact string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(compact, signatures)
	if err != nil {
		return nil, fmt.Errorf("keys: parse: %w", err)
	}
	header := jws.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != typ {
		return nil, errors.New("keys: of another type")
	}
	for _, e := range r.entries() {
		if e.ID == header.KeyID && e.Alg == header.Algorithm {
			return jws.Verify(e.signer.Public())
		}
	}
	return nil, fmt.Errorf("keys: signed by no key of ours")
}
