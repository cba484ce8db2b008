package claims

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, jst)

func TestItemsOfScopes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		scopes []string
		want   []Item
	}{
		{"openid asks for nothing", []string{"openid"}, []Item{}},
		{"one predicate", []string{"openid", "age_over_18"}, []Item{ItemAgeOver18}},
		{"catalogue order, each once", []string{"age_over_20", "gender", "name", "name"}, []Item{ItemName, ItemGender, ItemAgeOver20}},
		{"unknown, misspelt and empty scopes", []string{"profile", "NAME", "name ", "age_over_19", ""}, []Item{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Items(tc.scopes); !slices.Equal(got, tc.want) {
				t.Errorf("got %v", got)
			}
		})
	}
	if got := strings.Join(Scopes(), " "); got != "openid name address address_prefecture address_municipality birthdate gender "+
		"age_over_13 age_over_15 age_over_16 age_over_18 age_over_20 age_over_25 age_over_60 age_over_65" {
		t.Errorf("scopes %s", got)
	}
}

func TestCatalogue(t *testing.T) {
	needs := map[Item]Fact{ItemName: FactName, ItemAddress: FactAddress, ItemPrefecture: FactAddress, ItemMunicipality: FactAddress, ItemGender: FactGender}
	for _, item := range Catalogue() {
		want, named := needs[item]
		if !named {
			want = FactBirth
		}
		predicate := strings.HasPrefix(string(item), "age_over_")
		if item.Needs() != want || item.Predicate() != predicate || item.InIDToken() != predicate || item.LabelKey() != "item_"+item.Scope() {
			t.Errorf("%s: %s %v %v %s", item, item.Needs(), item.Predicate(), item.InIDToken(), item.LabelKey())
		}
	}
	if stranger := Item("my_number"); stranger.Needs() != "" || stranger.Predicate() {
		t.Error("an item outside the catalogue has properties")
	}
}

func TestEvaluateAndDisplay(t *testing.T) {
	with := func(change func(*CertificateFields)) CertificateFields {
		f := hanako
		f.NameSubstitution, f.AddressSubstitution = "", ""
		change(&f)
		return f
	}
	same := func(*CertificateFields) {}
	for _, tc := range []struct {
		name   string
		fields CertificateFields
		item   Item
		ja, en string // "" for both: not available
	}{
		{"a name", with(same), ItemName, "手形　花子", "手形　花子"},
		{"no name", with(func(f *CertificateFields) { f.Name = "" }), ItemName, "", ""},
		{"an address", with(same), ItemAddress, hanako.Address, hanako.Address},
		{"no address", with(func(f *CertificateFields) { f.Address = "" }), ItemAddress, "", ""},
		{"a note about moving abroad is no address", with(func(f *CertificateFields) { f.Address = "国外転出　令和６年７月１日" }), ItemAddress, "", ""},
		{"a birthdate", with(same), ItemBirthdate, "2008年4月15日", "2008-04-15"},
		{"a birthdate without day", with(func(f *CertificateFields) { f.Birth = "420080400" }), ItemBirthdate, "", ""},
		{"a birthdate that has not come", with(func(f *CertificateFields) { f.Birth = "520261122" }), ItemBirthdate, "", ""},
		{"a woman", with(same), ItemGender, "女性", "Female"},
		{"a man", with(func(f *CertificateFields) { f.Sex = "1" }), ItemGender, "男性", "Male"},
		{"gender not told", with(func(f *CertificateFields) { f.Sex = "9" }), ItemGender, "", ""},
		{"over 18", with(same), ItemAgeOver18, "はい", "Yes"},
		{"not over 20", with(same), ItemAgeOver20, "いいえ", "No"},
		{"over 18 with day unknown but month past", with(func(f *CertificateFields) { f.Birth = "420080400" }), ItemAgeOver18, "はい", "Yes"},
		{"over 18 or not with day unknown", with(func(f *CertificateFields) { f.Birth = "420081100" }), ItemAgeOver18, "", ""},
		{"over 18 or not with year unknown", with(func(f *CertificateFields) { f.Birth = "000000415" }), ItemAgeOver18, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			offers := Evaluate(person(t, tc.fields), []Item{tc.item}, noon)
			if len(offers) != 1 || offers[0].Item != tc.item || offers[0].Available != (tc.ja != "") {
				t.Fatalf("%d offers", len(offers))
			}
			for lang, want := range map[string]string{"ja": tc.ja, "ja-JP": tc.ja, "JA": tc.ja, "en": tc.en, "": tc.en, "jam": tc.en} {
				if got := offers[0].Display(lang); got != want {
					t.Errorf("%s: %q, want %q", lang, got, want)
				}
			}
		})
	}
}

