package ask_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/claims"
	"tegata/claims/ask"
)

func rules(t testing.TB, idToken, userInfo string) ask.Rules {
	t.Helper()
	r, err := ask.Parse(`{"_asc":{"sao":{"id_token":[` + idToken + `],"userinfo":[` + userInfo + `]}}}`)
	if err != nil {
		t.Fatalf("%s %s: %v", idToken, userInfo, err)
	}
	return r.Rules
}

const response = `{"name":"手形　<太郎>","age_over_18":true,"address":{"formatted":"x","region":"東京都"},"verified_claims":[` +
	`{"verification":{"trust_framework":"a","evidence":[{"type":"document","check_details":[{"check_method":"vcrypt"}]}]},"claims":{"gender":"male","name#ja-Hani-JP":"手形"}},` +
	`{"verification":{"trust_framework":"b"},"claims":{"::age_20_or_over":false}}]}`

func TestRulesTakeAway(t *testing.T) {
	const first = `{"verification":{"trust_framework":"a","evidence":[{"type":"document","check_details":[{"check_method":"vcrypt"}]}]},"claims":{"gender":"male","name#ja-Hani-JP":"手形"}}`
	const second = `{"verification":{"trust_framework":"b"},"claims":{"::age_20_or_over":false}}`
	const start, address = `{"name":"手形　<太郎>","age_over_18":true`, `,"address":{"formatted":"x","region":"東京都"}`
	for _, tc := range []struct{ name, rules, want string }{
		{"none", ``, response},
		{"what is there may stay", `{"loc":"/name","else":"omit"}`, response},
		{"what is there may stay, said in full", `{"loc":"/verified_claims/0/claims/name#JA-hani-jp","method":"exists","else":"abort"}`, response},
		{"what is as wanted may stay", `{"loc":"/age_over_18","method":"simple","value":true,"else":"abort"}`, response},
		{"what is one of several", `{"loc":"/address/region","method":"simple","values":["大阪府","東京都"],"else":"abort"}`, response},
		{"what is not as wanted goes", `{"loc":"/age_over_18","method":"simple","value":false,"else":"omit"}`, strings.Replace(response, `,"age_over_18":true`, "", 1)},
		{"a text is no boolean", `{"loc":"/age_over_18","method":"simple","value":"true","else":"omit"}`, strings.Replace(response, `,"age_over_18":true`, "", 1)},
		{"something else goes", `{"loc":"/email","else":"omit","what":["/name","/address"]}`, `{"age_over_18":true` + response[len(start+address):]},
		{"a part goes", `{"loc":"/email","else":"omit","what":["/address/region"]}`, start + `,"address":{"formatted":"x"}` + response[len(start+address):]},
		{"a whole goes with its last part", `{"loc":"/email","else":"omit","what":["/address/region","/address/formatted"]}`, start + response[len(start+address):]},
		{"an element goes with its framework", `{"loc":"/email","else":"omit","what":["/verified_claims/0/verification/trust_framework"]}`,
			start + address + `,"verified_claims":[` + second + `]}`},
		{"an element goes with its claims", `{"loc":"/verified_claims/1/claims/::age_20_or_over","method":"simple","value":true,"else":"omit"}`,
			start + address + `,"verified_claims":[` + first + `]}`},
		{"evidence goes with its type", `{"loc":"/email","else":"omit","what":["/verified_claims/0/verification/evidence/0/type"]}`,
			start + address + `,"verified_claims":[{"verification":{"trust_framework":"a"},"claims":{"gender":"male","name#ja-Hani-JP":"手形"}},` + second + `]}`},
		{"all elements go", `{"loc":"/email","else":"omit","what":["/verified_claims/0","/verified_claims/1/claims"]}`, start + address + `}`},
		{"a number of an element counts as before", `{"loc":"/email","else":"omit","what":["/verified_claims/0"]},{"loc":"/verified_claims/1/claims","else":"abort"}`,
			start + address + `,"verified_claims":[` + second + `]}`},
		{"what went is not there for the next rule", `{"loc":"/email","else":"omit","what":["/name"]},{"loc":"/name","else":"omit","what":["/age_over_18"]}`,
			`{` + response[len(start)+1:]},
		{"what went with another is not there either", `{"loc":"/email","else":"omit","what":["/verified_claims/1/claims"]},{"loc":"/verified_claims/1","else":"omit","what":["/verified_claims"]}`,
			start + address + `}`},
		{"an escaped name", `{"loc":"/na~1me~0","else":"omit","what":["/name","/age_over_18","/address","/verified_claims"]}`, `{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, both := range []struct{ r ask.Rules }{{rules(t, tc.rules, "")}, {rules(t, "", tc.rules)}} {
				got, err := both.r.Settle([]byte(response), []byte(response))
				if err != nil || got.Abort {
					t.Fatal(err, got.Abort)
				}
				changed, other := got.IDToken, got.UserInfo
				if len(both.r.IDToken) == 0 {
					changed, other = other, changed
				}
				if string(changed) != tc.want || string(other) != response {
					t.Errorf("%s\nbeside %s", changed, other)
				}
			}
		})
	}
}

func TestRulesAbort(t *testing.T) {
	for name, r := range map[string]ask.Rules{
		"what is missing":       rules(t, `{"loc":"/email","else":"abort"}`, ``),
		"what is different":     rules(t, ``, `{"loc":"/age_over_18","method":"simple","value":false,"else":"abort"}`),
		"what was omitted":      rules(t, `{"loc":"/email","else":"omit","what":["/name"]},{"loc":"/name","else":"abort"}`, ``),
		"no index of an object": rules(t, `{"loc":"/address/0","else":"abort"}`, ``),
		"no index with a zero":  rules(t, `{"loc":"/verified_claims/00","else":"abort"}`, ``),
		"beyond the list":       rules(t, `{"loc":"/verified_claims/2","else":"abort"}`, ``),
		"inside of a text":      rules(t, `{"loc":"/name/x","else":"abort"}`, ``),
		"a whole as a value":    rules(t, `{"loc":"/address","method":"simple","value":"x","else":"abort"}`, ``),
		"the empty name":        rules(t, `{"loc":"/","else":"abort"}`, ``),
	} {
		if got, err := r.Settle([]byte(response), []byte(response)); err != nil || !got.Abort || got.IDToken != nil || got.UserInfo != nil || got.Items != nil {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
	if _, err := rules(t, `{"loc":"/x","else":"abort"}`, ``).Settle([]byte(`{}`), []byte(`[]`)); !errors.Is(err, ask.ErrResponse) {
		t.Errorf("a list: %v", err)
	}
}

func TestWhatIsLeftIsListed(t *testing.T) {
	got, err := rules(t, `{"loc":"/x","else":"omit","what":["/verified_claims"]}`, `{"loc":"/x","else":"omit","what":["/gender","/name"]}`).
		Settle([]byte(response), []byte(`{"gender":"male","name":"x","birthdate":"2000-01-01"}`))
	if want := []claims.Item{"name", "address", "birthdate", "age_over_18"}; err != nil || !slices.Equal(got.Items, want) {
		t.Errorf("%v %v", err, got.Items)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	const at = "claims._asc.sao.userinfo[0]"
	pointer := func(p string) string { return fmt.Sprintf(`{"loc":%q,"else":"abort"}`, p) }
	for _, tc := range []struct{ name, rule, path string }{
		{"a text", `"x"`, at},
		{"no pointer", `{"else":"abort"}`, at + ".loc"},
		{"a pointer to everything", pointer(""), at + ".loc"},
		{"a pointer without a root", pointer("name"), at + ".loc"},
		{"a broken escape", pointer("/na~2me"), at + ".loc"},
		{"a pointer into the abyss", pointer(strings.Repeat("/a", 9)), at + ".loc"},
		{"whom the answer is about", pointer("/sub"), at + ".loc"},
		{"how the person has logged in", pointer("/acr"), at + ".loc"},
		{"nothing otherwise", `{"loc":"/name"}`, at + ".else"},
		{"something else otherwise", `{"loc":"/name","else":"log"}`, at + ".else"},
		{"a schema", `{"loc":"/name","method":"schema","schema":{},"else":"abort"}`, at},
		{"the method of a schema", `{"loc":"/name","method":"schema","else":"abort"}`, at + ".method"},
		{"an unknown method", `{"loc":"/name","method":1,"else":"abort"}`, at + ".method"},
		{"a value that nobody compares", `{"loc":"/name","value":"x","else":"abort"}`, at + ".method"},
		{"a value where it has to be there", `{"loc":"/name","method":"exists","values":["x"],"else":"abort"}`, at + ".method"},
		{"nothing to compare with", `{"loc":"/name","method":"simple","else":"abort"}`, at + ".value"},
		{"value and values", `{"loc":"/name","method":"simple","value":"x","values":["x"],"else":"abort"}`, at + ".value"},
		{"an object to compare with", `{"loc":"/name","method":"simple","value":{},"else":"abort"}`, at + ".value"},
		{"null to compare with", `{"loc":"/name","method":"simple","value":null,"else":"abort"}`, at + ".value"},
		{"a list in a list", `{"loc":"/name","method":"simple","values":[["x"]],"else":"abort"}`, at + ".value"},
		{"no values", `{"loc":"/name","method":"simple","values":[],"else":"abort"}`, at + ".value"},
		{"values that are none", `{"loc":"/name","method":"simple","values":"x","else":"abort"}`, at + ".value"},
		{"what with an abort", `{"loc":"/name","else":"abort","what":["/name"]}`, at + ".what"},
		{"an empty what", `{"loc":"/name","else":"omit","what":[]}`, at + ".what"},
		{"what is a text", `{"loc":"/name","else":"omit","what":"/name"}`, at + ".what"},
		{"what is of the protocol", `{"loc":"/name","else":"omit","what":["/name","/exp"]}`, at + ".what[1]"},
		{"a member of a later draft", `{"loc":"/name","else":"omit","if":"x"}`, at},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ask.Parse(`{"_asc":{"sao":{"userinfo":[` + tc.rule + `]}}}`)
			var wrong *ask.Error
			if !errors.As(err, &wrong) || wrong.Path != tc.path {
				t.Errorf("%v", err)
			}
		})
	}
	for name, text := range map[string]string{
		"claims._asc.sao": `{"_asc":{"sao":[]}}`, "claims._asc.sao.id_token": `{"_asc":{"sao":{"id_token":{}}}}`,
		"claims._asc.sao.userinfo": `{"_asc":{"sao":{"userinfo":[` + strings.Repeat(pointer("/name")+",", 20) + pointer("/name") + `]}}}`,
	} {
		_, err := ask.Parse(text)
		var wrong *ask.Error
		if !errors.As(err, &wrong) || wrong.Path != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRulesStandInPlaceOfOtherConditions(t *testing.T) {
	const request = `{"id_token":{"sub":{"value":"a"},"acr":{"essential":true,"value":"aal3"}},"userinfo":{"name":{"value":"x"},"verified_claims":{"verification":` +
		`{"trust_framework":{"value":"nobody"},"time":{"value":"x","max_age":60},"txn":{"value":"1"}},"claims":{"gender":{"values":["male"]}}}}%s}`
	for rules, free := range map[string]bool{``: false, `,"_asc":{}`: false, `,"_asc":{"sao":{}}`: true} {
		r, err := ask.Parse(fmt.Sprintf(request, rules))
		if err != nil {
			t.Fatal(err)
		}
		v := r.UserInfo.Verified[0]
		for what, void := range map[string]bool{
			"claim": r.UserInfo.Claims[0].OneOf == nil, "verified claim": v.Claims[0].OneOf == nil, "framework": v.Verification.TrustFramework.OneOf == nil,
			"time": v.Verification.Time.OneOf == nil, "what is never said": !v.Verification.Unmeetable,
		} {
			if void != free {
				t.Errorf("%q: the condition on the %s is void: %v", rules, what, void)
			}
		}
		if v.Verification.Time.MaxAge == nil || r.IDToken.Subjects == nil || r.IDToken.ACR == nil {
			t.Errorf("%q: an age of facts, a person or a worth of a login counts no more", rules)
		}
	}
}

// What rules leave is always a part of what there was.
func FuzzSettle(f *testing.F) {
	f.Add(`{"loc":"/verified_claims/0/claims","else":"omit"}`, response)
	f.Add(`{"loc":"/name","method":"simple","value":"x","else":"omit","what":["/address","/verified_claims/1"]}`, response)
	f.Add(`{"loc":"/x","else":"abort"}`, `{}`)
	f.Fuzz(func(t *testing.T, rule, text string) {
		r, err := ask.Parse(`{"_asc":{"sao":{"userinfo":[` + rule + `]}}}`)
		if err != nil {
			return
		}
		got, err := r.Rules.Settle([]byte(`{}`), []byte(text))
		if err != nil || got.Abort {
			return
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal(got.UserInfo, &after) != nil || !within(after, before) || string(got.IDToken) != `{}` {
			t.Fatalf("%s\nbecame %s", text, got.UserInfo)
		}
		if again, err := r.Rules.Settle([]byte(`{}`), got.UserInfo); err == nil && !again.Abort && len(again.UserInfo) > len(got.UserInfo) {
			t.Fatal("it grows")
		}
	})
}

func within(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		for name, v := range part {
			ok = ok && within(v, w[name])
		}
		return ok
	case []any:
		w, _ := whole.([]any)
		for _, v := range part {
			if !slices.ContainsFunc(w, func(one any) bool { return within(v, one) }) {
				return false
			}
		}
		return len(part) <= len(w)
	}
	a, _ := json.Marshal(part)
	b, _ := json.Marshal(whole)
	return bytes.Equal(a, b)
}
