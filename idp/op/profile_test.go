package op_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
)

// bar sells to adults and wants to know nobody.
func bar(w *idptest.World, change func(*clients.Metadata)) *idptest.RP {
	m := clients.Metadata{ClientID: "bar", Profile: clients.ProfileAgeOnly, Scope: "openid age_over_20"}
	if change != nil {
		change(&m)
	}
	return w.Register(m)
}

func pushed(t *testing.T, rp *idptest.RP, changes ...string) (idptest.Answer, idptest.Request) {
	t.Helper()
	answer, r := rp.Push(rp.Request(changes...))
	if answer.Status != http.StatusCreated {
		t.Fatalf("not pushed: %d %s", answer.Status, answer.Body)
	}
	return answer, r
}

func TestAnAgeOnlyLogin(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		rp := bar(w, nil)
		_, r := pushed(t, rp, "max_age=600")
		now := w.Town.Clock.Now()
		answer := w.Login(w.NewBrowser(), r, "taro")
		tokens := rp.Exchange(answer.Get("code"), r)
		said := rp.Claims(tokens, r)
		checkOnly(t, said, "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "age_over_20")
		info := members(t, rp.UserInfo(tokens.AccessToken).Body)
		checkOnly(t, info, "sub", "age_over_20")
		about := members(t, rp.Back("/oauth/introspect", url.Values{"token": {tokens.AccessToken}}, nil).Body)
		for where, set := range map[string]map[string]any{"the ID token": said, "the introspection": about} {
			for _, name := range []string{"iat", "exp", "auth_time"} {
				at, has := set[name].(float64)
				if !has {
					continue
				}
				if int64(at)%int64(idp.Coarse/time.Second) != 0 {
					t.Errorf("%s of %s is exact: %v", name, where, at)
				}
				if future := int64(at) > now.Unix(); future != (name == "exp") || !future && now.Unix()-int64(at) >= 60 {
					t.Errorf("%s of %s is %v at %d", name, where, at, now.Unix())
				}
			}
		}
		if said["age_over_20"] != true || info["age_over_20"] != true || tokens.RefreshToken != "" {
			t.Errorf("%v %v", said, info)
		}
		noneOf(t, tokens.Body+decoded(t, tokens.IDToken), personal(t, w, "taro"))

		rp.Headers = map[string]string{"Accept": "application/token-introspection+jwt"}
		signed := rp.Back("/oauth/introspect", url.Values{"token": {tokens.AccessToken}}, nil)
		_, r = pushed(t, rp, "response_mode=jwt")
		b := w.NewBrowser()
		response := b.Submit(w.Present(b, r, "taro").Form("/consent"), "decision=allow")
		for what, token := range map[string]string{"iat": signed.Body, "exp": response.Away.Query().Get("response")} {
			at, _ := members(t, decoded(t, token))[what].(float64)
			if at == 0 || int64(at)%int64(idp.Coarse/time.Second) != 0 {
				t.Errorf("the %s of a JWT around the answer is %v", what, at)
			}
		}
	})
}

// gathered is everything that a relying party gets from one login, with the inside of what is encoded instead of the outside.
func gathered(t *testing.T, w *idptest.World, rp *idptest.RP, login func(idptest.Request) url.Values) string {
	t.Helper()
	push, r := pushed(t, rp)
	answer := login(r)
	tokens := rp.Exchange(answer.Get("code"), r)
	if tokens.Status != http.StatusOK {
		t.Fatalf("%d %s", tokens.Status, tokens.Body)
	}
	parts := strings.Split(tokens.IDToken, ".")
	all := []string{push.Body, answer.Encode(), strings.ReplaceAll(tokens.Body, tokens.IDToken, ""), unbase64(t, parts[0]), unbase64(t, parts[1]), parts[2],
		rp.UserInfo(tokens.AccessToken).Body, rp.Back("/oauth/introspect", url.Values{"token": {tokens.AccessToken}}, nil).Body}
	return strings.Join(all, "\n")
}

