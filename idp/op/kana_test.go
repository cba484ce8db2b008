package op_test

import (
	"fmt"
	"strings"
	"testing"

	"tegata/idp/clients"
)

// No source has a reading in kana. Who asks for one hears everything else, and no error, however much she wants it.
func TestAReadingInKanaIsLeftOut(t *testing.T) {
	w := open(t)
	w.Town.Settle(t, "katakana", []byte(`{"birthdate": "1990-04-01", "name": "テスト　タロウ"}`))
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18"})
	for _, persona := range []string{"taro", "child", "foreign", "katakana"} { // by certificate and by card-info application
		for want, ask := range map[string]string{"voluntary": "null", "essential": `{"essential":true}`, "one value": `{"essential":true,"value":"テスト　タロウ"}`} {
			r := shop.Request("scope=openid", fmt.Sprintf(`claims={
				"id_token":{"age_over_18":null,"name#ja-Kana-JP":%[1]s},
				"userinfo":{"name":null,"name#ja-Kana-JP":%[1]s,"family_name#ja-Kana-JP":%[1]s,
					"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null,"name#ja-Kana-JP":%[1]s}}}}`, ask), "claims_locales=ja-Kana-JP ja-Hani-JP")
			answer := w.Login(w.NewBrowser(), r, persona)
			if !answer.Has("code") {
				t.Errorf("%s, %s: %v", persona, want, answer)
				continue
			}
			tokens := shop.Exchange(answer.Get("code"), r)
			said, info := shop.Claims(tokens, r), shop.UserInfo(tokens.AccessToken).Body
			if strings.Contains(strings.ToLower(fmt.Sprint(said, info)), "kana") || strings.Contains(info, "#ja-Kana") {
				t.Errorf("%s, %s: %v %s", persona, want, said, info)
			}
			if said["age_over_18"] == nil || !strings.Contains(info, `"name":"`) || !strings.Contains(info, `"verified_claims"`) {
				t.Errorf("%s, %s: the rest is missing: %v %s", persona, want, said, info)
			}
		}
	}
}
