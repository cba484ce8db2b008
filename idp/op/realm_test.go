package op_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/idp/op"
)

const realmBase = "/api/realms/main"

// moved is a relying party as it would stand at the Digital Authentication App.
func moved(w *idptest.World) *idptest.RP {
	return w.Register(clients.Metadata{ClientID: "RP00000001", Profile: clients.ProfileDAA, AuthMethod: clients.AuthKey,
		Scope: "openid name address birthdate gender", RedirectURIs: []string{"https://rp.example/cb"}})
}

// there is the same request at the other address.
func there(w *idptest.World, r idptest.Request) string {
	return strings.Replace(r.URL(), w.Issuer+"/authorize", w.Issuer+realmBase+"/protocol/openid-connect/auth", 1)
}

// walk logs a persona in at an authorize address of any layout.
func walk(t *testing.T, w *idptest.World, address, persona string) url.Values {
	t.Helper()
	b := w.NewBrowser()
	p := b.Submit(b.Get(address).Form("/start"))
	code, err := w.UseCard(p.Launch, persona)
	if err != nil {
		t.Fatal(err)
	}
	p = b.Get("/login/return/" + code)
	if f := p.Form("/consent"); f.Action != "" {
		p = b.Submit(f, "decision=allow")
	}
	if p.Away == nil {
		t.Fatalf("no answer: %d %s", p.Status, p.Code)
	}
	return p.Away.Query()
}

// A relying party that changes nothing but issuer and client id: a library finds the layout by discovery, the formats are
// those of the Digital Authentication App.
func TestALoginInTheLayoutOfTheDigitalAuthenticationApp(t *testing.T) {
	w := open(t)
	rp := moved(w)
	issuer := w.Issuer + realmBase
	provider, err := oidc.NewProvider(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	if at := provider.Endpoint(); at.AuthURL != issuer+"/protocol/openid-connect/auth" || at.TokenURL != issuer+"/protocol/openid-connect/token" ||
		provider.UserInfoEndpoint() != issuer+"/protocol/openid-connect/userinfo" {
		t.Errorf("%+v %s", at, provider.UserInfoEndpoint())
	}
	r := rp.Request("acr_values=aal3 crl")
	answer := walk(t, w, there(w, r), "taro")
	if answer.Get("iss") != issuer || answer.Get("state") != r.State || len(answer.Get("session_state")) < 32 {
		t.Errorf("%v", answer)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {rp.RedirectURIs[0]}, "code_verifier": {r.Verifier}}
	tokens := rp.Back(realmBase+"/protocol/openid-connect/token", form, onceAsserted(rp, func(c map[string]any) {
		c["aud"] = issuer + "/protocol/openid-connect/token"
	}))
	if tokens.Status != http.StatusOK {
		t.Fatalf("%d %s", tokens.Status, tokens.Body)
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: rp.ClientID, Now: w.Town.Clock.Now, SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), tokens.IDToken)
	if err != nil || token.Nonce != r.Nonce || token.Issuer != issuer {
		t.Fatalf("%v %+v", err, token)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, provider.UserInfoEndpoint(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	info := members(t, idptest.Do(t, request).Body)
	checkOnly(t, info, "sub", "name", "address", "birthdate", "gender")
	taro := w.Town.Persona(t, "taro")
	if info["birthdate"] != strings.ReplaceAll(taro.Birthdate, "-", "") || info["gender"] != "1" || info["address"] != taro.Address || info["name"] != taro.Name ||
		info["sub"] != token.Subject {
		t.Errorf("userinfo in other formats than there: %d members", len(info))
	}
	if p := w.NewBrowser().Get(bye("id_token_hint", tokens.IDToken)); p.Code != "" || p.Status != http.StatusOK {
		t.Errorf("a hint of that issuer: %d %s", p.Status, p.Code)
	}
}

// The refusal table of the limits that hold there.
func TestTheLimitsOfTheDigitalAuthenticationApp(t *testing.T) {
	w := open(t)
	rp := moved(w)
	b := w.NewBrowser()
	for _, tc := range []struct {
		name, change, want string // "" goes on
	}{
		{"a plain one", "", ""},
		{"an acr that nobody knows", "acr_values=aal2 ocsp x", ""},
		{"the longest state", "state=" + strings.Repeat("s", 255), ""},
		{"a longer state", "state=" + strings.Repeat("s", 256), "invalid_request"},
		{"no state", "state", "invalid_request"},
		{"no nonce", "nonce", "invalid_request"},
		{"a nonce beyond ASCII", "nonce=\u3042", "invalid_request"},
		{"a longer nonce", "nonce=" + strings.Repeat("n", 256), "invalid_request"},
		{"no PKCE", "code_challenge", "invalid_request"},
		{"plain PKCE", "code_challenge_method=plain", "invalid_request"},
		{"the implicit flow", "response_type=token", "unsupported_response_type"},
		{"to sign a document", "scope=openid sign", "invalid_scope"},
		{"no openid", "scope=name", "invalid_scope"},
		{"a scope that it has not", "scope=openid age_over_65", "invalid_scope"},
		{"a language for questions", `claims={"userinfo":{"name":null}}`, "invalid_scope"},
	} {
		var changes []string
		if tc.change != "" {
			changes = append(changes, tc.change)
		}
		p := b.Get(there(w, rp.Request(changes...)))
		switch {
		case tc.want == "" && p.Form("/start").Action == "":
			t.Errorf("%s: %d %s, away %v", tc.name, p.Status, p.Code, p.Away)
		case tc.want != "" && (p.Away == nil || p.Away.Query().Get("error") != tc.want || p.Away.Query().Get("iss") != w.Issuer+realmBase):
			t.Errorf("%s: %d %s, away %v", tc.name, p.Status, p.Code, p.Away)
		}
	}
}

func TestEachClientHasOneLayout(t *testing.T) {
	w := open(t)
	rp, shop := moved(w), w.Register(clients.Metadata{ClientID: "shop"})
	if p := w.NewBrowser().Get(rp.Request().URL()); p.Code != "client_unknown" {
		t.Errorf("at our own address: %d %s", p.Status, p.Code)
	}
	if p := w.NewBrowser().Get(there(w, shop.Request())); p.Code != "client_unknown" {
		t.Errorf("another client at the other address: %d %s", p.Status, p.Code)
	}
	if got := get(t, w.Issuer+realmBase+"/protocol/openid-connect/token"); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET token: %d", got.Status)
	}
	if got := get(t, w.Issuer+realmBase+"/protocol/openid-connect/certs"); got.Status != http.StatusOK || !strings.Contains(got.Body, `"keys"`) {
		t.Errorf("keys: %d", got.Status)
	}
	for path, want := range map[string]string{
		realmBase + "/protocol/openid-connect/token": "/oauth/token", realmBase + "/protocol/openid-connect/auth": "/authorize",
		"/oauth/token": "/oauth/token", realmBase: realmBase, "/login/x": "/login/x",
	} {
		if got := op.Standard(path); got != want {
			t.Errorf("%s counts as %s", path, got)
		}
	}
}

func TestTheMetadataOfTheOtherIssuerAreWhereBothStandardsLook(t *testing.T) {
	w := open(t)
	for _, path := range op.RealmDiscovery {
		got := answered(w, httptest.NewRequest("GET", path, nil))
		if got.Code != 200 || members(t, got.Body.String())["issuer"] != w.Issuer+idp.RealmPath || got.Header().Get("ETag") == "" {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
		if got := answered(w, httptest.NewRequest("POST", path, nil)); got.Code != 405 || got.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d", path, got.Code)
		}
	}
}
