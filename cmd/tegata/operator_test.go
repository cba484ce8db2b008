package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tegata/storage"
)

// generation is one CA certificate of the test authority in a file of its own, and its fingerprint.
func generation(t *testing.T, purpose string, n int) (path, fingerprint string) {
	t.Helper()
	dir, err := anchors()
	if err != nil {
		t.Fatal(err)
	}
	rest, err := os.ReadFile(filepath.Join(dir, "anchors-"+purpose+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	for range n {
		block, rest = pem.Decode(rest)
	}
	path = filepath.Join(t.TempDir(), purpose+".pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(block.Bytes)
	return path, hex.EncodeToString(sum[:])
}

func TestAnAnchorNeedsItsFingerprint(t *testing.T) {
	d := deploy(t)
	file, sum := generation(t, "auth", 1)
	other := strings.Repeat("ab", 32)
	several := filepath.Join(filepath.Dir(os.Getenv("TEGATA_ANCHORS_AUTH")), "anchors-auth.pem")
	for _, tc := range []struct {
		name string
		say  string
		args []string
	}{
		{"nobody vouches for it", "--fingerprint", []string{file, "--purpose", "auth", "--test"}},
		{"another one was typed", "do not use this file", []string{file, "--purpose", "auth", "--test", "--fingerprint", other}},
		{"what was typed is none", "64 hexadecimal", []string{file, "--purpose", "auth", "--test", "--fingerprint", "abc"}},
		{"for what, nobody says", "--purpose", []string{file, "--test", "--fingerprint", sum}},
		{"a test hierarchy by mistake", "--test", []string{file, "--purpose", "auth", "--fingerprint", sum}},
		{"several in one file", "one certificate at a time", []string{several, "--purpose", "auth", "--test", "--fingerprint", sum}},
		{"no certificate", "no certificate", []string{"/etc/hostname", "--purpose", "auth", "--test", "--fingerprint", sum}},
		{"no file", "nowhere", []string{"/nowhere.pem"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d.fails(exitUsage, tc.say, append([]string{"trust", "add"}, tc.args...)...)
			if list := d.ok("trust", "list"); strings.Count(list, "\n") != 1 {
				t.Fatalf("it is trusted: %s", list)
			}
			if _, _, errs := d.tegata(append([]string{"trust", "add"}, tc.args...)...); strings.Contains(errs, sum) {
				t.Error("the fingerprint to type is offered for copying")
			}
		})
	}
}

func TestAnchorsOfTheDatabaseServe(t *testing.T) {
	d := deploy(t)
	unset(t, "TEGATA_ANCHORS_AUTH")
	unset(t, "TEGATA_ANCHORS_SIGN")
	d.fails(exitFailure, "tegata trust add", "serve")
	auth, authSum := generation(t, "auth", 2)
	sign, signSum := generation(t, "sign", 2)
	d.ok("trust", "add", auth, "--purpose", "auth", "--test", "--fingerprint", strings.ToUpper(authSum))
	d.fails(exitFailure, "tegata trust add", "serve")
	d.fails(exitFailure, "both purposes", "trust", "add", auth, "--purpose", "sign", "--test", "--fingerprint", authSum)
	d.ok("trust", "add", sign, "--purpose", "sign", "--test", "--fingerprint", signSum)
	list := d.ok("trust", "list")
	if !strings.Contains(list, authSum) || !strings.Contains(list, signSum) || strings.Count(list, "(test)") != 2 {
		t.Errorf("the list says %s", list)
	}
	d.set("TEGATA_TEST_ANCHORS", "false")
	d.fails(exitFailure, "TEGATA_TEST_ANCHORS=true", "serve")
	d.set("TEGATA_TEST_ANCHORS", "true")
	_, _, stop := d.serve()
	if code := stop(); code != exitOK {
		t.Errorf("exit %d", code)
	}
	d.ok("trust", "remove", authSum)
	d.fails(exitFailure, "no anchor", "trust", "remove", authSum)
	d.fails(exitUsage, "64 hexadecimal", "trust", "remove", "abc")
}

func TestRevocationIsConfiguredOrRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		set  []string
		say  string
	}{
		{"a way that does not exist", []string{"TEGATA_REVOCATION", "never"}, "TEGATA_REVOCATION must be"},
		{"lists without addresses", []string{"TEGATA_REVOCATION", "crl"}, "TEGATA_CRL_URLS is missing"},
		{"a list with no address", []string{"TEGATA_REVOCATION", "crl", "TEGATA_CRL_URLS", "ldap://x"}, "ldap://x"},
		{"a platform without an address", []string{"TEGATA_REVOCATION", "platform"}, "TEGATA_PLATFORM_URL"},
		{"a platform without a key", []string{"TEGATA_REVOCATION", "platform", "TEGATA_PLATFORM_URL", "https://pf.example"}, "TEGATA_PLATFORM_KEYS is missing"},
		{"a platform key that is none", []string{"TEGATA_REVOCATION", "platform", "TEGATA_PLATFORM_KEYS", "/etc/hostname"}, "TEGATA_PLATFORM_KEYS"},
		{"correspondence that nobody can be asked about", []string{"TEGATA_REQUIRE_CORRESPONDENCE", "true"}, "TEGATA_REQUIRE_CORRESPONDENCE needs TEGATA_PLATFORM_URL"},
		{"a platform beside OCSP without a key", []string{"TEGATA_PLATFORM_URL", "https://pf.example"}, "TEGATA_PLATFORM_KEYS is missing"},
		{"an answer kept for too long", []string{"TEGATA_REVOCATION_CACHE", "61s"}, "TEGATA_REVOCATION_CACHE"},
		{"a day that is none", []string{"TEGATA_FEE_FREE_UNTIL", "2027-02-30"}, "TEGATA_FEE_FREE_UNTIL"},
		{"a price below nothing", []string{"TEGATA_FEE_SIGN_YEN", "-1"}, "TEGATA_FEE_SIGN_YEN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := deploy(t)
			d.set(tc.set...)
			d.fails(exitUsage, tc.say, "serve")
		})
	}
	for _, way := range [][]string{
		{"TEGATA_REVOCATION", "none", "TEGATA_OCSP_AUTH_URL", "", "TEGATA_OCSP_SIGN_URL", ""},
		{"TEGATA_REVOCATION", "crl", "TEGATA_CRL_URLS", "http://127.0.0.1:1/a.crl,http://127.0.0.1:1/b.crl"},
		{"TEGATA_REVOCATION", "platform", "TEGATA_PLATFORM_URL", "https://pf.example", "TEGATA_PLATFORM_KEYS", platformKey(t)},
		{"TEGATA_REVOCATION", "ocsp", "TEGATA_PLATFORM_URL", "https://pf.example", "TEGATA_PLATFORM_KEYS", platformKey(t), "TEGATA_REQUIRE_CORRESPONDENCE", "true"},
	} {
		d := deploy(t)
		d.set(way...)
		_, log, stop := d.serve()
		if code := stop(); code != exitOK || !strings.Contains(log.String(), `"revocation":"`+way[1]+`"`) {
			t.Errorf("%v: exit %d: %s", way, code, log)
		}
		if loud := strings.Contains(log.String(), "no more than aal2"); loud != (way[1] == "none") {
			t.Errorf("%v: it is not said", way)
		}
		if loud := strings.Contains(log.String(), "nobody is asked whether a signature"); loud == slices.Contains(way, "TEGATA_PLATFORM_URL") {
			t.Errorf("%v: it is not said that two people's cards would go together", way)
		}
	}
}

