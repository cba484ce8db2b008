package op_test

import (
	"encoding/base64"
	"flag"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// signedIn is a browser whose session answers every further request at once.
func signedIn(t *testing.T, w *idptest.World, rp *idptest.RP) *idptest.Browser {
	t.Helper()
	b := w.NewBrowser()
	w.Login(b, rp.Request(), "taro")
	return b
}

func again(t *testing.T, w *idptest.World, b *idptest.Browser, r idptest.Request) string {
	t.Helper()
	code := w.Answered(b.Get(r.URL()), r).Get("code")
	if code == "" {
		t.Fatal("the session gives no code")
	}
	return code
}

func TestWhatTheTokenEndpointRefuses(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	post := w.Register(clients.Metadata{ClientID: "post", AuthMethod: clients.AuthPost})
	app := w.Register(clients.Metadata{ClientID: "app", AuthMethod: clients.AuthNone})
	b := signedIn(t, w, shop)
	w.Answer(b, post.Request())
	w.Answer(b, app.Request())
	type change = func(form url.Values, basic *[2]string)
	field := func(name, value string) change { return func(form url.Values, _ *[2]string) { form.Set(name, value) } }
	drop := func(name string) change { return func(form url.Values, _ *[2]string) { form.Del(name) } }
	for _, tc := range []struct {
		name   string
		rp     *idptest.RP
		change change
		status int
		word   string
	}{
		{"another verifier", shop, field("code_verifier", strings.Repeat("v", 43)), 400, "invalid_grant"},
		{"no verifier", shop, drop("code_verifier"), 400, "invalid_grant"},
		{"the challenge instead of the verifier", shop, func(f url.Values, _ *[2]string) { f.Set("code_verifier", idptest.Challenge(f.Get("code_verifier"))) }, 400, "invalid_grant"},
		{"a verifier that is too long", shop, field("code_verifier", strings.Repeat("v", 129)), 400, "invalid_grant"},
		{"another redirect URI", shop, field("redirect_uri", "https://shop.example/other"), 400, "invalid_grant"},
		{"no redirect URI", shop, drop("redirect_uri"), 400, "invalid_request"},
		{"a code that is none", shop, field("code", "abc"), 400, "invalid_grant"},
		{"a code that nobody issued", shop, field("code", strings.Repeat("A", 43)), 400, "invalid_grant"},
		{"no code", shop, drop("code"), 400, "invalid_request"},
		{"a wrong secret", shop, func(_ url.Values, basic *[2]string) { basic[1] += "x" }, 401, "invalid_client"},
		{"an empty secret", shop, func(_ url.Values, basic *[2]string) { basic[1] = "" }, 401, "invalid_client"},
		{"an unknown client", shop, func(_ url.Values, basic *[2]string) { basic[0] = "nobody" }, 401, "invalid_client"},
		{"the secret in the form for a basic client", shop, func(f url.Values, basic *[2]string) {
			f.Set("client_id", basic[0])
			f.Set("client_secret", basic[1])
			basic[0] = ""
		}, 401, "invalid_client"},
		{"no secret from a confidential client", shop, func(f url.Values, basic *[2]string) { f.Set("client_id", "shop"); basic[0] = "" }, 401, "invalid_client"},
		{"the header from a form client", post, func(f url.Values, basic *[2]string) {
			*basic = [2]string{"post", f.Get("client_secret")}
			f.Del("client_secret")
			f.Del("client_id")
		}, 401, "invalid_client"},
		{"a secret from a public client", app, field("client_secret", "anything"), 401, "invalid_client"},
		{"a header from a public client", app, func(_ url.Values, basic *[2]string) { *basic = [2]string{"app", "x"} }, 401, "invalid_client"},
		{"an assertion", shop, func(f url.Values, basic *[2]string) {
			f.Set("client_assertion", "e30.e30.e30")
			f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		}, 400, "invalid_request"},
		{"a refresh token", shop, func(f url.Values, _ *[2]string) { f.Set("grant_type", "refresh_token"); f.Set("refresh_token", "x") }, 400, "unauthorized_client"},
		{"client credentials", shop, field("grant_type", "client_credentials"), 400, "unsupported_grant_type"},
		{"a grant type that nobody knows", shop, field("grant_type", "magic"), 400, "unsupported_grant_type"},
		{"a grant type that the library knows", shop, field("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), 400, "unsupported_grant_type"},
		{"no grant type", shop, drop("grant_type"), 400, "invalid_request"},
		{"no credentials", shop, func(_ url.Values, basic *[2]string) { basic[0] = "" }, 401, "invalid_client"},
		{"a secret that is not form-encoded", shop, func(_ url.Values, basic *[2]string) { basic[1] = "%zz" }, 401, "invalid_client"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := tc.rp.Request()
			code := again(t, w, b, r)
			got := tc.rp.Token(code, r, tc.change)
			if got.Status != tc.status || got.Error != tc.word || got.AccessToken != "" || got.IDToken != "" {
				t.Errorf("answered %d %s, want %d %s", got.Status, got.Body, tc.status, tc.word)
			}
			if got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control is %q", got.Header.Get("Cache-Control"))
			}
			if challenge := got.Header.Get("WWW-Authenticate"); (got.Status == 401) != strings.HasPrefix(challenge, "Basic ") {
				t.Errorf("WWW-Authenticate is %q on %d", challenge, got.Status)
			}
			if strings.Contains(got.Body, code) || strings.Contains(got.Body, string(tc.rp.ClientSecret)) && tc.rp.ClientSecret != "" {
				t.Errorf("the refusal repeats a secret: %s", got.Body)
			}
		})
	}
}

// A parameter that comes twice could mean one thing to a filter in front and another to us (RFC 6749 section 3.2). resource may
// (RFC 8707 section 2).
func TestNoParameterOfTheBackChannelComesTwice(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
	b := signedIn(t, w, shop)
	r := shop.Request()
	code := again(t, w, b, r)
	twice := func(name string) func(form url.Values, _ *[2]string) {
		return func(form url.Values, _ *[2]string) { form[name] = []string{form.Get(name), form.Get(name)} }
	}
	for _, name := range []string{"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "scope", "anything"} {
		if got := shop.Token(code, r, twice(name)); got.Status != 400 || got.Error != "invalid_request" {
			t.Errorf("%s at the token endpoint: %d %s", name, got.Status, got.Body)
		}
	}
	for path, form := range map[string]url.Values{
		"/oauth/revoke": {"token": {"x"}, "token_type_hint": {"access_token"}}, "/oauth/introspect": {"token": {"x"}, "token_type_hint": {"access_token"}}, "/par": r.Params,
	} {
		for name := range form {
			if got := shop.Back(path, maps.Clone(form), twice(name)); got.Status != 400 || got.Error != "invalid_request" {
				t.Errorf("%s at %s: %d %s", name, path, got.Status, got.Body)
			}
		}
	}
	if got := shop.Token(code, r, twice("resource")); got.Status != 200 {
		t.Errorf("after all that: %d %s", got.Status, got.Body)
	}
}

func TestTwoAuthorizationHeadersAreTwoWays(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte("shop:"+string(shop.ClientSecret)))
	for status, headers := range map[int][]string{400: {credentials, credentials}, 401: {"Bearer x"}} {
		r := form("/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {"x"}})
		r.Header["Authorization"] = headers
		if got := answered(w, r); got.Code != status || status == 401 && got.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%d headers: %d %s", len(headers), got.Code, got.Body)
		}
	}
}

