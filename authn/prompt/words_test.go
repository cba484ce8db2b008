package prompt

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/statement"
)

func everyLanguage(t testing.TB) map[Lang]words {
	t.Helper()
	out := map[Lang]words{}
	for _, l := range []Lang{Japanese, English} {
		w, err := loadWords(l)
		if err != nil {
			t.Fatal(err)
		}
		out[l] = w
	}
	return out
}

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	all := everyLanguage(t)
	hole := regexp.MustCompile(`\{[a-z]+\}`)
	for key, en := range all[English] {
		ja, ok := all[Japanese][key]
		if !ok || ja == "" || en == "" {
			t.Errorf("%s is missing in a language", key)
		}
		a, b := hole.FindAllString(en, -1), hole.FindAllString(ja, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s: %v and %v", key, a, b)
		}
	}
	if len(all[English]) != len(all[Japanese]) {
		t.Error("Japanese has sentences that English lacks")
	}
	if _, err := loadWords("tlh"); !errors.Is(err, fail.BadInput) {
		t.Error(err)
	}
}

func TestWhatTheAgentMeetsHasASentence(t *testing.T) {
	w := everyLanguage(t)[English]
	for _, e := range []*fail.Error{
		fail.UserCancelled, fail.PINWrong, fail.PINLastTry, fail.PINLocked, fail.PINFormat, fail.PINUnknown, fail.AgentOutdated, fail.AgentBusy,
		fail.ReaderNone, fail.ReaderBusy, fail.ReaderChoice, fail.PCSCUnavailable, fail.CardNone, fail.CardRemoved, fail.CardUnsupported,
		fail.CardOldJuki, fail.CardDataBroken, fail.SignCertMissing, fail.CertificateExpired, fail.CertificateRevoked, fail.CertificateSuspended,
		fail.LoginExpired, fail.AlreadyUsed, fail.TicketClaimed, fail.Unavailable, fail.BadInput,
	} {
		if text := w.Ending(e); strings.HasPrefix(text, w["end_other"]) || !strings.HasSuffix(text, "("+e.Code+")") {
			t.Errorf("%s: %q", e.Code, text)
		}
	}
	if text := w.Ending(fail.PINWrong.Left(2)); !strings.Contains(text, "Tries left: 2.") {
		t.Error(text)
	}
	if text := w.Ending(fail.Internal); !strings.HasPrefix(text, w["end_other"]) {
		t.Error(text)
	}
	if !Declares(statement.ShareAttributes) || Declares("sell_my_house.1") || w.declaration(statement.ShareAttributes) == "" {
		t.Error("the sentence behind the declaration")
	}
	for _, p := range []card.PIN{card.AuthPIN, card.SignPassword, card.CardInfoPIN, card.NumberB} {
		if w[pinKeys[p]] == "" || w["form_"+pinKeys[p]] == "" {
			t.Errorf("PIN %d has no name", p)
		}
	}
}

// Whatever a relying party calls itself, a window fits pinentry's protocol, keeps the number and the tries, and stays in
// its lines.
func TestForeignTextNeverBreaksAWindow(t *testing.T) {
	all := everyLanguage(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringN(200, 300, -1), rapid.Just(strings.Repeat("𠮷", 300)), rapid.Just(strings.Repeat("%\n", 300)),
			rapid.Just("shop.example\u202e elpmaxe.knab\x00\x1b[2J"))
		a := Ask{
			About: About{
				Service: text.Draw(t, "service"), Host: text.Draw(t, "host"), Provider: text.Draw(t, "provider"), Purpose: text.Draw(t, "purpose"),
				Number: "42", Reads: []string{ReadsLogin, ReadsSignature}, Items: rapid.SliceOfN(text, 0, 20).Draw(t, "items"),
			},
			PIN: rapid.SampledFrom([]card.PIN{card.AuthPIN, card.SignPassword, card.CardInfoPIN}).Draw(t, "pin"), Tries: 3, OtherWay: rapid.Bool().Draw(t, "other way"),
			Declaration: rapid.SampledFrom([]string{"", statement.ShareAttributes}).Draw(t, "declaration"),
		}
		for _, l := range []Lang{Japanese, English} {
			forms := []form{all[l].ask(a), all[l].lastTry(a), all[l].pad(a)}
			for _, part := range card.NumberBParts {
				forms = append(forms, all[l].askPrinted(a, part))
			}
			for _, f := range forms {
				if len("SETDESC "+escape(f.body))+1 > maxLine {
					t.Fatalf("%s: %d bytes", l, len(escape(f.body)))
				}
				if n := strings.Count(f.body, "\n"); n > 10 {
					t.Fatalf("%s: %d lines", l, n)
				}
				if !utf8.ValidString(f.body) || !strings.Contains(f.body, "42") || strings.ContainsAny(f.body, "\x00\x1b\r\u202e") {
					t.Fatalf("%s: %q", l, f.body)
				}
			}
		}
	})
}

func TestClean(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"Tegata Sake", "Tegata Sake"},
		{"手形酒店", "手形酒店"},
		{"two\nlines\tand\u00a0spaces", "two lines and s…"},
		{"a\u202eb\u200bc\u2066d\x07", "abcd"},
		{"0123456789012345", "0123456789012345"},
		{"01234567890123456", "012345678901234…"},
		{"\xff\xfe", "��"},
		{"", ""},
	} {
		if got := clean(tc.in, 16); got != tc.want {
			t.Errorf("%q became %q, not %q", tc.in, got, tc.want)
		}
	}
}

func TestALongHostShowsItsEnd(t *testing.T) {
	for in, want := range map[string]string{
		"shop.example": "shop.example",
		"bank.example." + strings.Repeat("a", 60) + ".evil.example": "…" + strings.Repeat("a", 35) + ".evil.example",
		"sh\u043ep.example":      "sh??p.example",
		"shop.example\n:2 lines": "shop.example?:2?lines",
	} {
		if got := cleanHost(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

// What is signed is the key of the sentence, so a key says the same for ever (R8): whoever changes a sentence gives it the
// next number, and adds its line here.
func TestADeclarationHasItsSentence(t *testing.T) {
	for _, pinned := range []struct {
		lang     Lang
		key, sum string
	}{
		{"en", "share_attributes.1", "96843a66b93c1295"},
		{"ja", "share_attributes.1", "fbc8b440a65ffac0"},
	} {
		sum := sha256.Sum256([]byte(everyLanguage(t)[pinned.lang].declaration(pinned.key)))
		if got := hex.EncodeToString(sum[:8]); got != pinned.sum {
			t.Errorf("%s says something else in %s: %s", pinned.key, pinned.lang, got)
		}
	}
}