func platformKey(t *testing.T) string {
	t.Helper()
	dir, err := anchors()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "platform.pem")
}

// person is a browser without a jar: our cookies are for https, the test server is not.
type person struct {
	t       *testing.T
	base    string
	cookies []string
}

func (p *person) send(method, path string, form url.Values) (*http.Response, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", strings.Join(p.cookies, "; "))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		p.cookies = append(p.cookies, c.Name+"="+c.Value)
	}
	return resp, string(body)
}

// press begins a login and presses its button.
func (p *person) press(scopes ...string) (status int, page string) {
	p.t.Helper()
	resp, _ := p.send(http.MethodGet, "/authorize?"+url.Values{
		"client_id": {"shop"}, "redirect_uri": {"https://shop.example/cb"}, "response_type": {"code"},
		"scope": {strings.Join(append(scopes, "openid"), " ")}, "code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
	}.Encode(), nil)
	resp, page = p.send(http.MethodPost, resp.Header.Get("Location")+"/start", nil)
	return resp.StatusCode, page
}

// Acceptance: a switch works without a restart, and the number on the page leads to the record. How soon is counted on a
// clock of its own in cmd/provider (switches_test.go); here a busy machine has all the time it needs.
func TestAMethodIsSwitchedOffWhileTheServerRuns(t *testing.T) {
	d := deploy(t)
	d.set("TEGATA_LOGIN_LIMIT", "0", "TEGATA_REQUEST_LIMIT", "0") // it presses until it is so
	d.ok("client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb")
	base, log, stop := d.serve()
	p := &person{t: t, base: base}
	if code, page := p.press(); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, page)
	}
	d.fails(exitUsage, "signature_certificate", "methods", "disable", "telepathy")
	d.ok("methods", "disable", "reader")
	var code int
	var page string
	soon(t, "the method is off", func() bool { code, page = p.press(); return code != http.StatusSeeOther })
	if code != http.StatusServiceUnavailable {
		t.Fatalf("%d %s", code, page)
	}
	if list := d.ok("methods", "list"); !regexp.MustCompile(`reader\s+disabled\s+20`).MatchString(list) || strings.Count(list, "enabled") != 3 {
		t.Errorf("the list says %s", list)
	}
	incident := regexp.MustCompile(`T-[A-Z2-7]{8}`).FindString(page)
	if incident == "" || !strings.Contains(log.String(), incident) {
		t.Fatalf("incident %q is not in the log", incident)
	}
	d.ok("methods", "enable", "reader")
	soon(t, "the method is on again", func() bool { code, _ := p.press(); return code == http.StatusSeeOther })
	if code := stop(); code != exitOK { // the stop writes what is unwritten
		t.Fatalf("exit %d", code)
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(d.ok("report", "incident", incident)), &record); err != nil {
		t.Fatal(err)
	}
	if record["code"] != "method_disabled" || record["event"] != "POST /login/:id/start" || record["who_can_help"] != "us" {
		t.Errorf("the record says %v", record)
	}
	d.fails(exitFailure, "no incident", "report", "incident", "T-AAAAAAAA")
}

