package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

const revokePath = "/oauth/revoke"

func tokensOf(t *testing.T, w *idptest.World, b *idptest.Browser, rp *idptest.RP) idptest.Answer {
	t.Helper()
	r := rp.Request()
	a := rp.Exchange(w.Answer(b, r).Get("code"), r)
	if a.Status != 200 {
		t.Fatalf("no tokens: %d %s", a.Status, a.Body)
	}
	return a
}

func TestAnAccessTokenIsRevoked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		app := w.Register(clients.Metadata{ClientID: "app", AuthMethod: clients.AuthNone})
		bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
		b := signedIn(t, w, shop)
		for _, rp := range []*idptest.RP{shop, app, bank} {
			ended, kept := tokensOf(t, w, b, rp), tokensOf(t, w, b, rp)
			for range 2 { // the second time the token is unknown, which is no error (RFC 7009 section 2.2)
				got := rp.Back(revokePath, url.Values{"token": {ended.AccessToken}, "token_type_hint": {"refresh_token"}}, nil)
				if got.Status != 200 || got.Body != "" || got.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: %d %q", rp.ClientID, got.Status, got.Body)
				}
			}
			if got := rp.UserInfo(ended.AccessToken); got.Status != 401 {
				t.Errorf("%s: a revoked token answers %d", rp.ClientID, got.Status)
			}
			if got := rp.UserInfo(kept.AccessToken); got.Status != 200 {
				t.Errorf("%s: the token of another login answers %d", rp.ClientID, got.Status)
			}
		}
	})
}

func TestWhatRevocationRefuses(t *testing.T) {
	w := open(t)
	shop, thief := w.Register(clients.Metadata{ClientID: "shop"}), w.Register(clients.Metadata{ClientID: "thief"})
	b := signedIn(t, w, shop)
	token := tokensOf(t, w, b, shop).AccessToken
	for _, tc := range []struct {
		name   string
		rp     *idptest.RP
		form   url.Values
		change func(url.Values, *[2]string)
		status int
		word   string
	}{
		{"another client's token changes nothing and tells nothing", thief, url.Values{"token": {token}}, nil, 200, ""},
		{"a token that nobody issued", shop, url.Values{"token": {strings.Repeat("A", 43)}}, nil, 200, ""},
		{"a token that is none", shop, url.Values{"token": {"e30.bnVsbA.e30"}}, nil, 200, ""},
		{"no token", shop, url.Values{}, nil, 400, "invalid_request"},
		{"an empty token", shop, url.Values{"token": {""}}, nil, 400, "invalid_request"},
		{"two tokens", shop, url.Values{"token": {token, token}}, nil, 400, "invalid_request"},
		{"a wrong secret", shop, url.Values{"token": {token}}, func(_ url.Values, basic *[2]string) { basic[1] += "x" }, 401, "invalid_client"},
		{"no client", shop, url.Values{"token": {token}}, func(_ url.Values, basic *[2]string) { basic[0] = "" }, 401, "invalid_client"},
		{"a confidential client without its secret", shop, url.Values{"token": {token}, "client_id": {"shop"}},
			func(_ url.Values, basic *[2]string) { basic[0] = "" }, 401, "invalid_client"},
	} {
		got := tc.rp.Back(revokePath, tc.form, tc.change)
		if got.Status != tc.status || got.Error != tc.word || strings.Contains(got.Body, token) {
			t.Errorf("%s: %d %s", tc.name, got.Status, got.Body)
		}
		if got := shop.UserInfo(token); got.Status != 200 {
			t.Fatalf("%s: the token is dead", tc.name)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Issuer+revokePath+"?token="+token, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("shop", string(shop.ClientSecret))
	if got := idptest.Do(t, r); got.Status != http.StatusMethodNotAllowed || shop.UserInfo(token).Status != 200 {
		t.Errorf("GET: %d", got.Status)
	}
}
