package ask_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/claims"
	"tegata/claims/ask"
)

func TestMalformedRequestsNameTheMember(t *testing.T) {
	const framework = `"verification":{"trust_framework":null}`
	verified := func(element string) string { return `{"userinfo":{"verified_claims":` + element + `}}` }
	evidence := func(entry string) string {
		return verified(`{"verification":{"trust_framework":null,"evidence":[` + entry + `]},"claims":null}`)
	}
	const at = "claims.userinfo.verified_claims"
	for _, tc := range []struct{ name, text, path string }{
		{"nothing", ``, "claims"},
		{"half an object", `{"userinfo":{`, "claims"},
		{"two objects", `{}{}`, "claims"},
		{"a list", `[]`, "claims"},
		{"null", `null`, "claims"},
		{"a member twice", `{"userinfo":{"name":null,"name":null}}`, "claims"},
		{"a member twice, escaped", `{"userinfo":{"name":null,"\u006eame":null}}`, "claims"},
		{"a member twice in what is ignored", `{"x":{"a":1,"a":2}}`, "claims"},
		{"too deep", strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20), "claims"},
		{"too deep a list", `{"a":` + strings.Repeat(`[`, 30) + strings.Repeat(`]`, 30) + `}`, "claims"},
		{"too long", `{"a":"` + strings.Repeat("x", ask.MaxSize) + `"}`, "claims"},
		{"too many values", `{"a":[` + strings.Repeat(`1,`, 1500) + `1]}`, "claims"},
		{"a target that is null", `{"userinfo":null}`, "claims.userinfo"},
		{"a target that is a list", `{"id_token":["name"]}`, "claims.id_token"},
		{"a claim that is a text", `{"userinfo":{"name":"x"}}`, "claims.userinfo.name"},
		{"a claim that is true", `{"id_token":{"age_over_18":true}}`, "claims.id_token.age_over_18"},
		{"a tagged claim, whose tag is told as we write it", `{"userinfo":{"name#JA-hani-jp":1}}`, "claims.userinfo.name#ja-Hani-JP"},
		{"a tag that we do not know is not quoted", `{"userinfo":{"name#<script>":1}}`, "claims.userinfo.name#"},
		{"essential that is a text", `{"userinfo":{"name":{"essential":"true"}}}`, "claims.userinfo.name.essential"},
		{"values that are none", `{"userinfo":{"name":{"values":"x"}}}`, "claims.userinfo.name.values"},
		{"values that are empty", `{"userinfo":{"name":{"values":[]}}}`, "claims.userinfo.name.values"},
		{"value and values", `{"userinfo":{"name":{"value":"a","values":["a"]}}}`, "claims.userinfo.name.values"},
		{"a subject that is a number", `{"id_token":{"sub":{"value":1}}}`, "claims.id_token.sub.value"},
		{"an acr that is a number", `{"id_token":{"acr":{"essential":true,"values":[3]}}}`, "claims.id_token.acr.value"},
		{"auth_time that is a number", `{"id_token":{"auth_time":1}}`, "claims.id_token.auth_time"},
		{"functions of the relying party's own", `{"_asc":{"transformed_claims":{"adult":{"claim":"birthdate","fn":["years_ago",["gte",18]]}}},"userinfo":{":adult":null}}`,
			"claims._asc.transformed_claims"},
		{"functions as an older draft had them", `{"transformed_claims":{"adult":{}}}`, "claims.transformed_claims"},
		{"_asc that is none", `{"_asc":[]}`, "claims._asc"},

		{"verified claims that are null", verified(`null`), at},
		{"no element", verified(`[]`), at},
		{"many elements", verified(`[` + strings.Repeat(`{`+framework+`,"claims":null},`, 10) + `{` + framework + `,"claims":null}]`), at},
		{"the second of two", verified(`[{` + framework + `,"claims":null},1]`), at + "[1]"},
		{"a member that an element does not have", verified(`{` + framework + `,"claims":null,"purpose":"x"}`), at},
		{"no verification", verified(`{"claims":null}`), at + ".verification"},
		{"no framework", verified(`{"verification":{"time":null},"claims":null}`), at + ".verification.trust_framework"},
		{"a framework that is a text", verified(`{"verification":{"trust_framework":"x"},"claims":null}`), at + ".verification.trust_framework"},
		{"a framework that is a number", verified(`{"verification":{"trust_framework":{"value":1}},"claims":null}`), at + ".verification.trust_framework.value"},
		{"no claims", verified(`{` + framework + `}`), at + ".claims"},
		{"empty claims", verified(`{` + framework + `,"claims":{}}`), at + ".claims"},
		{"claims that are a list", verified(`{` + framework + `,"claims":["name"]}`), at + ".claims"},
		{"a verified claim that is a number", verified(`{` + framework + `,"claims":{"name":7}}`), at + ".claims.name"},
		{"an unknown verified claim that is a text is not quoted", verified(`{` + framework + `,"claims":{"email":"x"}}`), at + ".claims"},
		{"an unknown verified claim with another essential", verified(`{` + framework + `,"claims":{"email":{"essential":1}}}`), at + ".claims"},
		{"a negative age", verified(`{"verification":{"trust_framework":null,"time":{"max_age":-1}},"claims":null}`), at + ".verification.time.max_age"},
		{"an age in words", verified(`{"verification":{"trust_framework":null,"time":{"max_age":"60"}},"claims":null}`), at + ".verification.time.max_age"},
		{"a time that is a text", verified(`{"verification":{"trust_framework":null,"time":"now"},"claims":null}`), at + ".verification.time"},
		{"a process that is a text", verified(`{"verification":{"trust_framework":null,"verification_process":"x"},"claims":null}`), at + ".verification.verification_process"},
		{"evidence that is an object", verified(`{"verification":{"trust_framework":null,"evidence":{}},"claims":null}`), at + ".verification.evidence"},
		{"no evidence", evidence(``), at + ".verification.evidence"},
		{"evidence without a type", evidence(`{}`), at + ".verification.evidence[0].type"},
		{"evidence with a type that is a text", evidence(`{"type":"document"}`), at + ".verification.evidence[0].type"},
		{"evidence of several types", evidence(`{"type":{"values":["document","vouch"]}}`), at + ".verification.evidence[0].type.values"},
		{"evidence of no type", evidence(`{"type":{"value":"passport"}}`), at + ".verification.evidence[0].type.value"},
		{"no checks", evidence(`{"type":{"value":"document"},"check_details":[]}`), at + ".verification.evidence[0].check_details"},
		{"a check without its method", evidence(`{"type":{"value":"document"},"check_details":[{"time":null}]}`),
			at + ".verification.evidence[0].check_details[0].check_method"},
		{"details that are null", evidence(`{"type":{"value":"document"},"document_details":null}`), at + ".verification.evidence[0].document_details"},
		{"an issuer that is a text", evidence(`{"type":{"value":"document"},"document_details":{"issuer":"JP"}}`),
			at + ".verification.evidence[0].document_details.issuer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ask.Parse(tc.text)
			var wrong *ask.Error
			if !errors.As(err, &wrong) || wrong.Path != tc.path {
				t.Errorf("%v instead of %s", err, tc.path)
			}
		})
	}
}

