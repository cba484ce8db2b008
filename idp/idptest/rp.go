package idptest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"tegata/idp/clients"
)

// RP is a relying party that is registered at the provider.
type RP struct {
	clients.Metadata
	Key     crypto.Signer // of private_key_jwt and request objects; made by Register where there are no keys yet
	KeyID   string
	Always  []string          // changes to every Request
	Headers map[string]string // sent along on the back channel, as a proxy in front of the provider would
	w       *World
}

// Request is one authorization request with the secrets that its relying party keeps.
type Request struct {
	Params   url.Values
	State    string
	Nonce    string
	Verifier string
	at       string
	inside   url.Values // parameters that a request object or request_uri stands for
}

// Request makes an authorization request for the registered scopes, with PKCE unless the client is spared it. changes are "name=value" to set, "name" to leave out.
func (rp *RP) Request(changes ...string) Request {
	r := Request{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), at: rp.w.Issuer + "/authorize"}
	r.Params = url.Values{
		"client_id": {rp.ClientID}, "redirect_uri": {rp.RedirectURIs[0]}, "response_type": {"code"}, "scope": {rp.Scope},
		"state": {r.State}, "nonce": {r.Nonce}, "code_challenge": {Challenge(r.Verifier)}, "code_challenge_method": {"S256"},
	}
	if rp.RequirePKCE != nil && !*rp.RequirePKCE {
		r.Verifier = ""
		r.Params.Del("code_challenge")
		r.Params.Del("code_challenge_method")
	}
	for _, c := range slices.Concat(rp.Always, changes) {
		name, value, set := strings.Cut(c, "=")
		if r.Params.Del(name); set {
			r.Params.Set(name, value)
		}
	}
	r.State, r.Nonce = r.Params.Get("state"), r.Params.Get("nonce")
	return r
}

// URL is the address to send a browser to.
func (r Request) URL() string { return r.at + "?" + r.Params.Encode() }

// Challenge is the S256 form of a verifier (RFC 7636 4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Answer is the token endpoint's or userinfo's answer.
type Answer struct {
	Status      int
	Header      http.Header
	Body        string
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	TokenType   string `json:"token_type"`
	Scope       string `json:"scope"`
	ExpiresIn   int    `json:"expires_in"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	RequestURI  string `json:"request_uri"`

	RefreshToken string `json:"refresh_token"`
}

// Exchange redeems a code as the relying party should. changes are as in Request.
func (rp *RP) Exchange(code string, r Request, changes ...string) Answer {
	rp.w.T.Helper()
	return rp.Token(code, r, func(form url.Values, basic *[2]string) {
		for _, c := range changes {
			name, value, set := strings.Cut(c, "=")
			if form.Del(name); set {
				form.Set(name, value)
			}
		}
	})
}

// Token is Exchange with a hand on the form and the credentials of the Authorization header (empty: none).
func (rp *RP) Token(code string, r Request, change func(form url.Values, basic *[2]string)) Answer {
	rp.w.T.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.Param("redirect_uri")}, "code_verifier": {r.Verifier},
	}
	if r.Verifier == "" {
		form.Del("code_verifier")
	}
	return rp.post("/oauth/token", form, change)
}

// Refresh spends a refresh token.
func (rp *RP) Refresh(token string) Answer {
	rp.w.T.Helper()
	return rp.Back("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, nil)
}

// UserInfo asks with a token.
func (rp *RP) UserInfo(token string) Answer {
	rp.w.T.Helper()
	request, err := http.NewRequestWithContext(rp.w.T.Context(), http.MethodGet, rp.w.Issuer+"/userinfo", nil)
	if err != nil {
		rp.w.T.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for name, value := range rp.Headers {
		request.Header.Set(name, value)
	}
	return Do(rp.w.T, request)
}

// Do sends any request and reads the answer.
func Do(t testing.TB, r *http.Request) Answer {
	t.Helper()
	response, err := (&http.Client{CheckRedirect: stay}).Do(r)
	if err != nil {
		t.Error(err)
		return Answer{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	a := Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
	_ = json.Unmarshal(body, &a) // what is not JSON has no members
	return a
}

// Claims verifies an ID token as a relying party's library does, nonce and at_hash included, and returns its members.
func (rp *RP) Claims(a Answer, r Request) map[string]any {
	t := rp.w.T
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), rp.w.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	alg := rp.IDTokenAlg
	if alg == "" {
		alg = "ES256"
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: rp.ClientID, Now: rp.w.Town.Clock.Now, SupportedSigningAlgs: []string{alg}}).Verify(t.Context(), a.IDToken)
	if err != nil {
		t.Fatal(err)
	}
	if token.Nonce != r.Nonce {
		t.Fatalf("the nonce is %q, not %q", token.Nonce, r.Nonce)
	}
	if err := token.VerifyAccessToken(a.AccessToken); err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := token.Claims(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
