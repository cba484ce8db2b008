package mynumber

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestDetectorVectors(t *testing.T) {
	for _, c := range readVectors(t).Cases {
		if _, hit := Find(c.Text); hit != c.Hit {
			t.Errorf("%s: found %v", c.Derivation, hit)
		}
	}
}

const eleven = "27182818284"

func TestFind(t *testing.T) {
	n := individual(eleven)
	wrong := n[:11] + string('0'+(n[11]-'0'+1)%10)
	b64 := base64.StdEncoding.EncodeToString
	for _, tc := range []struct {
		name, text string
		want       Rule
	}{
		{"alone", n, CheckDigit},
		{"with a wrong check digit", wrong, ""},
		{"with a wrong check digit beside a word", "あなたのマイナンバーは" + wrong, Context},
		{"with a wrong check digit before a word", wrong + " is my number", Context},
		{"the word in another width and case", "ＭＹ－ＮＵＭＢＥＲ：" + wrong, Context},
		{"the word with half-width kana", "ﾏｲﾅﾝﾊﾞｰ " + wrong, Context},
		{"the word as a member's name", `{"individual_number":"` + wrong + `"}`, Context},
		{"the word far away", "個人番号" + strings.Repeat("、あ", 100) + wrong, ""},
		{"full-width digits", wide(n), CheckDigit},
		{"kanji digits", kanjiOf(n, "〇一二三四五六七八九"), CheckDigit},
		{"formal kanji digits", kanjiOf(n, "零壱弐参肆伍陸漆捌玖"), CheckDigit},
		{"circled digits", kanjiOf(n, "⓪①②③④⑤⑥⑦⑧⑨"), CheckDigit},
		{"keycaps", spread(n, "\ufe0f\u20e3"), CheckDigit},
		{"zero-width characters between", spread(n, "\u200b\u200d\ufeff"), CheckDigit},
		{"soft hyphens between", spread(n, "\u00ad"), CheckDigit},
		{"scripts mixed", n[:4] + wide(n[4:8]) + kanjiOf(n[8:], "〇一二三四五六七八九"), CheckDigit},
		{"groups of four with long vowel marks", n[:4] + "ー" + n[4:8] + "ー" + n[8:], CheckDigit},
		{"groups of four on three lines", n[:4] + "\r\n" + n[4:8] + "\r\n" + n[8:], CheckDigit},
		{"groups of four with dots", n[:4] + "・" + n[4:8] + "." + n[8:], CheckDigit},
		{"groups of four with slashes", n[:4] + "/" + n[4:8] + "/" + n[8:], CheckDigit},
		{"groups of four with ideographic commas", n[:4] + "、" + n[4:8] + "、" + n[8:], CheckDigit},
		{"groups of four with spaced bars", n[:4] + " | " + n[4:8] + " | " + n[8:], CheckDigit},
		{"groups of four in brackets", "（" + n[:4] + "）（" + n[4:8] + "）（" + n[8:] + "）", CheckDigit},
		{"groups of four with signs, behind a year and a blank", "2026 " + n[:4] + "~" + n[4:8] + "~" + n[8:], CheckDigit},
		{"four groups of four with slashes", n[:4] + "/" + n[4:8] + "/" + n[8:] + "/0000", ""},
		{"groups of six with slashes", n[:6] + "/" + n[6:], ""},
		{"behind a part of a reference", "A-2026-" + n, CheckDigit},
		{"before a part of a reference", n + "-01", CheckDigit},
		{"after the point of a fraction", "0." + n, ""},
		{"Arabic-Indic digits", kanjiOf(n, "٠١٢٣٤٥٦٧٨٩"), CheckDigit},
		{"spaced hyphens", n[:4] + " - " + n[4:8] + " - " + n[8:], CheckDigit},
		{"behind a kanji numeral", "第一" + n, CheckDigit},
		{"behind a circled list number", "①" + n, CheckDigit},
		{"behind another number and a blank", "2026 " + n, CheckDigit},
		{"grouped, behind a telephone number and a blank", "03-0000-0000 " + n[:4] + "-" + n[4:8] + "-" + n[8:], CheckDigit},
		{"two on two lines", wrong + "\n" + n, CheckDigit},
		{"letters around", "id" + n + "x", CheckDigit},
		{"thirteen digits", "4" + n, ""},
		{"thirteen digits in groups", n[:4] + "-" + n[4:8] + "-" + n[8:] + "-1", ""},
		{"a card number's four groups", n[:4] + " " + n[4:8] + " " + n[8:] + " 0000", ""},
		{"octets", n[:2] + ":" + n[2:4] + ":" + n[4:6] + ":" + n[6:8] + ":" + n[8:10] + ":" + n[10:], ""},
		{"an amount of money", n[:3] + "," + n[3:6] + "," + n[6:9] + "," + n[9:], ""},
		{"an address of the internet", "100.100.100.105", ""},
		{"a date and a time", "2026-11-21 05:12:33", ""},
		{"a street address", "東京都千代田区霞が関二丁目１番２号 千代田１２３４－５６０１", ""},
		{"percent-encoded", url.QueryEscape(wide(n)), CheckDigit},
		{"percent-encoded digits", "%3" + strings.Join(strings.Split(n, ""), "%3"), CheckDigit},
		{"a form's blanks", n[:4] + "+" + n[4:8] + "+" + n[8:], CheckDigit},
		{"JSON escapes", jsonOf(n), CheckDigit},
		{"JSON escapes in pairs", `\ud835\udfcf` + jsonOf(individual("1" + eleven[1:]))[6:], CheckDigit},
		{"a script's escapes", "\\x3" + strings.Join(strings.Split(n, ""), "\\x3"), CheckDigit},
		{"an old script's escapes", "%u003" + strings.Join(strings.Split(n, ""), "%u003"), CheckDigit},
		{"HTML blanks between groups", n[:4] + "&nbsp;" + n[4:8] + "&nbsp;" + n[8:], CheckDigit},
		{"hexadecimal", hex.EncodeToString([]byte("n=" + n)), CheckDigit},
		{"hexadecimal behind a digit of it", "a" + hex.EncodeToString([]byte(n)), CheckDigit},
		{"HTML escapes", "&#" + fmt.Sprint(n[0]) + ";" + n[1:], CheckDigit},
		{"base64", b64([]byte(n)), CheckDigit},
		{"base64 behind a path", "/path/x/" + b64([]byte(n)), CheckDigit},
		{"base64 of base64", b64([]byte("a=" + b64([]byte(n)))), CheckDigit},
		{"base64 of base64 of base64", b64([]byte(b64([]byte(b64([]byte("zz" + n)))))), ""},
		{"percent-encoded JSON escapes", url.QueryEscape(jsonOf(n)), CheckDigit},
		{"the payload of a JWT", "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"name":"`+n+`"}`)) + ".", CheckDigit},
		{"a resident record code named so", "住民票コード 00000-000000", ResidentCode},
		{"eleven digits", "09000000000", ""},
		{"a corporate number", "法人番号 7000012050002", ""},
		{"nothing", "", ""},
		{"broken UTF-8", "\xff\xfe" + n + "\xff", CheckDigit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, hit := Find(tc.text)
			if hit != (tc.want != "") || f.Rule != tc.want {
				t.Errorf("found %v by rule %q", hit, f.Rule)
			}
			clean := Redact(tc.text)
			if _, again := Find(clean); again || !hit && clean != tc.text {
				t.Errorf("redacted to %q", clean)
			}
		})
	}
}

