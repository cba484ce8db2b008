package claims

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
	"time"

	"pgregory.net/rapid"
)

// hanako is fictional, as everyone here.
var hanako = CertificateFields{
	Name: "手形　花子", NameSubstitution: "00010", Sex: "2", Birth: "420080415",
	Address: "東京都架空区見本町一丁目２番３号", AddressSubstitution: "0000000000000000",
}

func person(t *testing.T, f CertificateFields) Person {
	t.Helper()
	p, err := FromCertificate(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFromCertificate(t *testing.T) {
	p := person(t, hanako)
	family, given, split := p.Name().Split()
	if !split || family != "手形" || given != "花子" || !p.Name().Substituted() {
		t.Error("name")
	}
	if p.Address().Formatted() != hanako.Address || p.Address().Substituted() {
		t.Error("address")
	}
	if p.Gender() != Female || p.Birth().ISO() != "2008-04-15" || p.Source() != SignatureCertificate || !p.Verified() {
		t.Error("gender, birth, source or verified")
	}
}

func TestFromCardInfo(t *testing.T) {
	for _, verified := range []bool{true, false} {
		p, err := FromCardInfo(CardInfoFields{Name: "手形　太郎", Address: "架空県", Birth: "19800101", Sex: "1"}, verified)
		if err != nil || p.Source() != pick(verified, CardInfo, CardInfoUnverified) || p.Verified() != verified {
			t.Fatal(err, p.Source(), p.Verified())
		}
		if p.Name().Full() != "手形　太郎" || p.Gender() != Male || p.Birth().ISO() != "1980-01-01" {
			t.Error("attributes")
		}
	}
}

func TestNamesAreSplitOnlyWhenNothingIsGuessed(t *testing.T) {
	for name, want := range map[string]bool{
		"手形　花子": true, "手形花子": false, "手形 花子": false, "": false, "　花子": false, "手形　": false,
		"手形　　花子": false, "ＴＥＧＡＴＡ　ＭＡＲＩＡ　ＡＮＮＡ": false,
	} {
		family, given, ok := Name{full: name}.Split()
		if ok != want || !ok && family+given != "" {
			t.Errorf("%q: %q %q %v", name, family, given, ok)
		}
	}
}

// Every character of a name is the person's own: variants, compatibility ideographs and bracketed former or popular names
// included. Normalising would write another name.
func TestNamesGoOutAsTheyCameIn(t *testing.T) {
	for what, name := range map[string]string{
		"a variation sequence":          "葛\U000e0100城　花子",
		"a compatibility ideograph":     "\ufa11\u3000\ufa19\u6a39",
		"look-alikes kept apart":        "髙﨑　邉邊辺",
		"combining marks, not composed": "か\u3099くと　はな",
		"half-width kana":               "ﾃｶﾞﾀ　ﾊﾅ",
		"full-width Latin":              "ＴＥＧＡＴＡ　ＭＡＲＩＡ　ＡＮＮＡ",
		"a single name":                 "ＳＵＫＡＲＮＩ",
		"a former name in brackets":     "手形［通行］　花子",
		"a popular name in brackets":    "ＴＥＧＡＴＡ　ＭＡＲＩＡ（手形　真理）",
		"outside the basic plane":       "𠮷野　𩸽",
	} {
		f := hanako
		f.Name, f.NameSubstitution = name, ""
		set := Release(Evaluate(person(t, f), []Item{ItemName}, noon), []Item{ItemName}).UserInfo
		back, err := DecodePerson(person(t, f).Encode())
		if set.Name != name || set.NameSubstituted || err != nil || back.Name().Full() != name {
			t.Errorf("%s: %q", what, set.Name)
		}
	}
}

func TestASubstitutedNameSaysSo(t *testing.T) {
	asked := []Item{ItemName, ItemAddress}
	for _, tc := range []struct{ replaced, want string }{
		{"00010", `"name_substituted":true`}, {"00000", `"name":"手形　花子","address"`}, {"", `"name":"手形　花子","address"`},
	} {
		f := hanako
		f.NameSubstitution = tc.replaced
		set := string(Release(Evaluate(person(t, f), asked, noon), asked).UserInfo.Encode())
		if !strings.Contains(set, tc.want) {
			t.Errorf("map %s: %s", tc.replaced, set)
		}
	}
	if set := Release(Evaluate(person(t, hanako), asked, noon), []Item{ItemAddress}).UserInfo; set.NameSubstituted {
		t.Error("the flag goes without the name")
	}
}

func TestAttributesOutsideTheProfileAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*CertificateFields)
		want   error
	}{
		{"as it should be", func(*CertificateFields) {}, nil},
		{"no substitution maps", func(f *CertificateFields) { f.NameSubstitution, f.AddressSubstitution = "", "" }, nil},
		{"no name and no address", func(f *CertificateFields) {
			f.Name, f.Address, f.NameSubstitution, f.AddressSubstitution = "", "", "", ""
		}, nil},
		{"sex not told", func(f *CertificateFields) { f.Sex = "3" }, nil},
		{"swapped substitution maps", func(f *CertificateFields) {
			f.NameSubstitution, f.AddressSubstitution = f.AddressSubstitution, f.NameSubstitution
		}, ErrName},
		{"a substitution map of letters", func(f *CertificateFields) { f.NameSubstitution = "000x0" }, ErrName},
		{"a line break in the name", func(f *CertificateFields) { f.Name = "手形\n花子" }, ErrName},
		{"a name that is not UTF-8", func(f *CertificateFields) { f.Name, f.NameSubstitution = "\xe6\x89", "" }, ErrName},
		{"an address without end", func(f *CertificateFields) { f.Address, f.AddressSubstitution = strings.Repeat("町", maxText+1), "" }, ErrAddress},
		{"an address map that is too short", func(f *CertificateFields) { f.AddressSubstitution = "0" }, ErrAddress},
		{"an unknown sex", func(f *CertificateFields) { f.Sex = "4" }, ErrSex},
		{"a sex in full width", func(f *CertificateFields) { f.Sex = "１" }, ErrSex},
		{"no birthdate", func(f *CertificateFields) { f.Birth = "" }, ErrLength},
		{"a birthdate without era", func(f *CertificateFields) { f.Birth = "20080415" }, ErrLength},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := hanako
			tc.change(&f)
			if _, err := FromCertificate(f); !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
		})
	}
	for in, want := range map[CardInfoFields]error{
		{Birth: "19800101"}: nil, {Birth: "319800101"}: ErrLength, {Birth: "19800101", Sex: "x"}: ErrSex,
		{Birth: "19800101", Name: "a\x00"}: ErrName, {Birth: "19800101", Address: "\x7f"}: ErrAddress,
	} {
		if _, err := FromCardInfo(in, true); !errors.Is(err, want) {
			t.Errorf("card info: error %v, want %v", err, want)
		}
	}
}

