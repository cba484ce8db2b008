package card_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/card"
	"tegata/authn/fail"
)

func TestWhatIsPrintedOnACard(t *testing.T) {
	for _, tc := range []struct {
		name  string
		part  card.Printed
		typed string
		want  string // "" is fail.PINFormat
	}{
		{"a birthday with the year of its era", card.PrintedBirth, "550217", "550217"},
		{"in full width", card.PrintedBirth, "５５０２１７", "550217"},
		{"without a day", card.PrintedBirth, "250000", "250000"},
		{"a Gregorian date", card.PrintedBirth, "19800217", ""},
		{"a thirteenth month", card.PrintedBirth, "551301", ""},
		{"a thirty-second day", card.PrintedBirth, "550132", ""},
		{"with points", card.PrintedBirth, "55.2.17", ""},
		{"a year", card.PrintedExpiry, "2035", "2035"},
		{"a year of an era", card.PrintedExpiry, "0017", ""},
		{"two digits of a year", card.PrintedExpiry, "35", ""},
		{"a code", card.PrintedCode, "0085", "0085"},
		{"a code with a letter", card.PrintedCode, "00a5", ""},
		{"nothing", card.PrintedCode, "", ""},
		{"no such part", card.Printed(9), "2035", ""},
	} {
		got, err := card.NormalizePrinted(tc.part, tc.typed)
		if string(got) != tc.want || errors.Is(err, fail.PINFormat) != (tc.want == "") {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
	}
}

func TestPlausibleNumberB(t *testing.T) {
	for number, want := range map[string]bool{
		"55021720352285": true, "25000020352285": true, "00040120300000": true,
		"5502172035228": false, "550217203522850": false, "55132720352285": false, "55021719352285": false, "5502172035228x": false, "": false,
	} {
		if card.PlausibleNumberB([]byte(number)) != want {
			t.Errorf("%q is not %v", number, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if twelve := rapid.StringMatching(`[0-9]{12}`).Draw(t, "twelve"); card.PlausibleNumberB([]byte(twelve)) {
			t.Fatal("twelve digits pass for number B")
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		var whole []byte
		for i, form := range []string{`[0-9]{2}(0[0-9]|1[0-2])([0-2][0-9]|3[01])`, `20[0-9]{2}`, `[0-9]{4}`} {
			part, err := card.NormalizePrinted(card.NumberBParts[i], rapid.StringMatching(form).Draw(t, "part"))
			if err != nil {
				t.Fatal(err)
			}
			whole = append(whole, part...)
		}
		if !card.PlausibleNumberB(whole) {
			t.Fatal("three good parts make no number")
		}
	})
}