func TestWhatNobodyKnowsIsIgnored(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"x":[1,2,{"y":null}]}`, "{\n\t\"userinfo\": {}\r\n}", `{"userinfo":{"email":null,"nickname":{"essential":true},"https://x.example/c":{"value":1},":adult":null}}`,
		`{"userinfo":{"Name":null}}`, `{"id_token":{"::age_19_or_over":null,"age_over_19":null}}`, `{"_asc":{"transformed_claims":{}}}`,
		`{"_asc":{"sao":{}}}`, `{"userinfo":{"acr":null,"auth_time":{"essential":true}}}`,
	} {
		r, err := ask.Parse(text)
		if err != nil || len(r.All()) != 0 || r.IDToken.AuthTime || r.IDToken.ACR != nil {
			t.Errorf("%s: %v %+v", text, err, r)
		}
	}
}

func TestWhatARequestAsksFor(t *testing.T) {
	r, err := ask.Parse(`{"id_token":{"age_over_18":{"essential":true},"::age_20_or_over":null,"auth_time":{"essential":true},"sub":{"value":"a"},
		"acr":{"essential":true,"values":["aal3","aal2"]}},
		"userinfo":{"name":null,"name#ja-kana-jp":null,"sub":{"values":["a","b"]},
		"verified_claims":[{"verification":{"trust_framework":{"value":"https://x/gold"}},"claims":{"birthdate":{"essential":true},"email":null}},
		{"verification":{"trust_framework":null,"verification_process":null},"claims":{"gender":null}},
		{"verification":{"trust_framework":null,"txn":{"value":"1"}},"claims":{"address":null}}]}}`)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, c := range r.All() {
		paths = append(paths, c.Path)
	}
	want := []string{
		"claims.id_token.age_over_18", "claims.id_token.::age_20_or_over", "claims.userinfo.name", "claims.userinfo.name#",
		"claims.userinfo.verified_claims[0].claims.birthdate", "claims.userinfo.verified_claims[1].claims.gender", "claims.userinfo.verified_claims[2].claims.address",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("asked for %v", paths)
	}
	if got := r.Items([]string{"https://x/gold"}); !slices.Equal(got, []claims.Item{"name", "birthdate", "gender", "age_over_18", "age_over_20"}) {
		t.Errorf("gold hears %v", got)
	}
	if got := r.Items([]string{"https://x/silver"}); !slices.Equal(got, []claims.Item{"name", "gender", "age_over_18", "age_over_20"}) || !r.Verifies([]string{"https://x/silver"}) {
		t.Errorf("silver hears %v", got)
	}
	if r.Verifies(nil) {
		t.Error("something is verified by nobody")
	}
	if !r.IDToken.AuthTime || !slices.Equal(r.IDToken.ACR, []string{"aal3", "aal2"}) || !slices.Equal(r.IDToken.Subjects, []string{"a"}) || len(r.UserInfo.Subjects) != 2 {
		t.Errorf("%+v", r)
	}
	for _, wish := range []string{`null`, `{"values":["aal9"]}`, `{"essential":true}`} {
		if r, err := ask.Parse(`{"id_token":{"acr":` + wish + `}}`); err != nil || r.IDToken.ACR != nil {
			t.Errorf("acr %s demands %v, %v", wish, r.IDToken.ACR, err)
		}
	}
}

func TestWhatIsNeededAndHowFresh(t *testing.T) {
	r, err := ask.Parse(`{"id_token":{"gender":{"essential":true},"name":{"essential":false}},"userinfo":{"verified_claims":[
		{"verification":{"trust_framework":null,"time":{"max_age":60}},"claims":{"age_over_18":{"essential":true}}},
		{"verification":{"trust_framework":{"value":"gold"},"time":{"max_age":10}},"claims":{"name":null}},
		{"verification":{"trust_framework":null,"time":{"max_age":1}},"claims":null}]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Essential(); !slices.Equal(got, []claims.Item{"gender", "age_over_18"}) {
		t.Errorf("essential: %v", got)
	}
	read := time.Unix(1_800_000_000, 0)
	for _, tc := range []struct {
		framework string
		age       time.Duration
		want      bool
	}{{"silver", 60 * time.Second, false}, {"silver", 61 * time.Second, true}, {"gold", 10 * time.Second, false}, {"gold", 11 * time.Second, true}} {
		if got := r.TooOld([]string{tc.framework}, read, read.Add(tc.age)); got != tc.want {
			t.Errorf("%s after %v: %v", tc.framework, tc.age, got)
		}
	}
	if r.TooOld(nil, read, read.Add(time.Hour)) {
		t.Error("what nobody verifies is too old")
	}
}

// example is one of the documents of testdata, which follow the schemas of the working group.
type example struct {
	Kind string          `json:"kind"`
	JSON json.RawMessage `json:"json"`
}

func examples(t testing.TB) (valid, invalid map[string]example) {
	t.Helper()
	text, err := os.ReadFile("testdata/examples_jpki.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Valid, Invalid map[string]example }
	if err := json.Unmarshal(text, &all); err != nil || len(all.Valid) < 10 || len(all.Invalid) < 10 {
		t.Fatalf("%d and %d examples, %v", len(all.Valid), len(all.Invalid), err)
	}
	return all.Valid, all.Invalid
}

func TestExampleRequests(t *testing.T) {
	valid, invalid := examples(t)
	for name, e := range valid {
		if e.Kind == "request" {
			if r, err := ask.Parse(string(e.JSON)); err != nil || len(r.All()) == 0 {
				t.Errorf("%s: %v, asks for %d", name, err, len(r.All()))
			}
		}
	}
	for name, e := range invalid {
		if e.Kind == "request" {
			if _, err := ask.Parse(string(e.JSON)); err == nil {
				t.Errorf("%s is accepted", name)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	valid, invalid := examples(f)
	for _, list := range []map[string]example{valid, invalid} {
		for _, e := range list {
			f.Add(string(e.JSON))
		}
	}
	f.Add(`{"id_token":{"sub":{"value":"x"},"acr":{"essential":true,"values":["aal3"]}},"userinfo":{"name#ja":null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ask.Parse(text)
		var wrong *ask.Error
		if err != nil {
			if !errors.As(err, &wrong) || len(wrong.Path) > 200 || strings.ContainsAny(wrong.Path, "\"\\<>") {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid([]byte(text)) || len(text) > ask.MaxSize {
			t.Fatal("this is no claims parameter")
		}
		for _, c := range r.All() {
			if c.Claim.Item().Needs() == "" {
				t.Fatalf("%s is not in the catalogue", c.Path)
			}
		}
	})
}
