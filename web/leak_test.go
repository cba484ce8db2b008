package web_test

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage/storagetest"
)

// secret is something that must not turn up, and where it may.
type secret struct {
	what, text string
}

// found says whether the secret occurs: short digits as a word of their own, everything else anywhere.
func (s secret) found(in string) bool {
	if len(s.text) < 8 {
		return regexp.MustCompile(`\b` + s.text + `\b`).MatchString(in)
	}
	return strings.Contains(in, s.text) || strings.Contains(in, url.QueryEscape(s.text))
}

// ofPerson is what a card knows about its holder.
func ofPerson(t *testing.T, p cardtest.Persona, m cardtest.Material) []secret {
	t.Helper()
	out := []secret{
		{"name", p.Name}, {"address", p.Address}, {"birthdate", p.Birthdate}, {"birthdate", p.BirthDigits()}, {"number B", p.NumberB()},
	}
	out = append(out, secret{"surname", strings.Fields(p.Name)[0]}, secret{"town", string([]rune(p.Address)[:6])})
	for _, der := range [][]byte{m.AuthCert, m.SignCert} {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, secret{"serial", c.SerialNumber.String()}, secret{"serial", hex.EncodeToString(c.SerialNumber.Bytes())},
			secret{"subject", c.Subject.CommonName}, secret{"end", c.NotAfter.UTC().Format("2006-01-02")}, secret{"end", c.NotAfter.UTC().Format("20060102150405")})
	}
	return out
}

func cookies(b *idptest.Browser) []secret {
	return []secret{{"browser cookie", b.Cookie("bs")}, {"session cookie", b.Cookie("ss")}}
}

func TestNothingLeaks(t *testing.T) {
	dir := t.TempDir()
	w := openOn(t, storagetest.SQLiteIn(t, dir))
	bank := w.Register(clients.Metadata{ClientID: "bank", Scope: "openid name address birthdate gender age_over_18", RedirectURIs: []string{"https://bank.example/cb"}})
	persona, material := w.Town.Persona(t, "pins"), w.Town.Material(t, "pins")
	typed := []secret{{"PIN", persona.PIN}, {"card-info PIN", persona.CardInfoPIN}, {"password", persona.Password}}
	facts := ofPerson(t, persona, material)
	var held, answered []secret // secrets of the login's parties; those that an address of the protocol carries

	b, r := w.NewBrowser(), bank.Request()
	wait := w.Approach(b, r)
	ticket := w.Stranger(wait.Launch).Ticket
	completion, err := w.UseCard(wait.Launch, "pins")
	if err != nil {
		t.Fatal(err)
	}
	_, completionSecret, _ := strings.Cut(completion, ".")
	consent := b.Get("/login/return/" + completion)
	answer := w.Answered(b.Submit(consent.Form("/consent"), "decision=allow"), r)
	tokens := bank.Exchange(answer.Get("code"), r)
	info := bank.UserInfo(tokens.AccessToken)
	if !strings.Contains(consent.Body, persona.Name) || !strings.Contains(info.Body, strings.Fields(persona.Name)[0]) {
		t.Fatal("the person was never shown, so that nothing could leak")
	}
	held = append(cookies(b), secret{"ticket", ticket.Secret}, secret{"access token", tokens.AccessToken}, secret{"ID token", tokens.IDToken},
		secret{"verifier", r.Verifier}, secret{"client secret", string(bank.ClientSecret)})
	answered = []secret{{"completion code", completionSecret}, {"authorization code", answer.Get("code")}, {"state", r.State}, {"nonce", r.Nonce}}

	stumble(t, w, bank, b, answer.Get("code"), r, completion)
	all := append(append(append(append([]secret{}, typed...), facts...), held...), answered...)
	for _, s := range all {
		if s.text == "" {
			t.Fatalf("the %s is not known", s.what)
		}
		if s.found(w.Log.String()) {
			t.Errorf("the log holds the %s: %s", s.what, lineOf(w.Log.String(), s))
		}
	}
	for _, browser := range w.Browsers() {
		for _, h := range browser.Hops {
			checkHop(t, h, append(append(append([]secret{}, typed...), facts...), held...), answered)
		}
	}
	checkFiles(t, dir, append(append(append([]secret{}, typed...), facts...), append(held, answered[:2]...)...))
}

// stumble does everything wrong that answers with an error.
func stumble(t *testing.T, w *idptest.World, bank *idptest.RP, b *idptest.Browser, code string, r idptest.Request, completion string) {
	t.Helper()
	bank.Exchange(code, r) // the second use
	bank.Exchange(code, r, "code_verifier=short")
	bank.Token(code, r, func(_ url.Values, basic *[2]string) { basic[1] += "x" })
	bank.UserInfo(strings.Repeat("A", 43))
	b.Get("/login/return/" + completion)
	w.NewBrowser().Get("/login/return/" + completion)
	b.Get(bank.Request("redirect_uri=https://evil.example/").URL())
	b.Get(bank.Request("scope=openid phone\x00").URL())
	b.CrossPost("/signout", nil)
	for _, persona := range []string{"revoked", "expired", "suspended", "pins"} {
		a := w.Claim(w.Approach(b, bank.Request("prompt=login")).Launch)
		result := a.Honest(persona)
		if persona == "pins" {
			result.Attributes = ""
		}
		if _, refusal := a.Result(result); refusal == "" {
			t.Errorf("%s was let in", persona)
		}
	}
	w.Town.Break(t, jpkitest.FaultOffline)
	a := w.Claim(w.Approach(b, bank.Request("prompt=login")).Launch)
	if _, refusal := a.Result(a.Honest("pins")); refusal != "revocation_unavailable" {
		t.Errorf("the responder is offline: %s", refusal)
	}
}

// checkHop: addresses carry codes only where the protocol puts them, and error pages quote nothing.
func checkHop(t *testing.T, h idptest.Hop, never, answered []secret) {
	t.Helper()
	location := h.Header.Get("Location")
	for _, s := range never {
		if s.found(h.URL) || s.found(location) {
			t.Errorf("an address holds the %s: %s -> %s", s.what, h.URL, location)
		}
		if h.Status >= 400 && s.found(h.Body) {
			t.Errorf("the error page of %s holds the %s", h.URL, s.what)
		}
	}
	for _, s := range answered {
		if h.Status >= 400 && s.found(h.Body) {
			t.Errorf("the error page of %s holds the %s", h.URL, s.what)
		}
	}
}

func checkFiles(t *testing.T, dir string, never []secret) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tegata.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal("there is no database", err)
	}
	size := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		size += len(raw)
		for _, s := range never {
			if len(s.text) >= 8 && strings.Contains(string(raw), s.text) {
				t.Errorf("%s holds the %s in the clear", filepath.Base(file), s.what)
			}
		}
	}
	if size < 10000 {
		t.Errorf("only %d bytes were read", size)
	}
}

func lineOf(log string, s secret) string {
	for line := range strings.Lines(log) {
		if s.found(line) {
			return fmt.Sprintf("%.300s", line)
		}
	}
	return ""
}