// Figure 6 holds for those, too, whom the operator spares PKCE: nobody on the way can take a challenge out, or put plain in.
func TestNobodyIsDowngradedWhereTheOperatorSparesPKCE(t *testing.T) {
	w := open(t)
	old := w.Register(clients.Metadata{ClientID: "old", RequirePKCE: new(bool)})
	b := signedIn(t, w, old)
	verifier := strings.Repeat("v", 43)
	challenge := "code_challenge=" + idptest.Challenge(verifier)
	for name, request := range map[string][]string{
		"plain": {challenge, "code_challenge_method=plain"}, "no method": {challenge}, "a method alone": {"code_challenge_method=S256"}, "an unknown method": {challenge, "code_challenge_method=S512"},
	} {
		r := old.Request(request...)
		if got := w.Answered(b.Get(r.URL()), r).Get("error"); got != "invalid_request" {
			t.Errorf("a request with %s: %q", name, got)
		}
	}
	s256 := []string{challenge, "code_challenge_method=S256"}
	for name, tc := range map[string]struct {
		request []string
		redeem  string
		status  int
	}{
		"neither":                         {nil, "code_verifier", 200},
		"a verifier without a challenge":  {nil, "code_verifier=" + verifier, 400},
		"a challenge and its verifier":    {s256, "code_verifier=" + verifier, 200},
		"a challenge without a verifier":  {s256, "code_verifier", 400},
		"a challenge, another's verifier": {s256, "code_verifier=" + strings.Repeat("w", 43), 400},
	} {
		r := old.Request(tc.request...)
		code := again(t, w, b, r)
		if got := old.Exchange(code, r, tc.redeem); got.Status != tc.status || got.Status == 400 && got.Error != "invalid_grant" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if got := old.Exchange(code, r, tc.redeem); got.Error != "invalid_grant" {
			t.Errorf("%s, once more: %d", name, got.Status)
		}
	}
	r := old.Request()
	code := again(t, w, b, r)
	old.RequirePKCE = nil
	w.Register(old.Metadata)
	w.Town.Clock.Advance(time.Second)
	if got := old.Exchange(code, r); got.Error != "invalid_grant" {
		t.Errorf("a code of before, when it is spared no more: %d %s", got.Status, got.Body)
	}
}