// pieces are the words of a text, and eight bytes from every place of the longer ones.
func pieces(text string) map[string]bool {
	const size = 8
	all := map[string]bool{}
	word := func(r rune) bool { return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for _, w := range strings.FieldsFunc(text, word) {
		all[w] = true
		for i := 0; i+size <= len(w); i++ {
			all[w[i:i+size]] = true
		}
	}
	return all
}

// Whatever two logins of one person have in common, a login of somebody else has too.
func TestTwoAgeOnlyLoginsOfOnePersonHaveNothingInCommon(t *testing.T) {
	w := open(t)
	rp := bar(w, nil)
	b := w.NewBrowser()
	first := gathered(t, w, rp, func(r idptest.Request) url.Values { return w.Login(b, r, "taro") })
	again := gathered(t, w, rp, func(r idptest.Request) url.Values { return w.Answer(b, r) }) // by the same session
	other := gathered(t, w, rp, func(r idptest.Request) url.Values { return w.Login(w.NewBrowser(), r, "hanako") })
	repeated, everybodys := pieces(again), pieces(other)
	for p := range pieces(first) {
		if repeated[p] && !everybodys[p] {
			t.Errorf("both logins of one person have %q, and nobody else's\n%s\n\n%s\n\n%s", p, first, again, other)
		}
	}
}

// A no, a card that cannot tell and a person who does not want to: one answer.
func TestAnAgeOnlyClientCannotTellANoFromADecline(t *testing.T) {
	w := open(t)
	rp := bar(w, nil)
	answers := map[string]string{}
	for _, tc := range []struct{ name, persona, decision string }{
		{"a no", "jiro17", "allow"}, {"a no, declined", "jiro17", "deny"}, {"a yes, declined", "taro", "deny"},
	} {
		_, r := pushed(t, rp)
		p := w.Present(w.NewBrowser(), r, tc.persona)
		f := p.Form("/consent")
		if f.Action == "" {
			t.Fatalf("%s: no page: %d %s", tc.name, p.Status, p.Code)
		}
		if offersYes := strings.Contains(p.Body, `value="allow"`); offersYes != (tc.persona == "taro") {
			t.Errorf("%s: the button to share is there: %v", tc.name, offersYes)
		}
		got := w.Answered(w.Browsers()[len(w.Browsers())-1].Submit(f, "decision="+tc.decision), r)
		if got.Get("state") != r.State {
			t.Errorf("%s: %v", tc.name, got)
		}
		got.Del("state")
		answers[got.Encode()] = tc.name
	}
	if len(answers) != 1 {
		t.Errorf("the client can tell: %v", answers)
	}
	for a := range answers {
		if !strings.Contains(a, "error=access_denied") {
			t.Error(a)
		}
	}
	honest := w.Register(clients.Metadata{ClientID: "gate", Profile: clients.ProfileAgeOnly, Scope: "openid age_over_20", Policy: storage.ClientPolicy{TellsNo: true}})
	_, r := pushed(t, honest)
	if got := honest.Claims(honest.Exchange(w.Login(w.NewBrowser(), r, "jiro17").Get("code"), r), r)["age_over_20"]; got != false {
		t.Errorf("a client that may hear a no: %v", got)
	}
}

func TestWhatAnAgeOnlyClientCannotAsk(t *testing.T) {
	w := open(t)
	rp := bar(w, nil)
	b := w.NewBrowser()
	_, first := pushed(t, rp)
	w.Login(b, first, "taro")
	r := rp.Request()
	if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "invalid_request" { // PAR is required
		t.Errorf("through the browser: %v", got)
	}
	for _, scope := range []string{"openid", "openid age_over_18", "openid age_over_20 age_over_18", "openid age_over_20 name", "openid name", "age_over_20"} {
		if got, _ := rp.Push(rp.Request("scope=" + scope)); got.Error != "invalid_scope" {
			t.Errorf("%s: %d %s", scope, got.Status, got.Body)
		}
	}
	for _, more := range []string{`{"userinfo":{"name":null}}`, `{"id_token":{"acr":null}}`, `{"id_token":{"age_over_20":{"value":true}}}`} {
		if got, _ := rp.Push(rp.Request("claims=" + more)); got.Error != "invalid_scope" {
			t.Errorf("%s: %d %s", more, got.Status, got.Body)
		}
	}
	_, r = pushed(t, rp, "scope=openid age_over_20 offline_access")
	if got := rp.Exchange(w.Answer(b, r).Get("code"), r); got.RefreshToken != "" || strings.Contains(got.Scope, "offline") {
		t.Errorf("offline_access: %s", got.Body)
	}
	for who, browser := range map[string]*idptest.Browser{"with a session": b, "without": w.NewBrowser()} {
		_, r := pushed(t, rp, "prompt=none")
		if got := w.Answered(browser.Get(r.URL()), r); got.Get("error") != "consent_required" {
			t.Errorf("prompt=none, %s: %v", who, got)
		}
	}
}

func TestAFAPILogin(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		bank := w.Register(clients.Metadata{ClientID: "bank", Profile: clients.ProfileFAPI2, AuthMethod: clients.AuthKey})
		mine := newProver(t, w)
		_, r := pushed(t, bank)
		b := w.NewBrowser()
		code := w.Login(b, r, "taro").Get("code")
		bank.Headers = mine.atToken()
		tokens := bank.Exchange(code, r)
		if tokens.Status != http.StatusOK || tokens.TokenType != "DPoP" {
			t.Fatalf("%d %s", tokens.Status, tokens.Body)
		}
		if said := bank.Claims(tokens, r); said["age_over_18"] != true || said["acr"] != "aal3" {
			t.Errorf("%v", said)
		}
		if info := mine.userInfo(bank, tokens.AccessToken, nil); members(t, info.Body)["age_over_18"] != true {
			t.Errorf("%d %s", info.Status, info.Body)
		}
		bank.Headers = nil
		late := func(wait time.Duration) idptest.Answer {
			_, r := pushed(t, bank)
			code := w.Answer(b, r).Get("code")
			w.Town.Clock.Advance(wait)
			bank.Headers = mine.atToken()
			defer func() { bank.Headers = nil }()
			return bank.Exchange(code, r)
		}
		if got := late(59 * time.Second); got.Status != http.StatusOK {
			t.Errorf("a code of 59 seconds: %d %s", got.Status, got.Body)
		}
		if got := late(60 * time.Second); got.Error != "invalid_grant" {
			t.Errorf("a code of a minute: %d %s", got.Status, got.Body)
		}
	})
}

