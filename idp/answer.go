package idp

import (
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

// answer addresses params to the request's redirect URI, with the request's state and our issuer in every response,
// errors included (RFC 9207).
func (p *Provider) answer(r storage.AuthRequest, params ...[2]string) Answer {
	if r.State != "" {
		params = append(params, [2]string{"state", r.State})
	}
	return Answer{RedirectURI: r.RedirectURI, Mode: r.ResponseMode, Params: append(params, [2]string{"iss", p.Issuer})}
}

// Refusal is the error response for e. Errors without an OAuth word of their own end as access_denied: the person gave
// up. All refusals of a person's credential read the same (R28); only mistakes in the request are described.
func (p *Provider) Refusal(r storage.AuthRequest, e *fail.Error) Answer {
	word, text := e.OAuth, e.Code
	if e.Field != "" {
		text += ": " + e.Field
	}
	if word == "" || word == "access_denied" {
		word, text = "access_denied", "the login was not completed"
	}
	return p.answer(r, [2]string{"error", word}, [2]string{"error_description", text})
}
