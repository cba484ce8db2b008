package clients

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/storage"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

const secret = "0123456789abcdefghijklmnopqrstuvwxyz"

// shop is metadata with nothing to complain about.
func shop(change func(*Metadata)) Metadata {
	m := Metadata{ClientID: "shop", ClientSecret: secret, RedirectURIs: []string{"https://shop.example/cb"}}
	change(&m)
	return m
}

func TestDefaults(t *testing.T) {
	got, problems := Rules{}.Client(shop(func(*Metadata) {}), now)
	want := storage.Client{
		ID: "shop", Name: "shop.example", RedirectURIs: []string{"https://shop.example/cb"}, AuthMethod: "client_secret_basic",
		SecretHashes: [][]byte{HashSecret(secret)}, Scopes: []string{"openid", "age_over_18", "age_over_20"},
		IDTokenAlg: "ES256", Sector: "shop.example", CreatedAt: now, UpdatedAt: now,
	}
	if len(problems) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", problems, got, want)
	}
}

func TestEverythingSaid(t *testing.T) {
	m := Metadata{
		ClientID: "app", ClientName: "App", ClientNameJa: "アプリ", ClientURI: "https://app.example/", AuthMethod: "none",
		RedirectURIs: []string{"jp.example.app:/cb"}, PostLogoutRedirectURIs: []string{"jp.example.app:/bye"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, Scope: "gender openid name",
		IDTokenAlg: "RS256", SubjectType: "pairwise", SectorIdentifierURI: "https://sector.example/list.json",
		ApplicationType: "native", Purpose: "To sell tea.", PurposeJa: "お茶を売るため。",
	}
	got, problems := Rules{}.Client(m, now)
	want := storage.Client{
		ID: "app", Name: "App", NameJa: "アプリ", URI: "https://app.example/", RedirectURIs: []string{"jp.example.app:/cb"},
		PostLogoutRedirectURIs: []string{"jp.example.app:/bye"}, AuthMethod: "none", Scopes: []string{"openid", "name", "gender"},
		IDTokenAlg: "RS256", Sector: "sector.example", Purpose: "To sell tea.", PurposeJa: "お茶を売るため。", CreatedAt: now, UpdatedAt: now,
	}
	if len(problems) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", problems, got, want)
	}
}

