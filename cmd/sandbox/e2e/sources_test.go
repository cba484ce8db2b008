package e2e_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestTheNumbersPrintedOnACard opens four attributes with verification number B, where the PIN of the card-info application
// is locked.
func TestTheNumbersPrintedOnACard(t *testing.T) {
	t.Parallel()
	w := start(t)
	at := func() string { return w.authorize("demo", url.Values{"scope": {"openid birthdate"}}) }
	for _, tc := range []struct {
		name, number, err string
	}{
		{"locked, and no numbers", "", "pin_locked"},
		{"another birthday", "13110420352285", "pin_wrong"},
		{"no such month", "13130320352285", "pin_format"},
		{"twelve digits, as a My Number has", "131103" + "203522", "pin_format"},
	} {
		args := []string{at(), "--persona", "printed"}
		if tc.number != "" {
			args = append(args, "--number-b", tc.number)
		}
		if s := w.login(t, args...); s.code != 1 || strings.TrimSpace(s.err) != tc.err {
			t.Errorf("%s: %d %q", tc.name, s.code, s.err)
		}
	}
	w.walk(t, at(), "--persona", "printed", "--number-b", "13110320352285")
	w.walk(t, at(), "--persona", "taro", "--number-b", "13110320352285") // the signature certificate comes first
	if logs := w.stderr.String(); strings.Contains(logs, "131103") {
		t.Errorf("the log holds the number:\n%s", logs)
	}
}

// TestACardWhoseIssuerNobodyKnows shows a site's engineer what facts look like that nobody could verify.
func TestACardWhoseIssuerNobodyKnows(t *testing.T) {
	t.Parallel()
	w := start(t, "--accept-unverified-card-info", "--clients", clientsFile(t, `[
		{"client_id": "club", "client_secret": "club-secret-of-more-than-32-characters-0", "redirect_uris": ["http://127.0.0.1:8000/club"],
			"scope": "openid birthdate", "policy": {"source": "card_info_unverified"}},
		{"client_id": "strict", "client_secret": "strict-secret-of-more-than-32-characters", "redirect_uris": ["http://127.0.0.1:8000/strict"], "scope": "openid birthdate"}]`))
	ask := func(client string) string { return w.authorize(client, url.Values{"scope": {"openid birthdate"}}) }
	told := func(persona string) string {
		var wire recorder
		code := w.walk(t, ask("club"), "--persona", persona)
		return string(w.userInfo(t, &wire, "club", code))
	}
	if got := told("child"); !strings.Contains(got, `"birthdate":"2017-06-20"`) || !strings.Contains(got, `"claims_unverified":true`) {
		t.Errorf("of a child the club hears %s", got)
	}
	if got := told("taro"); !strings.Contains(got, `"birthdate"`) || strings.Contains(got, "claims_unverified") {
		t.Errorf("of an adult the club hears %s", got)
	}
	if s := w.login(t, ask("strict"), "--persona", "child"); s.code != 1 || strings.TrimSpace(s.err) != "signature_certificate_missing" {
		t.Errorf("a site that wants verified facts: %d %q", s.code, s.err)
	}
}

// TestThePagesOfEverySource walks past the pages that speak of where facts come from, in every language.
func TestThePagesOfEverySource(t *testing.T) {
	must(t, os.MkdirAll(gallery, 0o755))
	w := start(t, "--four-digits-first", "--accept-unverified-card-info", "--clients", clientsFile(t, `[
		{"client_id": "club", "client_name": "Harbour Club", "client_name#ja": "港倶楽部", "client_secret": "club-secret-of-more-than-32-characters-0", "redirect_uris": ["http://127.0.0.1:8000/club"],
			"scope": "openid name birthdate", "purpose": "To print your card.", "purpose#ja": "会員証を作るため", "policy": {"source": "card_info_unverified"}},
		{"client_id": "bank", "client_name": "Bank", "client_name#ja": "銀行", "client_secret": "bank-secret-of-more-than-32-characters-0", "redirect_uris": ["http://127.0.0.1:8000/bank"],
			"scope": "openid name birthdate", "policy": {"source": "signature_certificate"}}]`))
	for lang, browser := range map[string]string{"ja": "ja", "ja-Hira": "ja", "en": "en"} {
		t.Run(lang, func(t *testing.T) {
			p := newPerson(t, browser)
			ask := func(client string) string {
				return w.authorize(client, url.Values{"scope": {"openid name birthdate"}, "ui_locales": {lang}, "prompt": {"consent"}})
			}
			p.open(ask("bank"))
			p.see("#start")
			p.picture("source-signature-login", lang)
			p.open(ask("club"))
			p.see("#unverified")
			p.click("#printed summary")
			p.picture("source-card-info-login", lang)

			reader := p.launch(w)
			p.click("#printed summary")
			p.picture("source-card-info-wait", lang)
			reader.layDown("taro")
			reader.click("#printed")
			reader.see("#printed_1")
			reader.picture("source-reader-printed", lang)
			reader.enter("#pin", "1234")
			reader.enter("#printed_1", "021231")
			reader.enter("#printed_2", "2035")
			reader.enter("#printed_3", "2285")
			reader.click("#ok")
			reader.see("#error[data-code=pin_wrong]")
			p.until(theRule + ` === "pin_wrong"`)

			p.click("#start-printed") // the waiting page starts anew: the reader is left alone
			p.until(`document.querySelector("#launch") !== null && document.querySelector("#start-printed") === null`)
			reader = p.newTab(w.Cards, func() { p.click("#launch") })
			reader.layDown("printed")
			reader.enter("#pin", "1234")
			reader.enter("#printed_1", "131103")
			reader.enter("#printed_2", "2035")
			reader.enter("#printed_3", "2285")
			reader.click("#ok")
			p.see("#unverified")
			p.picture("source-unverified-consent", lang)
			p.click("#allow")
			p.until(`location.protocol === "chrome-error:"`) // nobody listens at the club
			p.open(w.Issuer + "/me?lang=" + lang)
			p.see("#history")
			p.picture("source-unverified-me", lang)
		})
	}
}
