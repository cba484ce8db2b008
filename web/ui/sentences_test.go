package ui

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// load reads a language file without the library, so that nothing is filled in for it: only plain Japanese, which is laid
// over Japanese.
func load(t *testing.T, lang string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	if lang == Easy {
		texts = load(t, Langs[0])
	}
	maps.Copy(texts, file(t, lang))
	return texts
}

func file(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw := map[string]any{}
	if _, err := toml.DecodeFile("locales/"+lang+".toml", &raw); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for key, value := range raw {
		switch v := value.(type) {
		case string:
			texts[key] = v
		case map[string]any:
			for _, form := range slices.Sorted(maps.Keys(v)) {
				texts[key] += v[form].(string)
			}
		}
	}
	return texts
}

var itemKeys = itemsOfTheCatalogue()

func itemsOfTheCatalogue() []string {
	var keys []string
	for _, i := range claims.Catalogue() {
		keys = append(keys, string(i))
	}
	return keys
}

// wanted lists every key that code or templates can ask for.
func wanted(t *testing.T) []string {
	t.Helper()
	keys := []string{"two_sentences", "tries_left", "date", "moment"} // sentences.go
	for _, item := range itemKeys {
		keys = append(keys, "item_"+item, "item_"+item+"_note")
	}
	for _, code := range ProgressCodes {
		keys = append(keys, "progress_"+code)
	}
	for _, value := range []string{"true", "false", "male", "female"} {
		keys = append(keys, "value_"+value)
	}
	for _, status := range []string{"revoked", "suspended", "expired", "locked"} {
		keys = append(keys, "card_status_"+status)
	}
	for _, topic := range []Topic{Done, Cancelled, Home, Developer} {
		keys = append(keys, fmt.Sprintf("message_%s_title", topic), fmt.Sprintf("message_%s_text", topic))
	}
	for _, who := range []fail.Who{fail.You, fail.Site, fail.Us, fail.Municipality} {
		keys = append(keys, "who_"+string(who))
	}
	for _, e := range fail.All() {
		keys = append(keys, "error_"+e.Code+"_what", "error_"+e.Code+"_next")
	}
	for _, act := range Acts {
		keys = append(keys, fmt.Sprintf("me_done_%s", act))
		if act == Keep {
			continue
		}
		keys = append(keys, fmt.Sprintf("me_ask_%s_title", act), fmt.Sprintf("me_ask_%s_text", act), fmt.Sprintf("me_ask_%s_do", act))
	}
	for _, days := range storage.KeepDays {
		keys = append(keys, fmt.Sprint("me_keep_", days))
	}
	for _, outcome := range []string{storage.Shared, storage.SharedUnverified, storage.SignedIn, storage.Declined, storage.Aborted, storage.Updated} {
		keys = append(keys, "me_outcome_"+outcome)
	}
	for _, reason := range []claims.Reason{claims.NotKnown, claims.NotVerified, claims.NotDecided, claims.LivesAbroad, claims.AskedTooOften} {
		keys = append(keys, "consent_missing_"+string(reason))
	}
	keys = append(keys, "language")
	for _, part := range card.NumberBParts {
		keys = append(keys, fmt.Sprintf("cardpin_printed_%d", part), fmt.Sprintf("cardpin_printed_%d_hint", part))
	}
	for _, source := range []claims.Source{claims.SignatureCertificate, claims.CardInfo, claims.CardInfoUnverified} {
		keys = append(keys, fmt.Sprint("me_memory_from_", source))
	}
	return append(keys, inTemplates(t)...)
}

func inTemplates(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("templates/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	var keys []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\{\{-?\s*t "([a-z0-9_]+)"`).FindAllStringSubmatch(string(text), -1) {
			keys = append(keys, m[1])
		}
	}
	return keys
}

func TestEverySentenceExistsAndIsUsed(t *testing.T) {
	want := wanted(t)
	for _, lang := range Langs {
		texts := load(t, lang)
		for _, key := range want {
			if strings.TrimSpace(texts[key]) == "" {
				t.Errorf("%s: no sentence for %s", lang, key)
			}
		}
		for key := range texts {
			if !slices.Contains(want, key) {
				t.Errorf("%s: nobody says %s", lang, key)
			}
		}
	}
}

