package claims

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// asami is 16, with nothing replaced and an address that the table of municipalities knows.
var asami = CertificateFields{Name: "番号　花子", Sex: "2", Birth: "420100415", Address: "東京都千代田区霞が関２丁目１番１号"}

// wantOf is a want of the claim with this name, under a condition if there are values.
func wantOf(t rapid.TB, name string, values ...any) Want {
	t.Helper()
	c, ok := ParseClaim(name)
	if !ok {
		t.Fatalf("%s is not in the catalogue", name)
	}
	return Want{Claim: c, OneOf: values}
}

func TestClaimsByName(t *testing.T) {
	latin := asami
	latin.Name = "SAMPLE　ANNA"
	single := asami
	single.Name = "ミホン"
	replaced := asami
	replaced.NameSubstitution = "00001"
	abroad := asami
	abroad.Address = "国外転出（予定日令和７年４月１日）"
	for _, tc := range []struct {
		name   string
		fields CertificateFields
		want   Want
		set    string
	}{
		{"a name", asami, wantOf(t, "name"), `{"name":"番号　花子"}`},
		{"the parts of a name", asami, wantOf(t, "given_name"), `{"given_name":"花子"}`},
		{"a name in ideographs, whatever the letters of the tag", asami, wantOf(t, "name#JA-HANI-jp"), `{"name#ja-Hani-JP":"番号　花子"}`},
		{"a part in ideographs", asami, wantOf(t, "family_name#ja-Hani-JP"), `{"family_name#ja-Hani-JP":"番号"}`},
		{"no reading is made up", asami, wantOf(t, "name#ja-Kana-JP"), `{}`},
		{"nor a transcription", asami, wantOf(t, "name#ja-Latn-JP"), `{}`},
		{"nor a translation", asami, wantOf(t, "name#en"), `{}`},
		{"an empty tag", asami, wantOf(t, "name#"), `{}`},
		{"a Latin name", latin, wantOf(t, "name#ja-Latn-JP"), `{"name#ja-Latn-JP":"SAMPLE　ANNA"}`},
		{"which has no ideographs", latin, wantOf(t, "name#ja-Hani-JP"), `{}`},
		{"one name alone is not taken apart", single, wantOf(t, "family_name"), `{}`},
		{"a birthdate has no language", asami, wantOf(t, "birthdate#ja"), `{}`},
		{"nor has a prefecture's number", asami, wantOf(t, "address_prefecture_code#ja"), `{}`},
		{"the number of the prefecture alone", asami, wantOf(t, "address_prefecture_code"), `{"address_prefecture_code":"13"}`},
		{"the prefecture without its number", asami, wantOf(t, "address_prefecture"), `{"address_prefecture":"東京都"}`},
		{"the municipality without its number", asami, wantOf(t, "address_municipality"), `{"address_municipality":"千代田区"}`},
		{"the number of the municipality alone", asami, wantOf(t, "address_municipality_code"), `{"address_municipality_code":"131016"}`},
		{"an address abroad", abroad, wantOf(t, "address#ja"), `{}`},
		{"a predicate", asami, wantOf(t, "age_over_65"), `{"age_over_65":false}`},
		{"nor has a predicate, by any name", asami, wantOf(t, "::age_18_or_over#ja"), `{}`},
		{"a predicate by its other name", asami, wantOf(t, "::age_18_or_over"), `{"::age_18_or_over":false}`},
		{"true or nothing", asami, wantOf(t, "age_over_18", true), `{}`},
		{"a false that was expected", asami, wantOf(t, "age_over_18", true, false), `{"age_over_18":false}`},
		{"a gender that matches", asami, wantOf(t, "gender", "female"), `{"gender":"female"}`},
		{"a gender that does not", asami, wantOf(t, "gender", "male", 2, nil), `{}`},
		{"a name that matches", asami, wantOf(t, "name", "番号　花子"), `{"name":"番号　花子"}`},
		{"a name with another space", asami, wantOf(t, "name", "番号 花子"), `{}`},
		{"a name with replaced characters matches nothing", replaced, wantOf(t, "name", "番号　花子"), `{}`},
		{"and says so when asked", replaced, wantOf(t, "name_substituted", true), `{"name_substituted":true}`},
		{"a name as it is says nothing", asami, wantOf(t, "name_substituted"), `{}`},
		{"what is not known matches nothing", single, wantOf(t, "given_name", ""), `{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := Wants{IDToken: Part{Claims: []Want{tc.want}}}
			item := tc.want.Claim.Item()
			offers := Evaluate(person(t, tc.fields), w.Items(), noon)
			r := w.Release(offers, []Item{item})
			if got := string(r.IDToken.Encode()); got != tc.set || string(r.UserInfo.Encode()) != "{}" {
				t.Errorf("id token %s, userinfo %s", got, r.UserInfo.Encode())
			}
			if slices.Contains(stayed(r), item) != (tc.set == "{}") {
				t.Errorf("withheld: %v", stayed(r))
			}
			if none := w.Release(offers, nil); string(none.IDToken.Encode()) != "{}" {
				t.Errorf("without consent: %s", none.IDToken.Encode())
			}
			if tc.set == "{}" && tc.want.OneOf != nil {
				for _, held := range r.Withheld {
					if held.Item == item && held.Reason != NotMatching {
						t.Errorf("the reason is %s", held.Reason)
					}
				}
			}
		})
	}
}

func TestVerifiedClaimsInAResponse(t *testing.T) {
	v := CardVerification("https://idp.example/trust_framework/x", "", "", CardInfo)
	v.Evidence = nil
	element := func(names ...string) VerifiedWant {
		out := VerifiedWant{Verification: v}
		for _, n := range names {
			out.Claims = append(out.Claims, wantOf(t, n))
		}
		return out
	}
	const said = `{"verification":{"trust_framework":"https://idp.example/trust_framework/x"},"claims":`
	for _, tc := range []struct {
		name     string
		elements []VerifiedWant
		set      string
	}{
		{"one stands alone", []VerifiedWant{element("gender")}, `{"verified_claims":` + said + `{"gender":"female"}}}`},
		{"several are a list", []VerifiedWant{element("gender"), element("age_over_18")},
			`{"verified_claims":[` + said + `{"gender":"female"}},` + said + `{"age_over_18":false}}]}`},
		{"one without claims is left out", []VerifiedWant{element("name#en"), element()}, `{}`},
		{"the country has three letters", []VerifiedWant{element("address#ja")},
			`{"verified_claims":` + said + `{"address#ja":{"formatted":"` + asami.Address + `","street_address":"霞が関２丁目１番１号","locality":"千代田区","region":"東京都","country_code":"JPN"}}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := Wants{UserInfo: Part{Verified: tc.elements}}
			r := w.Release(Evaluate(person(t, asami), w.Items(), noon), Catalogue())
			if got := string(r.UserInfo.Encode()); got != tc.set {
				t.Errorf("%s", got)
			}
		})
	}
	unverified, err := FromCardInfo(CardInfoFields{Name: "番号　花子", Address: "東京都千代田区霞が関２丁目１番１号", Birth: "19890107", Sex: "2"}, false)
	if err != nil {
		t.Fatal(err)
	}
	w := Wants{UserInfo: Part{Verified: []VerifiedWant{element("gender")}}}
	if got := w.Release(Evaluate(unverified, w.Items(), noon), Catalogue()); string(got.UserInfo.Encode()) != "{}" {
		t.Errorf("what nobody signed for is verified: %s", got.UserInfo.Encode())
	}
	if both := CardVerification("", "", "", SignatureCertificate).Evidence[0].Checks; len(both) != 2 || len(CardVerification("", "", "", CardInfo).Evidence[0].Checks) != 1 {
		t.Errorf("the checks are %v", both)
	}
}

