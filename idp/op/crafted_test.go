package op_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/idp/idptest/crafted"
)

// reader is a place where we read tokens of others.
type reader struct {
	mold  crafted.Mold
	takes func(compact string) bool
	more  map[string]string // what is wrong with tokens of this kind alone
}

// The table of acceptance figure 11: what everyone who reads tokens has to refuse, each with the signature of the right
// key wherever there is one; for hints that is our own.
func TestCraftedTokensAreRefusedByEveryReader(t *testing.T) {
	w := open(t)
	for name, r := range map[string]reader{
		"client assertion": assertions(t, w), "request object": objects(t, w), "DPoP proof": proofs(t, w), "id_token_hint": hints(t, w),
	} {
		t.Run(name, func(t *testing.T) {
			tokens := r.mold.Tokens()
			maps.Copy(tokens, r.more)
			if !r.takes(r.mold.Good()) {
				t.Fatal("a good one is refused")
			}
			for defect, compact := range tokens {
				if r.takes(compact) {
					t.Errorf("%s is taken", defect)
				}
			}
			if !r.takes(r.mold.Good()) || len(tokens) < 100 {
				t.Errorf("after %d crafted ones, a good one is refused", len(tokens))
			}
		})
	}
	if strings.Contains(w.Log.String(), "evil.example") {
		t.Error("the log quotes what was sent")
	}
}

// answered sends a request to the provider without an HTTP client between, which would mind some of these tokens.
func answered(w *idptest.World, r *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	r.RemoteAddr = "192.0.2.1:1024"
	w.Site.Handler.ServeHTTP(out, r)
	return out
}

func form(address string, values url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// keyed registers a client with an ES256 key and returns the mold of its tokens.
func keyed(t *testing.T, w *idptest.World, id, typ string, claims func() crafted.Members) (*idptest.RP, crafted.Mold) {
	t.Helper()
	rp := w.Register(clients.Metadata{ClientID: id, AuthMethod: clients.AuthKey})
	key, ok := rp.Key.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatal("a key of another kind")
	}
	return rp, crafted.Mold{Header: crafted.Members{"alg": "ES256", "kid": rp.KeyID, "typ": typ}, Key: key, Types: map[string]bool{typ: true}, Claims: claims}
}

// audiences are those of nobody, of others, and of too many.
func audiences(w *idptest.World, m crafted.Mold) map[string]string {
	all := map[string]string{}
	for name, aud := range map[string]any{
		"no audience": nil, "another audience": "https://evil.example", "an audience of two": []string{w.Issuer, "https://evil.example"},
		"an empty list for an audience": []string{}, "an empty audience": "", "the issuer and a slash": w.Issuer + "/",
	} {
		spoilt := m
		spoilt.Claims = func() crafted.Members {
			claims := m.Claims()
			if claims["aud"] = aud; aud == nil {
				delete(claims, "aud")
			}
			return claims
		}
		all[name] = spoilt.Good()
	}
	return all
}

func assertions(t *testing.T, w *idptest.World) reader {
	t.Helper()
	now := w.Town.Clock.Now().Unix()
	rp, m := keyed(t, w, "bank", "client-authentication+jwt", func() crafted.Members {
		return crafted.Members{"iss": "bank", "sub": "bank", "aud": w.Issuer, "jti": rand.Text(), "iat": now, "exp": now + 60}
	})
	return reader{m, func(compact string) bool {
		values := rp.Request().Params
		values.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		values.Set("client_assertion", compact)
		return answered(w, form("/par", values)).Code == http.StatusCreated
	}, audiences(w, m)}
}

