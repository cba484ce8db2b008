package op_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/idptest"
	"tegata/idp/jwe"
)

// receiver is a relying party's pair of keys to open what is encrypted to it.
type receiver struct {
	curve *ecdsa.PrivateKey
	prime *rsa.PrivateKey
}

var theReceiver = sync.OnceValue(func() receiver {
	curve, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	prime, err2 := rsa.GenerateKey(rand.Reader, 2048)
	if err1 != nil || err2 != nil {
		panic("no keys")
	}
	return receiver{curve, prime}
})

// set is what the receiver publishes.
func (k receiver) set(t *testing.T) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k.curve.Public(), KeyID: "curve", Use: "enc"}, {Key: k.prime.Public(), KeyID: "prime", Use: "enc"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// open decrypts and says which key it was encrypted to and what it says of its content.
func (k receiver) open(t *testing.T, compact, alg, enc string) (plain, kid string, cty any) {
	t.Helper()
	sealed, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	if err != nil {
		t.Fatalf("%s %s: %v in %s", alg, enc, err, compact)
	}
	private := any(k.curve)
	if strings.HasPrefix(alg, "RSA") {
		private = k.prime
	}
	raw, err := sealed.Decrypt(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), sealed.Header.KeyID, sealed.Header.ExtraHeaders["cty"]
}

// signed verifies a JWT of the provider and returns its claims.
func signed(t *testing.T, w *idptest.World, compact, alg string) map[string]any {
	t.Helper()
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatalf("%s: %v in %s", alg, err, compact)
	}
	set := published(t, w)
	payload, err := jws.Verify(set)
	if err != nil {
		t.Fatal(err)
	}
	return members(t, string(payload))
}

func TestEverythingIsEncryptedInEveryAdvertisedWay(t *testing.T) {
	w, k := open(t), theReceiver()
	said := members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)
	var b *idptest.Browser
	for _, alg := range texts(t, said["id_token_encryption_alg_values_supported"]) {
		for _, enc := range texts(t, said["id_token_encryption_enc_values_supported"]) {
			rp := w.Register(clients.Metadata{
				ClientID: strings.ToLower(strings.ReplaceAll(alg+enc, "+", "-")), JWKS: k.set(t), Scope: "openid name",
				IDTokenEncAlg: alg, IDTokenEnc: enc, ResponseEncAlg: alg, ResponseEnc: enc, IntrospectEncAlg: alg, IntrospectEnc: enc,
				UserInfoAlg: "ES256", UserInfoEncAlg: alg, UserInfoEnc: enc,
			})
			if b == nil {
				b = signedIn(t, w, rp)
			}
			r := rp.Request("response_mode=jwt")
			page := b.Get(r.URL())
			if f := page.Form("/consent"); f.Action != "" {
				page = b.Submit(f, "decision=allow")
			}
			inside := func(compact, alg2 string) map[string]any {
				t.Helper()
				plain, kid, cty := k.open(t, compact, alg, enc)
				if want := map[bool]string{true: "prime", false: "curve"}[alg == "RSA-OAEP-256"]; kid != want || cty != "JWT" {
					t.Errorf("%s: encrypted to %q, content %v", alg, kid, cty)
				}
				return signed(t, w, plain, alg2)
			}
			answer := inside(page.Away.Query().Get("response"), "ES256")
			tokens := rp.Exchange(answer["code"].(string), r) //nolint:forcetypeassert // a panic fails the test
			plain, _, _ := k.open(t, tokens.IDToken, alg, enc)
			tokens.IDToken = plain
			rp.Claims(tokens, r)
			info := rp.UserInfo(tokens.AccessToken)
			got := inside(info.Body, "ES256")
			if got["name"] == nil || got["iss"] != w.Issuer || got["aud"] != rp.ClientID || info.Header.Get("Content-Type") != "application/jwt" {
				t.Errorf("userinfo is %v, %s", got, info.Header.Get("Content-Type"))
			}
			rp.Headers = map[string]string{"Accept": "application/token-introspection+jwt"}
			told := inside(rp.Back("/oauth/introspect", url.Values{"token": {tokens.AccessToken}}, nil).Body, "ES256")
			if about, _ := told["token_introspection"].(map[string]any); about["active"] != true {
				t.Errorf("introspection is %v", told)
			}
		}
	}
	for _, name := range []string{"userinfo", "authorization", "introspection"} {
		if !slices.Equal(texts(t, said[name+"_encryption_alg_values_supported"]), jwe.Algs) || !slices.Equal(texts(t, said[name+"_encryption_enc_values_supported"]), jwe.Encs) {
			t.Errorf("%s says %v", name, said[name+"_encryption_alg_values_supported"])
		}
	}
}

