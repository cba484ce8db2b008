package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

func TestAPushedRequestIsAnsweredOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey, RequirePAR: true})
		pushed, r := bank.Push(bank.Request("max_age=600"))
		if pushed.Status != http.StatusCreated || pushed.ExpiresIn != 90 || pushed.Header.Get("Cache-Control") != "no-store" ||
			len(pushed.RequestURI) < len("urn:ietf:params:oauth:request_uri:")+43 {
			t.Fatalf("%d %s", pushed.Status, pushed.Body)
		}
		b, other := w.NewBrowser(), w.NewBrowser()
		for range 2 { // a reload
			if p := b.Get(r.URL()); p.Form("/start").Action == "" {
				t.Fatalf("%d %s", p.Status, p.Code)
			}
		}
		second := w.Approach(other, r) // the link in another browser, before the first has finished
		tokens := bank.Exchange(w.Login(b, r, "taro").Get("code"), r)
		if got := bank.Claims(tokens, r); got["auth_time"] == nil {
			t.Errorf("max_age was not pushed: %v", got)
		}
		if p := b.Get(r.URL()); p.Code != "already_used" {
			t.Errorf("after the answer: %d %s", p.Status, p.Code)
		}
		code, err := w.UseCard(second.Launch, "hanako")
		if err != nil {
			t.Fatal(err)
		}
		p := other.Get("/login/return/" + code)
		if f := p.Form("/consent"); f.Action != "" {
			p = other.Submit(f, "decision=allow")
		}
		if p.Away != nil || p.Code != "already_used" {
			t.Errorf("a second answer: %v %s", p.Away, p.Code)
		}
	})
}

func TestASessionAnswersAPushedRequestOnce(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	b := signedIn(t, w, bank)
	_, r := bank.Push(bank.Request())
	if code := again(t, w, b, r); bank.Exchange(code, r).Status != 200 {
		t.Error("no tokens")
	}
	if p := b.Get(r.URL()); p.Code != "already_used" {
		t.Errorf("%d %s", p.Status, p.Code)
	}
}

func TestWhichRequestURIsAreRefused(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	_, good := bank.Push(bank.Request())
	with := func(changes ...string) idptest.Request {
		r := good
		r.Params = url.Values{"client_id": {"bank"}, "request_uri": good.Params["request_uri"]}
		for _, c := range changes {
			name, value, _ := strings.Cut(c, "=")
			r.Params.Set(name, value)
		}
		return r
	}
	for _, tc := range []struct {
		name string
		r    idptest.Request
		code string
	}{
		{"another client's", with("client_id=shop"), "request_uri_invalid"},
		{"one that nobody got", with("request_uri=urn:ietf:params:oauth:request_uri:" + strings.Repeat("A", 43)), "request_uri_invalid"},
		{"one that is none", with("request_uri=urn:ietf:params:oauth:request_uri:x"), "request_uri_invalid"},
		{"an address elsewhere", with("request_uri=https://bank.example/request"), "request_uri_not_supported"},
		{"an empty one", with("request_uri="), "request_uri_not_supported"},
		{"one with a request object beside", with("request=x"), "request_invalid"},
	} {
		if p := b.Get(tc.r.URL()); p.Code != tc.code || p.Away != nil {
			t.Errorf("%s: %d %s, away %v", tc.name, p.Status, p.Code, p.Away)
		}
	}
	elsewhere := shop.Request("request_uri=https://shop.example/request")
	if got := w.Answered(b.Get(elsewhere.URL()), elsewhere); got.Get("error") != "request_uri_not_supported" || got.Get("state") != elsewhere.State {
		t.Errorf("an address elsewhere, beside a registered redirect URI: %v", got)
	}
	if p := b.Get(with("redirect_uri=https://evil.example/cb", "state=x").URL()); p.Form("/start").Action == "" {
		t.Errorf("parameters beside it are not read: %d %s", p.Status, p.Code)
	}
	w.Town.Clock.Advance(90 * time.Second)
	if p := b.Get(good.URL()); p.Code != "request_uri_invalid" {
		t.Errorf("after 90 s: %d %s", p.Status, p.Code)
	}
}

