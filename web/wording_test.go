package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"testing"

	"tegata/idp"
)

// What a person has agreed to is on record by the version of its sentence, and told to the authority by it (R10). Another
// sentence is another version: whoever changes one gives it the next number, and adds its line here.
func TestAWordingHasItsSentence(t *testing.T) {
	for _, pinned := range []struct{ version, file, key, sum string }{
		{"renewal.1", "ui/locales/en.toml", "consent_renewed", "b3b258fa8608d412"},
		{"renewal.1", "ui/locales/ja.toml", "consent_renewed", "c1430337f122ed55"},
		{"renewal.1", "ui/locales/ja-Hira.toml", "consent_renewed", "006790e1cd3ce2f6"},
	} {
		text, err := os.ReadFile(pinned.file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)^` + pinned.key + ` = "(.*)"$`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s has no %s", pinned.file, pinned.key)
		}
		sum := sha256.Sum256(found[1])
		if got := hex.EncodeToString(sum[:8]); got != pinned.sum || idp.RenewalWording != pinned.version {
			t.Errorf("%s in %s is %s, not the sentence of %s (%s)", pinned.key, pinned.file, got, pinned.version, idp.RenewalWording)
		}
	}
}
