package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tegata/claims"
)

// planted is no My Number: its check digit is wrong, and only the word beside it gives it away.
const planted = "個人番号123456789012"

func TestInspect(t *testing.T) {
	for _, tc := range []struct{ name, payload, member, rule string }{
		{"an ID token", `{"iss":"https://login.example","sub":"aB3-_","aud":"123456789012","exp":1795000000,"iat":1795000000,"auth_time":1795000000,` +
			`"nonce":"個人番号123456789012","acr":"aal3","amr":["hwk","pin","mca"],"at_hash":"x2_-","age_over_18":true}`, "", ""},
		{"an introspection", `{"active":true,"client_id":"123456789012","sub":"aB3-_","scope":"openid age_over_18","exp":1795000000,"iat":1795000000,` +
			`"iss":"https://login.example","token_type":"Bearer","cnf":{"x5t#S256":"aB3-_","jkt":"aB3-_"}}`, "", ""},
		{"a scope of digits with spaces around", `{"scope":" 123456789012 "}`, "scope", "form"},
		{"another type of token", `{"token_type":"123456789012"}`, "token_type", "form"},
		{"a key that nobody declared", `{"cnf":{"jwk":"x"}}`, "", "undeclared"},
		{"nothing", `{}`, "", ""},
		{"a number in the name", `{"name":"手形 ` + planted + `"}`, "name", "my_number_context"},
		{"a number in a part of the address", `{"address":{"street_address":"` + planted + `"}}`, "address.street_address", "my_number_context"},
		{"a number in the prefecture", `{"address_prefecture":"` + planted + `"}`, "address_prefecture", "my_number_context"},
		{"escaped by JSON", `{"name":"\u500b\u4eba\u756a\u53f7\u0031\u0032\u0033\u0034\u0035\u0036\u0037\u0038\u0039\u0030\u0031\u0032"}`, "name", "my_number_context"},
		{"a subject of digits alone", `{"sub":"123456789012"}`, "sub", "form"},
		{"a subject that is a number", `{"sub":123456789012}`, "sub", "form"},
		{"a time of twelve digits", `{"iat":123456789012}`, "iat", "form"},
		{"a broken time", `{"iat":1795000000.5}`, "iat", "form"},
		{"a birthdate with more behind it", `{"birthdate":"1990-04-01 1234"}`, "birthdate", "form"},
		{"a municipality code of twelve digits", `{"address_municipality_code":"123456789012"}`, "address_municipality_code", "form"},
		{"a municipality code with a wrong check digit", `{"address_municipality_code":"131017"}`, "address_municipality_code", "form"},
		{"an answer that is no boolean", `{"age_over_18":"true"}`, "age_over_18", "form"},
		{"one word of a list", `{"amr":["hwk","123456789012"]}`, "amr", "form"},
		{"a number in a tagged name", `{"family_name#ja-Hani-JP":"` + planted + `"}`, "family_name#ja-Hani-JP", "my_number_context"},
		{"a number in a verified name", `{"verified_claims":{"claims":{"name":"` + planted + `"}}}`, "verified_claims.claims.name", "my_number_context"},
		{"a number in the second of two", `{"verified_claims":[{"claims":{"gender":"male"}},{"claims":{"address#ja":{"locality":"` + planted + `"}}}]}`,
			"verified_claims.claims.address#ja.locality", "my_number_context"},
		{"a language that nobody declared", `{"name#en":"x"}`, "", "undeclared"},
		{"a time to the second", `{"verified_claims":{"verification":{"time":"2026-11-21T07:03:00Z"}}}`, "verified_claims.verification.time", "form"},
		{"the number of a document", `{"verified_claims":{"verification":{"evidence":[{"document_details":{"document_number":"1"}}]}}}`, "", "undeclared"},
		{"the day on which a document ends", `{"verified_claims":{"verification":{"evidence":[{"document_details":{"date_of_expiry":"2030-04-01"}}]}}}`, "", "undeclared"},
		{"evidence that would bring a serial", `{"verified_claims":{"verification":{"evidence":[{"type":"electronic_signature"}]}}}`, "verified_claims.verification.evidence.type", "form"},
		{"a law's framework", `{"verified_claims":{"verification":{"trust_framework":"jp_aml"}}}`, "verified_claims.verification.trust_framework", "form"},
		{"an object where a text belongs", `{"name":{"full":"x"}}`, "", "undeclared"},
		{"a member that nobody declared", `{"document_number":"1"}`, "", "undeclared"},
		{"a predicate outside the catalogue", `{"age_over_19":true}`, "", "undeclared"},
		{"the same member twice", `{"name":"a","name":"b"}`, "", "duplicate"},
		{"no object", `"x"`, "", "undeclared"},
		{"two objects", `{}{}`, "", "syntax"},
		{"half an object", `{"name":"a"`, "", "syntax"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if member, rule := inspect([]byte(tc.payload)); member != tc.member || rule != tc.rule {
				t.Errorf("%q by %q", member, rule)
			}
		})
	}
}