func TestUnverifiedAttributesOfferNothing(t *testing.T) {
	fields := CardInfoFields{Name: "手形　太郎", Address: "東京都大島町元町一丁目", Birth: "19800101", Sex: "1"}
	for _, verified := range []bool{true, false} {
		p, err := FromCardInfo(fields, verified)
		if err != nil {
			t.Fatal(err)
		}
		offers := Evaluate(p, Catalogue(), noon)
		for _, o := range offers {
			if o.Available != verified {
				t.Errorf("%s available %v, verified %v", o.Item, o.Available, verified)
			}
		}
		if released := Release(offers, Catalogue()); !verified && (string(released.UserInfo.Encode()) != "{}" || string(released.IDToken.Encode()) != "{}") {
			t.Error("unverified attributes were released")
		}
	}
}

func TestReleaseGoesWhereTheCatalogueSays(t *testing.T) {
	at := hanako
	at.Address, at.AddressSubstitution = "東京都千代田区見本町一丁目２番３号", ""
	offers := Evaluate(person(t, at), Catalogue(), noon)
	const ages = `{"age_over_13":true,"age_over_15":true,"age_over_16":true,"age_over_18":true,"age_over_20":false,` +
		`"age_over_25":false,"age_over_60":false,"age_over_65":false}`
	but := func(i Item) []Item {
		return slices.DeleteFunc(Catalogue(), func(other Item) bool { return other == i })
	}
	for _, tc := range []struct {
		name              string
		consented         []Item
		idToken, userInfo string
		withheld          []Item
	}{
		{"everything", Catalogue(), ages,
			`{"name":"手形　花子","name_substituted":true,"address":{"formatted":"東京都千代田区見本町一丁目２番３号","street_address":"見本町一丁目２番３号",` +
				`"locality":"千代田区","region":"東京都","country":"JP"},"address_prefecture":"東京都","address_prefecture_code":"13",` +
				`"address_municipality":"千代田区","address_municipality_code":"131016","birthdate":"2008-04-15","gender":"female",` + ages[1:], nil},
		{"one predicate", []Item{ItemAgeOver18}, `{"age_over_18":true}`, `{"age_over_18":true}`, but(ItemAgeOver18)},
		{"personal items stay out of the ID token", []Item{ItemBirthdate}, `{}`, `{"birthdate":"2008-04-15"}`, but(ItemBirthdate)},
		{"a prefecture and nothing of what is under it", []Item{ItemPrefecture}, `{}`, `{"address_prefecture":"東京都","address_prefecture_code":"13"}`, but(ItemPrefecture)},
		{"nothing", nil, `{}`, `{}`, Catalogue()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Release(offers, tc.consented)
			if string(got.IDToken.Encode()) != tc.idToken || string(got.UserInfo.Encode()) != tc.userInfo {
				t.Errorf("id token %s\nuserinfo %s", got.IDToken.Encode(), got.UserInfo.Encode())
			}
			if !slices.Equal(stayed(got), tc.withheld) {
				t.Errorf("withheld %v", got.Withheld)
			}
		})
	}
}

func stayed(r Released) []Item {
	var items []Item
	for _, w := range r.Withheld {
		items = append(items, w.Item)
	}
	return items
}

