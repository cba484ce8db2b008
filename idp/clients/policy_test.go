package clients

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

func about(names ...string) map[string]storage.ItemPolicy {
	all := map[string]storage.ItemPolicy{}
	for _, n := range names {
		all[n] = storage.ItemPolicy{}
	}
	return all
}

func TestWhichPoliciesAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		field  string // of the one problem; "" for none
		change func(*Metadata)
	}{
		{"an item with its purpose", "", func(m *Metadata) {
			m.Policy.Items = map[string]storage.ItemPolicy{"name": {Purpose: "To write it on the parcel.", PurposeJa: "荷物に書くため"}}
		}},
		{"every item of the scope", "", func(m *Metadata) { m.Scope, m.Policy.Items = "openid name age_over_65", about("name", "age_over_65") }},
		{"an item beyond the scope", "policy.items.name", func(m *Metadata) { m.Scope, m.Policy.Items = "openid age_over_65", about("name", "age_over_65") }},
		{"an item of the scope forgotten", "policy.items", func(m *Metadata) { m.Scope, m.Policy.Items = "openid name gender", about("name") }},
		{"an item that nobody knows", "policy.items", func(m *Metadata) { m.Scope, m.Policy.Items = "openid", about("shoe_size") }},
		{"a purpose of two lines", "policy.items.name.purpose", func(m *Metadata) { m.Policy.Items = map[string]storage.ItemPolicy{"name": {Purpose: "a\nb"}} }},
		{"a purpose without end", "policy.items.name.purpose#ja", func(m *Metadata) {
			m.Policy.Items = map[string]storage.ItemPolicy{"name": {PurposeJa: strings.Repeat("茶", 301)}}
		}},
		{"two ages at once", "", func(m *Metadata) { m.Policy.Predicates = 2 }},
		{"three ages at once", "policy.predicates_per_request", func(m *Metadata) { m.Policy.Predicates = 3 }},
		{"fewer than no ages", "policy.predicates_per_request", func(m *Metadata) { m.Policy.Predicates = -1 }},
		{"the signature certificate alone", "", func(m *Metadata) { m.Policy.Source = "signature_certificate" }},
		{"what nobody can verify", "", func(m *Metadata) { m.Policy.Source = "card_info_unverified" }},
		{"what nobody can verify, for sales by age alone", "policy.source", func(m *Metadata) {
			m.Profile, m.Scope, m.Policy.Source = ProfileAgeOnly, "openid age_over_20", "card_info_unverified"
		}},
		{"a source that nobody knows", "policy.source", func(m *Metadata) { m.Policy.Source = "hearsay" }},
		{"an age by the day that the operator named", "", func(m *Metadata) { m.Policy.ByDay = []string{"age_over_18"} }},
		{"one that the operator did not name", "policy.by_day[1]", func(m *Metadata) { m.Policy.ByDay = []string{"age_over_18", "age_over_15"} }},
		{"the age for alcohol by the day", "policy.by_day[0]", func(m *Metadata) { m.Policy.ByDay = []string{"age_over_20"} }},
		{"a name by the day", "policy.by_day[0]", func(m *Metadata) { m.Policy.ByDay = []string{"name"} }},
		{"a promise", "", func(m *Metadata) { m.Policy.Retention, m.Policy.RetentionJa = "Not kept.", "保管しません" }},
		{"a promise that turns the direction of writing", "policy.retention", func(m *Metadata) { m.Policy.Retention = "ever\u202e" }},
		{"a Japanese promise of two lines", "policy.retention#ja", func(m *Metadata) { m.Policy.RetentionJa = "一\n二" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, problems := Rules{ByDay: []claims.Item{claims.ItemAgeOver18, claims.ItemAgeOver20}}.Client(shop(tc.change), now)
			switch {
			case tc.field == "" && (len(problems) > 0 || c.ID == ""):
				t.Error(problems)
			case tc.field != "" && (len(problems) != 1 || problems[0].Field != tc.field || !strings.HasSuffix(problems[0].Text, ".")):
				t.Errorf("%v, want one at %s", problems, tc.field)
			}
		})
	}
}

func TestAPolicyIsTheScopeOfWhoHasNone(t *testing.T) {
	c, problems := Rules{}.Client(shop(func(m *Metadata) { m.Policy.Items = about("gender", "age_over_65") }), now)
	if len(problems) > 0 || strings.Join(c.Scopes, " ") != "openid gender age_over_65" {
		t.Error(c.Scopes, problems)
	}
}

