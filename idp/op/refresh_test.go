package op_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/idptest"
)

const offlineScope = "openid age_over_18 offline_access"

var withRefresh = []string{"authorization_code", "refresh_token"}

// offlineTokens is a fresh login with a card at a client that may act while the person is away.
func offlineTokens(t *testing.T, w *idptest.World, rp *idptest.RP) (idptest.Answer, idptest.Request, *idptest.Browser) {
	t.Helper()
	b, r := w.NewBrowser(), rp.Request()
	a := rp.Exchange(w.Login(b, r, "taro").Get("code"), r)
	if a.Status != 200 || a.RefreshToken == "" {
		t.Fatalf("no refresh token: %d %s", a.Status, a.Error)
	}
	return a, r, b
}

func TestARefreshTokenRotatesAndAnOldOneKillsItsFamily(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		for _, method := range []string{clients.AuthBasic, clients.AuthNone, clients.AuthKey} {
			rp := w.Register(clients.Metadata{ClientID: "shop-" + strings.ReplaceAll(method, "_", "-"), AuthMethod: method, Scope: offlineScope, GrantTypes: withRefresh})
			first, _, _ := offlineTokens(t, w, rp)
			before := rp.UserInfo(first.AccessToken).Body
			w.Town.Clock.Advance(time.Hour)
			second := rp.Refresh(first.RefreshToken)
			if second.Status != 200 || second.RefreshToken == first.RefreshToken || second.AccessToken == "" || second.IDToken != "" ||
				second.Scope != offlineScope || second.TokenType != "Bearer" || second.ExpiresIn != 300 || second.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%s: %d %s", method, second.Status, second.Error)
			}
			if got := rp.UserInfo(second.AccessToken); got.Status != 200 || got.Body != before {
				t.Errorf("%s: userinfo says %d %s, before %s", method, got.Status, got.Body, before)
			}
			if got := rp.Refresh(first.RefreshToken); got.Status != 400 || got.Error != "invalid_grant" || got.AccessToken != "" {
				t.Errorf("%s: the old token: %d %s", method, got.Status, got.Error)
			}
			if got := rp.UserInfo(second.AccessToken); got.Status != 401 {
				t.Errorf("%s: the family's access token: %d", method, got.Status)
			}
			if got := rp.Refresh(second.RefreshToken); got.Error != "invalid_grant" {
				t.Errorf("%s: the family's last token: %d", method, got.Status)
			}
		}
		if log := w.Log.String(); !strings.Contains(log, "refresh_reuse") {
			t.Error("the log does not say that a token was stolen")
		}
	})
}

func TestOfTenRefreshesOneWinsAndTheFamilyDies(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
		first, _, _ := offlineTokens(t, w, shop)
		answers := make([]idptest.Answer, 10)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = shop.Refresh(first.RefreshToken) })
		}
		all.Wait()
		won := slices.DeleteFunc(answers, func(a idptest.Answer) bool { return a.Error == "invalid_grant" })
		if len(won) != 1 || shop.UserInfo(won[0].AccessToken).Status != 401 {
			t.Errorf("%d won", len(won))
		}
	})
}

func TestWhatRefreshingRefuses(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
	thief := w.Register(clients.Metadata{ClientID: "thief", Scope: offlineScope, GrantTypes: withRefresh})
	plain := w.Register(clients.Metadata{ClientID: "plain"})
	tokens, _, _ := offlineTokens(t, w, shop)
	family, _, _ := strings.Cut(tokens.RefreshToken, ".")
	refresh := func(token string, change func(url.Values, *[2]string)) idptest.Answer {
		return shop.Back("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, change)
	}
	for _, tc := range []struct {
		name   string
		got    idptest.Answer
		status int
		word   string
	}{
		{"another client's token", thief.Refresh(tokens.RefreshToken), 400, "invalid_grant"},
		{"another client's family with a half that is old or guessed", thief.Refresh(family + "." + strings.Repeat("A", 43)), 400, "invalid_grant"},
		{"a client that may not", plain.Refresh(tokens.RefreshToken), 400, "unauthorized_client"},
		{"a wrong secret", refresh(tokens.RefreshToken, func(_ url.Values, basic *[2]string) { basic[1] = "x" }), 401, "invalid_client"},
		{"a family that nobody has", shop.Refresh(strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)), 400, "invalid_grant"},
		{"half a token", shop.Refresh(family), 400, "invalid_grant"},
		{"an access token", shop.Refresh(tokens.AccessToken), 400, "invalid_grant"},
		{"no token", shop.Refresh(""), 400, "invalid_request"},
	} {
		if tc.got.Status != tc.status || tc.got.Error != tc.word || tc.got.AccessToken != "" {
			t.Errorf("%s: %d %s", tc.name, tc.got.Status, tc.got.Body)
		}
	}
	if got := shop.UserInfo(tokens.RefreshToken); got.Status != 401 {
		t.Errorf("a refresh token at userinfo: %d", got.Status)
	}
	if got := shop.Refresh(tokens.RefreshToken); got.Status != 200 {
		t.Errorf("after all that the rightful client gets %d", got.Status)
	}
}

