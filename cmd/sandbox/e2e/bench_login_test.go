package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"tegata/cmd/sandbox/headless"
)

// A login, as it is measured here, is everything that the provider does from the relying party's redirect to the ID token
// for `openid age_over_18`:
//
// first: /authorize in a browser without cookies, at a relying party that has never seen this person; the login page; the
// reader's button; the waiting page; the agent's claim and result, with both of the card's signatures and certificates
// verified and both OCSP questions asked; the return over loopback; the consent page and its answer; the code exchanged
// with client_secret_basic and PKCE for an ES256 ID token.
//
// repeat: /authorize in the browser that holds the SSO session of such a login, at the same relying party, which is
// answered at once; the code exchanged.
//
// Left out: static files and the event stream of a browser, discovery, JWKS and userinfo of a relying party.

// login is one login of somebody at a shop. jar is the browser's cookie file, "" for a new browser.
func (s *server) login(ctx context.Context, at shop, holder, jar string) error {
	var verifier [32]byte
	rand.Read(verifier[:])
	proof := base64.RawURLEncoding.EncodeToString(verifier[:])
	challenge := sha256.Sum256([]byte(proof))
	query := url.Values{
		"client_id": {at.id}, "response_type": {"code"}, "scope": {"openid age_over_18"}, "redirect_uri": {at.redirect},
		"state": {rand.Text()}, "nonce": {rand.Text()}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}}
	result, err := headless.Login(ctx, headless.Options{
		AuthorizeURL: s.Issuer + "/authorize?" + query.Encode(), Persona: holder, PIN: "1234", Password: "ABC123", CookieJar: jar, Cards: s.cards})
	if err != nil {
		return err
	}
	back, err := url.Parse(result.URL)
	if err != nil {
		return err
	}
	answer := back.Query()
	if !strings.HasPrefix(result.URL, at.redirect+"?") || answer.Get("state") != query.Get("state") || answer.Get("code") == "" {
		return fmt.Errorf("no code: error %q", answer.Get("error"))
	}
	return s.exchange(ctx, at, answer.Get("code"), proof, query.Get("nonce"))
}

// exchange is the relying party's part. That the signature verifies is tested elsewhere; here it would cost no server.
func (s *server) exchange(ctx context.Context, at shop, code, verifier, nonce string) error {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {at.redirect}, "code_verifier": {verifier}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.token, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(at.id, at.secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var tokens struct {
		IDToken string `json:"id_token"`
		Error   string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&tokens); err != nil {
		return err
	}
	if tokens.Error != "" {
		return errors.New("token endpoint: " + tokens.Error)
	}
	return says(tokens.IDToken, nonce)
}

// says checks that an ID token answers the question that was asked.
func says(token, nonce string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("the ID token is no JWS")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Adult bool   `json:"age_over_18"`
		Nonce string `json:"nonce"`
	}
	if err := json.Unmarshal(body, &claims); err != nil {
		return err
	}
	if !claims.Adult || claims.Nonce != nonce {
		return fmt.Errorf("the ID token says %+v", claims)
	}
	return nil
}

// crowd lets so many users work through n logins at once. The errors of all of them come back.
func crowd(users, n int, login func(user, i int) error) error {
	var group sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, users)
	for user := range users {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[user] == nil; i = int(next.Add(1)) - 1 {
				errs[user] = login(user, i)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
