package op_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// prover is a client's key and the proofs that it makes (RFC 9449).
type prover struct {
	t   *testing.T
	w   *idptest.World
	key *ecdsa.PrivateKey
}

func newProver(t *testing.T, w *idptest.World) *prover {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &prover{t, w, key}
}

func (p *prover) jkt() string {
	sum, err := (&jose.JSONWebKey{Key: p.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		p.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proof is a good one for a request, but for the claims in spoil.
func (p *prover) proof(method, path, token string, spoil map[string]any) string {
	p.t.Helper()
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": p.w.Issuer + path, "iat": p.w.Town.Clock.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	maps.Copy(claims, spoil)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		p.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return compact
}

func (p *prover) atToken() map[string]string {
	return map[string]string{"DPoP": p.proof("POST", "/oauth/token", "", nil)}
}

// userInfo asks with a proof, or with what the headers in change say instead.
func (p *prover) userInfo(rp *idptest.RP, token string, change map[string]string) idptest.Answer {
	p.t.Helper()
	rp.Headers = map[string]string{"Authorization": "DPoP " + token, "DPoP": p.proof("GET", "/userinfo", token, nil)}
	maps.Copy(rp.Headers, change)
	defer func() { rp.Headers = nil }()
	return rp.UserInfo(token)
}

// exchanged is the answer to a code with a proof of p, nil for none.
func exchanged(t *testing.T, w *idptest.World, b *idptest.Browser, rp *idptest.RP, r idptest.Request, headers map[string]string) idptest.Answer {
	t.Helper()
	code := w.Answer(b, r).Get("code")
	rp.Headers = headers
	defer func() { rp.Headers = nil }()
	return rp.Exchange(code, r)
}

func TestTokensAreBoundToTheKeyOfTheirProof(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
		b, mine, thief := signedIn(t, w, shop), newProver(t, w), newProver(t, w)
		tokens := exchanged(t, w, b, shop, shop.Request(), mine.atToken())
		if tokens.Status != 200 || tokens.TokenType != "DPoP" {
			t.Fatalf("%d %s %s", tokens.Status, tokens.TokenType, tokens.Error)
		}
		said := members(t, introspect(shop, tokens.AccessToken).Body)
		if cnf, _ := said["cnf"].(map[string]any); said["token_type"] != "DPoP" || len(cnf) != 1 || cnf["jkt"] != mine.jkt() {
			t.Errorf("introspection says %v", said)
		}
		if got := mine.userInfo(shop, tokens.AccessToken, nil); got.Status != 200 {
			t.Errorf("userinfo: %d %s", got.Status, got.Body)
		}
		if got := shop.Refresh(tokens.RefreshToken); got.Error != "invalid_grant" || got.AccessToken != "" {
			t.Errorf("refresh without a proof: %d %s", got.Status, got.Error)
		}
		for name, next := range map[string]*prover{"the same key": mine, "the next key": newProver(t, w)} {
			shop.Headers = next.atToken()
			tokens = shop.Refresh(tokens.RefreshToken)
			if tokens.Status != 200 || tokens.TokenType != "DPoP" {
				t.Fatalf("refresh with %s: %d %s", name, tokens.Status, tokens.Error)
			}
			if got := next.userInfo(shop, tokens.AccessToken, nil); got.Status != 200 {
				t.Errorf("userinfo after a refresh with %s: %d", name, got.Status)
			}
			if got := thief.userInfo(shop, tokens.AccessToken, nil); got.Status != 401 {
				t.Errorf("a thief's userinfo after a refresh with %s: %d", name, got.Status)
			}
		}
	})
}

// A public client has nothing but its key (RFC 9449 section 5).
func TestTheRefreshTokensOfAPublicClientAreBoundToItsKey(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		app := w.Register(clients.Metadata{ClientID: "app", AuthMethod: clients.AuthNone, Scope: offlineScope, GrantTypes: withRefresh})
		b, mine, thief := signedIn(t, w, app), newProver(t, w), newProver(t, w)
		tokens := exchanged(t, w, b, app, app.Request(), mine.atToken())
		for name, headers := range map[string]map[string]string{"no proof": nil, "another key": thief.atToken()} {
			app.Headers = headers
			if got := app.Refresh(tokens.RefreshToken); got.Error != "invalid_grant" || got.AccessToken != "" {
				t.Errorf("refresh with %s: %d %s", name, got.Status, got.Error)
			}
		}
		app.Headers = mine.atToken()
		again := app.Refresh(tokens.RefreshToken)
		if again.Status != 200 || again.TokenType != "DPoP" || mine.userInfo(app, again.AccessToken, nil).Status != 200 {
			t.Fatalf("refresh with its own: %d %s", again.Status, again.Error)
		}
	})
}

