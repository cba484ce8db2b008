package idp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tegata/storage"
)

// introspectionType is the typ and, behind application/, the media type of a signed introspection (RFC 9701 section 5).
const introspectionType = "token-introspection+jwt"

// inactive is all that is said of a token that is none, is over, or is not the asker's (RFC 7662 section 2.2).
var inactive = []byte(`{"active":false}`)

type introspection struct {
	Active    bool          `json:"active"`
	ClientID  string        `json:"client_id"`
	Subject   string        `json:"sub"` // pairwise
	Scope     string        `json:"scope"`
	Expires   int64         `json:"exp"`
	IssuedAt  int64         `json:"iat"`
	Issuer    string        `json:"iss"`
	TokenType string        `json:"token_type"`
	Confirm   *confirmation `json:"cnf,omitempty"`
}

// confirmation is what a token is bound to (RFC 7800).
type confirmation struct {
	Certificate string `json:"x5t#S256,omitempty"` // RFC 8705 section 3.1
	Key         string `json:"jkt,omitempty"`      // RFC 9449 section 6.1
}

// Introspect says what a token of client c is good for now, as JSON (RFC 7662). It has no claims about the person: those
// are userinfo's, and userinfo wants the proof that a bound token needs.
func (p *Provider) Introspect(ctx context.Context, c storage.Client, token string) ([]byte, error) {
	g, err := p.ownGrant(ctx, c, token)
	if errors.Is(err, ErrInvalidToken) {
		return inactive, nil
	}
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(introspection{
		Active: true, ClientID: c.ID, Subject: g.Subject, Scope: strings.Join(accessScopes(g), " "), Expires: later(c, g.AccessExpires),
		IssuedAt: earlier(c, g.AccessExpires.Add(-AccessLife)), Issuer: p.IssuerOf(c), TokenType: tokenType(g), Confirm: confirmed(g),
	})
	return p.guarded(body, err)
}

func confirmed(g storage.Grant) *confirmation {
	if g.Certificate == nil && g.DPoPKey == nil {
		return nil
	}
	return &confirmation{base64.RawURLEncoding.EncodeToString(g.Certificate), base64.RawURLEncoding.EncodeToString(g.DPoPKey)}
}

// IntrospectSigned is Introspect as a JWT for c, signed with the algorithm of its ID tokens or its own, and encrypted where c wants it (RFC 9701). What it says of the
// token is one level down, so it never passes as a token itself.
func (p *Provider) IntrospectSigned(ctx context.Context, c storage.Client, token string) (string, error) {
	inner, err := p.Introspect(ctx, c, token)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(struct {
		Issuer   string          `json:"iss"`
		Audience string          `json:"aud"`
		IssuedAt int64           `json:"iat"`
		Token    json.RawMessage `json:"token_introspection"`
	}{p.IssuerOf(c), c.ID, earlier(c, p.Now()), inner})
	if err != nil {
		return "", fmt.Errorf("idp: encode: %w", err)
	}
	to, err := p.envelope(ctx, c, c.Keys.IntrospectionSeal)
	if err != nil {
		return "", err
	}
	alg := c.Keys.IntrospectAlg
	if alg == "" {
		alg = c.IDTokenAlg
	}
	return to.nest(p.Keys.SignAs(introspectionType, alg, payload))
}
