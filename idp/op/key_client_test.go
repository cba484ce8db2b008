package op_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// onceAsserted spoils the assertion of an otherwise right token request.
func onceAsserted(rp *idptest.RP, change func(claims map[string]any)) func(form url.Values, basic *[2]string) {
	return func(form url.Values, _ *[2]string) { form.Set("client_assertion", rp.Assertion(change)) }
}

func TestAClientProvesItselfWithAKey(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	b := signedIn(t, w, bank)
	type claims = map[string]any
	set := func(name string, value any) func(claims) { return func(c claims) { c[name] = value } }
	at := func(name string, d time.Duration) func(claims) { return set(name, w.Town.Clock.Now().Add(d).Unix()) }
	for _, tc := range []struct {
		name   string
		change func(claims)
		told   string // the description; "good" for tokens, "" for a refusal without reason
	}{
		{"as it should be", nil, "good"},
		{"addressed to the token endpoint", set("aud", w.Issuer+"/oauth/token"), "good"},
		{"addressed to a list of one", set("aud", []string{w.Issuer}), "good"},
		{"addressed to all our names, as openid-client 5 does", set("aud", []string{w.Issuer, w.Issuer + "/oauth/token"}), "good"},
		{"with an iat 10 s ahead", at("iat", 10*time.Second), "good"},
		{"with an nbf 10 s ahead", at("nbf", 10*time.Second), "good"},
		{"that lives five minutes", at("exp", 5*time.Minute), "good"},
		{"that lives an hour by its exp, as common libraries write it", at("exp", time.Hour), "good"},
		{"of six minutes ago that lives an hour", func(c claims) { at("exp", time.Hour)(c); at("iat", -6*time.Minute)(c) }, "client_assertion: iat is more than 5m0s ago"},
		{"with an iat 61 s ahead", at("iat", 61*time.Second), "client_assertion: iat is in the future"},
		{"with an nbf 61 s ahead", at("nbf", 61*time.Second), "client_assertion: nbf is in the future"},
		{"that lives for days", at("exp", 999*time.Hour), "client_assertion: exp is more than 1h1m0s ahead"},
		{"that lives longer than five minutes and does not say since when", func(c claims) { delete(c, "iat"); at("exp", 301*time.Second)(c) }, "client_assertion: exp is more than 5m0s ahead"},
		{"that is over", at("exp", -60*time.Second), "client_assertion: exp is over"},
		{"without an end", func(c claims) { delete(c, "exp") }, "client_assertion: exp is missing"},
		{"without a jti", func(c claims) { delete(c, "jti") }, "client_assertion: jti is missing"},
		{"addressed to nobody", func(c claims) { delete(c, "aud") }, "client_assertion: aud must name this provider and nobody else"},
		{"addressed to another", set("aud", "https://evil.example"), "client_assertion: aud does not name this provider"},
		{"addressed to another endpoint", set("aud", w.Issuer+"/par"), "client_assertion: aud does not name this provider"},
		{"addressed to another too", set("aud", []string{w.Issuer, "https://evil.example"}), "client_assertion: aud must name this provider and nobody else"},
		{"of another issuer", set("iss", "shop"), ""},
		{"about another", set("sub", "shop"), ""},
		{"about nobody", func(c claims) { delete(c, "sub") }, ""},
		{"of nobody", func(c claims) { delete(c, "iss") }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := bank.Request()
			got := bank.Token(again(t, w, b, r), r, onceAsserted(bank, tc.change))
			if tc.told == "good" {
				if got.Status != http.StatusOK {
					t.Fatalf("%d %s", got.Status, got.Body)
				}
				bank.Claims(got, r)
				return
			}
			if got.Status != http.StatusUnauthorized || got.Error != "invalid_client" || got.Description != tc.told || got.AccessToken != "" {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
}

func TestWhatElseIsNoProofOfAKey(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	strict := w.Register(clients.Metadata{ClientID: "strict", AuthMethod: clients.AuthBasic, JWKS: bank.JWKS})
	b := signedIn(t, w, bank)
	form := func(name, value string) func(url.Values, *[2]string) {
		return func(f url.Values, _ *[2]string) { f.Set(name, value) }
	}
	compact := bank.Assertion(nil)
	for _, tc := range []struct {
		name   string
		change func(url.Values, *[2]string)
		status int
		word   string
	}{
		{"another client_id beside", form("client_id", "shop"), 401, "invalid_client"},
		{"another kind of assertion", form("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), 400, "invalid_request"},
		{"no kind of assertion", func(f url.Values, _ *[2]string) { f.Del("client_assertion_type"); f.Set("client_id", "bank") }, 400, "invalid_request"},
		{"a secret beside", func(f url.Values, _ *[2]string) { f.Set("client_id", "bank"); f.Set("client_secret", "x") }, 400, "invalid_request"},
		{"a header beside", func(_ url.Values, basic *[2]string) { *basic = [2]string{"bank", "x"} }, 400, "invalid_request"},
		{"nothing but the client_id", func(f url.Values, _ *[2]string) {
			f.Del("client_assertion")
			f.Del("client_assertion_type")
			f.Set("client_id", "bank")
		}, 401, "invalid_client"},
		{"the assertion twice", func(f url.Values, _ *[2]string) { f.Add("client_assertion", compact) }, 400, "invalid_request"},
		{"a payload of null", form("client_assertion", "eyJhbGciOiJFUzI1NiJ9.bnVsbA.AAAA"), 401, "invalid_client"},
		{"an audience of numbers", form("client_assertion", "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOlsxXX0.AAAA"), 401, "invalid_client"},
		{"no token at all", form("client_assertion", "x"), 401, "invalid_client"},
		{"a stranger's signature", form("client_assertion", signedBy(w, bank, shop)), 401, "invalid_client"},
		{"a request object", func(f url.Values, _ *[2]string) {
			f.Set("client_assertion", bank.Signed("oauth-authz-req+jwt", map[string]any{"iss": "bank", "sub": "bank", "aud": w.Issuer, "jti": "r",
				"exp": w.Town.Clock.Now().Unix() + 60}))
		}, 401, "invalid_client"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := bank.Request()
			got := bank.Token(again(t, w, b, r), r, tc.change)
			if got.Status != tc.status || got.Error != tc.word || got.AccessToken != "" {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	w.Answer(b, strict.Request())
	r := strict.Request()
	strict.Key = bank.Key
	if got := strict.Token(again(t, w, b, r), r, func(f url.Values, basic *[2]string) {
		*basic = [2]string{}
		f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		f.Set("client_assertion", strict.Assertion(nil))
	}); got.Status != 401 {
		t.Errorf("a right assertion of a client that registered a secret: %d", got.Status)
	}
}

// signedBy is rp's assertion with the key of another.
func signedBy(_ *idptest.World, rp, other *idptest.RP) string {
	forger := *rp
	forger.Key = other.Key
	return forger.Assertion(nil)
}

func TestAnAssertionIsGoodOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
		b := signedIn(t, w, bank)
		one := bank.Assertion(nil)
		answers := make([]idptest.Answer, 20)
		var all sync.WaitGroup
		for i := range answers {
			r := bank.Request()
			code := again(t, w, b, r)
			all.Go(func() {
				answers[i] = bank.Token(code, r, func(f url.Values, _ *[2]string) { f.Set("client_assertion", one) })
			})
		}
		all.Wait()
		won := 0
		for _, a := range answers {
			switch {
			case a.Status == http.StatusOK:
				won++
			case a.Status != 401 || a.Description != "client_assertion: jti was used before":
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d won", won, len(answers))
		}
	})
}

func TestKeysRotateAtAnAddress(t *testing.T) {
	w := open(t)
	var mu sync.Mutex
	var set json.RawMessage
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = out.Write(set)
	}))
	defer server.Close()
	put := func(s json.RawMessage) { mu.Lock(); defer mu.Unlock(); set = s }
	old, oldSet := w.NewKey("old")
	put(oldSet)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey, JWKSURI: server.URL})
	bank.Key, bank.KeyID = old, "old"
	b := signedIn(t, w, bank)
	get := func() int {
		r := bank.Request()
		return bank.Exchange(again(t, w, b, r), r).Status
	}
	if got := get(); got != 200 {
		t.Fatalf("the old key: %d", got)
	}
	next, nextSet := w.NewKey("next")
	put(nextSet)
	bank.Key, bank.KeyID = next, "next"
	if got := get(); got != 401 {
		t.Errorf("asked again within a minute: %d", got)
	}
	w.Town.Clock.Advance(time.Minute)
	if got := get(); got != 200 {
		t.Errorf("the next key after a minute: %d", got)
	}
	bank.Key, bank.KeyID = old, "old"
	if got := get(); got != 401 {
		t.Errorf("the withdrawn key: %d", got)
	}
}

func TestARefusedAssertionIsLoggedWithoutIt(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	b := signedIn(t, w, bank)
	r := bank.Request()
	compact := bank.Assertion(func(c map[string]any) { c["jti"] = "CANARY"; delete(c, "exp") })
	bank.Token(again(t, w, b, r), r, func(f url.Values, _ *[2]string) { f.Set("client_assertion", compact) })
	log := w.Log.String()
	if strings.Contains(log, "CANARY") || strings.Contains(log, strings.Split(compact, ".")[2]) || !strings.Contains(log, "exp is missing") {
		t.Error("the log says too much, or nothing")
	}
}
