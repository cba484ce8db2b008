package claims

import (
	"encoding/json"
	"errors"
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
	if got := strings.Join(Scopes(), " "); got != "openid name address birthdate gender age_over_18 age_over_20" {
		t.Errorf("scopes %s", got)
	}
}

func TestCatalogue(t *testing.T) {
	needs := map[Item]Fact{ItemName: FactName, ItemAddress: FactAddress, ItemGender: FactGender}
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
	fields := CardInfoFields{Name: "手形　太郎", Address: "架空県", Birth: "19800101", Sex: "1"}
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
	offers := Evaluate(person(t, hanako), Catalogue(), noon)
	for _, tc := range []struct {
		name              string
		consented         []Item
		idToken, userInfo string
		withheld          []Item
	}{
		{"everything", Catalogue(), `{"age_over_18":true,"age_over_20":false}`,
			`{"name":"手形　花子","address":{"formatted":"東京都架空区見本町一丁目２番３号","country":"JP"},` +
				`"birthdate":"2008-04-15","gender":"female","age_over_18":true,"age_over_20":false}`, []Item{}},
		{"one predicate", []Item{ItemAgeOver18}, `{"age_over_18":true}`, `{"age_over_18":true}`,
			[]Item{ItemName, ItemAddress, ItemBirthdate, ItemGender, ItemAgeOver20}},
		{"personal items stay out of the ID token", []Item{ItemBirthdate}, `{}`, `{"birthdate":"2008-04-15"}`,
			[]Item{ItemName, ItemAddress, ItemGender, ItemAgeOver18, ItemAgeOver20}},
		{"nothing", nil, `{}`, `{}`, Catalogue()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Release(offers, tc.consented)
			if string(got.IDToken.Encode()) != tc.idToken || string(got.UserInfo.Encode()) != tc.userInfo {
				t.Errorf("id token %s\nuserinfo %s", got.IDToken.Encode(), got.UserInfo.Encode())
			}
			if !slices.Equal(got.Withheld, tc.withheld) {
				t.Errorf("withheld %v", got.Withheld)
			}
		})
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
		userinfo, idToken := names(t, released.UserInfo), names(t, released.IDToken)
		for _, item := range Catalogue() {
			available := slices.ContainsFunc(offers, func(o Offer) bool { return o.Item == item && o.Available })
			due := slices.Contains(requested, item) && slices.Contains(consented, item) && available
			if slices.Contains(userinfo, item) != due {
				t.Fatalf("userinfo and %s: %v", item, !due)
			}
			if slices.Contains(idToken, item) != (due && item.Predicate()) {
				t.Fatalf("id token and %s: %v", item, due)
			}
			if slices.Contains(released.Withheld, item) == due {
				t.Fatalf("withheld and %s: %v", item, due)
			}
		}
		for _, item := range append(userinfo, idToken...) {
			if !slices.Contains(Catalogue(), item) {
				t.Fatalf("%s is not in the catalogue", item)
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
		released := Release(offers, []Item{ItemAgeOver18, ItemAgeOver20})
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
		set := Release(Evaluate(p, Catalogue(), noon), anyItems().Draw(t, "consented")).UserInfo
		back, err := DecodeClaimSet(set.Encode())
		if err != nil || string(back.Encode()) != string(set.Encode()) {
			t.Fatalf("%s comes back as %s: %v", set.Encode(), back.Encode(), err)
		}
	})
}

func TestForeignClaimSetsAreRefused(t *testing.T) {
	for _, in := range []string{"", "null", "[]", `{"email":"x"}`, `{"age_over_18":"true"}`, `{"address":{"locality":"x"}}`, `{}{}`, `{`} {
		if _, err := DecodeClaimSet([]byte(in)); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
