package op_test

import (
	"strings"
	"testing"
	"time"

	"tegata/cmd/provider"
	"tegata/idp/clients"
)

// Where the operator wants nonces, a client learns the nonce from the refusal and tries again (RFC 9449 sections 8 and 9).
func TestProofsRepeatTheNonceThatTheOperatorWants(t *testing.T) {
	w := decided(t, func(o *provider.Options) { o.DPoPNonces = true })
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, mine := signedIn(t, w, shop), newProver(t, w)
	with := func(method, path, token, nonce string) map[string]string {
		spoil := map[string]any{}
		if nonce != "" {
			spoil["nonce"] = nonce
		}
		return map[string]string{"DPoP": mine.proof(method, path, token, spoil)}
	}
	r := shop.Request()
	code := w.Answer(b, r).Get("code")
	shop.Headers = with("POST", "/oauth/token", "", "")
	refused := shop.Exchange(code, r)
	nonce := refused.Header.Get("DPoP-Nonce")
	if refused.Status != 400 || refused.Error != "use_dpop_nonce" || nonce == "" || refused.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("without a nonce: %d %s, DPoP-Nonce %q", refused.Status, refused.Body, nonce)
	}
	shop.Headers = with("POST", "/oauth/token", "", "made-up")
	if got := shop.Exchange(code, r); got.Error != "use_dpop_nonce" {
		t.Errorf("a nonce of nobody: %d %s", got.Status, got.Body)
	}
	shop.Headers = with("POST", "/oauth/token", "", nonce)
	tokens := shop.Exchange(code, r) // the code was not spent by the refusals
	if tokens.Status != 200 || tokens.Header.Get("DPoP-Nonce") != nonce {
		t.Fatalf("with the nonce: %d %s", tokens.Status, tokens.Body)
	}
	shop.Headers = nil

	token := tokens.AccessToken
	got := mine.userInfo(shop, token, nil)
	if got.Status != 401 || got.Error != "use_dpop_nonce" || !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="use_dpop_nonce"`) || got.Header.Get("DPoP-Nonce") != nonce {
		t.Errorf("userinfo without one: %d %s %v", got.Status, got.Body, got.Header)
	}
	if got := mine.userInfo(shop, token, with("GET", "/userinfo", token, nonce)); got.Status != 200 {
		t.Errorf("userinfo with it: %d %s", got.Status, got.Body)
	}
	w.Town.Clock.Advance(2 * time.Minute)
	if got := mine.userInfo(shop, token, with("GET", "/userinfo", token, nonce)); got.Error != "use_dpop_nonce" || got.Header.Get("DPoP-Nonce") == nonce {
		t.Errorf("two minutes later: %d %s", got.Status, got.Body)
	}
	shop.Headers = with("POST", "/par", "", "")
	if got, _ := shop.Push(shop.Request()); got.Status != 400 || got.Error != "use_dpop_nonce" || got.Header.Get("DPoP-Nonce") == "" {
		t.Errorf("a pushed request without one: %d %s", got.Status, got.Body)
	}
	shop.Headers = nil
	if got := shop.Exchange(w.Answer(b, r).Get("code"), r); got.Status != 200 || got.Header.Get("DPoP-Nonce") != "" {
		t.Errorf("who sends no proof needs no nonce: %d %s", got.Status, got.Body)
	}
}
