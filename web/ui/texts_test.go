package ui

import (
	"slices"
	"strings"
	"testing"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

func TestTheVersionOfTheTextsChangesWithWhatIsAgreedTo(t *testing.T) {
	messages := func(consent, other string) []*i18n.Message {
		return []*i18n.Message{{ID: "consent_title", Other: consent}, {ID: "login_title", Other: other}, {ID: "item_name", Other: "Name"}}
	}
	was := versionOf("en", messages("Share?", "Sign in"))
	turned := messages("Share?", "Sign in")
	slices.Reverse(turned)
	for name, tc := range map[string]struct {
		version string
		same    bool
	}{
		"the same texts":                       {versionOf("en", messages("Share?", "Sign in")), true},
		"the same in another order":            {versionOf("en", turned), true},
		"another sentence somewhere else":      {versionOf("en", messages("Share?", "Log in")), true},
		"another sentence of the consent page": {versionOf("en", messages("Share all?", "Sign in")), false},
		"another language":                     {versionOf("ja", messages("Share?", "Sign in")), false},
	} {
		if (tc.version == was) != tc.same {
			t.Errorf("%s: %s after %s", name, tc.version, was)
		}
	}
	u := mustNew(t)
	en := u.Texts("en")
	if !strings.HasPrefix(en, "en-") || u.ShownTexts(en) != en || u.ShownTexts("en-MADEUPAA") != "" || u.ShownTexts("") != "" {
		t.Errorf("%s", en)
	}
}
