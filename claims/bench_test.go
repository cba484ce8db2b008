package claims

import "testing"

// The two ends of what a relying party can ask for.
func BenchmarkMinimiser(b *testing.B) {
	f := hanako
	f.Address, f.AddressSubstitution = "東京都千代田区見本町一丁目２番３号", ""
	p, err := FromCertificate(f)
	if err != nil {
		b.Fatal(err)
	}
	everything := []Item{ItemName, ItemAddress, ItemPrefecture, ItemMunicipality, ItemBirthdate, ItemGender, ItemAgeOver18, ItemAgeOver20}
	for name, asked := range map[string][]Item{"age only": {ItemAgeOver18}, "everything": everything} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Release(Evaluate(p, asked, noon), asked)
			}
		})
		b.Run(name+", encoded", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := Release(Evaluate(p, asked, noon), asked)
				r.IDToken.Encode()
				r.UserInfo.Encode()
			}
		})
	}
}

func BenchmarkLocate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Locate("神奈川県横浜市保土ケ谷区川辺町２番地９")
	}
}