func TestAFindingSaysWhereAndNotWhat(t *testing.T) {
	n := individual(eleven)
	f, _ := Find("名前 " + n)
	if f.At != len("名前 ") || f.Digits != 12 {
		t.Errorf("at %d, %d digits", f.At, f.Digits)
	}
	if f, _ := Find(base64.StdEncoding.EncodeToString([]byte(n))); f.At != -1 {
		t.Errorf("decoded at %d", f.At)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", f, f), n[:6]) {
		t.Error("a finding prints what it found")
	}
	if got := Redact("a " + n + " b " + n[:4] + "-" + n[4:8] + "-" + n[8:] + " c"); got != "a [redacted:12d] b [redacted:12d] c" {
		t.Errorf("redacted to %q", got)
	}
}

// decimalDigit stands on this: each table range holds whole sets of ten.
func TestDecimalDigitsComeInTens(t *testing.T) {
	for _, r := range unicode.Nd.R16 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			t.Errorf("%x to %x", r.Lo, r.Hi)
		}
	}
	for _, r := range unicode.Nd.R32 {
		if r.Stride != 1 || (r.Hi-r.Lo+1)%10 != 0 {
			t.Errorf("%x to %x", r.Lo, r.Hi)
		}
	}
}

// disguised writes a number in ways that it must not get through in.
func disguised() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		n := individual(rapid.StringMatching(`[0-9]{11}`).Draw(t, "digits"))
		zeros := []rune{'0', '\uff10', '\u0660', '\u0966', '\U0001d7ce', '\U0001d7f6', 0}
		zero := rapid.SampledFrom(zeros).Draw(t, "script")
		apart := rapid.SampledFrom([]string{"", " ", "-", "\u3000", "・", "\u200b", "\u2011", " \u200b- ", "\n"}).Draw(t, "separator")
		group := rapid.SampledFrom([]int{1, 3, 4, 6, 12}).Draw(t, "group")
		var b strings.Builder
		for i, d := range n {
			if i > 0 && i%group == 0 {
				b.WriteString(apart)
			}
			switch zero {
			case 0:
				b.WriteRune([]rune("〇一二三四五六七八九")[d-'0'])
			default:
				b.WriteRune(zero + d - '0')
			}
		}
		if rapid.Bool().Draw(t, "letters around") {
			return "x" + b.String() + "y"
		}
		return b.String()
	})
}