// Everything that holds personal data is pushed through everything that prints.
func TestNothingPrintsAPerson(t *testing.T) {
	p := person(t, hanako)
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, jst)
	offers := Evaluate(p, Catalogue(), at)
	released := Release(offers, Catalogue())
	day, _ := p.Birth().Complete()
	type holder struct{ inside Person }
	for _, v := range []any{
		p, &p, []Person{p}, map[string]Person{"x": p}, holder{p}, &holder{p}, struct{ P Person }{p}, hanako,
		CardInfoFields{Name: hanako.Name, Birth: "20080415"}, p.Name(), p.Address(), p.Birth(), day,
		offers, offers[0], released.UserInfo, released, *released.UserInfo.Address,
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		if err := template.Must(template.New("").Parse("{{.}}")).Execute(&log, v); err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&log, verb, v)
		}
		for _, secret := range []string{"花", "架空", "2008 4 15", "20080415", "2008-04-15", "7d8 4 f", fmt.Sprintf("%x", "花")} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("%T shows %q", v, secret)
			}
		}
	}
	if b, err := json.Marshal([]any{p, p.Name(), p.Address(), p.Birth(), day, offers[0]}); err != nil || strings.Contains(string(b), "花") || strings.Contains(string(b), "2008") {
		t.Errorf("json.Marshal shows %s %v", b, err)
	}
}

func TestErrorsDoNotQuoteTheInput(t *testing.T) {
	f := hanako
	f.Birth = "42008041x"
	_, err := FromCertificate(f)
	_, sealedErr := DecodePerson([]byte(`{"v":1,"手形":"花子"}`))
	_, setErr := DecodeClaimSet([]byte(`{"花子":1}`))
	for _, err := range []error{err, sealedErr, setErr} {
		if err == nil || strings.Contains(err.Error(), "花子") || strings.Contains(err.Error(), "2008") {
			t.Errorf("error %v", err)
		}
	}
}

// anyFields draws Japanese texts, so that no part of them can occur in our own JSON by chance.
func anyFields() *rapid.Generator[CertificateFields] {
	runes := rapid.SampledFrom([]rune("手形花子太郎東京都架空区町ＡＢＣ１２３０９－　"))
	text := rapid.StringOfN(runes, 0, 40, -1)
	return rapid.Custom(func(t *rapid.T) CertificateFields {
		f := CertificateFields{
			Name:    text.Draw(t, "name"),
			Address: rapid.OneOf(text, rapid.SampledFrom([]string{"東京都", "京都府京都市中京区架空町１番地", "府中市見本町", "国外転出"})).Draw(t, "address"),
			Sex:     rapid.SampledFrom([]string{"0", "1", "2", "3", "9", ""}).Draw(t, "sex"),
		}
		day := anyDay(1900, 2030).Draw(t, "birth").Format("20060102")
		unknown := rapid.SampledFrom([]int{8, 8, 8, 6, 4, 0}).Draw(t, "known digits")
		f.Birth = "0" + day[:unknown] + strings.Repeat("0", 8-unknown)
		if rapid.Bool().Draw(t, "maps") {
			f.NameSubstitution = strings.Repeat("1", len([]rune(f.Name)))
			f.AddressSubstitution = strings.Repeat("0", len([]rune(f.Address)))
		}
		return f
	})
}

func TestSealedFormRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFields().Draw(t, "fields")
		p, err := FromCertificate(f)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "card info") {
			p, err = FromCardInfo(CardInfoFields{Name: f.Name, Address: f.Address, Birth: f.Birth[1:], Sex: f.Sex}, rapid.Bool().Draw(t, "verified"))
			if err != nil {
				t.Fatal(err)
			}
		}
		back, err := DecodePerson(p.Encode())
		if err != nil || back.known() != p.known() {
			t.Fatalf("lost on the way: %v", err)
		}
	})
	if back, err := DecodePerson(Person{}.Encode()); err != nil || back.known() != (facts{}) {
		t.Errorf("nobody does not come back as nobody: %v", err)
	}
}

func TestBrokenSealedFormsAreRefused(t *testing.T) {
	good := string(person(t, hanako).Encode())
	for _, tc := range []struct{ name, in string }{
		{"nothing", ""},
		{"null", "null"},
		{"another version", strings.Replace(good, `"v":1`, `"v":2`, 1)},
		{"no version", strings.Replace(good, `"v":1,`, ``, 1)},
		{"an unknown member", strings.Replace(good, `"v":1`, `"v":1,"my_number":""`, 1)},
		{"something behind it", good + "{}"},
		{"an unknown source", strings.Replace(good, string(SignatureCertificate), "hearsay", 1)},
		{"no source", strings.Replace(good, `"source":"signature_certificate",`, ``, 1)},
		{"an unknown gender", strings.Replace(good, `"female"`, `"f"`, 1)},
		{"an impossible day", strings.Replace(good, "2008-04-15", "2008-04-31", 1)},
		{"a map of another length", strings.Replace(good, `"00010"`, `"0001"`, 1)},
		{"cut off", good[:len(good)-1]},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.in == good {
				t.Fatal("the case changes nothing")
			}
			if p, err := DecodePerson([]byte(tc.in)); !errors.Is(err, ErrEncoding) || p.facts != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

func FuzzDecodePerson(f *testing.F) {
	p, err := FromCertificate(hanako)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Encode())
	f.Add(Person{}.Encode())
	f.Add([]byte(`{"v":1,"source":"card_info","birth":"1985-00-00"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodePerson(b)
		if err != nil {
			return
		}
		again, err := DecodePerson(p.Encode())
		if err != nil || again.known() != p.known() {
			t.Errorf("an accepted person does not survive: %v", err)
		}
	})
}

// A former surname and a popular name stand in brackets within the field of the name. They are part of the name as the
// register has it, and of neither the family name nor the given name.
func TestFormerAndPopularNamesAreNoPartOfASplitName(t *testing.T) {
	for _, tc := range []struct{ what, name, family, given string }{
		{"a former surname", "手形［見本］　花子", "手形", "花子"},
		{"a former surname between spaces", "手形　［見本］　花子", "手形", "花子"},
		{"a former surname in other brackets", "手形（見本）　花子", "手形", "花子"},
		{"a popular name behind", "ＥＸＡＭＰＬＥ　ＡＮＮＡ（見本　花）", "ＥＸＡＭＰＬＥ", "ＡＮＮＡ"},
		{"a popular name behind a space", "ＥＸＡＭＰＬＥ　ＡＮＮＡ　（見本　花）", "ＥＸＡＭＰＬＥ", "ＡＮＮＡ"},
		{"a popular name of a single name", "ＡＮＮＡ（見本　花）", "", ""},
		{"a popular name of three names", "ＥＸＡＭＰＬＥ　ＡＮＮＡ　ＭＡＲＩＡ（見本　花）", "", ""},
		{"both", "手形［見本］　花子（例　花）", "", ""},
		{"a bracket that is not closed", "手形［見本　花子", "", ""},
		{"a bracket that was not opened", "手形］　花子", "", ""},
		{"brackets in brackets", "手形［（見本）］　花子", "", ""},
		{"the other bracket", "手形［見本）　花子", "", ""},
		{"nothing in front", "［見本］　花子", "", ""},
		{"nothing in the brackets", "手形［］　花子", "", ""},
	} {
		p := person(t, CertificateFields{Name: tc.name, Sex: "2", Birth: "419900102", Address: "東京都"})
		family, given, ok := p.Name().Split()
		if family != tc.family || given != tc.given || ok != (tc.family != "") || p.Name().Full() != tc.name {
			t.Errorf("%s: %q %q", tc.what, family, given)
		}
	}
}