func TestAClientThatHasToPush(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey, RequirePAR: true})
	r := bank.Request()
	if got := w.Answered(w.NewBrowser().Get(r.URL()), r); got.Get("error") != "invalid_request" || got.Get("iss") != w.Issuer {
		t.Errorf("through the browser: %v", got)
	}
	inside := bank.Object(bank.Request(), nil)
	if p := w.NewBrowser().Get(inside.URL()); p.Code != "par_required" {
		t.Errorf("signed, through the browser: %d %s", p.Status, p.Code)
	}
}

func TestWhatCannotBePushed(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthKey})
	type change = func(form url.Values, basic *[2]string)
	field := func(name, value string) change { return func(f url.Values, _ *[2]string) { f.Set(name, value) } }
	for _, tc := range []struct {
		name   string
		rp     *idptest.RP
		change change
		status int
		word   string
	}{
		{"by nobody", shop, func(f url.Values, basic *[2]string) { basic[0] = ""; f.Del("client_id") }, 401, "invalid_client"},
		{"without credentials", shop, func(_ url.Values, basic *[2]string) { basic[0] = "" }, 401, "invalid_client"},
		{"with a wrong secret", shop, func(_ url.Values, basic *[2]string) { basic[1] += "x" }, 401, "invalid_client"},
		{"for another client", shop, field("client_id", "bank"), 401, "invalid_client"},
		{"with the assertion for another endpoint", bank, onceAsserted(bank, func(c map[string]any) { c["aud"] = w.Issuer + "/userinfo" }), 401, "invalid_client"},
		{"a request_uri", shop, field("request_uri", "urn:ietf:params:oauth:request_uri:x"), 400, "invalid_request"},
		{"to an address that is not registered", shop, field("redirect_uri", "https://shop.example/other"), 400, "invalid_request"},
		{"the implicit flow", shop, field("response_type", "token"), 400, "unsupported_response_type"},
		{"plain PKCE", shop, field("code_challenge_method", "plain"), 400, "invalid_request"},
		{"a scope beyond the registration", shop, field("scope", "openid name"), 400, "invalid_scope"},
		{"a parameter twice", shop, func(f url.Values, _ *[2]string) { f.Add("scope", "openid") }, 400, "invalid_request"},
		{"an unsigned object", shop, field("request", "e30.e30."), 400, "invalid_request_object"},
	} {
		if got := tc.rp.PushWith(tc.rp.Request(), tc.change); got.Status != tc.status || got.Error != tc.word || got.RequestURI != "" {
			t.Errorf("%s: %d %s", tc.name, got.Status, got.Body)
		}
	}
	for _, aud := range []string{"/par", "/oauth/token", ""} { // RFC 9126 section 2
		if got := bank.PushWith(bank.Request(), onceAsserted(bank, func(c map[string]any) { c["aud"] = w.Issuer + aud })); got.Status != 201 {
			t.Errorf("addressed to %q: %d %s", aud, got.Status, got.Body)
		}
	}
	if got := get(t, w.Issuer+"/par"); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.Status)
	}
}