func TestWithheldItemsHaveAReason(t *testing.T) {
	abroad, partial, empty := hanako, hanako, CertificateFields{Birth: "000000000"}
	abroad.Address, abroad.AddressSubstitution = "国外転出　令和６年７月１日", ""
	partial.Birth = "420081100"
	asked := []Item{ItemName, ItemAddress, ItemMunicipality, ItemBirthdate, ItemAgeOver18}
	for _, tc := range []struct {
		name      string
		fields    CertificateFields
		consented []Item
		want      map[Item]Reason
	}{
		{"refused on the consent page", hanako, []Item{ItemName}, map[Item]Reason{ItemName: "", ItemAddress: NotConsented, ItemAgeOver18: NotConsented, ItemGender: NotAsked}},
		{"a municipality outside the table", hanako, asked, map[Item]Reason{ItemAddress: "", ItemMunicipality: NotDecided, ItemPrefecture: NotAsked}},
		{"moved abroad", abroad, asked, map[Item]Reason{ItemAddress: LivesAbroad, ItemMunicipality: LivesAbroad}},
		{"a date without its day", partial, asked, map[Item]Reason{ItemBirthdate: NotDecided, ItemAgeOver18: NotDecided}},
		{"a card that says nothing", empty, asked, map[Item]Reason{ItemName: NotKnown, ItemAddress: NotKnown, ItemBirthdate: NotKnown, ItemAgeOver18: NotKnown}},
		{"consent does not make an unknown item known", empty, nil, map[Item]Reason{ItemName: NotKnown}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := map[Item]Reason{}
			for _, w := range Release(Evaluate(person(t, tc.fields), asked, noon), tc.consented).Withheld {
				got[w.Item] = w.Reason
			}
			for item, want := range tc.want {
				if got[item] != want {
					t.Errorf("%s: %q, want %q", item, got[item], want)
				}
			}
		})
	}
	p, err := FromCardInfo(CardInfoFields{Name: "手形　太郎", Birth: "19800101"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if o := Evaluate(p, []Item{ItemName}, noon); o[0].Reason != NotVerified {
		t.Errorf("unverified: %q", o[0].Reason)
	}
}

func TestAgeRulesAreTheOperatorsChoice(t *testing.T) {
	eve := time.Date(2033, 4, 14, 12, 0, 0, 0, jst) // the day before hanako's 25th birthday
	asked := []Item{ItemAgeOver25}
	for rule, want := range map[AgeRule]bool{ByInstant: false, ByDay: true} {
		set := Release(AgeRules{ItemAgeOver25: rule}.Evaluate(person(t, hanako), asked, eve), asked).IDToken
		if *set.Answer(ItemAgeOver25) != want {
			t.Errorf("rule %d says %v on the day before", rule, !want)
		}
	}
	for _, tc := range []struct {
		rules AgeRules
		ok    bool
	}{
		{nil, true},
		{AgeRules{ItemAgeOver25: ByDay, ItemAgeOver18: ByDay, ItemAgeOver20: ByInstant}, true},
		{AgeRules{ItemAgeOver20: ByDay}, false},
		{AgeRules{ItemName: ByInstant}, false},
		{AgeRules{ItemAgeOver18: 7}, false},
	} {
		if err := tc.rules.Check(); (err == nil) != tc.ok {
			t.Errorf("%v: %v", tc.rules, err)
		}
	}
}

func TestEveryPredicateHasItsClaimLawAndAge(t *testing.T) {
	var set ClaimSet
	for _, i := range Catalogue() {
		if !i.Predicate() {
			continue
		}
		if set.answer(i) == nil || string(i) != fmt.Sprintf("age_over_%d", i.Years()) {
			t.Errorf("%s has no claim", i)
		}
		for _, lang := range []string{"ja-JP", "en"} {
			if !strings.Contains(i.Law(lang), ".") && !strings.Contains(i.Law(lang), "。") {
				t.Errorf("%s has no law in %s", i, lang)
			}
		}
	}
	if set.Answer(ItemName) != nil || ItemName.Law("en") != "" {
		t.Error("a name has an answer or a law")
	}
}

func anyItems() *rapid.Generator[[]Item] {
	return rapid.SliceOf(rapid.SampledFrom(append(Catalogue(), "my_number", "", "email")))
}

// names gives the members of an encoded claim set: what a relying party would see.
func names(t *rapid.T, set ClaimSet) []Item {
	var members map[Item]json.RawMessage
	if err := json.Unmarshal(set.Encode(), &members); err != nil {
		t.Fatal(err)
	}
	var items []Item
	for name := range members {
		items = append(items, name)
	}
	return items
}

func TestReleasedIsRequestedAndConsentedAndKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := FromCertificate(anyFields().Draw(t, "fields"))
		if err != nil {
			t.Fatal(err)
		}
		requested, consented := anyItems().Draw(t, "requested"), anyItems().Draw(t, "consented")
		offers := Evaluate(p, requested, anyInstant(2020, 2040).Draw(t, "at"))
		released := Release(offers, consented)
		userinfo, idToken := names(t, released.UserInfo.ClaimSet), names(t, released.IDToken.ClaimSet)
		for _, item := range Catalogue() {
			available := slices.ContainsFunc(offers, func(o Offer) bool { return o.Item == item && o.Available })
			due := slices.Contains(requested, item) && slices.Contains(consented, item) && available
			if slices.Contains(userinfo, item) != due {
				t.Fatalf("userinfo and %s: %v", item, !due)
			}
			if slices.Contains(idToken, item) != (due && item.Predicate()) {
				t.Fatalf("id token and %s: %v", item, due)
			}
			if slices.Contains(stayed(released), item) == due {
				t.Fatalf("withheld and %s: %v", item, due)
			}
		}
		var may []string
		for _, item := range consented {
			may = append(may, item.Claims()...)
		}
		for _, claim := range append(userinfo, idToken...) {
			if !slices.Contains(may, string(claim)) {
				t.Fatalf("%s is no claim of what was consented to", claim)
			}
		}
	})
}

