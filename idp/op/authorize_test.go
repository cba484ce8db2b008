package op_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

func TestErrorsStayHereWhileTheRedirectURIIsNotTrusted(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", RedirectURIs: []string{"https://shop.example/cb", "http://127.0.0.1/cb"}, ApplicationType: "native"})
	gone := w.Register(clients.Metadata{ClientID: "gone"})
	if err := w.Site.Store.DisableClient(t.Context(), "gone", true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	twice := func(name string) idptest.Request {
		r := shop.Request()
		r.Params.Add(name, r.Params.Get(name))
		return r
	}
	for _, tc := range []struct {
		name, code string
		request    idptest.Request
	}{
		{"an unknown client", "client_unknown", shop.Request("client_id=nobody")},
		{"no client", "client_unknown", shop.Request("client_id")},
		{"a client with a zero byte", "request_invalid", shop.Request("client_id=shop\x00")},
		{"a disabled client", "client_unknown", gone.Request()},
		{"no redirect URI", "redirect_uri_mismatch", shop.Request("redirect_uri")},
		{"another host", "redirect_uri_mismatch", shop.Request("redirect_uri=https://evil.example/cb")},
		{"another case", "redirect_uri_mismatch", shop.Request("redirect_uri=https://shop.example/CB")},
		{"one slash more", "redirect_uri_mismatch", shop.Request("redirect_uri=https://shop.example/cb/")},
		{"a query more", "redirect_uri_mismatch", shop.Request("redirect_uri=https://shop.example/cb?x=1")},
		{"a user in front", "redirect_uri_mismatch", shop.Request("redirect_uri=https://shop.example@evil.example/cb")},
		{"another client's", "redirect_uri_mismatch", shop.Request("redirect_uri=https://gone.example/cb")},
		{"two clients", "request_invalid", twice("client_id")},
		{"two redirect URIs", "request_invalid", twice("redirect_uri")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := w.NewBrowser().Get(tc.request.URL())
			if p.Away != nil || p.Code != tc.code || p.Status != 400 {
				t.Errorf("%d %s, away %v; want the page %s", p.Status, p.Code, p.Away, tc.code)
			}
			if b := strings.ToLower(p.Body); strings.Contains(b, "evil.example") {
				t.Error("the page links to a stranger")
			}
		})
	}
}

func TestErrorsGoToTheTrustedRedirectURI(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", RedirectURIs: []string{"https://shop.example/cb?tenant=a%20b"}})
	twice := func(name string) idptest.Request {
		r := shop.Request()
		r.Params.Add(name, "x")
		return r
	}
	for _, tc := range []struct {
		name, want string
		request    idptest.Request
	}{
		{"no response type", "invalid_request", shop.Request("response_type")},
		{"a token in the front channel", "unsupported_response_type", shop.Request("response_type=id_token")},
		{"a hybrid", "unsupported_response_type", shop.Request("response_type=code id_token")},
		{"an unknown response mode", "invalid_request", shop.Request("response_mode=web_message")},
		{"no PKCE", "invalid_request", shop.Request("code_challenge", "code_challenge_method")},
		{"plain PKCE", "invalid_request", shop.Request("code_challenge_method=plain")},
		{"PKCE without a method, which would mean plain", "invalid_request", shop.Request("code_challenge_method")},
		{"a challenge of the wrong form", "invalid_request", shop.Request("code_challenge=short")},
		{"no openid", "invalid_scope", shop.Request("scope=age_over_18")},
		{"a scope outside the registration", "invalid_scope", shop.Request("scope=openid name")},
		{"a request object without a signature", "invalid_request_object", shop.Request("request=e30.e30.")},
		{"a request object by reference", "request_uri_not_supported", shop.Request("request_uri=https://shop.example/r")},
		{"a prompt that nobody knows", "invalid_request", shop.Request("prompt=create")},
		{"none and another prompt", "invalid_request", shop.Request("prompt=none login")},
		{"a max_age of letters", "invalid_request", shop.Request("max_age=soon")},
		{"a negative max_age", "invalid_request", shop.Request("max_age=-1")},
		{"nobody is logged in", "login_required", shop.Request("prompt=none")},
		{"two scopes parameters", "invalid_request", twice("scope")},
		{"two nonces", "invalid_request", twice("nonce")},
		{"two challenges", "invalid_request", twice("code_challenge")},
		{"two response types", "invalid_request", twice("response_type")},
		{"a nonce with a zero byte", "invalid_request", shop.Request("nonce=a\x00")},
		{"a scope with a zero byte", "invalid_request", shop.Request("scope=openid \x00")},
		{"a ui_locales with a zero byte", "invalid_request", shop.Request("ui_locales=ja\x00")},
		{"a nonce that is no UTF-8", "invalid_request", shop.Request("nonce=a\xff")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := w.NewBrowser()
			answer := w.Answered(b.Get(tc.request.URL()), tc.request)
			if answer.Get("error") != tc.want || answer.Get("state") != tc.request.State || answer.Get("iss") != w.Issuer || answer.Has("code") {
				t.Errorf("the answer is %v, want %s", answer, tc.want)
			}
			if n := len(b.Hops); n != 1 || b.Hops[0].Status != http.StatusSeeOther {
				t.Errorf("%d answers, the first %d", n, b.Hops[0].Status)
			}
		})
	}
}