func TestTheLanguagesFillTheSameBlanks(t *testing.T) {
	blank := regexp.MustCompile(`\{\{\.([A-Za-z]+)\}\}`)
	blanks := func(text string) []string {
		found := blank.FindAllString(text, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	ja := load(t, Langs[0])
	for _, lang := range Langs[1:] {
		texts := load(t, lang)
		for key, text := range ja {
			if key != "date" && key != "moment" && !slices.Equal(blanks(text), blanks(texts[key])) {
				t.Errorf("%s: %v in ja, %v in %s", key, blanks(text), blanks(texts[key]), lang)
			}
		}
	}
}

// What a person reads on her way has plain words; what only the developer of a site can mend need not.
func TestPlainJapaneseSaysWhatAPersonReads(t *testing.T) {
	ja, own := load(t, Langs[0]), file(t, Easy)
	same := []string{"value_true", "value_false", "item_age_over_", "me_session_end", "me_ask_end_do", "me_done_end", "me_history_card", "me_keep_",
		"me_session_since", "signout_do", "signout_title", "signedout_title"}
	var asked int
	var missing []string
	for key := range ja {
		wanted := slices.ContainsFunc([]string{"login_", "read_", "never_", "wait_", "progress_", "consent_", "item_", "pass_", "signout_", "signedout_", "me_"},
			func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		known := slices.ContainsFunc(same, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !wanted || known {
			continue
		}
		if asked++; own[key] == "" {
			missing = append(missing, key)
		}
	}
	for _, e := range fail.All() {
		if e.Who != fail.You {
			continue
		}
		if asked++; own["error_"+e.Code+"_what"] == "" {
			missing = append(missing, e.Code)
		}
	}
	if len(missing)*20 > asked { // a new sentence may be in Japanese for a while
		t.Errorf("no plain words for %q", missing)
	}
	for key, text := range own {
		if ja[key] == text {
			t.Errorf("%s says nothing plainer", key)
		}
		for _, sentence := range strings.Split(text, "。") {
			if len([]rune(sentence)) > 80 {
				t.Errorf("%s has a long sentence: %s", key, sentence)
			}
		}
	}
}

// R9 and R28: neither the person nor anyone who looks on learns why a certificate was refused.
func TestARefusedCertificateGivesNoReason(t *testing.T) {
	for _, lang := range Langs {
		texts := load(t, lang)
		for _, part := range []string{"what", "next"} {
			revoked := texts["error_certificate_revoked_"+part]
			if texts["error_certificate_expired_"+part] != revoked || texts["error_certificate_suspended_"+part] != revoked {
				t.Errorf("%s: the refusals differ in %s", lang, part)
			}
		}
	}
}

func TestProgress(t *testing.T) {
	u := mustNew(t)
	tests := []struct {
		name, lang, code string
		tries            int
		want             string
	}{
		{"without a counter", "en", "pin_needed", fail.NoTries, "Please enter your PIN in the card reader program."},
		{"with two tries", "en", "pin_needed", 2, "Please enter your PIN in the card reader program. 2 tries left."},
		{"with one try", "en", "pin_needed", 1, "Please enter your PIN in the card reader program. 1 try left."},
		{"a sentence that says the number itself", "en", "pin_last_try", 1, "You have one try left. If it does not match, the card will be locked."},
		{"a code that we do not know shows itself", "en", "no_such", fail.NoTries, "progress_no_such"},
		{"a language that we do not speak is Japanese", "fr", "signing", fail.NoTries, u.Progress("ja", "signing", fail.NoTries)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := u.Progress(tt.lang, tt.code, tt.tries); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestValuesAreSaidInTheLanguage(t *testing.T) {
	u := mustNew(t)
	tests := []struct{ name, item, value, want string }{
		{"a predicate", "age_over_18", "true", "Yes"},
		{"a day", "birthdate", "2004-02-29", "February 29, 2004"},
		{"a day that is not complete stays as it is", "birthdate", "2004-02-00", "2004-02-00"},
		{"a person may be called true", "name", "true", "true"},
		{"an unknown code stays as it is", "gender", "9", "9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := u.speaker("en").value(tt.item, tt.value); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	u := mustNew(t)
	if got, want := u.Text("en", "login_title", map[string]any{"RPName": "Aoba"}), "Sign in to Aoba"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := u.Text("en", "no_such_key", nil); got != "no_such_key" {
		t.Errorf("a missing sentence shows its key, got %q", got)
	}
}

// Sentences that are put into the templates beforehand are no markup either.
func TestASentenceIsNoMarkup(t *testing.T) {
	u := mustNew(t)
	s := *u.speakers["en"]
	s.fixed = maps.Clone(s.fixed)
	s.named = maps.Clone(s.named)
	s.fixed["skip"] = `<b>"Skip" & go</b>`
	s.named["login_title"] = `<i>Sign in to {{.RPName}} & {{.RPName}}</i>`
	pages, err := u.parsePages(&s)
	if err != nil {
		t.Fatal(err)
	}
	u.pages["en"] = pages
	if body := draw(u, "en", CardDonePage{}).Body.String(); !strings.Contains(body, `&lt;b&gt;&#34;Skip&#34; &amp; go&lt;/b&gt;`) {
		t.Errorf("the sentence is not escaped:\n%s", body)
	}
	if body := draw(u, "en", LoginPage{RPName: "A<\u202eB"}).Body.String(); strings.Count(body, `&lt;i&gt;Sign in to A&lt;B &amp; A&lt;B&lt;/i&gt;`) != 2 {
		t.Errorf("the sentence with a name is not escaped:\n%s", body)
	}
}
