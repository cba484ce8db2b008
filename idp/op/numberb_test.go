package op_test

import (
	"strings"
	"testing"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/statement"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
)

// Who has locked the PIN of the card-info application, or never knew it, types what is printed on the card. It is verified
// as with the PIN, and is worth the same.
func TestThePrintedNumbersDoWhereThePINDoesNot(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	r := shop.Request("scope=openid age_over_18", `claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"age_over_18":null}}}}`)
	tokens := shop.Exchange(w.Login(w.NewBrowser(), r, "printed").Get("code"), r)
	if said, info := shop.Claims(tokens, r), shop.UserInfo(tokens.AccessToken).Body; said["age_over_18"] != true || said["acr"] != "aal3" || !strings.Contains(info, `/trust_framework/jp_card_info_ap"`) {
		t.Errorf("%v %s", said, info)
	}
	left := w.Town.Card(t, "printed")
	if left.Tries(card.NumberB) != 10 || left.Tries(card.CardInfoPIN) != 0 || left.MyNumberTouched() {
		t.Error("the card saw something else")
	}
}

func TestAgentsAreToldWhatMayOpenTheCardInfoApplication(t *testing.T) {
	w := decided(t, func(o *provider.Options) { o.Cheapest = true })
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	bank := w.Register(clients.Metadata{ClientID: "bank", Policy: storage.ClientPolicy{Source: "signature_certificate"}})
	for _, tc := range []struct {
		name, choice, off string
		r                 idptest.Request
		want              string
	}{
		{"the PIN, or else the number", "", "", shop.Request(), "card_info_pin number_b"},
		{"the number, as the person wants it", "number_b", "", shop.Request(), "number_b card_info_pin"},
		{"something that is no choice", "my_number", "", shop.Request(), "card_info_pin number_b"},
		{"switched off in an emergency", "number_b", "number_b", shop.Request(), "card_info_pin"},
		{"a client that takes a signature alone", "number_b", "", bank.Request(), ""},
		{"a question about nothing", "number_b", "", shop.Request("scope=openid"), ""},
	} {
		w.Site.IDP.Disabled = func(method string) bool { return method == tc.off }
		b := w.NewBrowser()
		p := b.Submit(b.Get(tc.r.URL()).Form("/start"), "card_info_by="+tc.choice)
		if got := strings.Join(w.Claim(p.Launch).Context.CardInfoBy, " "); got != tc.want {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
}

// What opened the application is signed by the card along with what was read.
func TestWhatOpenedTheApplicationIsHeldAgainstTheStatement(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for _, tc := range []struct{ name, signed, said, off, want string }{
		{"the PIN", "", "", "", ""},
		{"the number", "number_b", "number_b", "", ""},
		{"the number where it is switched off", "number_b", "number_b", "number_b", "method_disabled"},
		{"the number, said to be the PIN", "number_b", "", "", "statement_mismatch"},
		{"the PIN, said to be the number", "", "number_b", "", "statement_mismatch"},
		{"the My Number", "number_a", "number_a", "", "statement_mismatch"},
	} {
		w.Site.IDP.Disabled = nil
		a := w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch)
		m := w.Town.Material(t, "child")
		login, attributes := a.Statements(m)
		files := cardInfo(t, w, "child")
		files.Opened = tc.said
		login.Attributes = statement.CardInfoRef(files.Attributes, files.Signature, files.Certificate)
		login.Attributes.Opened = tc.signed
		result := a.Sign(m, login, attributes)
		result.CardInfo = files
		w.Site.IDP.Disabled = func(method string) bool { return method == tc.off }
		if _, refusal := a.Result(result); refusal != tc.want {
			t.Errorf("%s: %q", tc.name, refusal)
		}
	}
}

// cardInfo reads the files of a persona's card.
func cardInfo(t *testing.T, w *idptest.World, persona string) *agent.CardInfo {
	t.Helper()
	c, err := card.Open(t.Context(), w.Town.Card(t, persona).Connect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // a virtual card
	if err := c.Verify(t.Context(), card.NumberB, []byte(w.Town.Persona(t, persona).NumberB())); err != nil {
		t.Fatal(err)
	}
	files, err := c.ReadCardInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &agent.CardInfo{Attributes: files.EF0002, Signature: files.EF0003, Certificate: files.EF0004}
}

func TestThePagesOfferThePrintedNumbersWhereTheyWouldDo(t *testing.T) {
	usual, cheap := open(t), decided(t, func(o *provider.Options) { o.Cheapest = true })
	alone := decided(t, func(o *provider.Options) { o.CardInfoIssuers = nil })
	for _, tc := range []struct {
		name         string
		w            *idptest.World
		scope        string
		first, later bool
	}{
		{"four digits come first", cheap, "openid age_over_18", true, true},
		{"four digits are the other way", usual, "openid age_over_18", false, true},
		{"the password alone", alone, "openid age_over_18", false, false},
		{"nothing is read", cheap, "openid", false, false},
	} {
		shop := tc.w.Register(clients.Metadata{ClientID: "shop-" + strings.NewReplacer(" ", "-", "_", "-").Replace(tc.scope)})
		b := tc.w.NewBrowser()
		p := b.Get(shop.Request("scope=" + tc.scope).URL())
		if got := strings.Contains(p.Body, `id="start-printed"`); got != tc.first {
			t.Errorf("%s: the login page: %v", tc.name, got)
		}
		p = b.Submit(p.Form("/start"))
		if got := strings.Contains(p.Body, `id="start-printed"`); got != tc.later {
			t.Errorf("%s: the waiting page: %v", tc.name, got)
		}
		if !tc.later {
			continue
		}
		if p = b.Submit(p.Form("/start"), "card_info_by=number_b"); p.Launch == "" || strings.Contains(p.Body, `id="start-printed"`) {
			t.Errorf("%s: after choosing them: %d, %q", tc.name, p.Status, p.Launch)
		}
	}
}