// What was Bearer becomes DPoP when its client begins to prove a key, and never the other way round.
func TestATokenIsBoundWhenAProofComesWithItsRefresh(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: offlineScope, GrantTypes: withRefresh})
	tokens, _, _ := offlineTokens(t, w, shop)
	mine := newProver(t, w)
	shop.Headers = mine.atToken()
	bound := shop.Refresh(tokens.RefreshToken)
	if bound.TokenType != "DPoP" || mine.userInfo(shop, bound.AccessToken, nil).Status != 200 {
		t.Fatalf("with a proof: %d %s %s", bound.Status, bound.TokenType, bound.Error)
	}
	shop.Headers = nil
	if got := shop.UserInfo(bound.AccessToken); got.Status != 401 {
		t.Errorf("as Bearer: %d", got.Status)
	}
	if got := shop.Refresh(bound.RefreshToken); got.Error != "invalid_grant" {
		t.Errorf("back again: %d %s", got.Status, got.Error)
	}
}

// The table of acceptance figure 13: none of these gets anything.
func TestNoStolenOrBrokenProofIsAcceptedAtUserinfo(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, mine, thief := signedIn(t, w, shop), newProver(t, w), newProver(t, w)
	token := exchanged(t, w, b, shop, shop.Request(), mine.atToken()).AccessToken
	bearer := tokensOf(t, w, b, shop).AccessToken
	spoilt := func(name string, value any) map[string]string {
		return map[string]string{"DPoP": mine.proof("GET", "/userinfo", token, map[string]any{name: value})}
	}
	used := map[string]string{"DPoP": mine.proof("GET", "/userinfo", token, nil)}
	if got := mine.userInfo(shop, token, used); got.Status != 200 {
		t.Fatalf("a good one: %d", got.Status)
	}
	now := w.Town.Clock.Now()
	for name, tc := range map[string]struct {
		headers map[string]string
		word    string
	}{
		"a replay":                        {used, "invalid_dpop_proof"},
		"a replay of the jti":             {spoilt("jti", "one"), ""},
		"another method":                  {spoilt("htm", "POST"), "invalid_dpop_proof"},
		"another address":                 {spoilt("htu", w.Issuer+"/oauth/token"), "invalid_dpop_proof"},
		"another token's ath":             {spoilt("ath", "x"), "invalid_dpop_proof"},
		"an old iat":                      {spoilt("iat", now.Add(-61*time.Second).Unix()), "invalid_dpop_proof"},
		"an iat ahead":                    {spoilt("iat", now.Add(61*time.Second).Unix()), "invalid_dpop_proof"},
		"another key":                     {map[string]string{"DPoP": thief.proof("GET", "/userinfo", token, nil)}, "invalid_token"},
		"an empty proof":                  {map[string]string{"DPoP": ""}, "invalid_dpop_proof"},
		"alg none":                        {map[string]string{"DPoP": "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ.e30."}, "invalid_dpop_proof"},
		"the token as Bearer":             {map[string]string{"Authorization": "Bearer " + token}, "invalid_token"},
		"a Bearer token dressed up":       {map[string]string{"Authorization": "DPoP " + bearer, "DPoP": mine.proof("GET", "/userinfo", bearer, nil)}, "invalid_token"},
		"the proof of the token endpoint": {mine.atToken(), "invalid_dpop_proof"},
		"a token that nobody issued":      {map[string]string{"Authorization": "DPoP " + strings.Repeat("A", 43)}, "invalid_dpop_proof"},
	} {
		got := mine.userInfo(shop, token, tc.headers)
		if tc.word == "" { // the first of two with one jti is good, the second is the test
			got, tc.word = mine.userInfo(shop, token, spoilt("jti", "one")), "invalid_dpop_proof"
		}
		challenge := got.Header.Get("WWW-Authenticate")
		if got.Status != 401 || got.Error != tc.word || !strings.Contains(challenge, `error="`+tc.word+`"`) || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s, WWW-Authenticate %q", name, got.Status, got.Body, challenge)
		}
		if bound := !strings.HasPrefix(tc.headers["Authorization"], "Bearer "); bound != strings.HasPrefix(challenge, "DPoP ") {
			t.Errorf("%s: the challenge is %q", name, challenge)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "DPoP "+token)
	if got := idptest.Do(t, request); got.Error != "invalid_dpop_proof" {
		t.Errorf("no proof: %d %s", got.Status, got.Body)
	}
	request.Header["Dpop"] = []string{mine.proof("GET", "/userinfo", token, nil), mine.proof("GET", "/userinfo", token, nil)}
	if got := idptest.Do(t, request); got.Error != "invalid_dpop_proof" {
		t.Errorf("two proofs: %d %s", got.Status, got.Body)
	}
	request.Header["Dpop"] = []string{mine.proof("GET", "/userinfo", token, nil)}
	request.Header["Authorization"] = []string{"DPoP " + token, "Bearer " + bearer}
	if got := idptest.Do(t, request); got.Status != 400 || got.Error != "invalid_request" {
		t.Errorf("two tokens: %d %s", got.Status, got.Body)
	}
	if got := mine.userInfo(shop, token, nil); got.Status != 200 {
		t.Errorf("after all that: %d", got.Status)
	}
	if log := w.Log.String(); strings.Contains(log, token) || strings.Contains(log, mine.jkt()) {
		t.Error("the log has a token or a key")
	}
}

