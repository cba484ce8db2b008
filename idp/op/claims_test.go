package op_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/claims"
	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// everyClaim asks for all of names by name, and for verified claims.
func everyClaim(t *testing.T, names []string) string {
	t.Helper()
	asked := map[string]any{}
	for _, name := range names {
		asked[name] = nil
	}
	asked["verified_claims"] = map[string]any{"verification": map[string]any{"trust_framework": nil}, "claims": map[string]any{"name": nil}}
	text, err := json.Marshal(map[string]any{"userinfo": asked})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const everyScope = "openid name address address_prefecture address_municipality birthdate gender age_over_13 age_over_18 age_over_20"

// heard is what a relying party hears of a request: what is about the person, as JSON with sorted members.
func heard(t *testing.T, rp *idptest.RP, r idptest.Request, answer url.Values) (id, info string) {
	t.Helper()
	tokens := rp.Exchange(answer.Get("code"), r)
	if tokens.Status != http.StatusOK {
		t.Fatalf("%v: %d %s", answer, tokens.Status, tokens.Body)
	}
	return about(t, rp.Claims(tokens, r)), about(t, members(t, rp.UserInfo(tokens.AccessToken).Body))
}

func about(t *testing.T, all map[string]any) string {
	t.Helper()
	for name := range all {
		base, _, _ := strings.Cut(name, "#")
		if _, personal := claims.ParseClaim(base); !personal && name != "verified_claims" {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestClaimsGoWhereTheyWereAskedFor(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: everyScope})
	b := w.NewBrowser()
	w.Login(b, bank.Request(), "taro") // and agrees to everything, once
	said := `{"claims":{"age_over_18":true},"verification":{"trust_framework":"` + w.Issuer + `/trust_framework/jpki"}}`
	w.Answered(b.Submit(b.Get(bank.Request("scope=openid", "claims="+verifiedAge(`null`)).URL()).Form("/consent"), "decision=allow"),
		bank.Request()) // verified claims are more than the same claims
	for _, tc := range []struct{ name, scope, claims, id, info string }{
		{"nothing is asked", "openid", `{}`, `{}`, `{}`},
		{"one place each", "openid", `{"id_token":{"gender":{"essential":true}},"userinfo":{"birthdate":null}}`, `{"gender":"male"}`, `{"birthdate":"1990-04-01"}`},
		{"both places", "openid", `{"id_token":{"age_over_18":null},"userinfo":{"age_over_18":null}}`, `{"age_over_18":true}`, `{"age_over_18":true}`},
		{"a scope goes where it goes", "openid age_over_20", `{"userinfo":{"gender":null}}`, `{"age_over_20":true}`, `{"age_over_20":true,"gender":"male"}`},
		{"a predicate by the name that was asked", "openid", `{"id_token":{"::age_18_or_over":null}}`, `{"::age_18_or_over":true}`, `{}`},
		{"true or nothing", "openid", `{"id_token":{"age_over_18":{"value":true},"age_over_13":{"value":false}}}`, `{"age_over_18":true}`, `{}`},
		{"a name in its script", "openid", `{"userinfo":{"name#ja-hani-jp":null,"name#ja-Kana-JP":null,"family_name":null}}`, `{}`,
			`{"family_name":"手形","name#ja-Hani-JP":"手形　太郎"}`},
		{"nobody knows it", "openid", `{"userinfo":{"email":{"essential":true},"::age_19_or_over":null,":mine":null},"x":1}`, `{}`, `{}`},
		{"verified, in the ID token alone", "openid", verifiedAge(`null`), `{"verified_claims":` + said + `}`, `{}`},
		{"verified under another framework", "openid", verifiedAge(`{"value":"jp_aml"}`), `{}`, `{}`},
		{"beside the same claim unverified", "openid age_over_18", `{"userinfo":{"verified_claims":[{"verification":{"trust_framework":null},"claims":{"age_over_18":null}},` +
			`{"verification":{"trust_framework":{"value":"jp_aml"}},"claims":{"gender":null}}]}}`,
			`{"age_over_18":true}`, `{"age_over_18":true,"verified_claims":` + said + `}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := bank.Request("scope="+tc.scope, "claims="+tc.claims, "prompt=none")
			id, info := heard(t, bank, r, w.Answered(b.Get(r.URL()), r))
			if id != tc.id || info != tc.info {
				t.Errorf("ID token %s\nuserinfo %s", id, info)
			}
		})
	}
}

func verifiedAge(framework string) string {
	return `{"id_token":{"verified_claims":{"verification":{"trust_framework":` + framework + `},"claims":{"age_over_18":null}}}}`
}

func TestClaimsByEveryRoad(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name gender"})
	const asked = "{\n\t\"userinfo\": {\"given_name\": null},\r\n \"id_token\": {\"gender\": null} }"
	b := w.NewBrowser()
	w.Login(b, bank.Request(), "taro")
	plain := bank.Request("scope=openid", "claims="+asked)
	_, pushed := bank.Push(plain)
	object := bank.Object(plain, func(c map[string]any) { c["claims"] = json.RawMessage(asked) })
	_, pushedObject := bank.Push(object)
	for name, r := range map[string]idptest.Request{
		"in the address": plain, "pushed": pushed, "in a request object": object, "in a pushed request object": pushedObject,
		"as a text in a request object": bank.Object(plain, nil),
	} {
		if id, info := heard(t, bank, r, w.Answered(b.Get(r.URL()), r)); id != `{"gender":"male"}` || info != `{"given_name":"太郎"}` {
			t.Errorf("%s: %s %s", name, id, info)
		}
	}
	if id, info := heard(t, bank, plain, w.Answered(b.Post(w.Issuer+"/authorize", plain.Params), plain)); id != `{"gender":"male"}` || info != `{"given_name":"太郎"}` {
		t.Errorf("by POST: %s %s", id, info)
	}
}

func TestClaimsThatAreRefusedBeforeAnybodyIsAsked(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name"})
	b := w.NewBrowser()
	for _, tc := range []struct{ name, claims, word, text string }{
		{"no JSON", `{"userinfo":`, "invalid_request", "request_invalid: claims"},
		{"empty", ``, "invalid_request", "request_invalid: claims"},
		{"a member twice", `{"userinfo":{"name":null,"name":null}}`, "invalid_request", "request_invalid: claims"},
		{"a claim of the wrong form", `{"userinfo":{"name":"x"}}`, "invalid_request", "request_invalid: claims.userinfo.name"},
		{"no framework", `{"userinfo":{"verified_claims":{"verification":{},"claims":{"name":null}}}}`, "invalid_request",
			"request_invalid: claims.userinfo.verified_claims.verification.trust_framework"},
		{"functions", `{"_asc":{"transformed_claims":{"a":{"claim":"birthdate","fn":[["gte",1]]}}}}`, "invalid_request", "request_invalid: claims._asc.transformed_claims"},
		{"an item that is not registered", `{"userinfo":{"birthdate":null}}`, "invalid_scope", "scope_invalid: claims.userinfo.birthdate"},
		{"nor in another form", `{"id_token":{"::age_65_or_over":null}}`, "invalid_scope", "scope_invalid: claims.id_token.::age_65_or_over"},
		{"nor verified", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":{"value":"x"}},"claims":{"gender":null}}}}`, "invalid_scope",
			"scope_invalid: claims.userinfo.verified_claims.claims.gender"},
		{"nor in a language", `{"userinfo":{"address#ja-Kana-JP":null}}`, "invalid_scope", "scope_invalid: claims.userinfo.address#"},
		{"an individual number", `{"userinfo":{"name":{"value":"個人番号123456789012"}}}`, "invalid_request", "my_number_refused: claims"},
		{"a worth that no login has", `{"id_token":{"acr":{"essential":true,"values":["aal4"]}}}`, "unmet_authentication_requirements", "acr_not_met"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := shop.Request("claims=" + tc.claims)
			got := w.Answered(b.Get(r.URL()), r)
			if got.Get("error") != tc.word || got.Get("error_description") != tc.text || got.Get("state") != r.State {
				t.Errorf("%v", got)
			}
			pushed, _ := shop.Push(r)
			if tc.word != "unmet_authentication_requirements" && (pushed.Error != tc.word || !strings.HasPrefix(pushed.Description, tc.text)) {
				t.Errorf("pushed: %d %s", pushed.Status, pushed.Body)
			}
		})
	}
	twice := shop.Request("claims={}")
	if got := w.Answered(b.Get(twice.URL()+"&claims=%7B%7D"), twice); got.Get("error") != "invalid_request" {
		t.Errorf("twice: %v", got)
	}
}

func TestAnOpenPredicateNeedsNoRegistration(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid"})
	r := shop.Request(`claims={"id_token":{"::age_20_or_over":{"essential":true}}}`)
	if id, info := heard(t, shop, r, w.Login(w.NewBrowser(), r, "jiro17")); id != `{"::age_20_or_over":false}` || info != `{}` {
		t.Errorf("%s %s", id, info)
	}
}

func TestSubjectACRAndAuthTimeByName(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid"})
	b := w.NewBrowser()
	r := shop.Request()
	first := shop.Claims(shop.Exchange(w.Login(b, r, "taro").Get("code"), r), r)
	sub, _ := first["sub"].(string)
	if first["auth_time"] != nil {
		t.Errorf("auth_time is told unasked: %v", first)
	}
	ask := func(claims string, more ...string) map[string]any {
		r := shop.Request(append(more, "prompt=none", "claims="+claims)...)
		answer := w.Answered(b.Get(r.URL()), r)
		if answer.Has("error") {
			return map[string]any{"error": answer.Get("error")}
		}
		return shop.Claims(shop.Exchange(answer.Get("code"), r), r)
	}
	for _, tc := range []struct{ name, claims, member, want string }{
		{"the one who is there", `{"id_token":{"sub":{"value":"` + sub + `"}}}`, "sub", sub},
		{"one of several", `{"userinfo":{"sub":{"values":["x","` + sub + `"]}}}`, "sub", sub},
		{"somebody else", `{"id_token":{"sub":{"value":"x"}}}`, "error", "login_required"},
		{"somebody else for userinfo", `{"userinfo":{"sub":{"value":"x"}}}`, "error", "login_required"},
		{"two people at once", `{"id_token":{"sub":{"value":"` + sub + `"}},"userinfo":{"sub":{"value":"x"}}}`, "error", "login_required"},
		{"just a subject", `{"id_token":{"sub":null}}`, "sub", sub},
		{"a login of this worth", `{"id_token":{"acr":{"essential":true,"value":"aal3"}}}`, "acr", "aal3"},
		{"a login of less worth is told as such", `{"id_token":{"acr":{"essential":true,"values":["aal1","aal2"]}}}`, "acr", "aal2"},
		{"a wish for more", `{"id_token":{"acr":{"values":["aal4"]}}}`, "acr", "aal3"},
		{"a demand for more", `{"id_token":{"acr":{"essential":true,"values":["aal4"]}}}`, "error", "unmet_authentication_requirements"},
	} {
		if got := ask(tc.claims); got[tc.member] != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if got := ask(`{"id_token":{}}`, "acr_values=aal9 aal3"); got["acr"] != "aal3" {
		t.Errorf("acr_values: %v", got)
	}
	for _, asked := range []string{`null`, `{"essential":true}`} {
		if got := ask(`{"id_token":{"auth_time":` + asked + `}}`); got["auth_time"] == nil {
			t.Errorf("auth_time %s: %v", asked, got)
		}
	}
	other := w.NewBrowser() // somebody else takes out a card: the login ends without an answer about them
	r = shop.Request(`claims={"id_token":{"sub":{"value":"` + sub + `"}}}`)
	if got := w.Login(other, r, "hanako"); got.Get("error") != "login_required" || got.Has("code") {
		t.Errorf("another card: %v", got)
	}
}

func TestVerifiedClaimsSayWhatWasDoneAndNoMore(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: everyScope})
	r := bank.Request("scope=openid", `claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"assurance_level":null,"time":{"max_age":86400},
		"verification_process":null,"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":null,"time":null,"check_id":null}],
		"document_details":{"type":null,"issuer":{"country_code":null},"document_number":null,"serial_number":null,"date_of_expiry":null}}]},
		"claims":{"name":null,"address":null,"birthdate":{"essential":true},"given_name#ja-Hani-JP":null,"::age_20_or_over":null,"name#ja-Kana-JP":null}}}}`)
	b := w.NewBrowser()
	_, info := heard(t, bank, r, w.Login(b, r, "taro"))
	day := w.Town.Clock.Now().UTC().Format(time.DateOnly)
	want := `{"verified_claims":{"claims":{"::age_20_or_over":true,` +
		`"address":{"country_code":"JPN","formatted":"東京都千代田区手形町一丁目２番３号","locality":"千代田区","region":"東京都","street_address":"手形町一丁目２番３号"},` +
		`"birthdate":"1990-04-01","given_name#ja-Hani-JP":"太郎","name":"手形　太郎"},` +
		`"verification":{"assurance_level":"ial2","evidence":[{"check_details":[{"check_method":"vcrypt"},{"check_method":"token"}],` +
		`"document_details":{"issuer":{"country_code":"JPN"},"type":"jp_individual_number_card"},"type":"document"}],` +
		`"time":"` + day + `T00:00:00Z","trust_framework":"` + w.Issuer + `/trust_framework/jpki"}}}`
	if info != want {
		t.Errorf("%s", info)
	}
}

// What was verified too long ago is read anew, once: a login whose card was read just now is not asked for the card again.
func TestFactsThatAreTooOldAreReadAgain(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: everyScope})
	request := func(more ...string) idptest.Request {
		return bank.Request(append(more, "scope=openid", `claims={"userinfo":{"gender":null,"verified_claims":{"verification":{"trust_framework":null,`+
			`"time":{"max_age":600}},"claims":{"name":null}}}}`)...)
	}
	b, r := w.NewBrowser(), request()
	w.Login(b, r, "taro")
	w.Town.Clock.Advance(10 * time.Minute)
	if _, info := heard(t, bank, r, w.Answered(b.Get(r.URL()), r)); !strings.Contains(info, `"name":"手形　太郎"`) {
		t.Errorf("after ten minutes: %s", info)
	}
	w.Town.Clock.Advance(time.Second)
	silent := request("prompt=none")
	if _, info := heard(t, bank, silent, w.Answered(b.Get(silent.URL()), silent)); info != `{"gender":"male"}` {
		t.Errorf("where no page may be shown: %s", info)
	}
	if p := b.Get(r.URL()); p.Form("/start").Action == "" {
		t.Fatalf("the card is not asked for: %d, away %v", p.Status, p.Away)
	}
	if _, info := heard(t, bank, r, w.Answered(w.Present(b, r, "taro"), r)); !strings.Contains(info, `"name":"手形　太郎"`) {
		t.Errorf("read again: %s", info)
	}
	plain := bank.Request("scope=openid gender")
	w.Town.Clock.Advance(20 * time.Minute)
	if got := w.Answered(b.Get(plain.URL()), plain); !got.Has("code") {
		t.Errorf("who asks for no age of facts has the card read again: %v", got)
	}
}

