package ask_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"tegata/claims"
	"tegata/claims/ask"
)

const jpki = "https://idp.example.jp/trust_framework/jpki"

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	done = ask.Done{All: claims.CardVerification(jpki, "ial2", "2026-11-21T00:00:00Z", claims.SignatureCertificate), Time: noon.Add(-time.Hour)}
)

func parse(t rapid.TB, text string) ask.Request {
	t.Helper()
	r, err := ask.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func TestMatch(t *testing.T) {
	const nothing, bare = "", `{"trust_framework":"` + jpki + `"}`
	document := func(inner string) string {
		return `{"trust_framework":"` + jpki + `","evidence":[{"type":"document"` + inner + `}]}`
	}
	evidence := func(entries string) string { return `{"trust_framework":null,"evidence":[` + entries + `]}` }
	for _, tc := range []struct{ name, asked, want string }{
		{"only the framework is said unasked", `{"trust_framework":null}`, bare},
		{"essential changes nothing", `{"trust_framework":{"essential":true}}`, bare},
		{"this framework", `{"trust_framework":{"value":"` + jpki + `"}}`, bare},
		{"one of several", `{"trust_framework":{"values":["https://x","` + jpki + `"]}}`, bare},
		{"another framework", `{"trust_framework":{"value":"jp_aml"}}`, nothing},
		{"a beginning of the framework", `{"trust_framework":{"value":"https://idp.example.jp/"}}`, nothing},

		{"the day", `{"trust_framework":null,"time":null}`, `{"trust_framework":"` + jpki + `","time":"2026-11-21T00:00:00Z"}`},
		{"young enough to the second", `{"trust_framework":null,"time":{"max_age":3600}}`, `{"trust_framework":"` + jpki + `","time":"2026-11-21T00:00:00Z"}`},
		{"a second too old", `{"trust_framework":null,"time":{"max_age":3599}}`, nothing},
		{"the age of a century", `{"trust_framework":null,"time":{"max_age":9223372036854775807}}`, `{"trust_framework":"` + jpki + `","time":"2026-11-21T00:00:00Z"}`},
		{"another time", `{"trust_framework":null,"time":{"value":"2026-11-20T00:00:00Z"}}`, nothing},

		{"the level", `{"trust_framework":null,"assurance_level":null}`, `{"trust_framework":"` + jpki + `","assurance_level":"ial2"}`},
		{"a level that is the acr", `{"trust_framework":null,"assurance_level":{"value":"aal3"}}`, nothing},

		{"what is never said, asked without a condition", `{"trust_framework":null,"verification_process":null,"assurance_process":{"policy":null},"txn":null}`, bare},
		{"a process of a certain name", `{"trust_framework":null,"verification_process":{"value":"x"}}`, nothing},
		{"a policy of a certain name", `{"trust_framework":null,"assurance_process":{"policy":{"value":"jp_aml"}}}`, nothing},
		{"an unknown condition", `{"trust_framework":null,"x":[{"y":{"values":["z"]}}]}`, nothing},

		{"evidence of the type", evidence(`{"type":{"value":"document"}}`), document("")},
		{"evidence of any type", evidence(`{"type":{}}`), document("")},
		{"evidence of another type", evidence(`{"type":{"value":"electronic_signature"},"serial_number":null}`), nothing},
		{"either of two types", evidence(`{"type":{"value":"vouch"}},{"type":{"value":"document"}}`), document("")},
		{"how it was checked", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":null}]}`),
			document(`,"check_details":[{"check_method":"vcrypt"},{"check_method":"token"}]`)},
		{"one check", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":{"value":"token"}}]}`),
			document(`,"check_details":[{"check_method":"token"}]`)},
		{"either of two checks", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":{"value":"bvr"}},{"check_method":{"value":"vcrypt"}}]}`),
			document(`,"check_details":[{"check_method":"vcrypt"}]`)},
		{"a check that was not made", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":{"value":"pvp"}}]}`), nothing},
		{"a check with its number and time", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":null,"check_id":null,"time":null,"organization":null}]}`),
			document(`,"check_details":[{"check_method":"vcrypt"},{"check_method":"token"}]`)},
		{"a check of a certain number", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":null,"check_id":{"value":"1"}}]}`), nothing},
		{"a check of a certain age, or any", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":null,"time":{"max_age":9}},{"check_method":{"value":"vcrypt"}}]}`),
			document(`,"check_details":[{"check_method":"vcrypt"}]`)},
		{"what document", evidence(`{"type":{"value":"document"},"document_details":{"type":null}}`),
			document(`,"document_details":{"type":"jp_individual_number_card"}`)},
		{"the details of it", evidence(`{"type":{"value":"document"},"document_details":{}}`),
			document(`,"document_details":{"type":"jp_individual_number_card"}`)},
		{"who issued it", evidence(`{"type":{"value":"document"},"document_details":{"type":null,"issuer":{"country_code":null,"name":null}}}`),
			document(`,"document_details":{"type":"jp_individual_number_card","issuer":{"country_code":"JPN"}}`)},
		{"its number and dates", evidence(`{"type":{"value":"document"},"document_details":{"type":null,"document_number":null,"serial_number":null,"date_of_expiry":null,"date_of_issuance":null}}`),
			document(`,"document_details":{"type":"jp_individual_number_card"}`)},
		{"its number, which is one of two", evidence(`{"type":{"value":"document"},"document_details":{"type":null,"document_number":{"values":["1","2"]}}}`), nothing},
		{"its expiry, which is near", evidence(`{"type":{"value":"document"},"document_details":{"type":null,"date_of_expiry":{"max_age":1}}}`), nothing},
		{"a passport", evidence(`{"type":{"value":"document"},"document_details":{"type":{"value":"passport"}}}`), nothing},
		{"issued elsewhere", evidence(`{"type":{"value":"document"},"document_details":{"issuer":{"country_code":{"value":"DEU"}}}}`), nothing},
		{"issued by somebody of a certain name", evidence(`{"type":{"value":"document"},"document_details":{"issuer":{"name":{"value":"x"}}}}`), nothing},
		{"a picture of it", evidence(`{"type":{"value":"document"},"attachments":null}`), document("")},
		{"a picture of a certain kind", evidence(`{"type":{"value":"document"},"attachments":{"value":"x"}}`), nothing},
		{"two templates that are met", evidence(`{"type":{"value":"document"},"check_details":[{"check_method":{"value":"token"}}],"document_details":{"issuer":{"country_code":null}}},` +
			`{"type":{"value":"document"},"check_details":[{"check_method":null}],"document_details":{"type":null}}`),
			document(`,"check_details":[{"check_method":"token"},{"check_method":"vcrypt"}],"document_details":{"type":"jp_individual_number_card","issuer":{"country_code":"JPN"}}`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := parse(t, `{"userinfo":{"verified_claims":{"verification":`+tc.asked+`,"claims":{"gender":null}}}}`)
			v, met := r.UserInfo.Verified[0].Verification.Match(done, noon)
			got, err := json.Marshal(v)
			if err != nil || met != (tc.want != nothing) || met && string(got) != tc.want {
				t.Errorf("%v %s", met, got)
			}
			if _, met := r.UserInfo.Verified[0].Verification.Match(ask.Done{}, noon); met {
				t.Error("a verification that did not take place is told")
			}
		})
	}
}

// asked draws a claims parameter: known and unknown claims, with and without conditions, anywhere.
func asked() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		out := map[string]any{}
		for _, target := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"id_token", "userinfo"}), rapid.ID).Draw(t, "targets") {
			members := someClaims().Draw(t, "claims")
			if n := rapid.IntRange(0, 3).Draw(t, "elements"); n > 0 {
				var list []any
				for range n {
					list = append(list, map[string]any{"verification": verification().Draw(t, "verification"), "claims": atLeastOne(someClaims().Draw(t, "verified"))})
				}
				members["verified_claims"] = list
			}
			out[target] = members
		}
		return out
	})
}

