package op_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// personal is what a card says about somebody, in no form allowed to reach a relying party that asks for an age alone.
func personal(t *testing.T, w *idptest.World, name string) []string {
	t.Helper()
	p := w.Town.Persona(t, name)
	address := []rune(p.Address)
	return append(strings.Fields(p.Name), string(address[:3]), string(address[3:6]), p.Birthdate[:4], p.BirthDigits(), string(p.Gender))
}

func TestALoginFromTheButtonToTheIDToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		for _, alg := range []string{"ES256", "RS256"} {
			shop := w.Register(clients.Metadata{ClientID: "shop-" + strings.ToLower(alg), IDTokenAlg: alg})
			b, r := w.NewBrowser(), shop.Request()
			answer := w.Login(b, r, "taro")
			if answer.Get("state") != r.State || answer.Get("iss") != w.Issuer {
				t.Fatalf("%s: the answer is %v", alg, answer)
			}
			tokens := shop.Exchange(answer.Get("code"), r)
			if tokens.Status != 200 || tokens.TokenType != "Bearer" || tokens.ExpiresIn != 300 || tokens.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%s: tokens: %d %s", alg, tokens.Status, tokens.Body)
			}
			said := shop.Claims(tokens, r)
			if said["age_over_18"] != true || said["acr"] != "aal3" || said["auth_time"] != nil {
				t.Fatalf("%s: the ID token says %v", alg, said)
			}
			info := shop.UserInfo(tokens.AccessToken)
			checkOnly(t, said, "iss", "sub", "aud", "exp", "iat", "nonce", "acr", "amr", "at_hash", "age_over_18")
			checkOnly(t, members(t, info.Body), "sub", "age_over_18")
			noneOf(t, info.Body+decoded(t, tokens.IDToken), personal(t, w, "taro"))
			if members(t, info.Body)["sub"] != said["sub"] {
				t.Errorf("%s: userinfo speaks of somebody else", alg)
			}
		}
	})
}

func TestAllItemsGoToUserinfoAndOnlyAgesToTheIDToken(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name address birthdate gender age_over_18 age_over_20"})
	r := bank.Request()
	tokens := bank.Exchange(w.Login(w.NewBrowser(), r, "taro").Get("code"), r)
	noneOf(t, decoded(t, tokens.IDToken), personal(t, w, "taro"))
	checkOnly(t, bank.Claims(tokens, r), "iss", "sub", "aud", "exp", "iat", "nonce", "acr", "amr", "at_hash", "age_over_18", "age_over_20")
	info := members(t, bank.UserInfo(tokens.AccessToken).Body)
	checkOnly(t, info, "sub", "name", "address", "birthdate", "gender", "age_over_18", "age_over_20")
	taro := w.Town.Persona(t, "taro")
	if info["birthdate"] != taro.Birthdate || info["name"] != taro.Name || info["gender"] != string(taro.Gender) {
		t.Errorf("userinfo says %v", info)
	}
}

func checkOnly(t *testing.T, got map[string]any, names ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, n := range names {
		if want[n] = true; got[n] == nil {
			t.Errorf("%s is missing in %v", n, got)
		}
	}
	for n := range got {
		if !want[n] {
			t.Errorf("%s was not asked for", n)
		}
	}
}

func noneOf(t *testing.T, text string, forbidden []string) {
	t.Helper()
	for _, f := range forbidden {
		if strings.Contains(text, f) {
			t.Errorf("%q occurs in %s", f, text)
		}
	}
}

var payload = regexp.MustCompile(`^[^.]+\.([^.]+)\.[^.]+$`)

func decoded(t *testing.T, jws string) string {
	t.Helper()
	m := payload.FindStringSubmatch(jws)
	if m == nil {
		t.Fatalf("%q is no JWS", jws)
	}
	return unbase64(t, m[1])
}

func members(t *testing.T, body string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return out
}
