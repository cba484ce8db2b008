package rp

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// toldPath is where the provider's server posts that a session is over.
const toldPath = "/backchannel-logout"

// tokenMemory is how long a logout token is remembered, so that nobody sends it again: longer than any lives.
const tokenMemory = time.Hour

// logout forgets the customer here and, unless she wants to leave this shop alone, asks the provider to do the same
// (RP-Initiated Logout 1.0), which then tells every other shop that wants to know.
func (s *shop) logout(w http.ResponseWriter, r *http.Request) {
	c, known := s.customer(r)
	if cookie, err := r.Cookie(s.cookieName(customerCookie)); err == nil {
		s.customers.take(cookie.Value)
	}
	s.setCookie(w, customerCookie, "", -time.Second)
	state := random()
	s.goodbyes.put(state, struct{}{})
	here := "/?" + url.Values{"state": {state}}.Encode()
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	provider, err := s.provider()
	if r.PostFormValue("only") != "" || !known || err != nil || provider.Claims(&metadata) != nil || metadata.EndSession == "" {
		http.Redirect(w, r, here, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, metadata.EndSession+"?"+url.Values{
		"id_token_hint":            {c.rawToken},
		"client_id":                {s.cfg.ClientID},
		"post_logout_redirect_uri": {s.cfg.BaseURL + "/"},
		"state":                    {state},
		"ui_locales":               {s.pages.language(r)},
	}.Encode(), http.StatusSeeOther)
}

// told hears from the provider that a session has ended, wherever that was (OpenID Connect Back-Channel Logout 1.0). No
// browser is involved: the token is all there is to trust. What it answers decides what the provider does next: 2xx is
// heard, 400 is a last word, and anything else is tried again.
func (s *shop) told(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	provider, err := s.provider()
	if err != nil {
		http.Error(w, "keys cannot be fetched", http.StatusServiceUnavailable) // our trouble, so please try again
		return
	}
	token, err := s.verifyLogout(r.Context(), provider, r.PostFormValue("logout_token"))
	if err != nil {
		s.cfg.Log.WarnContext(r.Context(), "logout token refused", "cause", err)
		http.Error(w, "logout token refused", http.StatusBadRequest)
		return
	}
	if !s.heard.add(token.TokenID, struct{}{}) { // somebody sends what he has overheard
		http.Error(w, "logout token used before", http.StatusBadRequest)
		return
	}
	gone := s.customers.remove(func(c customer) bool {
		if token.SessionID != "" { // that session alone: she may be at home with another one
			return c.session == token.SessionID
		}
		return c.subject == token.Subject // all of this person's
	})
	for _, key := range gone {
		s.dismissed.put(key, struct{}{})
	}
	s.cfg.Log.InfoContext(r.Context(), "customers logged out by the provider", "count", len(gone))
	w.WriteHeader(http.StatusOK) // also when nobody was there: she has logged out here before
}

// verifyLogout does the logout token validation of Back-Channel Logout 1.0 section 2.6. go-oidc checks signature, iss, aud
// and exp as for an ID token, that the event is there, and that there is no nonce: an ID token must never pass as a logout.
func (s *shop) verifyLogout(ctx context.Context, provider *oidc.Provider, raw string) (*oidc.LogoutToken, error) {
	return provider.VerifierContext(oidc.ClientContext(ctx, s.cfg.HTTP), &oidc.Config{
		ClientID: s.cfg.ClientID,
		Now:      s.cfg.Now,
		// As for ID tokens: the algorithm that was agreed, never the one that the token names.
		SupportedSigningAlgs: []string{oidc.ES256},
	}).VerifyLogout(ctx, raw)
}

// wasDismissed says, once, that the provider has logged this browser's customer out.
func (s *shop) wasDismissed(r *http.Request) bool {
	c, err := r.Cookie(s.cookieName(customerCookie))
	if err != nil {
		return false
	}
	_, gone := s.dismissed.take(c.Value)
	return gone
}