func TestWhatIsEssentialIsToldAndCanBeLeftOut(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name gender"})
	r := bank.Request("scope=openid", `claims={"userinfo":{"name":null,"gender":{"essential":true}}}`)
	b := w.NewBrowser()
	page := w.Present(b, r, "taro")
	const note = "サイトは、これが必要だとしています。それでも外すことができます。"
	_, after, found := strings.Cut(page.Body, `value="gender"`)
	if !found || strings.Count(page.Body, note) != 1 || !strings.Contains(after[:strings.Index(after, "</li>")], note) {
		t.Errorf("the page says it %d times", strings.Count(page.Body, note))
	}
	if _, info := heard(t, bank, r, w.Answered(b.Submit(page.Form("/consent").Without("gender"), "decision=allow"), r)); info != `{"name":"手形　太郎"}` {
		t.Errorf("%s", info)
	}
}

func TestConsentToClaims(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		bank := w.Register(clients.Metadata{ClientID: "bank", Scope: everyScope})
		asked := func(gender string) idptest.Request {
			return bank.Request("scope=openid name", `claims={"id_token":{"name":null,"gender":`+gender+`},"userinfo":{"family_name":null,`+
				`"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null,"gender":null}}}}`)
		}
		b, r := w.NewBrowser(), asked(`{"value":"female"}`)
		page := w.Present(b, r, "taro")
		form := page.Form("/consent")
		if slices.Sort(form.Boxes); !slices.Equal(form.Boxes, []string{"gender", "name"}) || strings.Count(page.Body, "手形　太郎") != 1 {
			t.Fatalf("the boxes are %v, the name is shown %d times", form.Boxes, strings.Count(page.Body, "手形　太郎"))
		}
		// A condition that the person does not meet changes nothing on the page: nobody learns it from how long it is looked at.
		other := w.NewBrowser()
		if same := w.Present(other, asked(`{"value":"male"}`), "taro"); scrubbed(same.Body) != scrubbed(page.Body) {
			t.Error("the page depends on a condition")
		}
		id, info := heard(t, bank, r, w.Answered(b.Submit(form.Without("name"), "decision=allow"), r))
		if id != `{}` || info != `{"verified_claims":{"claims":{"gender":"male"},"verification":{"trust_framework":"`+w.Issuer+`/trust_framework/jpki"}}}` {
			t.Errorf("without the name, and of another gender: %s %s", id, info)
		}
		r = bank.Request("scope=openid", `claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"gender":null}}}}`, "prompt=none")
		if got := w.Answered(b.Get(r.URL()), r); !got.Has("code") {
			t.Errorf("what was agreed to is asked again: %v", got)
		}
		r = bank.Request("scope=openid", `claims={"userinfo":{"name#ja":null}}`, "prompt=none")
		if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "consent_required" {
			t.Errorf("the name by another name is sent without a question: %v", got)
		}
	})
}