func TestWhatTheTokenEndpointSaysOfProofs(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	strict := w.Register(clients.Metadata{ClientID: "strict", DPoPBound: true})
	b, mine, thief := signedIn(t, w, shop), newProver(t, w), newProver(t, w)
	w.Answer(b, strict.Request())
	used := mine.atToken()
	if got := exchanged(t, w, b, strict, strict.Request(), used); got.Status != 200 || got.TokenType != "DPoP" {
		t.Fatalf("a good one: %d %s", got.Status, got.Body)
	}
	bad := func(name string, value any) map[string]string {
		return map[string]string{"DPoP": mine.proof("POST", "/oauth/token", "", map[string]any{name: value})}
	}
	for name, tc := range map[string]struct {
		rp      *idptest.RP
		headers map[string]string
		request []string
		word    string
	}{
		"a client of bound tokens without a proof": {strict, nil, nil, "invalid_dpop_proof"},
		"a replay":                     {shop, used, nil, "invalid_dpop_proof"},
		"another address":              {shop, bad("htu", w.Issuer+"/userinfo"), nil, "invalid_dpop_proof"},
		"another method":               {shop, bad("htm", "GET"), nil, "invalid_dpop_proof"},
		"an old proof":                 {shop, bad("iat", 1), nil, "invalid_dpop_proof"},
		"no jti":                       {shop, bad("jti", ""), nil, "invalid_dpop_proof"},
		"an empty header":              {shop, map[string]string{"DPoP": ""}, nil, "invalid_dpop_proof"},
		"a code of another key":        {shop, thief.atToken(), []string{"dpop_jkt=" + mine.jkt()}, "invalid_grant"},
		"a bound code without a proof": {shop, nil, []string{"dpop_jkt=" + mine.jkt()}, "invalid_grant"},
	} {
		got := exchanged(t, w, b, tc.rp, tc.rp.Request(tc.request...), tc.headers)
		if got.Status != 400 || got.Error != tc.word || got.AccessToken != "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := exchanged(t, w, b, shop, shop.Request("dpop_jkt="+mine.jkt()), mine.atToken()); got.Status != 200 || got.TokenType != "DPoP" {
		t.Errorf("a code of its own key: %d %s", got.Status, got.Body)
	}
	for _, jkt := range []string{"", "x", strings.Repeat("A", 44), strings.Repeat("A", 42) + "B", mine.jkt() + "="} {
		r := shop.Request("dpop_jkt=" + jkt)
		if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "invalid_request" || !strings.Contains(got.Get("error_description"), "dpop_jkt") {
			t.Errorf("dpop_jkt %q: %v", jkt, got)
		}
	}
}

func TestAPushedRequestIsBoundToTheKeyOfItsProof(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b, mine, thief := signedIn(t, w, shop), newProver(t, w), newProver(t, w)
	push := func(p *prover, changes ...string) (idptest.Answer, idptest.Request) {
		shop.Headers = map[string]string{"DPoP": p.proof("POST", "/par", "", nil)}
		defer func() { shop.Headers = nil }()
		return shop.Push(shop.Request(changes...))
	}
	for name, tc := range map[string]struct {
		by     *prover
		status int
	}{"the same key": {mine, 200}, "another key": {thief, 400}} {
		_, r := push(mine)
		if got := exchanged(t, w, b, shop, r, tc.by.atToken()); got.Status != tc.status {
			t.Errorf("%s: %d %s", name, got.Status, got.Error)
		}
	}
	if got, _ := push(mine, "dpop_jkt="+mine.jkt()); got.Status != 201 {
		t.Errorf("the key said twice: %d %s", got.Status, got.Body)
	}
	if got, _ := push(mine, "dpop_jkt="+thief.jkt()); got.Status != 400 || got.Error != "invalid_dpop_proof" {
		t.Errorf("two keys: %d %s", got.Status, got.Body)
	}
	shop.Headers = map[string]string{"DPoP": mine.proof("POST", "/oauth/token", "", nil)}
	if got, _ := shop.Push(shop.Request()); got.Error != "invalid_dpop_proof" {
		t.Errorf("a proof for another endpoint: %d %s", got.Status, got.Body)
	}
}
