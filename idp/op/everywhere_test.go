package op_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/idp/op"
)

// TestEveryAnswerNamesItsIssuer: iss stands in each authorization response, whatever it says and however it travels
// (RFC 9207 section 2).
func TestEveryAnswerNamesItsIssuer(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_18 gender"})
	b := signedIn(t, w, shop)
	w.Town.Clock.Advance(time.Second)
	silent := func(b *idptest.Browser, r idptest.Request) idptest.Page { return b.Get(r.URL()) }
	ways := []struct {
		name, word string // "" is a code
		changes    []string
		walk       func(b *idptest.Browser, r idptest.Request) idptest.Page
	}{
		{"a session", "", nil, silent},
		{"a login", "", nil, func(_ *idptest.Browser, r idptest.Request) idptest.Page {
			return w.Present(w.NewBrowser(), r, "taro")
		}},
		{"a no", "access_denied", []string{"prompt=consent"}, func(_ *idptest.Browser, r idptest.Request) idptest.Page {
			fresh := w.NewBrowser()
			return fresh.Submit(w.Present(fresh, r, "taro").Form("/consent"), "decision=deny")
		}},
		{"a login broken off", "access_denied", nil, func(_ *idptest.Browser, r idptest.Request) idptest.Page {
			fresh := w.NewBrowser()
			return fresh.Submit(w.Approach(fresh, r).Form("/cancel"))
		}},
		{"nobody there", "login_required", []string{"prompt=none"}, func(_ *idptest.Browser, r idptest.Request) idptest.Page { return silent(w.NewBrowser(), r) }},
		{"a login too old", "login_required", []string{"prompt=none", "max_age=0"}, silent},
		{"something to agree to", "consent_required", []string{"prompt=none", "scope=openid age_over_20"}, silent},
		{"no response type", "invalid_request", []string{"response_type"}, silent},
		{"another response type", "unsupported_response_type", []string{"response_type=token"}, silent},
		{"another scope", "invalid_scope", []string{"scope=openid name"}, silent},
		{"no PKCE", "invalid_request", []string{"code_challenge"}, silent},
		{"a request object by reference", "request_uri_not_supported", []string{"request_uri=https://shop.example/r"}, silent},
		{"a request object that is none", "invalid_request_object", []string{"request=x"}, silent},
		{"two prompts at odds", "invalid_request", []string{"prompt=none login"}, silent},
	}
	answers := 0
	for _, mode := range append(slices.Clone(op.ResponseModes), "") {
		for _, way := range ways {
			r := shop.Request(append([]string{"response_mode=" + mode}, way.changes...)...)
			answer := w.Answered(way.walk(b, r), r)
			if !slices.Equal(answer["iss"], []string{w.Issuer}) || answer.Get("error") != way.word || answer.Has("code") != (way.word == "") {
				t.Errorf("%s, mode %q: %v", way.name, mode, answer)
			}
			answers++
		}
	}
	t.Logf("iss in %d of %d answers", answers, answers)
}

// TestPKCEHoldsForEveryKindOfClient: no way of authentication makes a verifier unnecessary, and none brings plain back.
func TestPKCEHoldsForEveryKindOfClient(t *testing.T) {
	w := open(t)
	der, set := issue(t, w, "selfsigned", true, nil)
	kinds := map[string]clients.Metadata{
		"basic": {}, "post": {AuthMethod: clients.AuthPost}, "public": {AuthMethod: clients.AuthNone}, "key": {AuthMethod: clients.AuthKey},
		"native": {AuthMethod: clients.AuthNone, ApplicationType: "native", RedirectURIs: []string{"https://native.example/cb"}},
		"pushed": {AuthMethod: clients.AuthKey, RequirePAR: true, DPoPBound: false}, "selfsigned": {AuthMethod: clients.AuthSelfSigned, JWKS: set},
	}
	for name, m := range kinds {
		t.Run(name, func(t *testing.T) {
			m.ClientID = name
			rp := w.Register(m)
			if m.AuthMethod == clients.AuthSelfSigned {
				rp.Headers = told(der)
			}
			asked := func(changes ...string) idptest.Request {
				r := rp.Request(changes...)
				if m.RequirePAR {
					_, r = rp.Push(r)
				}
				return r
			}
			b := w.NewBrowser()
			first := asked()
			if answer := w.Login(b, first, "taro"); !answer.Has("code") {
				t.Fatalf("the answer is %v", answer)
			}
			for _, change := range []string{"code_challenge_method=plain", "code_challenge_method", "code_challenge", "code_challenge_method=S512"} {
				refusesToAsk(t, w, b, rp, change, m.RequirePAR)
			}
			for what, change := range map[string]func(url.Values, idptest.Request){
				"another verifier": func(f url.Values, _ idptest.Request) { f.Set("code_verifier", strings.Repeat("v", 43)) },
				"no verifier":      func(f url.Values, _ idptest.Request) { f.Del("code_verifier") },
				"an empty one":     func(f url.Values, _ idptest.Request) { f.Set("code_verifier", "") },
				"the challenge":    func(f url.Values, r idptest.Request) { f.Set("code_verifier", idptest.Challenge(r.Verifier)) },
			} {
				r := asked()
				code := again(t, w, b, r)
				if got := rp.Token(code, r, func(f url.Values, _ *[2]string) { change(f, r) }); got.Status != 400 || got.Error != "invalid_grant" || got.AccessToken != "" {
					t.Errorf("%s: %d %s", what, got.Status, got.Body)
				}
			}
			r := asked()
			if got := rp.Exchange(again(t, w, b, r), r); got.Status != 200 {
				t.Errorf("the right verifier: %d %s", got.Status, got.Body)
			}
		})
	}
}

// refusesToAsk: a request without S256 gets no code, neither pushed nor in the browser.
func refusesToAsk(t *testing.T, w *idptest.World, b *idptest.Browser, rp *idptest.RP, change string, push bool) {
	t.Helper()
	r := rp.Request(change)
	if push {
		if got, _ := rp.Push(r); got.Status != 400 || got.Error != "invalid_request" {
			t.Errorf("%s: %d %s", change, got.Status, got.Body)
		}
		return
	}
	if answer := w.Answered(b.Get(r.URL()), r); answer.Get("error") != "invalid_request" || answer.Has("code") {
		t.Errorf("%s: %v", change, answer)
	}
}