func TestEachMistakeIsNamed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		field  string // of the one problem; "" for none
		change func(*Metadata)
	}{
		{"no client_id", "client_id", func(m *Metadata) { m.ClientID = "" }},
		{"a client_id with a space", "client_id", func(m *Metadata) { m.ClientID = "my shop" }},
		{"a client_id without end", "client_id", func(m *Metadata) { m.ClientID = strings.Repeat("a", 257) }},
		{"a name that turns the direction of writing", "client_name", func(m *Metadata) { m.ClientName = "Bank\u202e" }},
		{"a name of two lines", "client_name#ja", func(m *Metadata) { m.ClientNameJa = "店\n銀行" }},
		{"a purpose without end", "purpose", func(m *Metadata) { m.Purpose = strings.Repeat("a", 301) }},
		{"a purpose of 300 characters", "", func(m *Metadata) { m.PurposeJa = strings.Repeat("茶", 300) }},
		{"a link that is a script", "client_uri", func(m *Metadata) { m.ClientURI = "javascript:alert(1)" }},
		{"no secret", "client_secret", func(m *Metadata) { m.ClientSecret = "" }},
		{"a short secret", "client_secret", func(m *Metadata) { m.ClientSecret = Secret(secret[:31]) }},
		{"a secret with a space", "client_secret", func(m *Metadata) { m.ClientSecret = secret + " " }},
		{"a public client with a secret", "client_secret", func(m *Metadata) { m.AuthMethod = "none" }},
		{"a public client", "", func(m *Metadata) { m.AuthMethod, m.ClientSecret = "none", "" }},
		{"the secret in the body", "", func(m *Metadata) { m.AuthMethod = "client_secret_post" }},
		{"a shared key for assertions", "token_endpoint_auth_method", func(m *Metadata) { m.AuthMethod = "client_secret_jwt" }},
		{"a method nobody knows", "token_endpoint_auth_method", func(m *Metadata) { m.AuthMethod = "basic" }},
		{"a method in capitals", "token_endpoint_auth_method", func(m *Metadata) { m.AuthMethod = "NONE" }},
		{"the implicit grant", "grant_types[1]", func(m *Metadata) { m.GrantTypes = []string{"authorization_code", "implicit"} }},
		{"no code grant", "grant_types", func(m *Metadata) { m.GrantTypes = []string{"refresh_token"} }},
		{"an implicit response", "response_types[0]", func(m *Metadata) { m.ResponseTypes = []string{"id_token"} }},
		{"a hybrid response", "response_types[0]", func(m *Metadata) { m.ResponseTypes = []string{"code id_token"} }},
		{"an unknown scope", "scope", func(m *Metadata) { m.Scope = "openid email" }},
		{"no openid", "scope", func(m *Metadata) { m.Scope = "age_over_18" }},
		{"an unsigned ID token", "id_token_signed_response_alg", func(m *Metadata) { m.IDTokenAlg = "none" }},
		{"an ID token signed with the secret", "id_token_signed_response_alg", func(m *Metadata) { m.IDTokenAlg = "HS256" }},
		{"public subjects", "subject_type", func(m *Metadata) { m.SubjectType = "public" }},
		{"another subject every time", "", func(m *Metadata) { m.SubjectType = "transient" }},
		{"subjects of no kind", "subject_type", func(m *Metadata) { m.SubjectType = "x" }},
		{"an application of no kind", "application_type", func(m *Metadata) { m.ApplicationType = "spa" }},
		{"a protection that we lack", "request_object_encryption_alg", func(m *Metadata) { m.Unsupported = []string{"request_object_encryption_alg"} }},
		{"no redirect URI", "redirect_uris", func(m *Metadata) { m.RedirectURIs = nil }},
		{"fifty-one redirect URIs", "redirect_uris", func(m *Metadata) { m.RedirectURIs = make([]string, 51) }},
		{"a bad second redirect URI", "redirect_uris[1]", func(m *Metadata) { m.RedirectURIs = append(m.RedirectURIs, "http://shop.example/cb") }},
		{"a bad logout URI", "post_logout_redirect_uris[0]", func(m *Metadata) { m.PostLogoutRedirectURIs = []string{"/bye"} }},
		{"a server that hears of logouts", "", func(m *Metadata) { m.BackLogoutURI, m.BackLogoutSID = "https://back.example/out?x=1", true }},
		{"a server over http", "backchannel_logout_uri", func(m *Metadata) { m.BackLogoutURI = "http://127.0.0.1/out" }},
		{"a server with a fragment", "backchannel_logout_uri", func(m *Metadata) { m.BackLogoutURI = "https://shop.example/out#x" }},
		{"nobody who hears of logouts", "backchannel_logout_uri", func(m *Metadata) { m.BackLogoutURI, m.SubjectType = "https://shop.example/out", "transient" }},
		{"a page that hears of logouts", "", func(m *Metadata) { m.FrontLogoutURI, m.FrontLogoutSID = "https://shop.example:443/out?x=1", true }},
		{"a page of another host", "frontchannel_logout_uri", func(m *Metadata) { m.FrontLogoutURI = "https://out.shop.example/out" }},
		{"a page at another port", "frontchannel_logout_uri", func(m *Metadata) { m.FrontLogoutURI = "https://shop.example:8443/out" }},
		{"a page of another scheme", "frontchannel_logout_uri", func(m *Metadata) { m.FrontLogoutURI = "http://shop.example/out" }},
		{"a page that is a script", "frontchannel_logout_uri", func(m *Metadata) { m.FrontLogoutURI = "javascript:alert(1)" }},
		{"a page with a fragment", "frontchannel_logout_uri", func(m *Metadata) { m.FrontLogoutURI = "https://shop.example/out#x" }},
		{"nobody whose page hears of logouts", "frontchannel_logout_uri", func(m *Metadata) { m.FrontLogoutURI, m.SubjectType = "https://shop.example/out", "transient" }},
		{"an age-only page that hears of logouts", "frontchannel_logout_uri", func(m *Metadata) {
			m.FrontLogoutURI, m.Profile, m.Scope = "https://shop.example/out", "age-only", "openid age_over_18"
		}},
		{"a session for no page", "frontchannel_logout_session_required", func(m *Metadata) { m.FrontLogoutSID = true }},
		{"a session for no server", "backchannel_logout_session_required", func(m *Metadata) { m.BackLogoutSID = true }},
		{"two hosts and no sector", "sector_identifier_uri", func(m *Metadata) { m.RedirectURIs = append(m.RedirectURIs, "https://shop2.example/cb") }},
		{"two hosts and a sector", "", func(m *Metadata) {
			m.RedirectURIs = append(m.RedirectURIs, "https://shop2.example/cb")
			m.SectorIdentifierURI = "https://shop.example/sector.json"
		}},
		{"a sector over http", "sector_identifier_uri", func(m *Metadata) { m.SectorIdentifierURI = "http://127.0.0.1/x" }},
		{"a sector that is a name", "sector_identifier_uri", func(m *Metadata) { m.SectorIdentifierURI = "shop.example" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, problems := Rules{}.Client(shop(tc.change), now)
			if tc.field == "" {
				if len(problems) > 0 {
					t.Fatal(problems)
				}
				return
			}
			if len(problems) != 1 || problems[0].Field != tc.field || !strings.HasSuffix(problems[0].Text, ".") {
				t.Fatalf("problems %v, want one at %s", problems, tc.field)
			}
			if !reflect.DeepEqual(c, storage.Client{}) {
				t.Error("a client came out beside the problem")
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	m := Metadata{AuthMethod: "x", Scope: "email", SubjectType: "public", RedirectURIs: []string{"*", "https://a.example/#"}}
	_, problems := Rules{}.Client(m, now)
	want := "client_id token_endpoint_auth_method redirect_uris[0] redirect_uris[1] scope scope subject_type"
	var fields []string
	for _, p := range problems {
		fields = append(fields, p.Field)
	}
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestRedirectURIs(t *testing.T) {
	web := func(m *Metadata) {}
	native := func(m *Metadata) { m.ApplicationType, m.AuthMethod, m.ClientSecret = "native", "none", "" }
	public := func(m *Metadata) { m.AuthMethod, m.ClientSecret = "none", "" }
	for _, tc := range []struct {
		uri    string
		kind   func(*Metadata)
		accept bool
	}{
		{"https://shop.example/cb", web, true},
		{"https://shop.example", web, true},
		{"https://shop.example:8443/a/b.c?x=%2F&y", web, true},
		{"https://[2001:db8::1]/cb", web, true},
		{"http://127.0.0.1/cb", web, true},
		{"http://127.0.0.1:9001/cb", web, true},
		{"http://[::1]:9001/cb", web, true},
		{"https://shop.example/" + strings.Repeat("a", 2048-len("https://shop.example/")), web, true},
		{"http://localhost:9001/cb", native, true},
		{"jp.example.app:/cb", native, true},
		{"jp.example.app://cb/x", public, true},
		{"", web, false},
		{"shop.example/cb", web, false},
		{"/cb", web, false},
		{"//shop.example/cb", web, false},
		{"https:shop.example/cb", web, false},
		{"https:///cb", web, false},
		{"HTTPS://shop.example/cb", web, false},
		{"https://Shop.example/cb", web, false},
		{"https://shop.example./cb", web, false},
		{"https://.shop.example/cb", web, false},
		{"https://shop..example/cb", web, false},
		{"https://shop_1.example/cb", web, false},
		{"https://shop.example:/cb", web, false},
		{"https://shop.example:0/cb", web, false},
		{"https://shop.example:0443/cb", web, false},
		{"https://shop.example:65536/cb", web, false},
		{"https://shop.example:x/cb", web, false},
		{"https://[::1/cb", web, false},
		{"https://[]/cb", web, false},
		{"https://[fe80::1%25lo]/cb", web, false},
		{"https://[2001:DB8::1]/cb", web, false},
		{"https://[2001:db8:0::1]/cb", web, false},
		{"https://u@shop.example/cb", web, false},
		{"https://@shop.example/cb", web, false},
		{"https://u:p@shop.example/cb", web, false},
		{"https://shop.example/cb#", web, false},
		{"https://shop.example/cb#x", web, false},
		{"https://*.shop.example/cb", web, false},
		{"https://shop.example/*", web, false},
		{"https://shop.example/a/../cb", web, false},
		{"https://shop.example/./cb", web, false},
		{"https://shop.example/a/..", web, false},
		{"https://shop.example/a/%2e%2E/cb", web, false},
		{"https://shop.example/a/.%2e", web, false},
		{"https://shop.example/c b", web, false},
		{"https://shop.example/c\tb", web, false},
		{"https://shop.example/cb\n", web, false},
		{" https://shop.example/cb", web, false},
		{"https://shop.example\\cb", web, false},
		{"https://shop.example/\u0441b", web, false},
		{"https://\uff53hop.example/cb", web, false},
		{"https://shop%2eexample/cb", web, false},
		{"https://shop.example/%zz", web, false},
		{"https://shop.example/cb?x=%z", web, false},
		{"https://shop.example/cb?x=%2", web, false},
		{"https://shop.example/cb?x={y}", web, false},
		{"https://shop.example/" + strings.Repeat("a", 2049-len("https://shop.example/")), web, false},
		{"http://shop.example/cb", web, false},
		{"http://localhost:9001/cb", web, false},
		{"http://localhost:9001/cb", public, false},
		{"http://127.0.0.2/cb", native, false},
		{"http://127.1/cb", native, false},
		{"http://0.0.0.0/cb", native, false},
		{"http://127.0.0.1.evil.example/cb", native, false},
		{"http://localhost.evil.example/cb", native, false},
		{"http://[::ffff:127.0.0.1]/cb", native, false},
		{"jp.example.app:/cb", web, false},
		{"jp.example.app:cb", native, false},
		{"jp.example.app:/../cb", native, false},
		{"app:/cb", native, false},
		{"jp..app:/cb", native, false},
		{"javascript:alert(1)", native, false},
		{"javascript://x/%0aalert(1)", native, false},
		{"data:text/html,x", native, false},
		{"file:///etc/passwd", native, false},
	} {
		for _, field := range []string{"redirect_uris[0]", "post_logout_redirect_uris[0]"} {
			m := shop(tc.kind)
			if field == "redirect_uris[0]" {
				m.RedirectURIs = []string{tc.uri}
			} else {
				m.PostLogoutRedirectURIs = []string{tc.uri}
			}
			_, problems := Rules{}.Client(m, now)
			if tc.accept != (len(problems) == 0) || !tc.accept && problems[0].Field != field {
				t.Errorf("%s %q: %v", field, tc.uri, problems)
			}
		}
	}
}

func TestTheSandboxMayBeLax(t *testing.T) {
	m := shop(func(m *Metadata) { m.RedirectURIs, m.ClientSecret = []string{"http://localhost:3000/cb"}, "secret" })
	if c, problems := (Rules{AllowLoopbackHTTP: true, AllowShortSecrets: true}).Client(m, now); len(problems) > 0 || c.Sector != "localhost" {
		t.Error(problems)
	}
	m.SectorIdentifierURI, m.RedirectURIs = "http://localhost:3000/list", []string{"https://a.example/", "https://b.example/"}
	if c, problems := (Rules{AllowLoopbackHTTP: true, AllowShortSecrets: true}).Client(m, now); len(problems) > 0 || c.Sector != "localhost" {
		t.Error("the list of a sector on this machine:", problems)
	}
	m.SectorIdentifierURI, m.RedirectURIs = "", []string{"http://shop.example/cb"}
	if _, problems := (Rules{AllowLoopbackHTTP: true, AllowShortSecrets: true}).Client(m, now); len(problems) != 1 {
		t.Error("http beyond the machine is accepted")
	}
}

func TestSector(t *testing.T) {
	for _, tc := range []struct {
		name, kind, sectorURI string
		uris                  []string
		want                  string
	}{
		{"the one host, ports aside", "web", "", []string{"https://shop.example/a", "https://shop.example:8443/b"}, "shop.example"},
		{"the sector URI decides", "web", "https://group.example:8443/s.json", []string{"https://a.example/", "https://b.example/"}, "group.example"},
		{"a web client on loopback", "web", "", []string{"http://127.0.0.1:9001/cb"}, "127.0.0.1"},
		{"an app's own scheme", "native", "", []string{"jp.example.app:/cb", "http://127.0.0.1/cb"}, "jp.example.app:"},
		{"an app's web address", "native", "", []string{"https://app.example/cb", "http://[::1]/cb", "http://localhost/cb"}, "app.example"},
		{"an app on loopback alone shares nothing", "native", "", []string{"http://127.0.0.1/cb", "http://[::1]/cb"}, "native:shop"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, problems := Rules{}.Client(shop(func(m *Metadata) {
				m.ApplicationType, m.SectorIdentifierURI, m.RedirectURIs = tc.kind, tc.sectorURI, tc.uris
			}), now)
			if len(problems) > 0 || c.Sector != tc.want {
				t.Errorf("%q %v", c.Sector, problems)
			}
		})
	}
}

// Whatever the metadata: a record comes out only without problems, and then keeps the promises of its type.
func TestAcceptedClientsKeepTheRules(t *testing.T) {
	uri := rapid.SampledFrom([]string{"https://a.example/cb", "https://b.example/cb", "http://127.0.0.1/cb", "http://localhost/cb", "jp.example.app:/cb", "http://a.example/", "*", ""})
	rapid.Check(t, func(t *rapid.T) {
		m := Metadata{
			ClientID:        rapid.SampledFrom([]string{"", "a", "a b"}).Draw(t, "id"),
			ClientSecret:    Secret(rapid.SampledFrom([]string{"", "short", secret}).Draw(t, "secret")),
			AuthMethod:      rapid.SampledFrom([]string{"", AuthBasic, AuthPost, AuthNone, "private_key_jwt"}).Draw(t, "method"),
			RedirectURIs:    rapid.SliceOfN(uri, 0, 3).Draw(t, "uris"),
			ApplicationType: rapid.SampledFrom([]string{"", "web", "native"}).Draw(t, "type"),
			Scope:           rapid.SampledFrom([]string{"", "openid", "openid name", "name"}).Draw(t, "scope"),
		}
		rules := Rules{AllowLoopbackHTTP: rapid.Bool().Draw(t, "loopback"), AllowShortSecrets: rapid.Bool().Draw(t, "short")}
		c, problems := rules.Client(m, now)
		if len(problems) > 0 {
			if c.ID != "" {
				t.Fatal("a client beside problems")
			}
			return
		}
		if c.ID == "" || c.Name == "" || c.Sector == "" || len(c.RedirectURIs) == 0 || c.Scopes[0] != "openid" {
			t.Fatalf("%+v", c)
		}
		if public := c.AuthMethod == AuthNone; public != (len(c.SecretHashes) == 0) || CheckSecret(c, string(m.ClientSecret)) == public {
			t.Fatalf("secrets of %+v", c)
		}
	})
}

func TestProblemsAndMetadataDoNotShowTheSecret(t *testing.T) {
	m := shop(func(m *Metadata) { m.ClientSecret = "hush hush" })
	_, problems := Rules{}.Client(m, now)
	text := fmt.Sprintf("%v %+v %#v %s %q %x", m, m, m, m.ClientSecret, m.ClientSecret, m.ClientSecret) + fmt.Sprint(problems) + m.ClientSecret.LogValue().String()
	if strings.Contains(text, "hush") || strings.Contains(text, fmt.Sprintf("%x", "hush")) || len(problems) != 1 {
		t.Error(text)
	}
}
