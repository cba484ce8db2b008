package claims

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// addressVectors is testdata/vectors/address.json.
type addressVectors struct {
	Vectors []struct {
		ID       string
		Input    string
		Expected struct {
			Kind         string
			Prefecture   string
			PrefCode     string `json:"prefecture_code"`
			County       string
			Municipality string
			Ward         string
			Code         string   `json:"lg_code6"`
			CityCode     string   `json:"designated_city_code6"`
			Rest         string   `json:"remainder_withheld_by_default"`
			Candidates   []string `json:"candidates"`
			Minimised    struct {
				Municipality struct{ Region, Locality string }
			} `json:"oidc_minimised"`
		}
	}
}

func readAddressVectors(t testing.TB) addressVectors {
	t.Helper()
	b, err := os.ReadFile("../testdata/vectors/address.json")
	if err != nil {
		t.Fatal(err)
	}
	var v addressVectors
	if err := json.Unmarshal(b, &v); err != nil || len(v.Vectors) < 30 {
		t.Fatal(len(v.Vectors), err)
	}
	return v
}

func TestAddressVectors(t *testing.T) {
	kinds := map[Placement]string{Unplaced: "unparsed", Placed: "domestic", Ambiguous: "ambiguous", Abroad: "overseas"}
	for _, v := range readAddressVectors(t).Vectors {
		t.Run(v.ID, func(t *testing.T) {
			p, want := Locate(v.Input), v.Expected
			got := []string{kinds[p.Placement], p.Prefecture, p.PrefectureCode, p.County, p.Municipality, p.Ward, p.Code, p.CityCode}
			expected := []string{want.Kind, want.Prefecture, want.PrefCode, want.County, want.Municipality, want.Ward, want.Code, want.CityCode}
			if p.Placement != Placed {
				got[2], expected[2] = "", ""
			}
			if !slices.Equal(got, expected) || !slices.Equal(p.Candidates, want.Candidates) {
				t.Errorf("got %q %q\nwant %q %q", got, p.Candidates, expected, want.Candidates)
			}
			if p.Placement == Placed && (p.Rest != want.Rest || p.Locality() != want.Minimised.Municipality.Locality) {
				t.Errorf("rest %q, locality %q", p.Rest, p.Locality())
			}
		})
	}
}

