package idp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tegata/authn/fail"
	"tegata/storage"
)

// Answer is an authorization response: parameters for the relying party's redirect URI in a response mode.
type Answer struct {
	RedirectURI string
	Mode        string // query, fragment, form_post
	Params      [][2]string
}

// Get returns the value of a parameter, "" when absent.
func (a Answer) Get(name string) string {
	for _, p := range a.Params {
		if p[0] == name {
			return p[1]
		}
	}
	return ""
}

// ResponseLife is how long a signed response may be on its way (JARM section 2.1).
const ResponseLife = 10 * time.Minute

// answer addresses params to the request's redirect URI, with the request's state and our issuer in every response,
// errors included (RFC 9207).
func (p *Provider) answer(c storage.Client, r storage.AuthRequest, params ...[2]string) (Answer, error) {
	if r.State != "" {
		params = append(params, [2]string{"state", r.State})
	}
	mode, signed := signedMode(r.ResponseMode)
	if !signed {
		return Answer{RedirectURI: r.RedirectURI, Mode: mode, Params: append(params, [2]string{"iss", p.IssuerOf(c)})}, nil
	}
	response, err := p.signResponse(c, params)
	return Answer{RedirectURI: r.RedirectURI, Mode: mode, Params: [][2]string{{"response", response}}}, err
}

// signedMode finds the way in which a signed response travels; jwt alone is the query, as for all codes (JARM 2.3.4).
func signedMode(mode string) (plain string, signed bool) {
	if mode == "jwt" {
		return "query", true
	}
	return strings.CutSuffix(mode, ".jwt")
}

// signResponse puts the parameters into a JWT, encrypted where the client wants it, for the client (JARM section 2.1). It has no sub, so it never passes as an
// ID token.
func (p *Provider) signResponse(c storage.Client, params [][2]string) (string, error) {
	members := map[string]any{"iss": p.IssuerOf(c), "aud": c.ID, "exp": later(c, p.Now().Add(ResponseLife))}
	for _, param := range params {
		members[param[0]] = param[1]
	}
	payload, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("idp: encode: %w", err)
	}
	alg := c.Keys.ResponseAlg
	if alg == "" {
		alg = c.IDTokenAlg
	}
	to, err := p.envelope(context.Background(), c, c.Keys.ResponseSeal) // Begin has found the key; fetching has its own time limit
	if err != nil {
		return "", err
	}
	return to.nest(p.Keys.Sign(alg, payload))
}

// Refusal is the error response for e. Errors without an OAuth word of their own end as access_denied: the person gave
// up. All refusals of a person's credential read the same (R28); only mistakes in the request are described.
func (p *Provider) Refusal(c storage.Client, r storage.AuthRequest, e *fail.Error) (Answer, error) {
	word, text := e.OAuth, e.Code
	if e.Field != "" {
		text += ": " + e.Field
	}
	if word == "" || word == "access_denied" {
		word, text = "access_denied", "the login was not completed"
	}
	return p.answer(c, r, [2]string{"error", word}, [2]string{"error_description", text})
}
