package mynumber

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoders give what a text says when read in some encoding, "" when nothing in it is encoded that way.
var decoders = []func(string) string{percent, form, jsonEscapes, htmlEscapes, base64Tokens, hexTokens}

// maxDecoded bounds the work on one text, in bytes.
const maxDecoded = 64 << 10

// percent reads %XX, and %uXXXX as older scripts write it.
func percent(text string) string {
	if !strings.Contains(text, "%") || len(text) > maxDecoded {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+5 < len(text) && text[i+1] == 'u' {
			if v, err := strconv.ParseUint(text[i+2:i+6], 16, 16); err == nil {
				b.WriteRune(rune(v))
				i += 5
				continue
			}
		}
		if text[i] == '%' && i+2 < len(text) {
			if v, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// form reads %XX, and + as a blank. It stands beside percent because a + can also belong to base64.
func form(text string) string {
	if !strings.Contains(text, "+") || len(text) > maxDecoded {
		return ""
	}
	blanks := strings.ReplaceAll(text, "+", " ")
	if plain := percent(blanks); plain != "" {
		return plain
	}
	return blanks
}

// jsonEscapes takes one layer of JSON escapes off: \uXXXX, also in pairs, and those of one letter; and \xXX of scripts.
func jsonEscapes(text string) string {
	if !strings.Contains(text, `\`) || len(text) > maxDecoded {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := escape(text[i:])
		if n == 0 {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// escape reads one escape at the beginning of text, and says how long it is; 0 for none.
func escape(text string) (rune, int) {
	if first, ok := unit(text); ok {
		second, pair := unit(text[6:])
		if r := utf16.DecodeRune(first, second); pair && r != utf8.RuneError {
			return r, 12
		}
		return first, 6
	}
	if len(text) >= 4 && text[0] == '\\' && text[1] == 'x' {
		if v, err := strconv.ParseUint(text[2:4], 16, 8); err == nil {
			return rune(v), 4
		}
	}
	if len(text) < 2 || text[0] != '\\' {
		return 0, 0
	}
	if short, ok := map[byte]rune{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '/': '/', '"': '"'}[text[1]]; ok {
		return short, 2
	}
	return 0, 0
}

// unit is one \uXXXX at the beginning of text.
func unit(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(v), err == nil
}

func htmlEscapes(text string) string {
	if !strings.Contains(text, "&") || !strings.Contains(text, ";") || len(text) > maxDecoded {
		return ""
	}
	return html.UnescapeString(text)
}

// base64Tokens decodes every stretch of base64 characters that is long enough for a number, standard or URL-safe. Since
// what stands before a token can look like a part of it, all four ways to cut it are read. Parts of a JWT are such tokens.
func base64Tokens(text string) string {
	if len(text) > maxDecoded {
		return ""
	}
	var b strings.Builder
	for token := range strings.FieldsFuncSeq(text, func(r rune) bool { return !isBase64(r) }) {
		if len(token) < base64.RawStdEncoding.EncodedLen(residentLength) {
			continue
		}
		token = strings.NewReplacer("-", "+", "_", "/").Replace(token)
		for shift := range 4 {
			part := token[shift:]
			if len(part)%4 == 1 {
				part = part[:len(part)-1]
			}
			plain, _ := base64.RawStdEncoding.DecodeString(part) // of a broken token, the part before the break
			b.Write(plain)
			b.WriteByte(0) // belongs to no number
		}
	}
	return b.String()
}

// hexTokens decodes every stretch of hexadecimal digits that is long enough for a number, in both ways to cut it.
func hexTokens(text string) string {
	if len(text) > maxDecoded {
		return ""
	}
	var b strings.Builder
	for token := range strings.FieldsFuncSeq(text, func(r rune) bool { return !isHex(r) }) {
		for shift := range 2 {
			if plain, _ := hex.DecodeString(token[min(shift, len(token)):]); len(plain) >= residentLength { // of an odd one, all but the end
				b.Write(plain)
				b.WriteByte(0) // belongs to no number
			}
		}
	}
	return b.String()
}

func isHex(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
}

func isBase64(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("+/-_", r)
}

// address says whether twelve digits with dots are an IPv4 address.
func address(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// width is how many bytes a character takes in text; an invalid byte is one.
func width(r rune, text string) int {
	if r == utf8.RuneError {
		_, n := utf8.DecodeRuneInString(text)
		return n
	}
	return utf8.RuneLen(r)
}
