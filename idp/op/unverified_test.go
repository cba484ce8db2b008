package op_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/authn/agent"
	"tegata/authn/cardtest"
	"tegata/authn/source"
	"tegata/authn/statement"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage"
)

const askVerified = `claims={"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"birthdate":null}}}}`

// unkeyed is a provider without any key for card-info data that takes it all the same.
func unkeyed(t testing.TB) *idptest.World {
	t.Helper()
	return decided(t, func(o *provider.Options) { o.CardInfoIssuers, o.TakeUnverified = nil, true })
}

// lenient is a client that takes what nobody could verify.
func lenient(w *idptest.World, id string) *idptest.RP {
	return w.Register(clients.Metadata{ClientID: id, Scope: "openid birthdate age_over_18", Policy: storage.ClientPolicy{Source: "card_info_unverified"}})
}

func TestWhatNobodyCouldVerifySaysSoEverywhere(t *testing.T) {
	w := unkeyed(t)
	shop := lenient(w, "shop")
	b, r := w.NewBrowser(), shop.Request("scope=openid age_over_18 birthdate", askVerified)
	p := w.Present(b, r, "child")
	if !strings.Contains(p.Body, `id="unverified"`) || !strings.Contains(p.Body, "発行元の署名を確かめていません") || !strings.Contains(p.Body, "2017") {
		t.Error("the consent page does not say it")
	}
	tokens := shop.Exchange(w.Answered(b.Submit(p.Form("/consent"), "decision=allow"), r).Get("code"), r)
	said, info := shop.Claims(tokens, r), shop.UserInfo(tokens.AccessToken).Body
	if said["age_over_18"] != false || said["claims_unverified"] != true || said["acr"] != "aal3" {
		t.Errorf("the ID token says %v", said)
	}
	if !strings.Contains(info, `"birthdate":"2017-06-20"`) || !strings.Contains(info, `"claims_unverified":true`) || strings.Contains(info, "verified_claims") {
		t.Errorf("userinfo says %s", info)
	}
	if export := b.Get("/me/history.json").Body; strings.Count(export, `"shared_unverified"`) != 1 {
		t.Errorf("the history says %s", export)
	}
	if me := b.Get("/me"); !strings.Contains(me.Body, "発行元の署名は確かめていません") {
		t.Error("/me does not say it")
	}
}

func TestASignatureCertificateIsVerifiedThereAsEverywhere(t *testing.T) {
	w := unkeyed(t)
	shop := lenient(w, "shop")
	r := shop.Request("scope=openid birthdate", askVerified)
	tokens := shop.Exchange(w.Login(w.NewBrowser(), r, "taro").Get("code"), r)
	if info := shop.UserInfo(tokens.AccessToken).Body; strings.Contains(info, "claims_unverified") || !strings.Contains(info, `/trust_framework/jpki"`) {
		t.Errorf("userinfo says %s", info)
	}
}

