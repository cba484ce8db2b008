package op_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/idptest"
)

const introspectPath = "/oauth/introspect"

func introspect(rp *idptest.RP, token string) idptest.Answer {
	return rp.Back(introspectPath, url.Values{"token": {token}}, nil)
}

func TestAClientAsksAboutItsOwnTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		other := w.Register(clients.Metadata{ClientID: "other"})
		b := signedIn(t, w, shop)
		r := shop.Request()
		tokens := shop.Exchange(w.Answer(b, r).Get("code"), r)
		at := w.Town.Clock.Now()
		w.Town.Clock.Advance(time.Minute)
		got := introspect(shop, tokens.AccessToken)
		if got.Status != 200 || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v %s", got.Status, got.Header, got.Body)
		}
		want := map[string]any{"active": true, "client_id": "shop", "sub": shop.Claims(tokens, r)["sub"], "scope": "openid age_over_18",
			"exp": float64(at.Add(idp.AccessLife).Unix()), "iat": float64(at.Unix()), "iss": w.Issuer, "token_type": "Bearer"}
		if said := members(t, got.Body); !maps.Equal(said, want) {
			t.Errorf("said %v, want %v", said, want)
		}
		const inactive = `{"active":false}`
		for name, got := range map[string]idptest.Answer{
			"another client's token":        introspect(other, tokens.AccessToken),
			"a token that nobody issued":    introspect(shop, strings.Repeat("A", 43)),
			"an ID token":                   introspect(shop, tokens.IDToken),
			"a JWT that makes others panic": introspect(shop, "e30.bnVsbA.e30"),
		} {
			if got.Status != 200 || got.Body != inactive {
				t.Errorf("%s: %d %s", name, got.Status, got.Body)
			}
		}
		w.Town.Clock.Advance(4 * time.Minute)
		if got := introspect(shop, tokens.AccessToken); got.Body != inactive {
			t.Errorf("after its time: %s", got.Body)
		}
		ended := tokensOf(t, w, b, shop).AccessToken
		shop.Back(revokePath, url.Values{"token": {ended}}, nil)
		if got := introspect(shop, ended); got.Body != inactive {
			t.Errorf("after revocation: %s", got.Body)
		}
	})
}

func TestAnIntrospectionComesSignedToThoseWhoAskForIt(t *testing.T) {
	w := open(t)
	for _, alg := range []string{"ES256", "RS256"} {
		shop := w.Register(clients.Metadata{ClientID: "shop" + strings.ToLower(alg), IDTokenAlg: alg})
		b := signedIn(t, w, shop)
		token := tokensOf(t, w, b, shop).AccessToken
		plain := introspect(shop, token).Body
		for accept, signed := range map[string]bool{
			"application/token-introspection+jwt": true, "application/json;q=0.5, application/token-introspection+jwt": true,
			"*/*": false, "application/json": false, "application/token-introspection+jwt;q=0": false, "application/jwt": false, ";;": false,
		} {
			shop.Headers = map[string]string{"Accept": accept}
			got := introspect(shop, token)
			if !signed {
				if got.Body != plain {
					t.Errorf("%s: %s", accept, got.Body)
				}
				continue
			}
			if got.Status != 200 || got.Header.Get("Content-Type") != "application/token-introspection+jwt" {
				t.Fatalf("%s: %d %s", accept, got.Status, got.Body)
			}
			jws, err := jose.ParseSignedCompact(got.Body, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := jws.Verify(published(t, w))
			if err != nil || jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != "token-introspection+jwt" {
				t.Fatal(err, jws.Signatures[0].Protected)
			}
			said := members(t, string(payload))
			inner, _ := said["token_introspection"].(map[string]any)
			if said["iss"] != w.Issuer || said["aud"] != shop.ClientID || said["iat"] == nil || len(said) != 4 || !maps.EqualFunc(inner, members(t, plain),
				func(a, b any) bool { return a == b }) {
				t.Errorf("said %v", said)
			}
		}
		shop.Headers = map[string]string{"Accept": "application/token-introspection+jwt"}
		if got := decoded(t, introspect(shop, "x").Body); !strings.Contains(got, `"token_introspection":{"active":false}}`) {
			t.Errorf("of no token: %s", got)
		}
	}
}

func TestABoundTokenIsIntrospectedWithItsBinding(t *testing.T) {
	w := open(t)
	der, _ := issue(t, w, "bank", false, nil)
	bank := w.Register(clients.Metadata{ClientID: "bank", AuthMethod: clients.AuthTLS, TLSSANDNS: "bank.example", TLSBound: true})
	bank.Headers = told(der)
	b := signedIn(t, w, bank)
	said := members(t, introspect(bank, tokensOf(t, w, b, bank).AccessToken).Body)
	if cnf, _ := said["cnf"].(map[string]any); len(cnf) != 1 || cnf["x5t#S256"] == nil {
		t.Errorf("said %v", said)
	}
}

func TestWhoMayNotIntrospect(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	app := w.Register(clients.Metadata{ClientID: "app", AuthMethod: clients.AuthNone})
	b := signedIn(t, w, shop)
	token, own := tokensOf(t, w, b, shop).AccessToken, tokensOf(t, w, b, app).AccessToken
	for _, tc := range []struct {
		name   string
		got    idptest.Answer
		status int
		word   string
	}{
		{"a public client", introspect(app, own), 401, "invalid_client"},
		{"a wrong secret", shop.Back(introspectPath, url.Values{"token": {token}}, func(_ url.Values, basic *[2]string) { basic[1] = "x" }), 401, "invalid_client"},
		{"the token itself as the credential", shop.Back(introspectPath, url.Values{"token": {token}}, func(_ url.Values, basic *[2]string) { basic[0] = "" }), 401, "invalid_client"},
		{"no token", shop.Back(introspectPath, url.Values{}, nil), 400, "invalid_request"},
		{"two tokens", shop.Back(introspectPath, url.Values{"token": {token, token}}, nil), 400, "invalid_request"},
		{"a token in the query", shop.Back(introspectPath+"?token="+token, url.Values{}, nil), 400, "invalid_request"},
	} {
		if tc.got.Status != tc.status || tc.got.Error != tc.word || strings.Contains(tc.got.Body, "active") {
			t.Errorf("%s: %d %s", tc.name, tc.got.Status, tc.got.Body)
		}
	}
}