func TestPredicatesAloneCarryNoPieceOfThePerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFields().Draw(t, "fields")
		p, err := FromCertificate(f)
		if err != nil {
			t.Fatal(err)
		}
		offers := Evaluate(p, Catalogue(), anyInstant(2020, 2040).Draw(t, "at"))
		released := Release(offers, slices.DeleteFunc(Catalogue(), func(i Item) bool { return !i.Predicate() }))
		out := string(released.IDToken.Encode()) + string(released.UserInfo.Encode())
		for _, text := range []string{f.Name, f.Address} {
			for _, piece := range pieces(text, 2) {
				if strings.Contains(out, piece) {
					t.Fatalf("%q is in %s", piece, out)
				}
			}
		}
		for _, piece := range append(pieces(f.Birth, 4), pieces(p.Birth().ISO(), 4)...) {
			if strings.Contains(out, piece) {
				t.Fatalf("%q is in %s", piece, out)
			}
		}
	})
}

// pieces gives every substring of n characters; a longer one would contain one of them.
func pieces(s string, n int) []string {
	runes := []rune(s)
	var out []string
	for i := 0; i+n <= len(runes); i++ {
		out = append(out, string(runes[i:i+n]))
	}
	return out
}

func TestClaimSetRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := FromCertificate(anyFields().Draw(t, "fields"))
		if err != nil {
			t.Fatal(err)
		}
		set := Release(Evaluate(p, Catalogue(), noon), anyItems().Draw(t, "consented")).UserInfo.ClaimSet
		back, err := DecodeClaimSet(set.Encode())
		if err != nil || string(back.Encode()) != string(set.Encode()) {
			t.Fatalf("%s comes back as %s: %v", set.Encode(), back.Encode(), err)
		}
	})
}

func TestForeignClaimSetsAreRefused(t *testing.T) {
	for _, in := range []string{"", "null", "[]", `{"email":"x"}`, `{"age_over_18":"true"}`, `{"address":{"postal_code":"x"}}`, `{}{}`, `{`} {
		if _, err := DecodeClaimSet([]byte(in)); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