func TestAStateThatNoFormCanCarryIsRefusedWithoutIt(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for _, state := range []string{"a\r\nb", "a\x00b", "tab\tbed", "\xff\xfe", strings.Repeat("s", 2049)} {
		r := shop.Request("state=" + state)
		answer := w.Answered(w.NewBrowser().Get(r.URL()), r)
		if answer.Get("error") != "invalid_request" || answer.Has("state") {
			t.Errorf("%.20q: %v", state, answer)
		}
	}
	r := shop.Request()
	r.Params.Add("state", "second")
	if answer := w.Answered(w.NewBrowser().Get(r.URL()), r); answer.Get("error") != "invalid_request" || answer.Has("state") {
		t.Errorf("two states: %v", answer)
	}
}

var hostile = []string{
	"", "plain", `"><script>alert(1)</script>`, "a&code=stolen&iss=evil", "#fragment?query=1", "100%25 +plus %2B", "'; --", "\u72b6\u614b\u3000\U0001F3AB",
	"{{.}} ${x} $(id)", "</form><form action=//evil.example>", "a=b;c=d", strings.Repeat("x", 2048),
}

func TestStateRoundTripsExactlyInEveryResponseMode(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	w.Login(b, shop.Request(), "taro") // from now on the session answers at once
	for _, mode := range []string{"", "query", "fragment", "form_post"} {
		for _, state := range hostile {
			for _, prompt := range []string{"", "prompt=create"} { // success and error
				r := shop.Request("response_mode="+mode, "state="+state, prompt)
				answer := w.Answered(b.Get(r.URL()), r)
				if got, had := answer["state"]; had != (state != "") || had && !slices.Equal(got, []string{state}) {
					t.Errorf("%q in mode %q came back as %q", state, mode, got)
				}
				if !slices.Equal(answer["iss"], []string{w.Issuer}) || answer.Has("code") == answer.Has("error") || len(answer["code"]) > 1 {
					t.Errorf("%q in mode %q: the answer is %v", state, mode, answer)
				}
			}
		}
	}
}

func TestARedirectURIKeepsItsOwnQuery(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", RedirectURIs: []string{"https://shop.example/cb?tenant=a%20b&x"}})
	r := shop.Request()
	p := w.Present(w.NewBrowser(), r, "taro")
	if p.Away != nil {
		t.Fatal("nobody was asked")
	}
	b := w.Browsers()[0]
	done := b.Submit(p.Form("/consent"), "decision=allow")
	if !strings.HasPrefix(done.Away.String(), "https://shop.example/cb?tenant=a%20b&x&code=") {
		t.Errorf("the answer goes to %s", done.Away)
	}
}

func TestAnAuthorizationRequestMayBePosted(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	r := shop.Request()
	b := w.NewBrowser()
	p := b.CrossPost("/authorize", r.Params) // from the relying party's page, as OIDC Core 3.1.2.1 has it
	if p.Form("/start").Action == "" {
		t.Fatalf("no login page: %d %s", p.Status, p.Code)
	}
	for _, h := range b.Hops[:1] {
		if h.Status != http.StatusSeeOther {
			t.Errorf("the form was answered with %d", h.Status)
		}
	}
	// What is in the query of a POST is not the request.
	mixed := w.NewBrowser().CrossPost("/authorize?"+r.Params.Encode(), url.Values{})
	if mixed.Code != "client_unknown" {
		t.Errorf("a POST was read from its query: %d %s", mixed.Status, mixed.Code)
	}
}

func TestEveryRedirectOfALoginIsA303(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", PostLogoutRedirectURIs: []string{"https://shop.example/bye"}})
	for _, persona := range []string{"taro", "jiro17"} {
		b, r := w.NewBrowser(), shop.Request()
		tokens := shop.Exchange(w.Login(b, r, persona).Get("code"), r)
		b.Get(shop.Request("prompt=none").URL())
		b.Get("/end_session?id_token_hint=" + tokens.IDToken + "&post_logout_redirect_uri=" + url.QueryEscape("https://shop.example/bye"))
		cancel := b.Get(shop.Request("prompt=login").URL())
		b.Submit(cancel.Form("/cancel"))
		redirects := 0
		for _, h := range b.Hops {
			if h.Status >= 300 && h.Status < 400 {
				redirects++
				if h.Status != http.StatusSeeOther || h.Header.Get("Cache-Control") != "no-store" || h.Header.Get("Referrer-Policy") != "no-referrer" {
					t.Errorf("%s %s: %d, Cache-Control %q, Referrer-Policy %q", h.Method, h.URL, h.Status, h.Header.Get("Cache-Control"), h.Header.Get("Referrer-Policy"))
				}
			}
		}
		if redirects < 7 {
			t.Errorf("only %d redirects were seen", redirects)
		}
	}
}