func atLeastOne(m map[string]any) map[string]any {
	if len(m) == 0 {
		m["name"] = nil
	}
	return m
}

func someClaims() *rapid.Generator[map[string]any] {
	names := append(claims.Names(), "email", "name#ja", "name#ja-Hani-JP", "name#ja-Kana-JP", "given_name#ja-Latn-JP", "address#ja-JP", "birthdate#ja", "::age_19_or_over")
	condition := rapid.SampledFrom([]any{nil, nil, map[string]any{"essential": true}, map[string]any{"value": true}, map[string]any{"values": []any{false, "male"}},
		map[string]any{"value": "手形　太郎"}})
	return rapid.MapOf(rapid.SampledFrom(names), condition)
}

func verification() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		out := map[string]any{"trust_framework": rapid.SampledFrom([]any{nil, nil, map[string]any{"value": jpki}, map[string]any{"values": []any{"x", jpki}}, map[string]any{"value": "jp_aml"}}).Draw(t, "framework")}
		for name, kinds := range map[string][]any{
			"time":                 {nil, map[string]any{"max_age": 3600}, map[string]any{"max_age": 60}},
			"assurance_level":      {nil, map[string]any{"value": "ial2"}, map[string]any{"value": "ial3"}},
			"verification_process": {nil},
			"evidence": {[]any{map[string]any{"type": map[string]any{"value": "document"}, "check_details": []any{map[string]any{"check_method": nil}}}},
				[]any{map[string]any{"type": map[string]any{"value": "vouch"}}},
				[]any{map[string]any{"type": map[string]any{}, "document_details": map[string]any{"issuer": map[string]any{"country_code": nil}, "document_number": nil}}}},
		} {
			if rapid.Bool().Draw(t, name) {
				out[name] = rapid.SampledFrom(kinds).Draw(t, name+" how")
			}
		}
		return out
	})
}

