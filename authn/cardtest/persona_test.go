package cardtest_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"tegata/authn/cardtest"
	"tegata/testdata/personas"
)

func TestAPersonaNeedsNothingButABirthdate(t *testing.T) {
	p, err := cardtest.ParsePersona("someone", []byte(`{"birthdate": "2001-02-03"}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != "someone" || p.Name != "someone" || p.NameSubstitution != "0000000" || p.Gender != cardtest.GenderUnknown {
		t.Errorf("name and gender: %+v", p)
	}
	if p.Address == "" || p.AddressSubstitution != strings.Repeat("0", utf8.RuneCountInString(p.Address)) {
		t.Errorf("address: %+v", p)
	}
	if p.PIN != "1234" || p.CardInfoPIN != "1234" || p.Password != "ABC123" || p.PINTries != 3 || p.PasswordTries != 5 || p.CardInfoTries != 3 || p.NumberBTries != 10 {
		t.Errorf("secrets: %+v", p)
	}
	if p.SignatureCertificate != nil || p.Status != cardtest.Good || p.Title != (cardtest.Title{JA: "someone", EN: "someone"}) || len(p.Unknown) != 0 {
		t.Errorf("the rest: %+v", p)
	}
}

func TestEveryKeyOfAPersona(t *testing.T) {
	p, err := cardtest.ParsePersona("full", []byte(`{
		"name": "A B", "address": "C", "birthdate": "1950-06-00", "sex": "2",
		"name_substitution": "101", "address_substitution": "1",
		"pin": "0000", "card_info_pin": "4321", "password": "SECRET99", "pin_tries": 1, "password_tries": 0, "card_info_tries": 2, "number_b_tries": 7,
		"signature_certificate": false, "status": "suspended", "title": {"ja": "j", "en": "e"},
		"shoe_size": 27, "Name": "no"}`))
	if err != nil {
		t.Fatal(err)
	}
	no := p.SignatureCertificate
	p.SignatureCertificate = nil
	if no == nil || *no {
		t.Error("signature_certificate: false is lost")
	}
	if got := strings.Join(p.Unknown, " "); got != "Name shoe_size" {
		t.Errorf("unknown keys: %s", got)
	}
	p.Unknown = nil
	want := cardtest.Persona{ID: "full", Name: "A B", NameSubstitution: "101", Address: "C", AddressSubstitution: "1",
		Birthdate: "1950-06-00", Gender: cardtest.Female, PIN: "0000", CardInfoPIN: "4321", Password: "SECRET99",
		PINTries: 1, PasswordTries: 0, CardInfoTries: 2, NumberBTries: 7, Status: cardtest.Suspended, Title: cardtest.Title{JA: "j", EN: "e"}}
	if strings.Join(p.Unknown, "") != "" || !same(p, want) {
		t.Errorf("got %+v", p)
	}
}

func same(a, b cardtest.Persona) bool {
	a.Unknown, b.Unknown = nil, nil
	return a.ID == b.ID && a.Name == b.Name && a.NameSubstitution == b.NameSubstitution && a.Address == b.Address &&
		a.AddressSubstitution == b.AddressSubstitution && a.Birthdate == b.Birthdate && a.Gender == b.Gender &&
		a.PIN == b.PIN && a.CardInfoPIN == b.CardInfoPIN && a.Password == b.Password && a.PINTries == b.PINTries &&
		a.PasswordTries == b.PasswordTries && a.CardInfoTries == b.CardInfoTries && a.NumberBTries == b.NumberBTries && a.Status == b.Status && a.Title == b.Title
}

func TestTheCardInfoPINFollowsThePIN(t *testing.T) {
	p, err := cardtest.ParsePersona("x", []byte(`{"birthdate": "2001-02-03", "pin": "5555"}`))
	if err != nil || p.CardInfoPIN != "5555" {
		t.Errorf("%q, %v", p.CardInfoPIN, err)
	}
}

func TestGenderWords(t *testing.T) {
	for word, digit := range map[string]string{"male": "1", "female": "2", "not_applicable": "9", "unknown": "0", "1": "1", "2": "2", "9": "9", "0": "0", "3": "0"} {
		for _, key := range []string{"gender", "sex"} {
			p, err := cardtest.ParsePersona("x", []byte(`{"birthdate": "2001-02-03", "`+key+`": "`+word+`"}`))
			if err != nil || p.Gender.Digit() != digit {
				t.Errorf("%s %s: %s, %v", key, word, p.Gender.Digit(), err)
			}
		}
	}
}

func TestMalformedPersonasNameFileAndKeyButNoValue(t *testing.T) {
	const birth = `"birthdate": "2001-02-03"`
	for name, tt := range map[string]struct{ json, key string }{
		"no birthdate":            {`{}`, "birthdate"},
		"birthdate not a string":  {`{"birthdate": 20010203}`, "birthdate"},
		"30 February":             {`{"birthdate": "2001-02-30"}`, "birthdate"},
		"29 February 2001":        {`{"birthdate": "2001-02-29"}`, "birthdate"},
		"month 13":                {`{"birthdate": "2001-13-00"}`, "birthdate"},
		"a day without month":     {`{"birthdate": "2001-00-05"}`, "birthdate"},
		"before the family books": {`{"birthdate": "1800-01-01"}`, "birthdate"},
		"slashes":                 {`{"birthdate": "2001/02/03"}`, "birthdate"},
		"null":                    {`{"birthdate": null}`, "birthdate"},
		"empty name":              {`{` + birth + `, "name": ""}`, "name"},
		"control character":       {`{` + birth + `, "name": "a\u0000b"}`, "name"},
		"broken surrogate":        {`{` + birth + `, "name": "a\ud800b"}`, "name"},
		"address too long":        {`{` + birth + `, "address": "` + strings.Repeat("x", 201) + `"}`, "address"},
		"map shorter than name":   {`{` + birth + `, "name": "abc", "name_substitution": "00"}`, "name_substitution"},
		"map with a two":          {`{` + birth + `, "name": "abc", "name_substitution": "002"}`, "name_substitution"},
		"map of the address":      {`{` + birth + `, "address": "abc", "address_substitution": "0000"}`, "address_substitution"},
		"five digits":             {`{` + birth + `, "pin": "98765"}`, "pin"},
		"pin as a number":         {`{` + birth + `, "pin": 9876}`, "pin"},
		"letters in a pin":        {`{` + birth + `, "card_info_pin": "98a6"}`, "card_info_pin"},
		"lower-case password":     {`{` + birth + `, "password": "secret99"}`, "password"},
		"short password":          {`{` + birth + `, "password": "SEC99"}`, "password"},
		"four tries of three":     {`{` + birth + `, "pin_tries": 4}`, "pin_tries"},
		"negative tries":          {`{` + birth + `, "password_tries": -1}`, "password_tries"},
		"half a try":              {`{` + birth + `, "pin_tries": 1.5}`, "pin_tries"},
		"certificate as a word":   {`{` + birth + `, "signature_certificate": "no"}`, "signature_certificate"},
		"unknown status":          {`{` + birth + `, "status": "dead"}`, "status"},
		"unknown gender":          {`{` + birth + `, "gender": "m"}`, "gender"},
		"gender twice":            {`{` + birth + `, "gender": "male", "sex": "1"}`, "sex"},
		"title as a string":       {`{` + birth + `, "title": "t"}`, "title"},
		"title in one language":   {`{` + birth + `, "title": {"en": "t"}}`, "title"},
		"an array":                {`[]`, "object"},
		"nothing":                 {``, "object"},
		"null file":               {`null`, "object"},
		"two objects":             {`{` + birth + `}{}`, "object"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cardtest.LoadFS(fstest.MapFS{"broken.json": {Data: []byte(tt.json)}})
			if err == nil {
				t.Fatal("accepted")
			}
			text := err.Error()
			if !strings.Contains(text, "broken.json") || !strings.Contains(text, tt.key) {
				t.Errorf("not clear: %s", text)
			}
			for _, value := range []string{"9876", "98a6", "secret99", "SEC99", "2001"} {
				if strings.Contains(text, value) {
					t.Errorf("quotes the value: %s", text)
				}
			}
		})
	}
}

func TestLoadFSReadsJSONFilesByName(t *testing.T) {
	data := []byte(`{"birthdate": "2001-02-03"}`)
	all, err := cardtest.LoadFS(fstest.MapFS{
		"b.json": {Data: data}, "a.json": {Data: data}, "notes.txt": {Data: []byte("x")}, "dir.json/c.json": {Data: data},
	})
	if err != nil || len(all) != 2 || all[0].ID != "a" || all[1].ID != "b" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestLoadPersonasNamesADirectoryItCannotRead(t *testing.T) {
	if _, err := cardtest.LoadPersonas("testdata/none"); err == nil || !strings.Contains(err.Error(), "testdata/none") {
		t.Errorf("got %v", err)
	}
	all, err := cardtest.LoadPersonas("../../testdata/personas")
	if err != nil || len(all) < 13 {
		t.Errorf("%d personas, %v", len(all), err)
	}
}

func TestTheHousesPersonasAreWhoTheyShouldBe(t *testing.T) {
	all, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]cardtest.Persona{}
	for _, p := range all {
		known[p.ID] = p
		if len(p.Unknown) != 0 || p.Title.JA == p.ID || p.Title.EN == p.ID || p.Title.JA == "" || p.Title.EN == "" {
			t.Errorf("%s: unknown keys %v or no title", p.ID, p.Unknown)
		}
		if len(p.NameSubstitution) == 12 || len(p.AddressSubstitution) == 12 {
			t.Errorf("%s: a map of twelve digits looks like a My Number to the scanners", p.ID)
		}
	}
	for id, is := range map[string]func(cardtest.Persona) bool{
		"taro":        func(p cardtest.Persona) bool { return p.Gender == cardtest.Male && p.Status == cardtest.Good },
		"hanako":      func(p cardtest.Persona) bool { return p.Gender == cardtest.Female && p.CardInfoPIN == p.PIN },
		"pins":        func(p cardtest.Persona) bool { return p.CardInfoPIN != p.PIN },
		"jiro17":      func(p cardtest.Persona) bool { return p.Birthdate == "2009-06-15" },
		"leap":        func(p cardtest.Persona) bool { return p.Birthdate == "2008-02-29" },
		"child":       func(p cardtest.Persona) bool { return !*p.SignatureCertificate },
		"printed":     func(p cardtest.Persona) bool { return !*p.SignatureCertificate && p.CardInfoTries == 0 },
		"foreign":     func(p cardtest.Persona) bool { return p.Name >= "\uFF21" },
		"henkan":      func(p cardtest.Persona) bool { return strings.Contains(p.NameSubstitution+p.AddressSubstitution, "1") },
		"former":      func(p cardtest.Persona) bool { return strings.ContainsRune(p.Name, '\uFF3B') },
		"overseas":    func(p cardtest.Persona) bool { return strings.HasPrefix(p.Address, "\u56FD\u5916\u8EE2\u51FA") },
		"revoked":     func(p cardtest.Persona) bool { return p.Status == cardtest.Revoked },
		"suspended":   func(p cardtest.Persona) bool { return p.Status == cardtest.Suspended },
		"expired":     func(p cardtest.Persona) bool { return p.Status == cardtest.Expired },
		"locked":      func(p cardtest.Persona) bool { return p.PINTries == 0 },
		"unknown_day": func(p cardtest.Persona) bool { return p.Birthdate == "1950-00-00" },
	} {
		if p, ok := known[id]; !ok || !is(p) {
			t.Errorf("%s is missing or somebody else", id)
		}
	}
}

// Number B counts the year in eras; the first days of an era are where it goes wrong.
func TestNumberB(t *testing.T) {
	for birth, era := range map[string]string{
		"1980-02-17": "550217", "1990-04-01": "020401", "1989-01-07": "640107", "1989-01-08": "010108",
		"2019-04-30": "310430", "2019-05-01": "010501", "1926-12-24": "151224", "1926-12-25": "011225",
		"1912-07-29": "450729", "1912-07-30": "010730", "1868-10-23": "011023", "1950-00-00": "250000",
	} {
		p := cardtest.Persona{Birthdate: birth}
		if b := p.NumberB(); len(b) != 14 || b[:6] != era {
			t.Errorf("%s: %s", birth, b)
		}
	}
}

func FuzzParsePersona(f *testing.F) {
	f.Add([]byte(`{"birthdate": "2001-02-03"}`))
	f.Add([]byte(`{"birthdate": "1950-00-00", "sex": "9", "title": {"ja": "", "en": ""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := cardtest.ParsePersona("x", data)
		if err != nil {
			return
		}
		if len(p.BirthDigits()) != 8 || len(p.NumberB()) != 14 || !utf8.ValidString(p.Name) || p.Name == "" {
			t.Errorf("accepted %+v", p)
		}
		if len(p.NameSubstitution) != utf8.RuneCountInString(p.Name) {
			t.Error("the substitution map does not fit")
		}
		_ = cardtest.EncodeCardInfo(p)
	})
}
