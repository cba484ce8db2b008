package idptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// NewKey makes an ES256 key and the key set that a client registers for it.
func (w *World) NewKey(kid string) (crypto.Signer, json.RawMessage) {
	w.T.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.T.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		w.T.Fatal(err)
	}
	return key, set
}

// Signed is an ES256 JWT of the relying party's key.
func (rp *RP) Signed(typ string, claims map[string]any) string {
	rp.w.T.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: rp.Key, KeyID: rp.KeyID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		rp.w.T.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		rp.w.T.Fatal(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		rp.w.T.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		rp.w.T.Fatal(err)
	}
	return compact
}

// Assertion is a client assertion as it should be. change may spoil its claims; nil leaves them.
func (rp *RP) Assertion(change func(claims map[string]any)) string {
	rp.w.T.Helper()
	now := rp.w.Town.Clock.Now()
	claims := map[string]any{"iss": rp.ClientID, "sub": rp.ClientID, "aud": rp.w.Issuer, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	if change != nil {
		change(claims)
	}
	return rp.Signed("client-authentication+jwt", claims)
}

// Object moves the parameters of a request into a signed request object (RFC 9101); client_id stays outside too.
func (rp *RP) Object(r Request, change func(claims map[string]any)) Request {
	rp.w.T.Helper()
	now := rp.w.Town.Clock.Now()
	claims := map[string]any{"iss": rp.ClientID, "aud": rp.w.Issuer, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	for name := range r.Params {
		claims[name] = r.Params.Get(name)
	}
	if change != nil {
		change(claims)
	}
	inside := r.Params
	r.Params = url.Values{"client_id": {rp.ClientID}, "request": {rp.Signed("oauth-authz-req+jwt", claims)}}
	r.inside = inside
	return r
}

// Push hands a request in (RFC 9126), with the credentials of its client. The second result is the request that the
// browser carries.
func (rp *RP) Push(r Request) (Answer, Request) {
	rp.w.T.Helper()
	form := url.Values{}
	for name, values := range r.Params {
		form[name] = values
	}
	a := rp.post("/par", form, func(url.Values, *[2]string) {})
	inside := r.Params
	if r.inside != nil {
		inside = r.inside
	}
	r.Params, r.inside = url.Values{"client_id": {rp.ClientID}, "request_uri": {a.RequestURI}}, inside
	return a, r
}

// Param is what a request asks for, wherever it is written.
func (r Request) Param(name string) string {
	if r.inside != nil {
		return r.inside.Get(name)
	}
	return r.Params.Get(name)
}

// opened verifies a signed answer (JARM) and returns the parameters in it.
func (w *World) opened(values url.Values, r Request) url.Values {
	w.T.Helper()
	if len(values) != 1 {
		w.T.Fatalf("a signed answer comes with more: %v", values)
	}
	request, err := http.NewRequestWithContext(w.T.Context(), http.MethodGet, w.Issuer+"/oauth/jwks", nil)
	if err != nil {
		w.T.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(Do(w.T, request).Body), &set); err != nil {
		w.T.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(values.Get("response"), []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA})
	if err != nil {
		w.T.Fatal(err)
	}
	payload, err := jws.Verify(set)
	if err != nil {
		w.T.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(payload, &members); err != nil {
		w.T.Fatal(err)
	}
	exp, _ := members["exp"].(float64)
	if left := time.Unix(int64(exp), 0).Sub(w.Town.Clock.Now()); members["iss"] != w.Issuer || members["aud"] != r.Params.Get("client_id") ||
		left <= 0 || left > 10*time.Minute || members["sub"] != nil {
		w.T.Fatalf("a signed answer says %v", members)
	}
	out := url.Values{"alg": {jws.Signatures[0].Protected.Algorithm}}
	for name, value := range members {
		if name != "aud" && name != "exp" {
			out.Set(name, fmt.Sprint(value))
		}
	}
	return out
}

func (rp *RP) credentials(form url.Values) (basic [2]string) {
	switch rp.AuthMethod {
	case clients.AuthNone, clients.AuthTLS, clients.AuthSelfSigned:
		form.Set("client_id", rp.ClientID)
	case clients.AuthPost:
		form.Set("client_id", rp.ClientID)
		form.Set("client_secret", string(rp.ClientSecret))
	case clients.AuthKey:
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", rp.Assertion(nil))
	default:
		basic = [2]string{rp.ClientID, string(rp.ClientSecret)}
	}
	return basic
}

// post sends a form to the back channel with the client's credentials; change has a hand on both.
func (rp *RP) post(path string, form url.Values, change func(form url.Values, basic *[2]string)) Answer {
	rp.w.T.Helper()
	basic := rp.credentials(form)
	change(form, &basic)
	request, err := http.NewRequestWithContext(rp.w.T.Context(), http.MethodPost, rp.w.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		rp.w.T.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic[0] != "" {
		request.SetBasicAuth(basic[0], basic[1])
	}
	for name, value := range rp.Headers {
		request.Header.Set(name, value)
	}
	return Do(rp.w.T, request)
}

// Back sends a form to another endpoint of the back channel, with a hand on it and on the credentials; nil leaves them.
func (rp *RP) Back(path string, form url.Values, change func(form url.Values, basic *[2]string)) Answer {
	rp.w.T.Helper()
	if change == nil {
		change = func(url.Values, *[2]string) {}
	}
	return rp.post(path, form, change)
}

// PushWith is Push with a hand on the form and the credentials of the Authorization header (empty: none).
func (rp *RP) PushWith(r Request, change func(form url.Values, basic *[2]string)) Answer {
	rp.w.T.Helper()
	form := url.Values{}
	for name, values := range r.Params {
		form[name] = values
	}
	return rp.post("/par", form, change)
}