func TestAFailedProofBurnsTheCode(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, shop)
	for _, wrong := range []string{"redirect_uri=https://shop.example/other", "code_verifier=" + strings.Repeat("v", 43), "code_verifier"} {
		r := shop.Request()
		code := again(t, w, b, r)
		shop.Exchange(code, r, wrong)
		if got := shop.Exchange(code, r); got.Error != "invalid_grant" {
			t.Errorf("after %s the code is still good: %d", wrong, got.Status)
		}
	}
}

func TestARefusedClientDoesNotBurnTheCodeOfAnother(t *testing.T) {
	w := open(t)
	shop, thief := w.Register(clients.Metadata{ClientID: "shop"}), w.Register(clients.Metadata{ClientID: "thief"})
	b := signedIn(t, w, shop)
	r := shop.Request()
	code := again(t, w, b, r)
	if got := thief.Exchange(code, r); got.Error != "invalid_grant" {
		t.Errorf("another client's code: %d %s", got.Status, got.Body)
	}
	if got := shop.Token(code, r, func(_ url.Values, basic *[2]string) { basic[1] += "x" }); got.Error != "invalid_client" {
		t.Errorf("a wrong secret: %d %s", got.Status, got.Body)
	}
	if got := shop.Exchange(code, r); got.Status != 200 {
		t.Errorf("the rightful client came away with %d %s", got.Status, got.Body)
	}
}

func TestACodeLivesSixtySeconds(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, shop)
	early, late := shop.Request(), shop.Request()
	codes := []string{again(t, w, b, early), ""}
	w.Town.Clock.Advance(50 * time.Second)
	if got := shop.Exchange(codes[0], early); got.Status != 200 {
		t.Errorf("after 50 s: %d %s", got.Status, got.Body)
	}
	codes[1] = again(t, w, b, late)
	w.Town.Clock.Advance(60 * time.Second)
	if got := shop.Exchange(codes[1], late); got.Error != "invalid_grant" {
		t.Errorf("after 60 s: %d", got.Status)
	}
}

// Acceptance: dead at the very next request, which is sooner than any clock could say.
func TestASecondUseOfACodeTakesItsTokensBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		b := signedIn(t, w, shop)
		r := shop.Request()
		code := again(t, w, b, r)
		tokens := shop.Exchange(code, r)
		if got := shop.UserInfo(tokens.AccessToken); got.Status != 200 {
			t.Fatalf("userinfo: %d", got.Status)
		}
		if got := shop.Exchange(code, r); got.Error != "invalid_grant" || got.AccessToken != "" {
			t.Errorf("the second use: %d %s", got.Status, got.Body)
		}
		if got := shop.UserInfo(tokens.AccessToken); got.Status != 401 {
			t.Errorf("userinfo after the second use: %d", got.Status)
		}
	})
}

// rounds of a race are few where every change waits for them; a thousand were run by hand: go test ./idp/op -run Hundred -rounds 1000
var rounds = flag.Int("rounds", 3, "how often a hundred relying parties redeem one code at once")

func TestOfAHundredRedemptionsOneWins(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		b := signedIn(t, w, shop)
		for range *rounds {
			r := shop.Request()
			code := again(t, w, b, r)
			answers := make([]idptest.Answer, 100)
			var all sync.WaitGroup
			start := make(chan struct{})
			for i := range answers {
				all.Go(func() {
					<-start
					answers[i] = shop.Exchange(code, r)
				})
			}
			close(start)
			all.Wait()
			won := ""
			for _, a := range answers {
				switch {
				case a.Status == 200 && won == "":
					won = a.AccessToken
				case a.Status != 400 || a.Error != "invalid_grant":
					t.Errorf("a loser, or a second winner: %d %s", a.Status, a.Error)
				}
			}
			if won == "" {
				t.Error("nobody won")
			}
			if got := shop.UserInfo(won); got.Status != 401 {
				t.Errorf("the tokens outlive the race: %d", got.Status)
			}
		}
	})
}