func objects(t *testing.T, w *idptest.World) reader {
	t.Helper()
	now := w.Town.Clock.Now().Unix()
	var rp *idptest.RP
	rp, m := keyed(t, w, "signer", "oauth-authz-req+jwt", func() crafted.Members {
		claims := crafted.Members{"iss": "signer", "aud": w.Issuer, "jti": rand.Text(), "iat": now, "nbf": now, "exp": now + 60}
		for name := range rp.Request().Params {
			claims[name] = rp.Request().Params.Get(name)
		}
		return claims
	})
	addressed := audiences(w, m)
	delete(addressed, "an audience of two") // no harm: the object proves nothing elsewhere, and we are one of the two
	return reader{m, func(compact string) bool {
		page := answered(w, form("/authorize", url.Values{"client_id": {"signer"}, "request": {compact}}))
		return strings.HasPrefix(page.Header().Get("Location"), w.Issuer+"/login/") || strings.HasPrefix(page.Header().Get("Location"), "/login/")
	}, addressed}
}

func proofs(t *testing.T, w *idptest.World) reader {
	t.Helper()
	rp := w.Register(clients.Metadata{ClientID: "prover"})
	key, now := crafted.NewKey(), w.Town.Clock.Now().Unix()
	m := crafted.Mold{Header: crafted.Members{"alg": "ES256", "typ": "dpop+jwt", "jwk": crafted.JWK(key)}, Key: key, Types: map[string]bool{"dpop+jwt": true}, Keyed: true,
		Claims: func() crafted.Members {
			return crafted.Members{"jti": rand.Text(), "htm": "POST", "htu": w.Issuer + "/par", "iat": now}
		}}
	return reader{m, func(compact string) bool {
		r := form("/par", rp.Request().Params)
		r.SetBasicAuth("prover", string(rp.ClientSecret))
		r.Header["Dpop"] = []string{compact}
		return answered(w, r).Code == http.StatusCreated
	}, nil}
}

// hints are signed with our own key: even one that we had made ourselves is none, if it is not as we make them.
func hints(t *testing.T, w *idptest.World) reader {
	t.Helper()
	w.Register(clients.Metadata{ClientID: "leaver"})
	all, err := w.Site.Store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := crafted.Mold{Header: crafted.Members{"alg": "ES256", "typ": "JWT"},
		Claims: func() crafted.Members {
			return crafted.Members{"iss": w.Issuer, "sub": rand.Text(), "aud": "leaver", "exp": 1, "iat": 1}
		}}
	for _, k := range all {
		if k.Alg != "ES256" {
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(k.Private)
		if err != nil {
			t.Fatal(err)
		}
		m.Header["kid"], m.Key = k.ID, key.(*ecdsa.PrivateKey) //nolint:forcetypeassert // of ES256
	}
	return reader{m, func(compact string) bool {
		return answered(w, form("/end_session", url.Values{"id_token_hint": {compact}})).Code < 400
	}, nil}
}

// A kid that two published keys have is nobody's, even where both could be tried.
func TestTwoPublishedKeysOfOneName(t *testing.T) {
	w := open(t)
	right, _ := w.NewKey("k")
	other, _ := w.NewKey("k")
	published := []jose.JSONWebKey{{Key: right.Public(), KeyID: "k", Algorithm: "ES256"}}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(out).Encode(jose.JSONWebKeySet{Keys: published})
	}))
	defer server.Close()
	for _, tc := range []struct {
		name string
		keys []jose.JSONWebKey
		want int
	}{
		{"one", nil, http.StatusCreated},
		{"another behind it", []jose.JSONWebKey{{Key: other.Public(), KeyID: "k", Algorithm: "ES256"}}, http.StatusUnauthorized},
		{"the same behind it", published, http.StatusUnauthorized},
	} {
		id := "twin-" + strings.Fields(tc.name)[0]
		published = append(published[:1:1], tc.keys...)
		bank := w.Register(clients.Metadata{ClientID: id, AuthMethod: clients.AuthKey, JWKSURI: server.URL + "/" + id})
		bank.Key, bank.KeyID = right, "k"
		if got, _ := bank.Push(bank.Request()); got.Status != tc.want {
			t.Errorf("%s: %d %s", tc.name, got.Status, got.Error)
		}
		page := w.NewBrowser().Get(bank.Object(bank.Request(), nil).URL())
		if taken := page.Form("/start").Action != ""; taken != (tc.want == http.StatusCreated) {
			t.Errorf("%s: the request object is taken: %v", tc.name, taken)
		}
	}
}