func TestEveryReleasedClaimIsDeclared(t *testing.T) {
	p, err := claims.FromCertificate(claims.CertificateFields{
		Name: "手形　太郎", NameSubstitution: "00010", Sex: "1", Birth: "319650401", Address: "東京都千代田区手形町一丁目２番３号"})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	set := claims.Release(claims.Evaluate(p, claims.Catalogue(), at), claims.Catalogue()).UserInfo.Encode()
	if member, rule := inspect(set); rule != "" {
		t.Errorf("%q is held back by %q", member, rule)
	}
	var released map[string]any
	if err := json.Unmarshal(set, &released); err != nil || len(released) != 17 {
		t.Errorf("%d members, %v", len(released), err)
	}
}

func TestEveryClaimByNameIsDeclared(t *testing.T) {
	p, err := claims.FromCertificate(claims.CertificateFields{
		Name: "手形　太郎", NameSubstitution: "00010", Sex: "1", Birth: "319650401", Address: "東京都千代田区手形町一丁目２番３号"})
	if err != nil {
		t.Fatal(err)
	}
	var wants []claims.Want
	for _, name := range claims.Names() {
		for _, tag := range append([]string{""}, claims.Tags...) {
			c, _ := claims.ParseClaim(strings.TrimSuffix(name+"#"+tag, "#"))
			wants = append(wants, claims.Want{Claim: c})
		}
	}
	v := claims.VerifiedWant{Claims: wants, Verification: claims.CardVerification("https://x/trust_framework/jpki", "ial2", "2026-11-21T00:00:00Z", claims.SignatureCertificate)}
	w := claims.Wants{UserInfo: claims.Part{Claims: wants, Verified: []claims.VerifiedWant{v, v}}}
	set := w.Release(claims.Evaluate(p, claims.Catalogue(), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)), claims.Catalogue()).UserInfo.Encode()
	if member, rule := inspect(set); rule != "" {
		t.Errorf("%q is held back by %q", member, rule)
	}
	if n := strings.Count(string(set), "手形町"); n != 3*2*4 { // three sets, formatted and street, under four names
		t.Errorf("the address is there %d times", n)
	}
}

func TestAHeldBackResponseFailsAndSaysNothing(t *testing.T) {
	var log bytes.Buffer
	p := &Provider{Config: Config{Log: slog.New(slog.NewJSONHandler(&log, nil))}}
	out, err := p.guarded([]byte(`{"name":"`+planted+`"}`), nil)
	if out != nil || !errors.Is(err, errEgress) {
		t.Errorf("%s, %v", out, err)
	}
	if got := log.String() + err.Error(); strings.Contains(got, "1234") || strings.Contains(got, "個人") {
		t.Error("the number is in the log or the error")
	}
	if !strings.Contains(log.String(), `"member":"name","rule":"my_number_context"`) {
		t.Errorf("the log says %s", log.String())
	}
	broken := errors.New("broken")
	if _, err := p.guarded(nil, broken); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(`{"name":"a","address":{"formatted":"b"},"amr":["pin"]}`))
	f.Add([]byte(`{"a":[[[{`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if _, rule := inspect(payload); rule == "" && !json.Valid(payload) {
			t.Error("broken JSON may leave")
		}
	})
}

func TestAgeRulesAreCheckedAtTheStart(t *testing.T) {
	_, err := New(Config{SubjectKey: make([]byte, 32), AgeRules: claims.AgeRules{claims.ItemAgeOver20: claims.ByDay}})
	if !errors.Is(err, claims.ErrAgeRule) {
		t.Errorf("alcohol by the day: %v", err)
	}
	if _, err := New(Config{SubjectKey: make([]byte, 32), AgeRules: claims.AgeRules{claims.ItemAgeOver25: claims.ByDay}}); err != nil {
		t.Error(err)
	}
}