func TestLocate(t *testing.T) {
	for _, tc := range []struct{ name, address, want string }{
		{"a county left out is filled in", "奈良県明日香村大字岡55番地", "29402 高市郡明日香村|大字岡55番地"},
		{"a wrong county is not overlooked", "奈良県吉野郡明日香村大字岡55番地", "29  "},
		{"an island before its village", "東京都三宅島三宅村阿古497番地", "13381 三宅村|阿古497番地"},
		{"an island left out", "東京都三宅村阿古497番地", "13381 三宅村|阿古497番地"},
		{"spaces everywhere", "東京都　千代田区 霞が関２丁目", "13101 千代田区|霞が関２丁目"},
		{"a space inside a name", "東京都 千代 田区　霞が関", "13101 千代田区|霞が関"},
		{"a designated city without ward", "神奈川県横浜市架空町1番地", "14100 横浜市|架空町1番地"},
		{"a ward abolished in 2024 is read as today's", "静岡県浜松市中区元城町103番地の2", "22138 浜松市中央区|元城町103番地の2"},
		{"a ward divided in 2024 is not guessed", "静岡県浜松市北区三方原町1番地", "22130 浜松市|北区三方原町1番地"},
		{"the third ward kept its name", "静岡県浜松市天竜区二俣町481番地", "22140 浜松市天竜区|二俣町481番地"},
		{"a town that became a city", "福岡県筑紫郡那珂川町西隈1丁目", "40231 那珂川市|西隈1丁目"},
		{"a city that changed its name", "兵庫県篠山市北新町41番地", "28221 丹波篠山市|北新町41番地"},
		{"small ke", "茨城県龍ヶ崎市3710番地", "08208 龍ケ崎市|3710番地"},
		{"ke in hiragana ga", "神奈川県茅が崎市茅が崎一丁目", "14207 茅ヶ崎市|茅が崎一丁目"},
		{"the other dragon", "茨城県竜ケ崎市3710番地", "08208 龍ケ崎市|3710番地"},
		{"the short hinoki", "東京都西多摩郡桧原村467番地1", "13307 西多摩郡檜原村|467番地1"},
		{"half-width kana with marks", "山梨県南ｱﾙﾌﾟｽ市小笠原376", "19208 南アルプス市|小笠原376"},
		{"a variation selector inside a name", "奈良県葛\U000E0100城市長尾85番地", "29211 葛城市|長尾85番地"},
		{"no prefecture, a name that exists once", "鎌倉市御成町18番10号", "14204 鎌倉市|御成町18番10号"},
		{"no prefecture, a city in two", "伊達市舟岡町1番地", "? 北海道 福島県"},
		{"no prefecture, a ward's name in many", "北区王子本町一丁目", "? 京都府 兵庫県 北海道 埼玉県 大阪府 岡山県 愛知県 新潟県 東京都 熊本県"},
		{"a town as its own office spells it", "福岡県糟屋郡須惠町大字須惠771番地", "40344 糟屋郡須恵町|大字須惠771番地"},
		{"a village of one letter", "長野県諏訪郡原村6549番地1", "20363 諏訪郡原村|6549番地1"},
		{"a city named like its county", "島根県隠岐郡隠岐の島町城北町1番地", "32528 隠岐郡隠岐の島町|城北町1番地"},
		{"two towns of one beginning", "和歌山県日高郡日高川町大字土生160番地", "30392 日高郡日高川町|大字土生160番地"},
		{"a name that another prefecture has, too", "愛知県知多郡美浜町大字河和字北田面106番地", "23446 知多郡美浜町|大字河和字北田面106番地"},
		{"a town that repeats its suffix", "佐賀県杵島郡大町町大字大町5017番地", "41423 杵島郡大町町|大字大町5017番地"},
		{"a city that repeats its suffix", "三重県四日市市諏訪町1番5号", "24202 四日市市|諏訪町1番5号"},
		{"a town dissolved long ago is not guessed", "栃木県下都賀郡岩舟町静5132番地", "09  "},
		{"a subprefecture is no part of an address", "北海道檜山支庁奥尻郡奥尻町字奥尻", "01  "},
		{"nothing", "", "  "},
		{"another country", "1-2-3 Imaginary Street", "  "},
		{"a district that begins like another town", "富山県富山市町村一丁目", "16201 富山市|町村一丁目"},
		{"moved abroad", "国外転出　令和6年7月1日", "abroad"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := summary(Locate(tc.address)); got != tc.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func summary(p Place) string {
	switch p.Placement {
	case Placed:
		return p.Code[:5] + " " + p.Locality() + "|" + p.Rest
	case Ambiguous:
		return "? " + strings.Join(p.Candidates, " ")
	case Abroad:
		return "abroad"
	}
	return p.PrefectureCode + " " + p.Code + " " + p.Rest
}

// The counts are those of the ministry's list: 792 cities (20 of them designated, with 171 wards), 743 towns and
// 183 villages without the six of the Northern Territories, which nobody can register in, and 23 special wards.
func TestTableIsWhole(t *testing.T) {
	g := gazetteer()
	counts := map[string]int{}
	for _, m := range g.byCode {
		switch {
		case m.kind == inCity:
			counts["wards"]++
		case m.divided:
			counts["designated"]++
		default:
			last, _ := utf8.DecodeLastRuneInString(m.name)
			counts[string(last)]++
		}
		if !ValidMunicipalityCode(m.code+checkDigit(m.code)) || m.prefecture.code != m.code[:2] {
			t.Errorf("%s: bad code", m.code)
		}
	}
	want := map[string]int{"wards": 171, "designated": 20, "市": 772, "町": 743, "村": 183, "区": 23}
	if len(g.prefectures) != 47 || fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("%d prefectures, %v", len(g.prefectures), counts)
	}
	if len(municipalityLines)+len(formerLines)+len(variantLines) > 100<<10 {
		t.Error("the table has outgrown its place in the binary")
	}
}

// Longest prefix is exact only while these hold, also after folding.
func TestNoNameBeginsAnother(t *testing.T) {
	for _, p := range gazetteer().prefectures {
		for spelling, found := range p.names {
			if len(found) != 1 {
				t.Errorf("%s names %d municipalities in %s", spelling, len(found), p.name)
			}
			if utf8.RuneCountInString(spelling) > longestName {
				t.Errorf("%s is too long", spelling)
			}
			for other, others := range p.names {
				within := others[0].kind == inCity && others[0].above == found[0].name
				if other != spelling && strings.HasPrefix(other, spelling) && !within {
					t.Errorf("%s begins %s in %s", spelling, other, p.name)
				}
			}
		}
	}
}

func TestCodesByTheVectors(t *testing.T) {
	for _, code := range []string{"010006", "131016", "270008", "221384"} {
		if !ValidMunicipalityCode(code) {
			t.Errorf("%s refused", code)
		}
	}
	for _, code := range []string{"", "13101", "131017", "1310160", "13101６", "abcdef"} {
		if ValidMunicipalityCode(code) {
			t.Errorf("%s accepted", code)
		}
	}
}

func TestEveryMunicipalityIsFoundInEverySpelling(t *testing.T) {
	all := make([]*municipality, 0, 2000)
	for _, m := range gazetteer().byCode {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *municipality) int { return strings.Compare(a.code, b.code) })
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(all).Draw(t, "municipality")
		spelling := rapid.SampledFrom(m.spellings()).Draw(t, "spelling")
		street := rapid.SampledFrom([]string{"1番地", "一丁目２番３号", "ハの74番地2", "無番地", "Ａ棟", ""}).Draw(t, "street")
		gap := rapid.SampledFrom([]string{"", " ", "　"}).Draw(t, "gap")
		p := Locate(m.prefecture.name + gap + spelling + gap + street)
		if p.Placement != Placed || p.Code[:5] != m.code || p.Prefecture != m.prefecture.name || p.Rest != street {
			t.Fatalf("%s %s: %s", m.code, spelling, summary(p))
		}
	})
}

func FuzzLocate(f *testing.F) {
	for _, v := range readAddressVectors(f).Vectors {
		f.Add(v.Input)
	}
	f.Add("\xff\u3099\uff9e東京都\u3099")
	f.Fuzz(func(t *testing.T, s string) {
		p := Locate(s)
		if !strings.HasSuffix(s, p.Rest) {
			t.Errorf("the rest is no part of the input")
		}
		if p.Placement == Placed && !ValidMunicipalityCode(p.Code) {
			t.Errorf("placed without code")
		}
	})
}