func TestUserInfoIsSignedInEveryAdvertisedWay(t *testing.T) {
	w := open(t)
	said := members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)
	for _, alg := range texts(t, said["userinfo_signing_alg_values_supported"]) {
		rp := w.Register(clients.Metadata{ClientID: strings.ToLower(alg), UserInfoAlg: alg, IDTokenAlg: alg, IntrospectAlg: alg, ResponseAlg: alg})
		_, _, access := loggedIn(w, rp, "taro")
		info := rp.UserInfo(access)
		got := signed(t, w, info.Body, alg)
		if got["iss"] != w.Issuer || got["aud"] != rp.ClientID || got["sub"] == nil || got["age_over_18"] != true || info.Header.Get("Content-Type") != "application/jwt" {
			t.Errorf("%s: %v, %s", alg, got, info.Header.Get("Content-Type"))
		}
		rp.Headers = map[string]string{"Accept": "application/token-introspection+jwt"}
		signed(t, w, rp.Back("/oauth/introspect", url.Values{"token": {access}}, nil).Body, alg)
	}
	only := w.Register(clients.Metadata{ClientID: "only", UserInfoEncAlg: "ECDH-ES", JWKS: theReceiver().set(t)})
	_, _, access := loggedIn(w, only, "taro")
	plain, _, cty := theReceiver().open(t, only.UserInfo(access).Body, "ECDH-ES", jwe.DefaultEnc)
	if got := members(t, plain); got["sub"] == nil || got["aud"] != "only" || cty != nil {
		t.Errorf("encrypted alone: %v, content %v", got, cty)
	}
}

// keyServer is a relying party's jwks_uri.
type keyServer struct {
	mu   sync.Mutex
	body []byte
}

func (s *keyServer) put(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = body
}

func (s *keyServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = w.Write(s.body)
}

func TestAMissingEncryptionKeyIsToldEarlyAndSpendsNothing(t *testing.T) {
	w, k := open(t), theReceiver()
	_, signing := w.NewKey("k")
	keys := &keyServer{body: k.set(t)}
	server := httptest.NewServer(keys)
	defer server.Close()
	m := clients.Metadata{ClientID: "bank", ClientSecret: clients.Secret(rand.Text() + rand.Text()), JWKSURI: server.URL,
		IDTokenEncAlg: "ECDH-ES", IDTokenEnc: "A256GCM", UserInfoEncAlg: "ECDH-ES"}
	rp := w.Register(m)
	r := rp.Request()
	w.Login(w.NewBrowser(), r, "taro")

	keys.put(signing) // its engineers publish the signing key alone
	w.Town.Clock.Advance(fetch.MaxAge - 30*time.Second)
	r = rp.Request()
	code := w.Login(w.NewBrowser(), r, "taro").Get("code")
	w.Town.Clock.Advance(30 * time.Second)
	if got := rp.Exchange(code, r); got.Status != http.StatusBadRequest || got.Error != "invalid_request" || !strings.HasPrefix(got.Description, "encryption_key_missing: ") {
		t.Errorf("at the token endpoint: %d %s %s", got.Status, got.Error, got.Description)
	}
	early := rp.Request()
	if got := w.Answered(w.NewBrowser().Get(early.URL()), early); got.Get("error") != "invalid_request" || got.Get("error_description") != "encryption_key_missing" {
		t.Errorf("before anybody is asked: %v", got)
	}
	if a, _ := rp.Push(rp.Request()); a.Status != http.StatusBadRequest || a.Error != "invalid_request" || !strings.HasPrefix(a.Description, "encryption_key_missing; ") {
		t.Errorf("pushed: %d %s %s", a.Status, a.Error, a.Description)
	}
	m.JWKSURI, m.JWKS = "", k.set(t) // mended within the minute that the code is good
	w.Register(m)
	w.Town.Clock.Advance(time.Second)
	k.open(t, rp.Exchange(code, r).IDToken, "ECDH-ES", "A256GCM")
}

func TestAnEncryptedHintIsRefusedClearly(t *testing.T) {
	w, k := open(t), theReceiver()
	rp := w.Register(clients.Metadata{ClientID: "bank", JWKS: k.set(t), IDTokenEncAlg: "RSA-OAEP-256", IDTokenEnc: "A256GCM"})
	b, sealed, _ := loggedIn(w, rp, "taro")
	r := rp.Request("id_token_hint=" + sealed)
	if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "invalid_request" || got.Get("error_description") != "id_token_hint_encrypted: id_token_hint" {
		t.Errorf("at a login: %v", got)
	}
	if p := b.Get(bye("id_token_hint", sealed)); p.Code != "id_token_hint_encrypted" {
		t.Errorf("at a logout: %d %s", p.Status, p.Code)
	}
	inner, _, _ := k.open(t, sealed, "RSA-OAEP-256", "A256GCM")
	if p := b.Get(bye("id_token_hint", inner)); p.Code != "" || p.Status != http.StatusOK {
		t.Errorf("what was inside: %d %s", p.Status, p.Code)
	}
}