// RFC 6749 section 6: less may be asked for and opens less; more may not, and costs nothing; the refresh token stays good for all.
func TestARefreshMayAskForLess(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name birthdate age_over_18 offline_access", GrantTypes: withRefresh})
		b, r := w.NewBrowser(), shop.Request("scope=openid name age_over_18 offline_access", `claims={"userinfo":{"birthdate":null}}`)
		tokens := shop.Exchange(w.Login(b, r, "taro").Get("code"), r)
		refresh := func(scope string) idptest.Answer {
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}}
			if scope != "" {
				form.Set("scope", scope)
			}
			return shop.Back("/oauth/token", form, nil)
		}
		for _, scope := range []string{"openid birthdate", "openid name age_over_18 offline_access gender", "openid bogus", "name"} {
			if got := refresh(scope); got.Status != 400 || got.Error != "invalid_scope" || got.RefreshToken != "" {
				t.Errorf("%s: %d %s", scope, got.Status, got.Body)
			}
		}
		for _, tc := range []struct{ scope, granted, opens string }{
			{"openid name", "openid name", "birthdate name name_substituted sub"},
			{"openid", "openid", "birthdate sub"},
			{"", "openid name age_over_18 offline_access", "age_over_18 birthdate name name_substituted sub"},
			{"offline_access age_over_18 openid", "openid age_over_18 offline_access", "age_over_18 birthdate sub"},
			{"offline_access age_over_18 name openid", "openid name age_over_18 offline_access", "age_over_18 birthdate name name_substituted sub"},
		} {
			tokens = refresh(tc.scope)
			if tokens.Status != 200 || tokens.Scope != tc.granted || members(t, introspect(shop, tokens.AccessToken).Body)["scope"] != tc.granted {
				t.Fatalf("%q: %d %s", tc.scope, tokens.Status, tokens.Body)
			}
			info := slices.Sorted(maps.Keys(members(t, shop.UserInfo(tokens.AccessToken).Body)))
			if got := strings.Join(info, " "); got != tc.opens && got != strings.ReplaceAll(tc.opens, " name_substituted", "") {
				t.Errorf("%q opens %s", tc.scope, got)
			}
		}
		thief := w.Register(clients.Metadata{ClientID: "thief", Scope: offlineScope, GrantTypes: withRefresh})
		if got := thief.Back("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}, "scope": {"openid name"}}, nil); got.Error != "invalid_grant" {
			t.Errorf("another client hears %s", got.Error)
		}
	})
}

