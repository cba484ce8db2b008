package gormstore

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Whatever is in the column, the short way reads what the long one does.
func TestAListIsReadAsJSON(t *testing.T) {
	short := func(t interface{ Fatalf(string, ...any) }, text []byte) (taken bool) {
		got, ok := plainList(text)
		if !ok {
			return false
		}
		var want []string
		if err := json.Unmarshal(text, &want); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q: %q, but JSON says %q, %v", text, got, want, err)
		}
		return true
	}
	for text, want := range map[string]bool{
		`["openid"]`: true, `["openid","age_over_18"]`: true, `["",""]`: true, `[""]`: true, `["a,b"]`: true, `["\u540d"]`: false, `["名"]`: true,
		`[]`: false, `["]`: false, `["a"`: false, `["a", "b"]`: false, `["a"b"]`: false, `["a","b]`: false, `["a",null,"b"]`: false, `null`: false, ``: false,
		"[\"a\nb\"]": false, "[\"\xff\"]": false, `["a"],["b"]`: false, `["a","]`: false, `["","]`: false,
	} {
		if got := short(t, []byte(text)); got != want {
			t.Errorf("%s: the short way: %v", text, got)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SliceOf(rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune(`a",[]\`))))).Draw(r, "list")
		text, err := json.Marshal(list)
		if err != nil {
			r.Fatalf("%v", err)
		}
		short(r, text)
		var d document[[]string]
		if err := d.ScanBytes(text); err != nil || !slices.Equal(d.V, list) && utf8.Valid(text) {
			r.Fatalf("%q: %q, %v", list, d.V, err)
		}
		short(r, []byte(rapid.StringOf(rapid.RuneFrom([]rune(`a",[]`))).Draw(r, "text")))
	})
}