func TestSignedRequests(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", RequireSignedRequest: true, RequestAlg: "ES256"})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	now := w.Town.Clock.Now()
	b := w.NewBrowser()
	good := bank.Object(bank.Request("max_age=600", "ui_locales=en"), func(c map[string]any) { c["max_age"] = 600 })
	good.Params.Set("redirect_uri", "https://evil.example/cb") // outside: not read
	good.Params.Set("scope", "openid name")
	tokens := bank.Exchange(w.Login(b, good, "taro").Get("code"), good)
	if got := bank.Claims(tokens, good); got["auth_time"] == nil {
		t.Errorf("max_age is not honoured: %v", got)
	}
	if _, r := bank.Push(bank.Object(bank.Request(), nil)); bank.Exchange(again(t, w, b, r), r).Status != 200 {
		t.Error("a signed request that was pushed")
	}
	type claims = map[string]any
	set := func(name string, value any) func(claims) { return func(c claims) { c[name] = value } }
	for name, change := range map[string]func(claims){
		"without an end":             func(c claims) { delete(c, "exp") },
		"that is over":               set("exp", now.Unix()-60),
		"that lives for ever":        set("exp", now.Unix()+3660),
		"that is not yet":            set("nbf", now.Unix()+120),
		"of the future":              set("iat", now.Unix()+120),
		"for another":                set("aud", "https://evil.example"),
		"for nobody":                 func(c claims) { delete(c, "aud") },
		"of another":                 set("iss", "shop"),
		"of nobody":                  func(c claims) { delete(c, "iss") },
		"with another client":        set("client_id", "shop"),
		"that could be an assertion": set("sub", "bank"),
		"with another inside":        set("request", "x"),
		"that points elsewhere":      set("request_uri", "https://bank.example/r"),
	} {
		r := bank.Object(bank.Request(), change)
		if p := b.Get(r.URL()); p.Code != "request_object_invalid" || p.Away != nil {
			t.Errorf("%s: %d %s %v", name, p.Status, p.Code, p.Away)
		}
	}
	forged := *bank
	forged.Key = shop.Key
	for name, compact := range map[string]string{
		"a stranger's":   forged.Object(bank.Request(), nil).Params.Get("request"),
		"an assertion":   bank.Assertion(func(c claims) { c["scope"] = "openid" }),
		"a null":         "eyJhbGciOiJFUzI1NiJ9.bnVsbA.AAAA",
		"unsigned":       "eyJhbGciOiJub25lIn0.e30.",
		"nothing at all": "",
	} {
		r := bank.Request("request=" + compact) // with a registered redirect URI beside, the relying party hears of it
		if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "invalid_request_object" || got.Get("state") != r.State {
			t.Errorf("%s: %v", name, got)
		}
	}
	plain := bank.Request()
	if got := w.Answered(b.Get(plain.URL()), plain); got.Get("error") != "invalid_request" {
		t.Errorf("unsigned, from a client that signs: %v", got)
	}
	evil := bank.Object(bank.Request("redirect_uri=https://evil.example/cb"), nil)
	if p := b.Get(evil.URL()); p.Code != "redirect_uri_mismatch" || p.Away != nil {
		t.Errorf("signed, to an address that is not registered: %s %v", p.Code, p.Away)
	}
}

func TestSignedAnswers(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", ResponseAlg: "RS256"})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := signedIn(t, w, bank)
	w.Answer(b, shop.Request())
	for _, mode := range []string{"jwt", "query.jwt", "fragment.jwt", "form_post.jwt"} {
		for rp, alg := range map[*idptest.RP]string{bank: "RS256", shop: "ES256"} {
			r := rp.Request("response_mode=" + mode)
			got := w.Answered(b.Get(r.URL()), r)
			if got.Get("alg") != alg || got.Get("state") != r.State || rp.Exchange(got.Get("code"), r).Status != 200 {
				t.Errorf("%s: %v", mode, got)
			}
			r = rp.Request("response_mode="+mode, "scope=openid name")
			if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "invalid_scope" || got.Get("state") != r.State || got.Has("code") {
				t.Errorf("an error by %s: %v", mode, got)
			}
		}
	}
	r := shop.Request("response_mode=jwt", "prompt=none")
	if got := w.Answered(w.NewBrowser().Get(r.URL()), r); got.Get("error") != "login_required" {
		t.Errorf("nobody is there: %v", got)
	}
	for _, mode := range []string{"jwt.jwt", ".jwt", "web_message.jwt", "JWT"} {
		r := shop.Request("response_mode=" + mode)
		r.Params.Set("response_mode", mode)
		p := b.Get(r.URL())
		if p.Away == nil || p.Away.Query().Get("error") != "invalid_request" {
			t.Errorf("%s: %v %s", mode, p.Away, p.Code)
		}
	}
}
