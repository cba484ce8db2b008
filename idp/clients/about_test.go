package clients_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/idp/clients"
	"tegata/storage"
)

// Whatever a client says about itself comes back as it was said.
func TestWhatAClientSaysAboutItselfComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := map[string]any{}
		for _, name := range []string{"client_name", "client_name#ja", "client_name#en", "client_uri#fr", "logo_uri", "logo_uri#ja-Hani-JP", "policy_uri", "tos_uri", "tos_uri#pt-BR",
			"software_id", "software_version"} {
			if rapid.Bool().Draw(t, name) {
				said[name] = rapid.StringMatching(`[a-z <&]{1,20}`).Draw(t, "text")
			}
		}
		body, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		var m clients.Metadata
		if err := json.Unmarshal(body, &m); err != nil || len(m.Unknown) > 0 || len(m.Unsupported) > 0 {
			t.Fatal(err, m.Unknown)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]any
		if err := json.Unmarshal(again, &back); err != nil || fmt.Sprint(back) != fmt.Sprint(said) {
			t.Fatalf("%v came back as %s, %v", said, again, err)
		}
	})
}

func TestWhatAClientMayNotSayAboutItself(t *testing.T) {
	long := strings.Repeat("x", 101)
	for name, tc := range map[string]struct{ body, field string }{
		"a script behind the terms":           {`"tos_uri": "javascript:alert(1)"`, "tos_uri"},
		"a script in another language":        {`"policy_uri#ja": "javascript:alert(1)"`, "policy_uri#ja"},
		"a logo that is data":                 {`"logo_uri": "data:image/png;base64,AA"`, "logo_uri"},
		"a name that turns around":            {`"client_name#en": "\u202Eknab"`, "client_name#en"},
		"a name of two lines":                 {`"client_name#en": "a\nb"`, "client_name#en"},
		"a contact of two lines":              {`"contacts": ["a\nb"]`, "contacts[0]"},
		"a long name of software":             {`"software_id": "` + long + `"`, "software_id"},
		"a long version of software":          {`"software_version": "` + long + `"`, "software_version"},
		"too many contacts":                   {`"contacts": [` + strings.Repeat(`"a",`, 20) + `"a"]`, "contacts"},
		"the same name in too many languages": {`"client_name#aa": "x"` + many(60), "client_name"},
	} {
		var m clients.Metadata
		if err := json.Unmarshal([]byte(`{"client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "token_endpoint_auth_method": "none", `+tc.body+`}`), &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, problems := clients.Rules{}.Client(m, time.Now())
		if !slices.ContainsFunc(problems, func(p clients.Problem) bool { return p.Field == tc.field }) {
			t.Errorf("%s: %v", name, problems)
		}
	}
	var m clients.Metadata
	if err := json.Unmarshal([]byte(`{"client_name#en": 1}`), &m); err == nil || !strings.Contains(err.Error(), "client_name#en") {
		t.Errorf("a number for a name: %v", err)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `, "client_name#x%c-%c%c": "x"`, 'a'+i%26, 'a'+i/26, 'a'+i%26)
	}
	return b.String()
}

func TestMembersAreReadInTheReadersLanguage(t *testing.T) {
	c := storage.Client{About: storage.ClientAbout{Localized: map[string]string{"tos_uri#ja-JP": "ja", "tos_uri#en": "en", "policy_uri#ja": "other"}}}
	for lang, want := range map[string]string{"ja": "ja", "ja-Hira": "ja", "en": "en", "fr": "all"} {
		if got := clients.In(c, "tos_uri", "all", lang); got != want {
			t.Errorf("%s reads %s", lang, got)
		}
	}
}

// What nobody sees may change without an operator; what people see may not.
func TestWhichWordsAboutAClientNeedApproval(t *testing.T) {
	was := storage.Client{About: storage.ClientAbout{Contacts: []string{"a"}, LogoURI: "a", PolicyURI: "a", TermsURI: "a", SoftwareID: "a", SoftwareVersion: "a"}}
	for name, tc := range map[string]struct {
		change func(*storage.ClientAbout)
		needs  bool
	}{
		"contacts": {func(a *storage.ClientAbout) { a.Contacts = []string{"b"} }, false},
		"a logo":   {func(a *storage.ClientAbout) { a.LogoURI = "b" }, false},
		"software": {func(a *storage.ClientAbout) { a.SoftwareID, a.SoftwareVersion = "b", "b" }, false},
		"a policy": {func(a *storage.ClientAbout) { a.PolicyURI = "b" }, true},
		"terms":    {func(a *storage.ClientAbout) { a.TermsURI = "b" }, true},
		"a name":   {func(a *storage.ClientAbout) { a.Localized = map[string]string{"client_name#en": "Bank"} }, true},
	} {
		next := was
		tc.change(&next.About)
		if got := clients.Widened(was, next); (len(got) > 0) != tc.needs {
			t.Errorf("%s: %v", name, got)
		}
	}
}
