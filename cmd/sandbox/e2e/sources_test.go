package e2e_test

import (
	"net/url"
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