func TestRefreshTokensDieOfAgeIdlenessRevocationAndWithTheirClient(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
	fresh := func() string { a, _, _ := offlineTokens(t, w, shop); return a.RefreshToken }
	idle := fresh()
	w.Town.Clock.Advance(idp.RefreshIdle)
	if got := shop.Refresh(idle); got.Error != "invalid_grant" {
		t.Errorf("after seven idle days: %d", got.Status)
	}
	old := fresh()
	for day := 6; day < 30; day += 6 {
		w.Town.Clock.Advance(6 * 24 * time.Hour)
		a := shop.Refresh(old)
		if a.Status != 200 {
			t.Fatalf("on day %d: %d %s", day, a.Status, a.Body)
		}
		old = a.RefreshToken
	}
	w.Town.Clock.Advance(6 * 24 * time.Hour)
	if got := shop.Refresh(old); got.Error != "invalid_grant" {
		t.Errorf("after thirty days: %d", got.Status)
	}
	ended := offlineAccess(t, w, shop)
	if got := shop.Back(revokePath, url.Values{"token": {ended.RefreshToken}}, nil); got.Status != 200 {
		t.Errorf("revocation: %d", got.Status)
	}
	if shop.Refresh(ended.RefreshToken).Error != "invalid_grant" || shop.UserInfo(ended.AccessToken).Status != 401 {
		t.Error("a revoked family lives")
	}
	byAccess := offlineAccess(t, w, shop)
	shop.Back(revokePath, url.Values{"token": {byAccess.AccessToken}}, nil)
	if shop.Refresh(byAccess.RefreshToken).Error != "invalid_grant" {
		t.Error("the refresh token of a revoked access token lives")
	}
	off := fresh()
	for _, disabled := range []bool{true, false} {
		if err := w.Site.Store.DisableClient(t.Context(), "shop", disabled, w.Town.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		w.Town.Clock.Advance(time.Second)
		if got := shop.Refresh(off); got.Status < 400 {
			t.Errorf("disabled %v: %d", disabled, got.Status)
		}
	}
}

func offlineAccess(t *testing.T, w *idptest.World, rp *idptest.RP) idptest.Answer {
	t.Helper()
	a, _, _ := offlineTokens(t, w, rp)
	return a
}

func TestOfflineUseIsShownOnceAndOutlivesTheSession(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
	plain := w.Register(clients.Metadata{ClientID: "plain"})
	const sentence = "いま渡す内容をサイトがもう一度受け取れます"
	b, r := w.NewBrowser(), shop.Request("scope=openid age_over_18")
	page := w.Present(b, r, "taro")
	if strings.Contains(page.Body, sentence) {
		t.Error("offline use is shown where nobody asks for it")
	}
	if got := shop.Exchange(w.Answered(b.Submit(page.Form("/consent"), "decision=allow"), r).Get("code"), r); got.Status != 200 || got.RefreshToken != "" {
		t.Errorf("a refresh token that nobody asked for: %d", got.Status)
	}
	r = shop.Request() // everything else is agreed to
	if got := w.Answered(b.Get(shop.Request("prompt=none").URL()), r).Get("error"); got != "consent_required" {
		t.Errorf("prompt=none before consent: %s", got)
	}
	page = b.Get(r.URL())
	if !strings.Contains(page.Body, sentence) {
		t.Fatalf("offline use is not shown: %d %s", page.Status, page.Code)
	}
	tokens := shop.Exchange(w.Answered(b.Submit(page.Form("/consent"), "decision=allow"), r).Get("code"), r)
	r = shop.Request()
	if p := b.Get(r.URL()); p.Away == nil {
		t.Error("the person is asked again")
	}
	session := tokensOf(t, w, b, plain)
	b.Get(bye("id_token_hint", session.IDToken))
	if got := plain.UserInfo(session.AccessToken); got.Status != 401 {
		t.Errorf("an access token outlives its session: %d", got.Status)
	}
	if got := shop.Refresh(tokens.RefreshToken); got.Status != 200 {
		t.Errorf("after logout: %d %s", got.Status, got.Body)
	}
	r = plain.Request("scope=" + offlineScope) // ignored where it is not registered (OIDC Core 11)
	if got := plain.Exchange(w.Login(w.NewBrowser(), r, "taro").Get("code"), r); got.Status != 200 || got.RefreshToken != "" || strings.Contains(got.Scope, "offline") {
		t.Errorf("a client that may not: %d %s", got.Status, got.Scope)
	}
}

// The next certificate of the same holder binds the next tokens; without one there are none.
func TestARefreshGoesOnWithTheNextCertificate(t *testing.T) {
	w := open(t)
	old, _ := issue(t, w, "bank", false, nil)
	next, _ := issue(t, w, "bank", false, nil)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthTLS, TLSSANDNS: "bank.example", TLSBound: true, Scope: offlineScope, GrantTypes: withRefresh})
	bank.Headers = told(old)
	tokens, _, _ := offlineTokens(t, w, bank)
	bank.Headers = nil
	if got := bank.Refresh(tokens.RefreshToken); got.Status != http.StatusUnauthorized || got.Error != "invalid_client" {
		t.Errorf("without a certificate: %d %s", got.Status, got.Body)
	}
	bank.Headers = told(next)
	got := bank.Refresh(tokens.RefreshToken)
	if got.Status != 200 || bank.UserInfo(got.AccessToken).Status != 200 {
		t.Errorf("with the next one: %d %s", got.Status, got.Body)
	}
	for name, headers := range map[string]map[string]string{"none": nil, "the old one": told(old)} {
		bank.Headers = headers
		if got := bank.UserInfo(got.AccessToken); got.Status != 401 {
			t.Errorf("userinfo with %s: %d", name, got.Status)
		}
	}
}

// An app has no credentials but its certificate (RFC 8705 section 4).
func TestTheRefreshTokensOfAPublicClientAreBoundToItsCertificate(t *testing.T) {
	w := open(t)
	right, _ := issue(t, w, "app", false, nil)
	other, _ := issue(t, w, "app", false, nil)
	app := w.Register(clients.Metadata{ClientID: "app", AuthMethod: clients.AuthNone, TLSBound: true, Scope: offlineScope, GrantTypes: withRefresh})
	app.Headers = told(right)
	tokens, _, _ := offlineTokens(t, w, app)
	app.Headers = told(other)
	if got := app.Refresh(tokens.RefreshToken); got.Status != http.StatusBadRequest || got.Error != "invalid_grant" {
		t.Errorf("with another certificate: %d %s", got.Status, got.Body)
	}
	app.Headers = told(right)
	if got := app.Refresh(tokens.RefreshToken); got.Status != 200 || app.UserInfo(got.AccessToken).Status != 200 {
		t.Errorf("with the right one: %d %s", got.Status, got.Body)
	}
}