func TestWhatAPersonIsShownDoesNotDependOnConditions(t *testing.T) {
	w := Wants{
		IDToken:  Part{Claims: []Want{wantOf(t, "gender", "male")}},
		UserInfo: Part{Verified: []VerifiedWant{{Claims: []Want{wantOf(t, "family_name", "x"), wantOf(t, "given_name")}}}},
	}
	offers := Evaluate(person(t, asami), w.Items(), noon)
	shown := w.Unconditional().Release(offers, Catalogue())
	if shown.IDToken.Gender != Female || shown.UserInfo.Verified[0].Claims.FullestName() != "番号　花子" {
		t.Errorf("%s %s", shown.IDToken.Encode(), shown.UserInfo.Encode())
	}
	if sent := w.Release(offers, Catalogue()); sent.IDToken.Gender != "" || sent.UserInfo.Verified[0].Claims.FullestName() != "花子" {
		t.Errorf("%s %s", sent.IDToken.Encode(), sent.UserInfo.Encode())
	}
	if items := w.Items(); !slices.Equal(items, []Item{ItemName, ItemGender}) {
		t.Errorf("asked for %v", items)
	}
	set := Release(Evaluate(person(t, asami), Catalogue(), noon), Catalogue()).UserInfo
	if set.Formatted() != asami.Address || set.FullestName() != asami.Name || (ClaimSet{}).Formatted() != "" || (ClaimSet{}).FullestName() != "" {
		t.Error("the fullest name and address of a set")
	}
}

func TestEveryNameIsAClaimOfItsOwn(t *testing.T) {
	seen := map[Claim]bool{}
	for _, name := range Names() {
		c, ok := ParseClaim(name)
		if !ok || c.Text() != name || seen[c] || c.Item().Needs() == "" {
			t.Errorf("%s is %q", name, c.Text())
		}
		seen[c] = true
		for _, language := range Tags {
			in, ok := c.In(language)
			if tagged, _ := ParseClaim(name + "#" + language); ok && (in != tagged || in.Text() != name+"#"+language) {
				t.Errorf("%s in %s is %s", name, language, in.Text())
			}
			if want := slices.Contains([]string{"name", "family_name", "given_name", "address"}, name); ok != want {
				t.Errorf("%s in %s: %v", name, language, ok)
			}
		}
	}
	if len(seen) != 27 {
		t.Errorf("%d names", len(seen))
	}
	for _, foreign := range []string{"", "email", "Name", ":age_18_or_over", "::age_19_or_over", "age_over_18 ", "sub", "verified_claims", "#ja"} {
		if _, ok := ParseClaim(foreign); ok {
			t.Errorf("%q is a claim", foreign)
		}
	}
	if got, _ := ParseClaim("name#en"); got.Text() != "name#" || (ItemName).Transformed() != "" {
		t.Errorf("a tag of others is quoted: %s", got.Text())
	}
	if got := Asked([]string{"openid", "name"}, []string{"gender", "name", WordVerified}); !slices.Equal(got, []Item{ItemName, ItemGender}) {
		t.Errorf("asked together: %v", got)
	}
}