// Without any source of attributes, who asks for some is told so before the card is out; who asks for none is served.
func TestSourcesOfAttributesAreSwitchedOff(t *testing.T) {
	d := deploy(t)
	d.ok("client", "create", "--id", "shop", "--redirect-uri", "https://shop.example/cb", "--scope", "openid", "--scope", "age_over_18")
	d.ok("methods", "disable", "signature_certificate")
	base, _, stop := d.serve()
	p := &person{t: t, base: base}
	if code, page := p.press("age_over_18"); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, page)
	}
	if code, page := p.press(); code != http.StatusSeeOther {
		t.Errorf("%d %s", code, page)
	}
	if code := stop(); code != exitOK {
		t.Fatalf("exit %d", code)
	}
}

func TestFeesAreReportedByMonth(t *testing.T) {
	d := deploy(t)
	keyset, err := os.ReadFile(filepath.Join(d.dir, "seal.json"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := database{URL: os.Getenv("TEGATA_DATABASE_URL"), SealKeyset: string(bytes.TrimSpace(keyset))}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = store.AddFees(t.Context(), []storage.Fee{
		{Month: "2026-11", ClientID: "shop", Purpose: "authentication", UnitYen: 2, Queries: 3},
		{Month: "2026-11", ClientID: "shop", Purpose: "signature", UnitYen: 20, Queries: 2},
		{Month: "2026-11", ClientID: "bank", Purpose: "signature", UnitYen: 0, Queries: 5}})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	report := d.ok("report", "fees", "--month", "2026-11")
	for _, line := range []string{`bank\s+signature\s+5\s+0\s+0`, `shop\s+authentication\s+3\s+2\s+6`, `shop\s+signature\s+2\s+20\s+40`, `total\s+10\s+46`} {
		if !regexp.MustCompile(line).MatchString(report) {
			t.Errorf("%s is missing in %s", line, report)
		}
	}
	if report := d.ok("report", "fees"); !regexp.MustCompile(`total\s+0\s+0`).MatchString(report) && !strings.Contains(report, "46") {
		t.Errorf("the present month: %s", report)
	}
	d.fails(exitUsage, "2026-11", "report", "fees", "--month", "November")
}
