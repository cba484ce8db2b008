package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tegata/idp/clients"
)

// TestWhoIsTheClientHearsHowItShouldProveIt: at the token endpoint nobody looks at a page. Who shows the client's own
// secret or key in a way that is not registered is told which one is; nobody else is.
func TestWhoIsTheClientHearsHowItShouldProveIt(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", AuthMethod: clients.AuthPost})
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	narrow := w.Register(clients.Metadata{ClientID: "narrow", AuthMethod: clients.AuthKey})
	record, err := w.Site.Store.Client(t.Context(), "narrow")
	if err != nil {
		t.Fatal(err)
	}
	record.Keys.AssertionAlg = "PS256"
	if err := w.Site.Store.PutClient(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	basic := func(id, secret string) func(url.Values, *[2]string) {
		return func(form url.Values, basic *[2]string) {
			form.Del("client_secret")
			form.Del("client_assertion")
			form.Del("client_assertion_type")
			*basic = [2]string{id, secret}
		}
	}
	for _, tc := range []struct {
		name, told, text string
	}{
		{name: "its own secret by another way", told: "token_endpoint_auth_method is client_secret_post, and client_secret_basic was used",
			text: shop.Back("/oauth/token", url.Values{"grant_type": {"authorization_code"}}, basic("shop", string(shop.ClientSecret))).Description},
		{name: "a guessed secret by another way",
			text: shop.Back("/oauth/token", url.Values{"grant_type": {"authorization_code"}}, basic("shop", strings.Repeat("x", 40))).Description},
		{name: "a secret of a client that has a key",
			text: bank.Back("/oauth/token", url.Values{"grant_type": {"authorization_code"}}, basic("bank", string(shop.ClientSecret))).Description},
		{name: "a signature of another algorithm", told: "client_assertion: alg is ES256, and token_endpoint_auth_signing_alg allows PS256",
			text: narrow.Back("/oauth/token", url.Values{"grant_type": {"authorization_code"}}, nil).Description},
		{name: "a signature of another algorithm and another key",
			text: narrow.Back("/oauth/token", url.Values{"grant_type": {"authorization_code"}}, func(form url.Values, _ *[2]string) {
				stolen := *narrow
				stolen.Key, _ = w.NewKey("k")
				form.Set("client_assertion", stolen.Assertion(nil))
			}).Description},
	} {
		if tc.text != tc.told {
			t.Errorf("%s is told %q, want %q", tc.name, tc.text, tc.told)
		}
	}
	if a := shop.Back("/oauth/token", url.Values{"grant_type": {"authorization_code"}}, basic("shop", string(shop.ClientSecret))); a.Status != http.StatusUnauthorized || a.Error != "invalid_client" {
		t.Errorf("%d %s", a.Status, a.Error)
	}
}