func TestTheQueryOfATokenRequestIsNotRead(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", AuthMethod: clients.AuthPost})
	b := signedIn(t, w, shop)
	r := shop.Request()
	code := again(t, w, b, r)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {shop.RedirectURIs[0]},
		"code_verifier": {r.Verifier}, "client_id": {"shop"}, "client_secret": {string(shop.ClientSecret)}}
	for _, name := range []string{"client_secret", "code", "code_verifier"} {
		body, query := url.Values{}, url.Values{name: form[name]}
		for k, v := range form {
			if k != name {
				body[k] = v
			}
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+"/oauth/token?"+query.Encode(), strings.NewReader(body.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := idptest.Do(t, request); got.Status < 400 {
			t.Errorf("%s was taken from the query: %d", name, got.Status)
		}
		code = again(t, w, b, r)
		form.Set("code", code)
	}
}

func TestTheTokenEndpointTakesPOSTAlone(t *testing.T) {
	w := open(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		r, err := http.NewRequestWithContext(t.Context(), method, w.Issuer+"/oauth/token?grant_type=authorization_code&code=x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := idptest.Do(t, r); got.Status != http.StatusMethodNotAllowed || !strings.Contains(got.Header.Get("Allow"), "POST") {
			t.Errorf("%s: %d, Allow %q", method, got.Status, got.Header.Get("Allow"))
		}
	}
}

func TestADisabledClientGetsNothingWithinASecond(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, shop)
	r := shop.Request()
	code := again(t, w, b, r)
	if err := w.Site.Store.DisableClient(t.Context(), "shop", true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.Town.Clock.Advance(time.Second)
	if got := shop.Exchange(code, r); got.Status != 401 || got.Error != "invalid_client" {
		t.Errorf("the token endpoint: %d %s", got.Status, got.Body)
	}
	if p := b.Get(shop.Request().URL()); p.Code != "client_unknown" {
		t.Errorf("authorize: %d %s", p.Status, p.Code)
	}
}

func TestUserinfoTakesTheTokenFromTheHeaderAlone(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, shop)
	r := shop.Request()
	token := shop.Exchange(again(t, w, b, r), r).AccessToken
	for _, tc := range []struct {
		name, method, query, form, header string
		status                            int
		challenge                         string
	}{
		{"the header", "GET", "", "", "Bearer " + token, 200, ""},
		{"the header, in another case", "GET", "", "", "bearer " + token, 200, ""},
		{"the header of a POST", "POST", "", "", "Bearer " + token, 200, ""},
		{"the query", "GET", "?access_token=" + token, "", "", 401, `Bearer realm="tegata"`},
		{"a form", "POST", "", "access_token=" + token, "", 401, `Bearer realm="tegata"`},
		{"nothing", "GET", "", "", "", 401, `Bearer realm="tegata"`},
		{"another scheme", "GET", "", "", "Basic " + token, 401, `Bearer realm="tegata"`},
		{"a token that nobody issued", "GET", "", "", "Bearer " + strings.Repeat("A", 43), 401, `Bearer realm="tegata", error="invalid_token"`},
		{"a token that is none", "GET", "", "", "Bearer x", 401, `Bearer realm="tegata", error="invalid_token"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), tc.method, w.Issuer+"/userinfo"+tc.query, strings.NewReader(tc.form))
			if err != nil {
				t.Fatal(err)
			}
			if tc.form != "" {
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			if tc.header != "" {
				request.Header.Set("Authorization", tc.header)
			}
			got := idptest.Do(t, request)
			manual := `, resource_metadata="` + w.Issuer + `/.well-known/oauth-protected-resource/userinfo"`
			if got.Status != tc.status || strings.Replace(got.Header.Get("WWW-Authenticate"), manual, "", 1) != tc.challenge || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d, WWW-Authenticate %q, Cache-Control %q", got.Status, got.Header.Get("WWW-Authenticate"), got.Header.Get("Cache-Control"))
			}
		})
	}
	w.Town.Clock.Advance(5 * time.Minute)
	if got := shop.UserInfo(token); got.Status != 401 {
		t.Errorf("after five minutes: %d", got.Status)
	}
}
