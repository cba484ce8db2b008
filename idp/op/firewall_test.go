package op_test

import (
	"strings"
	"testing"

	"tegata/idp/clients"
)

// planted is no My Number: its check digit is wrong, and only the word beside it gives it away.
const planted = "123456789012"

func TestAMyNumberInTheRequestIsRefusedWithoutEcho(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for _, tc := range []struct{ name, change, field string }{
		{"in the hint", "login_hint=my number " + planted, "login_hint"},
		{"in the hint, full-width", "login_hint=マイナンバー１２３４－５６７８－９０１２", "login_hint"},
		{"among the languages", "ui_locales=ja my number " + planted, "ui_locales"},
		{"in the claims parameter", `claims={"userinfo":{"name":{"value":"個人番号` + planted + `"}}}`, "claims"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := shop.Request(tc.change)
			answer := w.Answer(w.NewBrowser(), r)
			if answer.Get("error") != "invalid_request" || answer.Get("error_description") != "my_number_refused: "+tc.field {
				t.Errorf("the answer is %v", answer)
			}
		})
	}
	t.Run("what belongs to the relying party is not read", func(t *testing.T) {
		r := shop.Request("state=my number "+planted, "nonce=my number "+planted)
		r.State, r.Nonce = r.Params.Get("state"), r.Params.Get("nonce")
		tokens := shop.Exchange(w.Login(w.NewBrowser(), r, "taro").Get("code"), r)
		if shop.Claims(tokens, r)["nonce"] != "my number "+planted {
			t.Error("the nonce does not come back")
		}
	})
	if log := w.Log.String(); strings.Contains(log, planted) || strings.Contains(log, "１２３４") {
		t.Error("the number is in the log")
	}
}
