package rp

import (
	"context"
	"net/http"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// ask is one reason to send a customer to the provider. Ask for the least that the reason needs: who
// sells sake needs "20 or over", not a birthdate, and what a shop never got it can never lose.
type ask struct {
	Name   string
	Scopes []string
}

var asks = []ask{
	{Name: "age_over_18", Scopes: []string{oidc.ScopeOpenID, "age_over_18"}},
	{Name: "age_over_20", Scopes: []string{oidc.ScopeOpenID, "age_over_20"}},
	{Name: "login", Scopes: []string{oidc.ScopeOpenID}},
	{Name: "profile", Scopes: []string{oidc.ScopeOpenID, "name", "address", "birthdate", "gender"}},
}

// attempt is a login that is under way. It never leaves the server: the browser holds only the random
// key under which it lies, so nobody can plant an attempt of their own in a customer's browser.
type attempt struct {
	ask      ask
	nonce    string // comes back inside the ID token: this token was made for this attempt
	verifier string // PKCE (RFC 7636): only who started the attempt can redeem its code
}

// customer is a login that succeeded.
type customer struct {
	ask      ask
	subject  string
	session  string // sid: what the provider calls the session, "" if it does not say
	rawToken string // kept as id_token_hint for the logout
	payload  []byte // claims of the ID token, JSON
	userinfo []byte // claims from the userinfo endpoint, JSON
}

// login sends the browser to the provider.
func (s *shop) login(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("ask")
	i := slices.IndexFunc(asks, func(a ask) bool { return a.Name == name })
	if i < 0 {
		s.sorry(w, r, refuse("ask_unknown", http.StatusBadRequest, nil))
		return
	}
	provider, err := s.provider()
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	a := attempt{ask: asks[i], nonce: random(), verifier: oauth2.GenerateVerifier()}
	state := random()
	s.attempts.put(attemptKey(state, s.browser(w, r)), a)
	http.Redirect(w, r, s.client(provider, a.ask).AuthCodeURL(state,
		oidc.Nonce(a.nonce),
		oauth2.S256ChallengeOption(a.verifier),
		oauth2.SetAuthURLParam("ui_locales", s.pages.language(r)),
	), http.StatusSeeOther)
}

// callback receives the customer with the provider's answer.
func (s *shop) callback(w http.ResponseWriter, r *http.Request) {
	c, err := s.answer(r)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	// A fresh key at every login: a session id known from before would let somebody else share it.
	id := random()
	s.customers.put(id, c)
	s.setCookie(w, customerCookie, id, customerLife)
	s.cfg.Log.InfoContext(r.Context(), "customer logged in", "ask", c.ask.Name)
	http.Redirect(w, r, "/result", http.StatusSeeOther) // so that a reload does not repeat the callback
}

// answer checks what the provider sent, from the cheap checks to the dear ones. All must pass.
func (s *shop) answer(r *http.Request) (customer, error) {
	q := r.URL.Query()
	// 1. This browser started this attempt, and has not finished it before (RFC 6749 10.12).
	browser, err := r.Cookie(s.cookieName(browserCookie))
	if err != nil {
		return customer{}, refuse("cookie_missing", http.StatusBadRequest, nil)
	}
	a, ok := s.attempts.take(attemptKey(q.Get("state"), browser.Value))
	if !ok {
		return customer{}, refuse("attempt_unknown", http.StatusBadRequest, nil)
	}
	// 2. The answer is from the provider we asked: no mix-up (RFC 9207 2.4).
	if q.Get("iss") != s.cfg.Issuer {
		return customer{}, refuse("issuer_mismatch", http.StatusBadRequest, nil)
	}
	// 3. A refusal is an answer too (RFC 6749 4.1.2.1).
	if code := q.Get("error"); code != "" {
		return customer{}, s.pages.refusedBy(code)
	}
	provider, err := s.provider()
	if err != nil {
		return customer{}, err
	}
	return s.redeem(r.Context(), provider, a, q.Get("code"))
}

// redeem turns the code into tokens, and tokens into a customer.
func (s *shop) redeem(ctx context.Context, provider *oidc.Provider, a attempt, code string) (customer, error) {
	ctx = oidc.ClientContext(ctx, s.cfg.HTTP)
	// 4. The code is ours to redeem: client authentication and the PKCE verifier prove it.
	token, err := s.client(provider, a.ask).Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return customer{}, refuse("exchange_failed", http.StatusBadGateway, err)
	}
	raw, _ := token.Extra("id_token").(string)
	// 5. The ID token is genuine and meant for this attempt.
	idToken, err := s.verify(ctx, provider, a, raw, token.AccessToken)
	if err != nil {
		return customer{}, err
	}
	c := customer{ask: a.ask, subject: idToken.Subject, rawToken: raw}
	if c.payload, err = claimsOf(idToken); err != nil {
		return customer{}, refuse("token_invalid", http.StatusBadGateway, err)
	}
	var session struct{ SID string }
	if err := idToken.Claims(&session); err != nil {
		return customer{}, refuse("token_invalid", http.StatusBadGateway, err)
	}
	c.session = session.SID
	// 6. Userinfo is about the same person. Without this check a swapped access token would put
	// somebody else's address on this customer's parcel (OIDC Core 5.3.2).
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return customer{}, refuse("userinfo_failed", http.StatusBadGateway, err)
	}
	if info.Subject != idToken.Subject {
		return customer{}, refuse("subject_mismatch", http.StatusBadGateway, nil)
	}
	if c.userinfo, err = claimsOf(info); err != nil {
		return customer{}, refuse("userinfo_failed", http.StatusBadGateway, err)
	}
	return c, nil
}

// verify does the ID token validation of OIDC Core 3.1.3.7. go-oidc checks the signature against the
// provider's published keys, iss, aud and exp; the rest is the relying party's own duty.
func (s *shop) verify(ctx context.Context, provider *oidc.Provider, a attempt, raw, accessToken string) (*oidc.IDToken, error) {
	t, err := provider.VerifierContext(ctx, &oidc.Config{
		ClientID: s.cfg.ClientID,
		Now:      s.cfg.Now,
		// One algorithm, agreed at registration. Never let the token choose how it is checked (RFC 8725 3.1).
		SupportedSigningAlgs: []string{oidc.ES256},
	}).Verify(ctx, raw)
	switch {
	case err != nil:
		return nil, refuse("token_invalid", http.StatusBadGateway, err)
	case t.Nonce != a.nonce:
		return nil, refuse("nonce_mismatch", http.StatusBadGateway, nil)
	case len(t.Audience) != 1: // we trust no other audience (rule 3)
		return nil, refuse("token_invalid", http.StatusBadGateway, nil)
	case t.Subject == "":
		return nil, refuse("token_invalid", http.StatusBadGateway, nil)
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(accessToken); err != nil {
			return nil, refuse("token_invalid", http.StatusBadGateway, err)
		}
	}
	return t, nil
}

// client is this shop as the provider knows it.
func (s *shop) client(provider *oidc.Provider, a ask) *oauth2.Config {
	endpoint := provider.Endpoint()
	// Say how we authenticate: the library's guessing would try a failed code a second time.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if s.cfg.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID:     s.cfg.ClientID,
		ClientSecret: s.cfg.ClientSecret,
		Endpoint:     endpoint,
		RedirectURL:  s.cfg.BaseURL + callbackPath,
		Scopes:       a.Scopes,
	}
}