func TestWhatAFAPIClientCannotDo(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Profile: clients.ProfileFAPI2, AuthMethod: clients.AuthKey})
	r := bank.Request()
	if got := w.Answered(w.NewBrowser().Get(r.URL()), r); got.Get("error") != "invalid_request" {
		t.Errorf("a request through the browser: %v", got)
	}
	_, r = pushed(t, bank)
	if got := bank.Exchange(w.Login(w.NewBrowser(), r, "taro").Get("code"), r); got.Error != "invalid_dpop_proof" {
		t.Errorf("a code without a proof: %d %s", got.Status, got.Body)
	}
	for _, aud := range []any{w.Issuer + "/oauth/token", w.Issuer + "/par", []string{w.Issuer, "https://evil.example"}} {
		got := bank.PushWith(bank.Request(), onceAsserted(bank, func(c map[string]any) { c["aud"] = aud }))
		if got.Error != "invalid_client" {
			t.Errorf("an assertion for %v: %d %s", aud, got.Status, got.Body)
		}
	}
	if got := bank.PushWith(bank.Request("code_challenge"), func(url.Values, *[2]string) {}); got.Error != "invalid_request" {
		t.Errorf("without PKCE: %d %s", got.Status, got.Body)
	}
}

// What a FAPI client may hear under seal alone, it does not hear in a signed ID token either.
func TestPersonalDataInIDTokensOfAFAPIClientIsEncrypted(t *testing.T) {
	w := open(t)
	m := clients.Metadata{ClientID: "bank", Profile: clients.ProfileFAPI2, AuthMethod: clients.AuthKey, Scope: "openid name age_over_18",
		UserInfoEncAlg: "ECDH-ES"}
	signing, set := w.NewKey("k")
	m.JWKS = joined(t, set, theReceiver().set(t))
	sealed := m
	sealed.ClientID, sealed.IDTokenEncAlg = "vault", "ECDH-ES"
	for _, tc := range []struct {
		client clients.Metadata
		claims string
		word   string // "" taken
	}{
		{m, `{"id_token":{"name":null}}`, "invalid_scope"},
		{m, `{"id_token":{"age_over_18":null,"name":{"essential":true}}}`, "invalid_scope"},
		{m, `{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null}}}}`, "invalid_scope"},
		{m, `{"id_token":{"age_over_18":null},"userinfo":{"name":null}}`, ""},
		{sealed, `{"id_token":{"name":null}}`, ""},
	} {
		rp := w.Register(tc.client)
		rp.Key, rp.KeyID = signing, "k"
		a, _ := rp.Push(rp.Request("scope=openid", "claims="+tc.claims))
		if a.Error != tc.word || tc.word == "" && a.Status != http.StatusCreated || tc.word != "" && !strings.Contains(a.Description, "claims.id_token") {
			t.Errorf("%s, %s: %d %s %s", tc.client.ClientID, tc.claims, a.Status, a.Error, a.Description)
		}
	}
}

// joined is one key set of two.
func joined(t *testing.T, sets ...json.RawMessage) json.RawMessage {
	t.Helper()
	var all jose.JSONWebKeySet
	for _, raw := range sets {
		var one jose.JSONWebKeySet
		if err := json.Unmarshal(raw, &one); err != nil {
			t.Fatal(err)
		}
		all.Keys = append(all.Keys, one.Keys...)
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Profiles are told where a developer looks.
func TestAdvertisedProfilesAreThose(t *testing.T) {
	w := open(t)
	var said struct {
		Profiles []string `json:"tegata_client_profiles_supported"`
	}
	if err := json.Unmarshal([]byte(get(t, w.Issuer+"/.well-known/openid-configuration").Body), &said); err != nil {
		t.Fatal(err)
	}
	if strings.Join(said.Profiles, " ") != strings.Join(clients.Profiles, " ") {
		t.Errorf("%v", said.Profiles)
	}
}
