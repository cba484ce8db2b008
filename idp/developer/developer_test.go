package developer

import (
	"strings"
	"testing"
	"time"
)

func TestANoteIsOfOneClientOneUseAndItsTime(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	key, err := KeyFrom([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := KeyFrom([]byte(strings.Repeat("o", 32)))
	if err != nil {
		t.Fatal(err)
	}
	text := key.Sign(Link, "shop", now.Add(LinkLife))
	if client, ok := key.Client(Link, text, now); !ok || client != "shop" {
		t.Fatalf("%q %v", client, ok)
	}
	bank, _, _ := strings.Cut(key.Sign(Link, "bank", now.Add(LinkLife)), ".")
	_, signature, _ := strings.Cut(text, ".")
	for name, tc := range map[string]struct {
		key  Key
		kind Kind
		text string
		at   time.Time
	}{
		"another use":                        {key, Cookie, text, now},
		"another server":                     {other, Link, text, now},
		"no key":                             {nil, Link, Key(nil).Sign(Link, "shop", now.Add(time.Hour)), now},
		"past its end":                       {key, Link, text, now.Add(LinkLife)},
		"another client, the same signature": {key, Link, bank + "." + signature, now},
		"no signature":                       {key, Link, bank, now},
		"nothing":                            {key, Link, "", now},
		"not base64":                         {key, Link, text + "!", now},
	} {
		if client, ok := tc.key.Client(tc.kind, tc.text, tc.at); ok || client != "" {
			t.Errorf("%s: %q", name, client)
		}
	}
}