func taro(t rapid.TB) claims.Person {
	t.Helper()
	p, err := claims.FromCertificate(claims.CertificateFields{Name: "手形　太郎", Sex: "1", Birth: "319650401", Address: "東京都千代田区手形町一丁目２番３号"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// answers gives the answer to a request as its relying party sees it.
func answers(t rapid.TB, request map[string]any, scopes, consented []claims.Item, locales []string) (id, info string) {
	t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	wants := parse(t, string(text)).Wants(scopes, locales, done, noon)
	r := wants.Release(claims.Evaluate(taro(t), wants.Items(), noon), consented)
	return string(r.IDToken.Encode()), string(r.UserInfo.Encode())
}

func tree(t rapid.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func elements(members map[string]any) []map[string]any {
	switch v := members["verified_claims"].(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var out []map[string]any
		for _, one := range v {
			out = append(out, one.(map[string]any))
		}
		return out
	}
	return nil
}

func TestAnsweredIsAskedAndConsented(t *testing.T) {
	schemas := compiled(t)
	rapid.Check(t, func(t *rapid.T) {
		request := asked().Draw(t, "request")
		consented := rapid.SliceOf(rapid.SampledFrom(claims.Catalogue())).Draw(t, "consented")
		id, info := answers(t, request, nil, consented, nil)
		for target, answer := range map[string]string{"id_token": id, "userinfo": info} {
			members, _ := request[target].(map[string]any)
			got := tree(t, answer)
			for _, schema := range schemas {
				if err := schema.Validate(tree(t, answer)); err != nil {
					t.Fatalf("%s: %v", answer, err)
				}
			}
			allowed(t, got, members, consented)
			var verified []map[string]any
			for _, one := range elements(members) {
				verified = append(verified, one["claims"].(map[string]any))
			}
			for _, element := range elements(got) {
				if len(verified) == 0 {
					t.Fatalf("%s: nobody asked for verified claims", answer)
				}
				all := map[string]any{}
				for _, one := range verified {
					for name := range one {
						all[name] = nil
					}
				}
				allowed(t, element["claims"].(map[string]any), all, consented)
			}
		}
	})
}

// allowed holds an answer's members to what was asked and agreed to.
func allowed(t *rapid.T, got, asked map[string]any, consented []claims.Item) {
	for name := range got {
		if name == "verified_claims" {
			continue
		}
		claim, known := claims.ParseClaim(name)
		if _, was := asked[name]; !was || !known || !slices.Contains(consented, claim.Item()) {
			t.Fatalf("%s is answered: asked %v, consented %v", name, asked, consented)
		}
	}
}

func TestConditionsOnlyTakeAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request := asked().Draw(t, "request")
		id, info := answers(t, request, nil, claims.Catalogue(), nil)
		freeID, freeInfo := answers(t, unconditional(request).(map[string]any), nil, claims.Catalogue(), nil)
		for _, pair := range [][2]string{{id, freeID}, {info, freeInfo}} {
			bound, free := tree(t, pair[0]), tree(t, pair[1])
			for name, value := range bound {
				if name != "verified_claims" && fmt.Sprint(free[name]) != fmt.Sprint(value) {
					t.Fatalf("%s is %v, and without conditions %v", name, value, free[name])
				}
			}
			if len(elements(bound)) > len(elements(free)) {
				t.Fatalf("%s has more elements than %s", pair[0], pair[1])
			}
		}
	})
}

// unconditional takes every condition out of a request, also one on a type of evidence that does not exist here.
func unconditional(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			if name != "value" && name != "values" && name != "max_age" {
				out[name] = unconditional(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = unconditional(v[i])
		}
		return out
	}
	return v
}

func TestNothingOfTheCardIsInAVerification(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, info := answers(t, map[string]any{"userinfo": map[string]any{"verified_claims": map[string]any{
			"verification": verification().Draw(t, "verification"), "claims": map[string]any{"age_over_18": nil}}}}, nil, claims.Catalogue(), nil)
		for _, secret := range []string{"手形", "千代田", "1965", "04-01", "11:", "12:00", "serial", "number", "expiry", "check_id", "txn"} {
			if strings.Contains(strings.ReplaceAll(info, claims.DocumentMyNumber, ""), secret) {
				t.Fatalf("%s is in %s", secret, info)
			}
		}
	})
}

