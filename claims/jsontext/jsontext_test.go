package jsontext

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

// theirs are the tokens as encoding/json gives them; ok is false where it finds no single value.
func theirs(text []byte) (all []json.Token, ok bool) {
	if !json.Valid(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err != nil {
			return all, true
		}
		all = append(all, t)
	}
}

func ours(text []byte) (all []json.Token, ok bool) {
	r, ok := Read(text)
	for t := r.Next(); t != ""; t = r.Next() {
		said, quoted := t.Text()
		switch {
		case quoted:
			all = append(all, said)
		case t.Number():
			all = append(all, json.Number(t))
		case t == "true", t == "false":
			all = append(all, t == "true")
		case t == "null":
			all = append(all, nil)
		default:
			all = append(all, json.Delim(t[0]))
		}
	}
	return all, ok
}

var some = []string{
	`{"a":[1,-2.5e+3,{"b":null}],"c":true,"":false}`, " {\t\"a\" :\r\n\"x\\\"}]\" , \"b\\\\\":\"\\u00e9\\ud83d\\ude00\\ud800\" } ", `[]`, `{}`, `"x"`, `-0`, `null`,
	`[[],[[]],{"a":{}}]`, `["` + "\xff\xfe" + `","手形"]`, ``, ` `, `{`, `{"a"}`, `{"a":1,}`, `[1 2]`, `{"a" 1}`, `1 2`, `{}{}`, `"a`, `nul`, `01`, `["a",]`,
}

func TestTheTokensAreThoseOfEncodingJSON(t *testing.T) {
	for _, text := range some {
		if !same([]byte(text)) {
			t.Errorf("%q reads otherwise here", text)
		}
	}
}

func same(text []byte) bool {
	want, good := theirs(text)
	got, ok := ours(text)
	return good == ok && slices.Equal(got, want)
}

func FuzzRead(f *testing.F) {
	for _, text := range some {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !same(text) {
			t.Errorf("%q reads otherwise here", text)
		}
	})
}

func TestWhatIsNoTextHasNone(t *testing.T) {
	for _, token := range []Token{"", "{", "1", "true"} {
		if _, ok := token.Text(); ok {
			t.Errorf("%q is a text", token)
		}
	}
	if Token("").Number() || Token("true").Number() || !Token("-1").Number() {
		t.Error("Number")
	}
}
