package conformance_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// party is a FAPI 2.0 client: private_key_jwt, pushed requests, DPoP with one key.
type party struct {
	*idptest.RP
	s   *stage
	key *ecdsa.PrivateKey // of DPoP
	// what a module does to proofs, nil for nothing
	spoil map[string]any
}

func (s *stage) party(m clients.Metadata) *party {
	s.Helper()
	return &party{RP: s.client(m), s: s, key: newKey(s)}
}

func newKey(s *stage) *ecdsa.PrivateKey {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	return key
}

func thumbprint(s *stage, key *ecdsa.PrivateKey) string {
	s.Helper()
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		s.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// jwk is a key as the header of a proof shows it; private ones with their secret.
func jwk(s *stage, key any) map[string]any {
	s.Helper()
	raw, err := jose.JSONWebKey{Key: key}.MarshalJSON()
	if err != nil {
		s.Fatal(err)
	}
	return s.object(string(raw))
}

// jws signs any header and claims, however wrong they are; a nil key leaves the signature empty.
func jws(s *stage, header, payload map[string]any, key crypto.Signer) string {
	s.Helper()
	head, err := json.Marshal(header)
	if err != nil {
		s.Fatal(err)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		s.Fatal(err)
	}
	input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(s, []byte(input), key))
}

func signature(s *stage, input []byte, key crypto.Signer) (out []byte) {
	s.Helper()
	sum := sha256.Sum256(input)
	var err error
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		r, t, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			s.Fatal(err)
		}
		out = make([]byte, 64)
		r.FillBytes(out[:32])
		t.FillBytes(out[32:])
	case *rsa.PrivateKey:
		if out, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:]); err != nil {
			s.Fatal(err)
		}
	}
	return out
}

// proof is the header and the claims of a proof as it should be (RFC 9449 4.2), with the claims of spoil laid over.
func (p *party) proof(method, path, token string) (header, payload map[string]any) {
	p.s.Helper()
	payload = map[string]any{"jti": rand.Text(), "htm": method, "htu": p.s.w.Issuer + path, "iat": p.s.w.Town.Clock.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		payload["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	maps.Copy(payload, p.spoil)
	return map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(p.s, p.key.Public())}, payload
}

func (p *party) proved(method, path, token string) string {
	p.s.Helper()
	header, payload := p.proof(method, path, token)
	return jws(p.s, header, payload, p.key)
}

// with sends the headers along for one call.
func (p *party) with(headers map[string]string, call func() idptest.Answer) idptest.Answer {
	p.Headers = headers
	defer func() { p.Headers = nil }()
	return call()
}

// push hands a request in and expects it to be taken.
func (p *party) push(changes ...string) idptest.Request {
	p.s.Helper()
	a, r := p.Push(p.Request(changes...))
	if a.Status != http.StatusCreated || a.RequestURI == "" || a.ExpiresIn < 5 || a.ExpiresIn > 90 {
		p.s.Fatalf("not taken: %d %s %s", a.Status, a.Error, a.Description)
	}
	return r
}

// login pushes a request and takes it through a card to a code.
func (p *party) login(changes ...string) (idptest.Request, string) {
	p.s.Helper()
	r := p.push(changes...)
	return r, p.s.code(r, p.s.w.Login(p.s.w.NewBrowser(), r, "taro"))
}

// redeem exchanges a code with a proof. change has a hand on the form.
func (p *party) redeem(code string, r idptest.Request, change func(form url.Values, basic *[2]string)) idptest.Answer {
	p.s.Helper()
	if change == nil {
		change = func(url.Values, *[2]string) {}
	}
	return p.with(map[string]string{"DPoP": p.proved("POST", "/oauth/token", "")}, func() idptest.Answer { return p.Token(code, r, change) })
}

// userinfo asks with a proof.
func (p *party) userinfo(token string) idptest.Answer {
	p.s.Helper()
	return p.with(map[string]string{"Authorization": "DPoP " + token, "DPoP": p.proved("GET", "/userinfo", token)},
		func() idptest.Answer { return p.UserInfo(token) })
}

// happy is a whole login with all checks.
func (p *party) happy(changes ...string) result {
	p.s.Helper()
	r, code := p.login(changes...)
	return p.finish(r, code)
}

func (p *party) finish(r idptest.Request, code string) result {
	p.s.Helper()
	out := result{r: r, code: code, tokens: p.s.granted(p.redeem(code, r, nil), "DPoP")}
	p.s.identity(p.RP, &out)
	if alg := out.head["alg"]; alg != "ES256" && alg != "PS256" { // FAPI 2.0 section 5.4.1
		p.s.Errorf("the ID token is signed with %v", alg)
	}
	out.info = p.s.userinfo(p.userinfo(out.tokens.AccessToken), out)
	return out
}