func TestLocales(t *testing.T) {
	for _, tc := range []struct {
		name    string
		scopes  []claims.Item
		locales []string
		want    string
	}{
		{"one locale is answered without a tag", []claims.Item{"name", "gender"}, []string{"ja-Hani-JP"}, `{"name":"手形　太郎","gender":"male"}`},
		{"none of ours is no error", []claims.Item{"name"}, []string{"en", "fr"}, `{"name":"手形　太郎"}`},
		{"several are told apart, as far as the card knows them", []claims.Item{"name", "gender"}, []string{"JA-hani-jp", "ja-Kana-JP", "ja-Latn-JP"},
			`{"name":"手形　太郎","gender":"male","name#ja-Hani-JP":"手形　太郎"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, got := answers(t, map[string]any{}, tc.scopes, claims.Catalogue(), tc.locales); got != tc.want {
				t.Errorf("%s", got)
			}
		})
	}
	_, got := answers(t, map[string]any{"userinfo": map[string]any{"family_name": nil}}, nil, claims.Catalogue(), []string{"ja", "ja-JP"})
	if got != `{"family_name":"手形","family_name#ja":"手形","family_name#ja-JP":"手形"}` {
		t.Errorf("asked by name: %s", got)
	}
}

// compiled are the schema of this provider's own answers and, where TEGATA_IDA_SCHEMAS names a folder with them, those that
// the OpenID Foundation publishes; their licence keeps them out of this repository.
func compiled(t *testing.T) []*jsonschema.Schema {
	t.Helper()
	files := []string{"testdata/response.schema.json"}
	published, err := filepath.Glob(filepath.Join(os.Getenv("TEGATA_IDA_SCHEMAS"), "schema_*.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	var ids []string
	for _, file := range append(files, published...) {
		text, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(text)
		_ = text.Close()
		if err != nil {
			t.Fatal(err)
		}
		id, _ := doc.(map[string]any)["$id"].(string)
		if id == "" {
			id = "https://tegata.example/" + filepath.Base(file)
		}
		if err := c.AddResource(id, doc); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "request.json") && !strings.HasSuffix(file, "claims_schema.json") {
			ids = append(ids, id)
		}
	}
	var out []*jsonschema.Schema
	for _, id := range ids {
		schema, err := c.Compile(id)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, schema)
	}
	return out
}

func TestTheSchemaRefusesWhatMustNotBeSent(t *testing.T) {
	schema := compiled(t)[0]
	_, invalid := examples(t)
	for name, e := range invalid {
		if e.Kind == "response" && schema.Validate(tree(t, string(e.JSON))) == nil {
			t.Errorf("%s is valid", name)
		}
	}
	valid, _ := examples(t)
	for _, name := range []string{"response_age_only_minimal", "response_age_only_ptc", "response_age_jpki_evidence"} {
		if err := schema.Validate(tree(t, string(valid[name].JSON))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