func TestAPolicyIsReadInFullOrNotAtAll(t *testing.T) {
	for text, want := range map[string]string{
		`{"policy":{"items":{"name":{"purpose":"p","purpose#ja":"j"}},"retention":"r"}}`: "",
		`{"policy":{"itmes":{"name":{}}}}`:                                               "policy: must be an object",
		`{"policy":{"items":{"name":{"reason":"p"}}}}`:                                   "policy: must be an object",
		`{"policy":{"items":["name"]}}`:                                                  "policy: must be an object",
		`{"policy":"strict"}`:                                                            "policy: must be an object",
		`{"policy":null}`:                                                                "",
		`{"policy":{"predicates_per_request":"2"}}`:                                      "policy: must be an object",
		`{"client_name":"n","policy":{"source":"x"},"scope":"s"}`:                        "",
	} {
		var m Metadata
		if err := json.Unmarshal([]byte(text), &m); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The refusal table: what a client may ask, whatever is registered.
func TestRequestsBeyondThePolicy(t *testing.T) {
	plain := storage.Client{Scopes: []string{"openid", "birthdate", "age_over_18"}}
	strict := storage.Client{Policy: storage.ClientPolicy{Items: about("name", "birthdate", "age_over_65")}}
	pair := storage.Client{Policy: storage.ClientPolicy{Items: about("age_over_18", "age_over_20", "age_over_65"), Predicates: 2}}
	for _, tc := range []struct {
		name   string
		client storage.Client
		asked  []claims.Item
		field  string // "" may be asked
	}{
		{"a client without a policy: a predicate beside the birthdate", plain, []claims.Item{"birthdate", "age_over_18"}, ""},
		{"a client without a policy: all ages", plain, []claims.Item{"age_over_18", "age_over_20", "age_over_65"}, ""},
		{"nothing", strict, nil, ""},
		{"what was agreed", strict, []claims.Item{"name", "age_over_65"}, ""},
		{"an item that was not agreed", strict, []claims.Item{"name", "address"}, "address"},
		{"a predicate that was not agreed", strict, []claims.Item{"age_over_13"}, "age_over_13"},
		{"a predicate that is open to everyone", strict, []claims.Item{"age_over_20"}, ""},
		{"a predicate beside the birthdate", strict, []claims.Item{"birthdate", "age_over_65"}, "birthdate"},
		{"an open predicate beside the birthdate", strict, []claims.Item{"birthdate", "age_over_18"}, "birthdate"},
		{"the birthdate alone", strict, []claims.Item{"birthdate"}, ""},
		{"two ages", strict, []claims.Item{"age_over_18", "age_over_65"}, "age_over_65"},
		{"two ages where the pair was agreed", pair, []claims.Item{"age_over_18", "age_over_65"}, ""},
		{"three ages where a pair was agreed", pair, []claims.Item{"age_over_18", "age_over_20", "age_over_65"}, "age_over_65"},
	} {
		err := CheckRequest(tc.client, tc.asked)
		if tc.field == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		var coded *fail.Error
		if !errors.As(err, &coded) || !errors.Is(err, fail.BeyondPolicy) || coded.Field != tc.field || coded.OAuth != "invalid_scope" {
			t.Errorf("%s: %v at %v, want %s", tc.name, err, coded, tc.field)
		}
	}
}

// Whatever is asked: what passes a policy is inside of it, and never an age beside the birthdate.
func TestWhatPassesIsWithinThePolicy(t *testing.T) {
	item := rapid.SampledFrom(claims.Catalogue())
	rapid.Check(t, func(t *rapid.T) {
		agreed := rapid.SliceOfNDistinct(item, 1, 6, rapid.ID).Draw(t, "agreed")
		asked := rapid.SliceOfNDistinct(item, 0, 5, rapid.ID).Draw(t, "asked")
		c := storage.Client{Policy: storage.ClientPolicy{Items: map[string]storage.ItemPolicy{}, Predicates: rapid.IntRange(0, 2).Draw(t, "ages")}}
		for _, i := range agreed {
			c.Policy.Items[string(i)] = storage.ItemPolicy{}
		}
		if CheckRequest(c, asked) != nil {
			return
		}
		ages := 0
		for _, i := range asked {
			if !slices.Contains(agreed, i) && !i.Open() {
				t.Fatalf("%s was not agreed", i)
			}
			if i.Predicate() {
				ages++
			}
		}
		if ages > max(1, c.Policy.Predicates) || ages > 0 && slices.Contains(asked, claims.ItemBirthdate) {
			t.Fatalf("%v passes", asked)
		}
	})
}

func TestAgeRulesOfAClient(t *testing.T) {
	all := claims.AgeRules{claims.ItemAgeOver15: claims.ByDay}
	own := AgeRules(storage.Client{Policy: storage.ClientPolicy{ByDay: []string{"age_over_18"}}}, all)
	if own[claims.ItemAgeOver18] != claims.ByDay || own[claims.ItemAgeOver15] != claims.ByDay || own[claims.ItemAgeOver20] != claims.ByInstant {
		t.Errorf("%v", own)
	}
	if len(all) != 1 {
		t.Error("one client's rule became everybody's")
	}
	if own := AgeRules(storage.Client{Policy: storage.ClientPolicy{ByDay: []string{"age_over_18"}}}, nil); own[claims.ItemAgeOver18] != claims.ByDay {
		t.Errorf("%v", own)
	}
}
