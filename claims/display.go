package claims

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed words/*.json
var wordFiles embed.FS

// words is one language's way to write the values that are not text of their own.
type words struct {
	Yes    string `json:"yes"`
	No     string `json:"no"`
	Male   string `json:"male"`
	Female string `json:"female"`
	Date   string `json:"date"` // takes year, month and day

	Laws map[Item]string `json:"laws"` // what each predicate is asked for
}

var english, japanese = readWords("en"), readWords("ja")

func readWords(lang string) words {
	var w words
	b, err := wordFiles.ReadFile("words/" + lang + ".json")
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		panic("claims: words " + lang + ": " + err.Error())
	}
	return w
}

// Display gives the value for the person it is about, on the consent page: in Japanese for a language tag
// of ja, else in English; "" when the item is not available. It is never to be logged.
func (o Offer) Display(lang string) string {
	if !o.Available {
		return ""
	}
	w := wordsOf(lang)
	switch {
	case o.Item == ItemBirthdate:
		return fmt.Sprintf(w.Date, o.value.birth.year, o.value.birth.month, o.value.birth.day)
	case o.Item.Predicate():
		return pick(o.value.yes, w.Yes, w.No)
	case o.Item == ItemGender:
		return pick(o.value.text == string(Male), w.Male, w.Female)
	case o.Item == ItemPrefecture:
		return o.value.place.Prefecture
	case o.Item == ItemMunicipality:
		return o.value.place.Locality()
	}
	return o.value.text
}

// Law is the rule that a predicate usually serves, as a sentence in Japanese for a language tag of ja, else in English; ""
// for other items. It explains; a client's own purpose is in its registration.
func (i Item) Law(lang string) string { return wordsOf(lang).Laws[i] }

func wordsOf(lang string) words {
	if primary, _, _ := strings.Cut(strings.ToLower(lang), "-"); primary == "ja" {
		return japanese
	}
	return english
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}