var wrappings = map[string]func(string) string{
	"as it is":      func(s string) string { return s },
	"percent":       url.QueryEscape,
	"path":          url.PathEscape,
	"base64":        func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64url":     func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"JSON":          jsonOf,
	"a JSON object": func(s string) string { b, _ := json.Marshal(map[string]string{"v": s}); return string(b) },
	"words around":  func(s string) string { return "私の番号は " + s + " です" },
}

func TestPlantedNumbersAreFoundInAnyDisguise(t *testing.T) {
	var kinds []string
	for kind := range wrappings {
		kinds = append(kinds, kind)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := disguised().Draw(t, "number")
		for range rapid.IntRange(0, 2).Draw(t, "layers") {
			text = wrappings[rapid.SampledFrom(kinds).Draw(t, "wrapping")](text)
		}
		if _, hit := Find(text); !hit {
			t.Fatalf("not found in %q", text)
		}
		if _, hit := Find(Redact(text)); hit {
			t.Fatalf("still in %q", Redact(text))
		}
	})
}

// Handles, subjects and hashes are what the provider's own responses and logs are full of.
func TestRandomHandlesAreNoFindings(t *testing.T) {
	handles, hashes := 0, 0
	const rounds = 5000
	for range rounds {
		b := make([]byte, 32)
		_, _ = rand.Read(b)
		if _, hit := Find(base64.RawURLEncoding.EncodeToString(b)); hit {
			handles++
		}
		if _, hit := Find(hex.EncodeToString(b)); hit {
			hashes++
		}
	}
	if handles > 0 {
		t.Errorf("%d of %d base64url handles", handles, rounds)
	}
	if hashes > rounds/100 { // isolated runs of twelve digits, 0.3 % with a valid check digit
		t.Errorf("%d of %d hex hashes", hashes, rounds)
	}
	t.Logf("findings in %d random values: %d base64url, %d hex", rounds, handles, hashes)
}

func FuzzFind(f *testing.F) {
	for _, c := range readVectors(f).Cases {
		f.Add(c.Text)
	}
	f.Add("%" + `\u` + "&#" + "\xff⑳⑳⑳⑳⑳⑳")
	f.Fuzz(func(t *testing.T, text string) {
		finding, hit := Find(text)
		if hit && (finding.At >= len(text) || finding.Digits != 12 && finding.Digits != 11) {
			t.Errorf("at %d of %d, %d digits", finding.At, len(text), finding.Digits)
		}
		clean := Redact(text)
		if _, again := Find(clean); again {
			t.Errorf("still a finding after Redact")
		}
		if !hit && clean != text {
			t.Errorf("changed without a finding")
		}
	})
}

func wide(digits string) string { return kanjiOf(digits, "０１２３４５６７８９") }

func kanjiOf(digits, script string) string {
	var b strings.Builder
	for _, d := range digits {
		b.WriteRune([]rune(script)[d-'0'])
	}
	return b.String()
}

func spread(digits, between string) string { return strings.Join(strings.Split(digits, ""), between) }

func jsonOf(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r > 0xffff {
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			continue
		}
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

func BenchmarkFindInAnAddress(b *testing.B) {
	for b.Loop() {
		Find("東京都千代田区霞が関二丁目１番２号")
	}
}
