package clients

import (
	"slices"
	"testing"
	"time"
)

func TestWhoNeedsNoPKCE(t *testing.T) {
	yes, no := true, false
	operator := Rules{AllowWithoutPKCE: true}
	for _, tc := range []struct {
		name   string
		rules  Rules
		change func(*Metadata)
		field  string // of the one problem; "" for none
		needs  bool
	}{
		{"nobody says anything", operator, func(*Metadata) {}, "", true},
		{"who says that it needs it", operator, func(m *Metadata) { m.RequirePKCE = &yes }, "", true},
		{"whom the operator spares", operator, func(m *Metadata) { m.RequirePKCE = &no }, "", false},
		{"who spares itself", Rules{}, func(m *Metadata) { m.RequirePKCE = &no }, "require_pkce", true},
		{"a public client", operator, func(m *Metadata) { m.RequirePKCE, m.AuthMethod, m.ClientSecret = &no, AuthNone, "" }, "require_pkce", true},
		{"a bank", operator, func(m *Metadata) { fapiBank(m); m.RequirePKCE = &no }, "require_pkce", true},
		{"a shop with an age limit", operator, func(m *Metadata) { counter(m); m.RequirePKCE = &no }, "require_pkce", true},
		{"who comes from the Digital Authentication App", operator, func(m *Metadata) { daaBank(m); m.RequirePKCE = &no }, "require_pkce", true},
	} {
		m := Metadata{ClientID: "shop", ClientSecret: secret, RedirectURIs: []string{"https://shop.example/cb"}}
		tc.change(&m)
		c, problems := tc.rules.Client(m, time.Unix(1, 0))
		fields := []string{}
		for _, p := range problems {
			fields = append(fields, p.Field)
		}
		if want := []string{tc.field}; tc.field != "" && !slices.Equal(fields, want) || tc.field == "" && len(fields) > 0 || NeedsPKCE(c) != tc.needs {
			t.Errorf("%s: problems %v, needs it %v", tc.name, problems, NeedsPKCE(c))
		}
	}
}

func TestRequirePKCEIsTrueOrFalse(t *testing.T) {
	var m Metadata
	if err := m.UnmarshalJSON([]byte(`{"require_pkce":"no"}`)); err == nil || err.Error() != "require_pkce: must be true or false" {
		t.Error(err)
	}
	if err := m.UnmarshalJSON([]byte(`{"require_pkce":false}`)); err != nil || m.RequirePKCE == nil || *m.RequirePKCE {
		t.Error(err)
	}
}
