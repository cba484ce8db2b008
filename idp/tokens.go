package idp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"tegata/authn"
	"tegata/idp/clients"
	"tegata/idp/keys"
	"tegata/storage"
)

// ErrInvalidGrant: the code is unknown, expired, used, another client's, or its proof does not fit (RFC 6749 5.2).
// The caller learns no more than that.
var ErrInvalidGrant = errors.New("idp: invalid grant")

// ErrInvalidToken: no live access token (RFC 6750 3.1).
var ErrInvalidToken = errors.New("idp: invalid token")

// Tokens is what a code or a refresh token is worth.
type Tokens struct {
	Access  authn.Secret
	Refresh Refresh // zero: none
	IDToken string  // "": none
	Scopes  []string
	Type    string // Bearer or DPoP
}

func tokenType(g storage.Grant) string {
	if g.DPoPKey != nil {
		return "DPoP"
	}
	return "Bearer"
}

// Holder is what a caller of the back channel proved to hold besides its credentials.
type Holder struct {
	Certificate []byte // SHA-256 of its TLS certificate; nil: none
	Key         []byte // SHA-256 thumbprint of the key of its DPoP proof; nil: none
}

// holds says whether the holder has what all tokens of its client are bound to.
func (h Holder) holds(c storage.Client) bool {
	return (!c.TLS.Bound || h.Certificate != nil) && (!c.DPoPBound || h.Key != nil)
}

// Exchange spends a code for an authenticated (or public) client. The code is spent before its proof is checked, so a
// failed check burns it too (RFC 6749 4.1.2), and a second use takes back what the first one got.
func (p *Provider) Exchange(ctx context.Context, c storage.Client, code, redirectURI, verifier string, h Holder) (Tokens, error) {
	secret, ok := authn.ParseSecret(code)
	if !ok || !h.holds(c) {
		return Tokens{}, ErrInvalidGrant
	}
	family, err := authn.NewSecret(p.Rand)
	if err != nil {
		return Tokens{}, err
	}
	t, i, err := p.issue(c, family, h)
	if err != nil {
		return Tokens{}, err
	}
	to, err := p.envelope(ctx, c, c.Keys.IDTokenSeal) // before the code is spent: the client may try again
	if err != nil {
		return Tokens{}, err
	}
	now := p.Now()
	g, err := p.Store.RedeemCode(ctx, secret.Hash(), c.ID, now, i)
	switch {
	case errors.Is(err, storage.ErrSpent):
		p.Log.WarnContext(ctx, "authorization code used twice; its tokens are revoked", "event", "code_reuse", "client", c.ID)
		return Tokens{}, ErrInvalidGrant
	case errors.Is(err, storage.ErrNotFound):
		return Tokens{}, ErrInvalidGrant
	case err != nil:
		return Tokens{}, unavailable(err)
	}
	if g.RedirectURI != redirectURI || !pkce(c, g.CodeChallenge, verifier) || !bytes.Equal(g.DPoPKey, h.Key) {
		if err := p.Store.RevokeGrant(ctx, g.CodeHash, now); err != nil {
			return Tokens{}, unavailable(err)
		}
		return Tokens{}, ErrInvalidGrant
	}
	if !g.Offline {
		t.Refresh = Refresh{}
	}
	t.Scopes, t.Type = g.Scopes, tokenType(g)
	t.IDToken, err = to.nest(p.idToken(c, g, t.Access))
	return t, err
}

// pkce checks an S256 verifier in constant time (RFC 7636 4.6). There is no plain here. A code without a challenge is for clients
// that need none, and a verifier for it says that somebody took the challenge out on its way (RFC 9700 4.8.2).
func pkce(c storage.Client, challenge, verifier string) bool {
	if challenge == "" && !clients.NeedsPKCE(c) {
		return verifier == ""
	}
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

func (p *Provider) idToken(c storage.Client, g storage.Grant, access authn.Secret) (string, error) {
	now := p.Now()
	head := struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience string   `json:"aud"`
		Expires  int64    `json:"exp"`
		IssuedAt int64    `json:"iat"`
		AuthTime int64    `json:"auth_time,omitempty"`
		Nonce    string   `json:"nonce,omitempty"`
		ACR      string   `json:"acr,omitempty"`
		AMR      []string `json:"amr,omitempty"`
		AtHash   string   `json:"at_hash"`
		SID      string   `json:"sid,omitempty"` // OpenID Connect Back-Channel Logout 1.0 section 2.1
	}{
		Issuer: p.IssuerOf(c), Subject: g.Subject, Audience: c.ID, Expires: later(c, now.Add(IDLife)), IssuedAt: earlier(c, now),
		Nonce: g.Nonce, AtHash: keys.Half(c.IDTokenAlg, access.Reveal()), SID: g.SID,
	}
	if g.TellAuthTime {
		head.AuthTime = earlier(c, g.AuthTime)
	}
	if !clients.AgeOnly(c) {
		head.ACR, head.AMR = g.ACR, g.AMR
	}
	payload, err := p.guarded(join(head, g.IDToken))
	if err != nil {
		return "", err
	}
	return p.Keys.Sign(c.IDTokenAlg, payload)
}

// UserInfo is the released data of a live access token with its sub, in the form that its client registered (OIDC Core
// 5.3.2). ErrInvalidToken, fail.EncryptionKeyNone.
func (p *Provider) UserInfo(ctx context.Context, token string, h Holder) (Document, error) {
	secret, ok := authn.ParseSecret(token)
	if !ok {
		return Document{}, ErrInvalidToken
	}
	g, err := p.Store.GrantByAccess(ctx, secret.Hash(), p.Now())
	if errors.Is(err, storage.ErrNotFound) {
		return Document{}, ErrInvalidToken
	}
	if err != nil {
		return Document{}, unavailable(err)
	}
	if g.Certificate != nil && !bytes.Equal(g.Certificate, h.Certificate) { // RFC 8705 section 3
		return Document{}, ErrInvalidToken
	}
	if !bytes.Equal(g.DPoPKey, h.Key) { // RFC 9449 section 7: neither without its proof, nor with one it does not need
		return Document{}, ErrInvalidToken
	}
	c, err := p.clients.get(ctx, g.ClientID)
	if err != nil {
		return Document{}, unavailable(err)
	}
	head := struct {
		Issuer   string `json:"iss,omitempty"`
		Audience string `json:"aud,omitempty"`
		Subject  string `json:"sub"`
	}{Subject: g.Subject}
	if c.Keys.UserInfoAlg != "" || c.Keys.UserInfoSeal.Alg != "" { // a JWT says from whom and to whom (OIDC Core 5.3.2)
		head.Issuer, head.Audience = p.IssuerOf(c), c.ID
	}
	released, err := userInfoOf(g)
	if err != nil {
		return Document{}, err
	}
	payload, err := p.guarded(join(head, released))
	if err != nil {
		return Document{}, err
	}
	return p.addressed(ctx, c, payload)
}

// join puts the members of a released claim set behind those of head. The set is typed and was encoded by claims, so it
// cannot bring a member of head's along.
func join(head any, released []byte) ([]byte, error) {
	first, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("idp: encode: %w", err)
	}
	rest := bytes.TrimSpace(released)
	if len(rest) < 2 || rest[0] != '{' {
		return nil, errors.New("idp: a released claim set is not an object")
	}
	if bytes.Equal(rest, []byte("{}")) {
		return first, nil
	}
	return append(append(first[:len(first)-1], ','), rest[1:]...), nil
}
