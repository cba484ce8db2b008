package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unverified(t testing.TB) Person {
	t.Helper()
	p, err := FromCardInfo(CardInfoFields{Name: "番号　花子", Address: "東京都千代田区霞が関２丁目１番１号", Birth: "19890107", Sex: "2"}, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUnverifiedAttributesAreForWhoeverTakesThem(t *testing.T) {
	p := unverified(t)
	asked := []Item{ItemName, ItemAgeOver18}
	r := Release(Evaluate(p.Tolerated(), asked, noon), asked)
	if got := string(r.UserInfo.Encode()); got != `{"name":"番号　花子","claims_unverified":true,"age_over_18":true}` {
		t.Errorf("userinfo says %s", got)
	}
	if got := string(r.IDToken.Encode()); got != `{"claims_unverified":true,"age_over_18":true}` {
		t.Errorf("the ID token says %s", got)
	}
	if r := Release(Evaluate(p.Tolerated(), asked, noon), nil); string(r.UserInfo.Encode()) != "{}" {
		t.Errorf("without consent: %s", r.UserInfo.Encode())
	}
	back, err := DecodePerson(p.Tolerated().Read(noon, nil).Encode())
	if err != nil || back.Verified() || back.Source() != CardInfoUnverified {
		t.Fatalf("the mark is lost: %v, %s", err, back.Source())
	}
	if o := Evaluate(back, asked, noon); o[0].Available || o[0].Reason != NotVerified {
		t.Error("what one relying party takes is stored for all")
	}
	for _, o := range Evaluate(person(t, hanako).Tolerated(), Catalogue(), noon) {
		if o.Unverified {
			t.Errorf("%s of a signature certificate counts as unverified", o.Item)
		}
	}
}

func TestNoStoredBytesMakeUnverifiedAttributesVerified(t *testing.T) {
	bare, signed := string(unverified(t).Encode()), string(person(t, hanako).Encode())
	for name, text := range map[string]string{
		"a mark that was added":         strings.Replace(bare, `"source":`, `"verified":true,"source":`, 1),
		"a source that was changed":     strings.Replace(bare, `card_info_unverified`, `card_info`, 1),
		"a signature without its check": strings.Replace(signed, `"verified":true,`, ``, 1),
	} {
		if _, err := DecodePerson([]byte(text)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestAConditionIsComparedWithTheClaimAlone(t *testing.T) {
	for value, sent := range map[bool]bool{true: true, false: false} {
		w := Wants{UserInfo: Part{Claims: []Want{wantOf(t, "age_over_18", value)}}}
		got := w.Release(Evaluate(unverified(t).Tolerated(), w.Items(), noon), Catalogue())
		if strings.Contains(string(got.UserInfo.Encode()), "age_over_18") != sent || sent != strings.Contains(string(got.UserInfo.Encode()), Unverified) {
			t.Errorf("%v: %s", value, got.UserInfo.Encode())
		}
	}
}

// Whatever is asked, what nobody could check is never in verified_claims, and never without its mark elsewhere.
func TestUnverifiedClaimsAlwaysSaySo(t *testing.T) {
	names := []string{"name", "family_name", "name#ja-Hani-JP", "address", "address_prefecture", "birthdate", "gender", "age_over_18", "::age_20_or_over", "name#ja-Kana-JP"}
	rapid.Check(t, func(r *rapid.T) {
		wants := func(label string) (out []Want) {
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(r, label) {
				out = append(out, wantOf(t, name))
			}
			return out
		}
		part := func(label string) Part {
			return Part{Claims: wants(label), Verified: []VerifiedWant{{Verification: Verification{TrustFramework: "any"}, Claims: wants(label + ", verified")}}}
		}
		w := Wants{Scopes: rapid.SliceOfDistinct(rapid.SampledFrom(Catalogue()), rapid.ID).Draw(r, "scopes"), IDToken: part("ID token"), UserInfo: part("userinfo")}
		released := w.Release(Evaluate(unverified(t).Tolerated(), w.Items(), noon), Catalogue())
		for _, response := range []Response{released.IDToken, released.UserInfo} {
			var members map[string]any
			if err := json.Unmarshal(response.Encode(), &members); err != nil || len(response.Verified) > 0 || members["verified_claims"] != nil {
				r.Fatalf("%s, %v", response.Encode(), err)
			}
			if said, _ := members[Unverified].(bool); said != (len(members) > 0) || said && len(members) == 1 {
				r.Fatalf("%s", response.Encode())
			}
		}
		plain := Wants{Scopes: w.Scopes, IDToken: Part{Claims: w.IDToken.Claims}, UserInfo: Part{Claims: w.UserInfo.Claims}}.Items()
		for _, item := range w.Items() {
			if kept := slices.ContainsFunc(released.Withheld, func(k Withheld) bool { return k.Item == item }); !kept && !slices.Contains(plain, item) {
				r.Fatalf("%s was asked as verified alone and counts as sent", item)
			}
		}
	})
}
