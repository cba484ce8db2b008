package op

import (
	"slices"
	"strings"
	"testing"
)

func TestOnlyLanguageTagsAreKept(t *testing.T) {
	for wish, want := range map[string][]string{
		"":                             {},
		"ja":                           {"ja"},
		"en-GB ja-Hira zh-Hant-TW":     {"en-GB", "ja-Hira", "zh-Hant-TW"},
		"458338 ja <b> e_n en- ../../": {"ja"},
		"abcdefghi ja-abcdefghi":       {},
		strings.Repeat("en ", 20):      slices.Repeat([]string{"en"}, maxLanguages),
	} {
		if got := languages(wish); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", wish, got, want)
		}
	}
}