// scrubbed is a page without what differs between two logins anyway.
func scrubbed(body string) string {
	var out []string
	for _, line := range strings.Split(body, "\n") {
		if !strings.Contains(line, "/login/") && !strings.Contains(line, "nonce") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func TestTheSameClaimVerifiedIsAskedAgain(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	w.Login(b, shop.Request(), "taro")
	r := shop.Request("claims=" + verifiedAge("null"))
	p := b.Get(r.URL())
	if p.Form("/consent").Action == "" {
		t.Fatalf("away %v", p.Away)
	}
	w.Answered(b.Submit(p.Form("/consent"), "decision=allow"), r)
	r = shop.Request("claims=" + verifiedAge("null"))
	if got := w.Answered(b.Get(r.URL()), r); !got.Has("code") {
		t.Errorf("asked a third time: %v", got)
	}
}

func TestVerifiedClaimsAreFrozen(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid offline_access", GrantTypes: []string{"authorization_code", "refresh_token"}})
	r := bank.Request(`claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"time":{"max_age":60}},"claims":{"age_over_18":{"value":false}}}}}`)
	tokens := bank.Exchange(w.Login(w.NewBrowser(), r, "jiro17").Get("code"), r)
	before := bank.UserInfo(tokens.AccessToken).Body
	w.Town.Clock.Advance(3 * 24 * time.Hour)
	if after := bank.UserInfo(bank.Refresh(tokens.RefreshToken).AccessToken).Body; !strings.Contains(before, `"age_over_18":false`) || after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
}

func TestDiscoveryTellsTheTruthAboutVerifiedClaims(t *testing.T) {
	w := open(t)
	said := members(t, get(t, w.Issuer+"/.well-known/openid-configuration").Body)
	for name, want := range map[string]any{"claims_parameter_supported": true, "verified_claims_supported": true, "transformed_claims_max_count": 0.0,
		"selective_abort_omit_supported": true, "selective_abort_omit_schema_supported": false} {
		if said[name] != want {
			t.Errorf("%s is %v", name, said[name])
		}
	}
	all := w.Register(clients.Metadata{ClientID: "all", Scope: strings.Join(claims.Scopes(), " ")})
	w.Town.Settle(t, "everything", everything)
	names := map[string]any{}
	for _, name := range texts(t, said["claims_in_verified_claims_supported"]) {
		names[name] = nil
	}
	frameworks := texts(t, said["trust_frameworks_supported"])
	asked, err := json.Marshal(map[string]any{"userinfo": map[string]any{"verified_claims": map[string]any{
		"verification": map[string]any{"trust_framework": map[string]any{"values": frameworks},
			"evidence": []any{map[string]any{"type": map[string]any{"value": texts(t, said["evidence_supported"])[0]}, "check_details": []any{map[string]any{"check_method": nil}},
				"document_details": map[string]any{"type": map[string]any{"values": said["documents_supported"]}}}}},
		"claims": names}}})
	if err != nil {
		t.Fatal(err)
	}
	r := all.Request("scope=openid", "claims="+string(asked))
	_, info := heard(t, all, r, w.Login(w.NewBrowser(), r, "everything"))
	element, _ := members(t, info)["verified_claims"].(map[string]any)
	got, _ := element["claims"].(map[string]any)
	for name := range names {
		if got[name] == nil {
			t.Errorf("%s never arrives", name)
		}
	}
	if len(got) != len(names) || !slices.Contains(frameworks, element["verification"].(map[string]any)["trust_framework"].(string)) {
		t.Errorf("%s", info)
	}
	for _, method := range texts(t, said["documents_check_methods_supported"]) {
		if !strings.Contains(info, `{"check_method":"`+method+`"}`) {
			t.Errorf("%s is never told", method)
		}
	}
	predefined, _ := said["transformed_claims_predefined"].(map[string]any)
	for name := range predefined {
		if got["::"+name] == nil {
			t.Errorf("%s is defined and never arrives", name)
		}
	}
	for _, language := range texts(t, said["claims_locales_supported"]) {
		if c, ok := claims.ParseClaim("name#" + language); !ok || c.Text() != "name#"+language {
			t.Errorf("%s is no tag", language)
		}
	}
}

func TestAgesByNameAreCountedLikeAges(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_25"})
	ask := func(claims string) (id, info string) {
		r := shop.Request("scope=openid", "claims="+claims)
		return heard(t, shop, r, w.Login(w.NewBrowser(), r, "jiro17"))
	}
	for range 3 { // a condition that is not met is a no, on three days of thirty
		if id, info := ask(`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"::age_18_or_over":{"value":true}}}}}`); id != `{}` || info != `{}` {
			t.Fatalf("%s %s", id, info)
		}
		w.Town.Clock.Advance(24 * time.Hour)
	}
	if id, _ := ask(`{"id_token":{"age_over_18":null}}`); id != `{}` {
		t.Errorf("on the fourth day: %s", id)
	}
	if id, _ := ask(`{"id_token":{"age_over_20":null,"::age_25_or_over":null}}`); id != `{"age_over_20":false}` {
		t.Errorf("a third age: %s", id)
	}
}

func TestATransientClientHearsNothingToRecogniseAPersonBy(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", SubjectType: "transient"})
	b := w.NewBrowser()
	r := shop.Request()
	first := shop.Claims(shop.Exchange(w.Login(b, r, "taro").Get("code"), r), r)
	sub, _ := first["sub"].(string)
	for _, asked := range []string{`{"id_token":{"sub":{"value":"` + sub + `"}}}`, `{"userinfo":{"sub":{"value":"x"}}}`} {
		r := shop.Request("claims=" + asked)
		if got := w.Answered(b.Get(r.URL()), r); got.Get("error") != "login_required" {
			t.Errorf("%s: %v", asked, got)
		}
	}
	for _, asked := range []string{`{"id_token":{"auth_time":null}}`, verifiedAge("null")} {
		if p := b.Get(shop.Request("claims=" + asked).URL()); p.Form("/start").Action == "" {
			t.Errorf("%s is answered from the session: %d, away %v", asked, p.Status, p.Away)
		}
	}
}
