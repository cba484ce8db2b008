package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
// strict: a first login at a relying party that pushes its request, proves itself with an ES256 key at both endpoints, and
// binds request and tokens to another key with DPoP.
//
// The other kinds are one request each, or two: token and refresh at the token endpoint with client_secret_basic;
// userinfo; introspection; discovery with JWKS; prompt=none in a browser that holds a session, up to the code.
//
// Left out: static files and the event stream of a browser; in logins also discovery, JWKS and userinfo of a relying party.

// question is an authorization request, as its relying party remembers it, and then the code that answered it.
type question struct{ verifier, nonce, state, code string }

// tokens of a token endpoint's answer.
type tokens struct {
	ID      string `json:"id_token"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
}

// login is one login of somebody at a shop. jar is the browser's cookie file, "" for a new browser.
func (s *server) login(ctx context.Context, at shop, holder, jar string) error {
	_, err := s.tokens(ctx, at, holder, jar)
	return err
}

func (s *server) tokens(ctx context.Context, at shop, holder, jar string) (tokens, error) {
	q, err := s.ask(ctx, at, holder, jar, nil)
	if err != nil {
		return tokens{}, err
	}
	return s.redeem(ctx, at, q)
}

// ask takes a person to a code: with her card, or at once when the browser has a session.
func (s *server) ask(ctx context.Context, at shop, holder, jar string, more url.Values) (question, error) {
	q := question{verifier: rand.Text() + rand.Text(), nonce: rand.Text(), state: rand.Text()}
	challenge := sha256.Sum256([]byte(q.verifier))
	query := url.Values{
		"client_id": {at.id}, "response_type": {"code"}, "scope": {at.scope}, "redirect_uri": {at.redirect},
		"state": {q.state}, "nonce": {q.nonce}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}}
	maps.Copy(query, more)
	if at.key != nil {
		var err error
		if query, err = s.push(ctx, at, query); err != nil {
			return q, err
		}
	}
	result, err := headless.Login(ctx, headless.Options{
		AuthorizeURL: s.Issuer + "/authorize?" + query.Encode(), Persona: holder, PIN: "1234", Password: "ABC123", CookieJar: jar, Cards: s.cards})
	if err != nil {
		return q, err
	}
	back, err := url.Parse(result.URL)
	if err != nil {
		return q, err
	}
	answer := back.Query()
	if q.code = answer.Get("code"); !strings.HasPrefix(result.URL, at.redirect+"?") || answer.Get("state") != q.state || q.code == "" {
		return q, fmt.Errorf("no code: error %q", answer.Get("error"))
	}
	return q, nil
}

// redeem is the relying party's part. That the signature verifies is tested elsewhere; here it would cost no server.
func (s *server) redeem(ctx context.Context, at shop, q question) (tokens, error) {
	var out tokens
	err := s.post(ctx, s.endpoints.Token, at, url.Values{
		"grant_type": {"authorization_code"}, "code": {q.code}, "redirect_uri": {at.redirect}, "code_verifier": {q.verifier}}, &out)
	if err != nil {
		return out, err
	}
	if out.Error != "" {
		return out, errors.New("token endpoint: " + out.Error)
	}
	return out, says(out.ID, q.nonce)
}

// post sends a form with the client's credentials and reads the answer.
func (s *server) post(ctx context.Context, address string, at shop, form url.Values, into any) error {
	if at.key != nil {
		at.prove(s.Issuer, form)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if at.key != nil {
		req.Header.Set("DPoP", at.proof(http.MethodPost, address))
	} else {
		req.SetBasicAuth(at.id, at.secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
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
