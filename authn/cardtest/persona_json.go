package cardtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// LoadPersonas reads every NAME.json of a directory, sorted by name. Errors name the file and the
// key and what was expected, never the value.
func LoadPersonas(dir string) ([]Persona, error) {
	personas, err := LoadFS(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("personas in %s: %w", dir, err)
	}
	return personas, nil
}

// LoadFS is LoadPersonas for an embedded directory.
func LoadFS(fsys fs.FS) ([]Persona, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var personas []Persona
	for _, entry := range entries {
		if entry.IsDir() || path.Ext(entry.Name()) != ".json" {
			continue
		}
		data, err := fs.ReadFile(fsys, entry.Name())
		if err != nil {
			return nil, err
		}
		p, err := ParsePersona(strings.TrimSuffix(entry.Name(), ".json"), data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		personas = append(personas, p)
	}
	return personas, nil
}

// ParsePersona reads one persona file and fills in the defaults; id is its name without .json.
// Errors name the key and what was expected, never the value.
func ParsePersona(id string, data []byte) (Persona, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil || raw == nil {
		return Persona{}, errors.New("not a JSON object")
	}
	k := keys{raw: raw}
	p := Persona{ID: id}
	p.Birthdate = k.text("birthdate", "", "YYYY-MM-DD, 00 for an unknown month and day", isBirthdate)
	p.Name = k.text("name", id, "1 to 100 characters", func(s string) bool { return isText(s, 100) })
	p.Address = k.text("address", strings.TrimSpace(defaultAddress), "1 to 200 characters", func(s string) bool { return isText(s, 200) })
	p.NameSubstitution = k.text("name_substitution", zeros(p.Name), "one 0 or 1 per character of name",
		func(s string) bool { return isSubstitution(s, p.Name) })
	p.AddressSubstitution = k.text("address_substitution", zeros(p.Address), "one 0 or 1 per character of address",
		func(s string) bool { return isSubstitution(s, p.Address) })
	p.Gender = k.gender()
	p.PIN = k.text("pin", "1234", "4 digits", isPIN)
	p.CardInfoPIN = k.text("card_info_pin", p.PIN, "4 digits", isPIN)
	p.Password = k.text("password", "ABC123", "6 to 16 of A-Z and 0-9", isPassword)
	p.PINTries = k.number("pin_tries", maxAuthTries)
	p.PasswordTries = k.number("password_tries", maxPasswordTries)
	p.CardInfoTries = k.number("card_info_tries", maxCardInfoTries)
	p.NumberBTries = k.number("number_b_tries", maxNumberBTries)
	p.SignatureCertificate = k.choice("signature_certificate")
	p.Status = Status(k.text("status", string(Good), "good, revoked, suspended or expired", isStatus))
	if moved := k.choice("moved"); moved != nil {
		p.Moved = *moved
	}
	p.Title = k.title(id)
	p.Unknown = slices.Sorted(maps.Keys(k.raw))
	if p.Birthdate == "" && k.err == nil {
		k.wrong("birthdate", "YYYY-MM-DD (the one required key)")
	}
	return p, k.err
}

// keys takes known keys off a JSON object and remembers the first one that is wrong.
type keys struct {
	raw map[string]json.RawMessage
	err error
}

func (k *keys) wrong(key, want string) {
	if k.err == nil {
		k.err = fmt.Errorf("key %q: expected %s", key, want)
	}
}

// take decodes a key into value; false when it is absent or wrong. JSON's own errors quote values, so ours replace them.
func (k *keys) take(key, want string, value any) bool {
	data, ok := k.raw[key]
	if !ok {
		return false
	}
	delete(k.raw, key)
	if string(data) == "null" || json.Unmarshal(data, value) != nil {
		k.wrong(key, want)
		return false
	}
	return true
}

func (k *keys) text(key, otherwise, want string, fits func(string) bool) string {
	var s string
	if !k.take(key, want, &s) {
		return otherwise
	}
	if !fits(s) {
		k.wrong(key, want)
	}
	return s
}

func (k *keys) number(key string, most int) int {
	want := fmt.Sprintf("a number from 0 to %d", most)
	var n int
	if !k.take(key, want, &n) {
		return most
	}
	if n < 0 || n > most {
		k.wrong(key, want)
	}
	return n
}

func (k *keys) choice(key string) *bool {
	var b bool
	if !k.take(key, "true or false", &b) {
		return nil
	}
	return &b
}

// gender is also called sex, and may be the digit that the certificate holds.
func (k *keys) gender() Gender {
	const want = "male, female, not_applicable or unknown"
	words := map[string]Gender{"1": Male, "2": Female, "9": NotApplicable, "0": GenderUnknown, "3": GenderUnknown}
	for _, g := range []Gender{Male, Female, NotApplicable, GenderUnknown} {
		words[string(g)] = g
	}
	isWord := func(s string) bool { _, ok := words[s]; return ok }
	key := "gender"
	if _, ok := k.raw["sex"]; ok {
		if _, both := k.raw["gender"]; both {
			k.wrong("sex", "gender or sex, not both")
		}
		key = "sex"
	}
	return words[k.text(key, string(GenderUnknown), want, isWord)]
}

func (k *keys) title(otherwise string) Title {
	t := struct{ JA, EN *string }{}
	if !k.take("title", `an object with "ja" and "en"`, &t) {
		return Title{otherwise, otherwise}
	}
	if t.JA == nil || t.EN == nil {
		k.wrong("title", `an object with "ja" and "en"`)
		return Title{}
	}
	return Title{*t.JA, *t.EN}
}

func zeros(text string) string { return strings.Repeat("0", utf8.RuneCountInString(text)) }

func isPIN(s string) bool { return isFrom("0123456789", s, 4, 4) }

func isPassword(s string) bool { return isFrom("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", s, 6, 16) }

func isStatus(s string) bool {
	return slices.Contains([]Status{Good, Revoked, Suspended, Expired}, Status(s))
}

func isFrom(alphabet, s string, shortest, longest int) bool {
	return len(s) >= shortest && len(s) <= longest && strings.Trim(s, alphabet) == ""
}