// Both have to say so, the operator and the client; and what is asked as verified alone is not read for nothing.
func TestWhoIsOfferedWhatNobodyCanVerify(t *testing.T) {
	off := decided(t, func(o *provider.Options) { o.CardInfoIssuers = nil })
	keyed := decided(t, func(o *provider.Options) { o.TakeUnverified = true })
	on := unkeyed(t)
	cheap := decided(t, func(o *provider.Options) { o.CardInfoIssuers, o.TakeUnverified, o.Cheapest = nil, true, true })
	for i, tc := range []struct {
		name    string
		w       *idptest.World
		client  string
		ask     []string
		sources string
	}{
		{"the operator has not said so", off, "lenient", nil, "signature_certificate"},
		{"the client has not said so", on, "", nil, "signature_certificate"},
		{"the client wants a signature certificate", on, "signature_certificate", nil, "signature_certificate"},
		{"both have", on, "lenient", nil, "signature_certificate card_info"},
		{"both have, and four digits come first", cheap, "lenient", nil, "card_info signature_certificate"},
		{"an age for a client that has not", cheap, "", []string{"scope=openid age_over_18"}, "signature_certificate"},
		{"verified claims alone", on, "lenient", []string{"scope=openid", askVerified}, "signature_certificate"},
		{"verified claims besides others", on, "lenient", []string{"scope=openid age_over_18", askVerified}, "signature_certificate card_info"},
		{"there is a key", keyed, "", nil, "signature_certificate card_info"},
	} {
		m := clients.Metadata{ClientID: fmt.Sprint("shop", i), Scope: "openid birthdate age_over_18", Policy: storage.ClientPolicy{Source: tc.client}}
		if tc.client == "lenient" {
			m.Policy.Source = "card_info_unverified"
		}
		shop := tc.w.Register(m)
		if got := strings.Join(tc.w.Claim(tc.w.Approach(tc.w.NewBrowser(), shop.Request(tc.ask...)).Launch).Context.Sources, " "); got != tc.sources {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
	for name, w := range map[string]*idptest.World{"off": off, "on": on} {
		b, shop := w.NewBrowser(), w.Register(clients.Metadata{ClientID: "plain"})
		if _, err := w.UseCard(w.Approach(b, shop.Request()).Launch, "child"); err == nil || !strings.Contains(err.Error(), "signature_certificate_missing") {
			t.Errorf("%s: a child at a client that wants verified facts: %v", name, err)
		}
	}
}

// forged are files that a stranger made, or of which he changed the signature.
func forged(t *testing.T, w *idptest.World, how string) *agent.CardInfo {
	t.Helper()
	files := cardInfo(t, w, "child")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	switch how {
	case "genuine":
	case "of a strange issuer":
		signed, err1 := cardtest.SignCardInfo(files.Attributes, key)
		certified, err2 := cardtest.CertifyCardInfoKey(&key.PublicKey, key)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		files.Signature, files.Certificate = unnumbered(signed), certified
	case "with a certificate of another layout":
		files.Certificate = []byte{0x7F, 0x21, 0x02, 0x05, 0x00}
	case "signed by somebody else":
		signed, err := cardtest.SignCardInfo(files.Attributes, key)
		if err != nil {
			t.Fatal(err)
		}
		files.Signature = unnumbered(signed)
	case "with another birthday":
		files.Attributes = []byte(strings.Replace(string(files.Attributes), "20170620", "19990620", 1))
	case "with a hash of the My Number":
		files.Signature = slices.Clone(files.Signature)
		files.Signature[8] = 1
	}
	return files
}

// unnumbered takes the hash of the My Number file out, as the agent does.
func unnumbered(proof []byte) []byte {
	proof = slices.Clone(proof)
	clear(proof[8:40])
	return proof
}

func TestWhatContradictsItselfIsNotMerelyUnverified(t *testing.T) {
	worlds := map[string]*idptest.World{
		"no key":           unkeyed(t),
		"a key":            decided(t, func(o *provider.Options) { o.TakeUnverified = true }),
		"a key, and alone": open(t),
	}
	for i, tc := range []struct{ world, files, client, want string }{
		{"a key", "genuine", "", ""},
		{"a key", "of a strange issuer", "", "chain_untrusted"},
		{"a key", "of a strange issuer", "card_info_unverified", ""},
		{"a key", "signed by somebody else", "card_info_unverified", "signature_invalid"},
		{"a key", "with a certificate of another layout", "card_info_unverified", ""},
		{"a key", "with a certificate of another layout", "", "chain_untrusted"},
		{"a key, and alone", "of a strange issuer", "card_info_unverified", "chain_untrusted"},
		{"a key, and alone", "with a certificate of another layout", "card_info_unverified", "card_data_broken"},
		{"no key", "genuine", "card_info_unverified", ""},
		{"no key", "of a strange issuer", "card_info_unverified", ""},
		{"no key", "with another birthday", "card_info_unverified", "signature_invalid"},
		{"no key", "with a hash of the My Number", "card_info_unverified", "card_data_broken"},
		{"no key", "genuine", "", "statement_mismatch"},
		{"no key", "genuine", "signature_certificate", "statement_mismatch"},
	} {
		w := worlds[tc.world]
		shop := w.Register(clients.Metadata{ClientID: fmt.Sprint("shop", i), Policy: storage.ClientPolicy{Source: tc.client}})
		a := w.Claim(w.Approach(w.NewBrowser(), shop.Request()).Launch)
		m := w.Town.Material(t, "child")
		login, attributes := a.Statements(m)
		files := forged(t, w, tc.files)
		login.Attributes = statement.CardInfoRef(files.Attributes, files.Signature, files.Certificate)
		result := a.Sign(m, login, attributes)
		result.CardInfo = files
		if _, refusal := a.Result(result); refusal != tc.want {
			t.Errorf("%s, files %s, client %q: %q, not %q", tc.world, tc.files, tc.client, refusal, tc.want)
		}
	}
}

// A session that holds unverified facts answers nobody who wants others, and nobody at all once the operator takes none.
func TestASessionWithUnverifiedFactsAnswersWhoTakesThem(t *testing.T) {
	w := unkeyed(t)
	first, second := lenient(w, "first"), lenient(w, "second")
	strict := w.Register(clients.Metadata{ClientID: "strict", Scope: "openid age_over_18"})
	b := w.NewBrowser()
	w.Login(b, first.Request("scope=openid age_over_18"), "child")
	silent := func(shop *idptest.RP, more ...string) string {
		r := shop.Request(append([]string{"prompt=none"}, more...)...)
		return w.Answer(b, r).Get("error")
	}
	for _, tc := range []struct {
		name, want string
		shop       *idptest.RP
	}{
		{"another that takes them", "consent_required", second},
		{"one that wants verified facts", "login_required", strict},
		{"the first, again", "", first},
	} {
		if got := silent(tc.shop, "scope=openid age_over_18"); got != tc.want {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
	if p := b.Get(first.Request("scope=openid age_over_18", askVerified).URL()); p.Form("/start").Action == "" {
		t.Error("who wants verified claims too is not sent to the card")
	}
	w.Site.IDP.Sources = slices.DeleteFunc(slices.Clone(w.Site.IDP.Sources), func(s string) bool { return s == source.Unverified })
	if got := silent(first, "scope=openid age_over_18"); got != "login_required" {
		t.Errorf("after the operator has changed his mind: %q", got)
	}
}

func TestDiscoveryTellsOfUnverifiedClaimsWhereThereAreAny(t *testing.T) {
	for name, tc := range map[string]struct {
		w    *idptest.World
		says bool
	}{"off": {open(t), false}, "on": {unkeyed(t), true}} {
		said := members(t, get(t, tc.w.Issuer+"/.well-known/openid-configuration").Body)
		if got := slices.Contains(texts(t, said["claims_supported"]), "claims_unverified"); got != tc.says {
			t.Errorf("%s: claims_supported: %v", name, got)
		}
		if tc.says && len(texts(t, said["trust_frameworks_supported"])) != 1 {
			t.Errorf("%s: %s", name, said["trust_frameworks_supported"])
		}
	}
}

// Who agreed to share what was verified is asked anew before the same goes out unverified, and once is enough.
func TestAConsentToVerifiedFactsIsNoneToOthers(t *testing.T) {
	w := unkeyed(t)
	shop := lenient(w, "shop")
	ask := func(name string, cheap, asked bool) {
		t.Helper()
		w.Site.IDP.Cheapest = cheap
		b, r := w.NewBrowser(), shop.Request("scope=openid birthdate")
		p := w.Present(b, r, "taro")
		if (p.Away == nil) != asked {
			t.Fatalf("%s: asked %v", name, !asked)
		}
		if p.Away != nil {
			return
		}
		if strings.Contains(p.Body, `id="unverified"`) != cheap {
			t.Errorf("%s: the page has the wrong mark", name)
		}
		b.Submit(p.Form("/consent"), "decision=allow")
		if me := b.Get("/me").Body; strings.Contains(me, "確かめていない情報であること") != cheap {
			t.Errorf("%s: /me has the wrong mark", name)
		}
	}
	ask("the signature certificate", false, true)
	ask("again", false, false)
	ask("four digits that nobody can verify", true, true)
	ask("again, with four digits", true, false)
	ask("again, with the signature certificate", false, false)
}
