package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"tegata/claims"
	"tegata/storage"
)

const file = `[
  {"client_id": "shop", "client_secret": "` + secret + `", "client_name": "Shop", "client_name#ja": "店", "redirect_uris": ["https://shop.example/cb"],
   "purpose#ja": "年齢の確認", "contacts": ["ops@shop.example"], "logo_uri": "https://shop.example/l.png", "software_id": "x",
   "request_object_encryption_alg": false, "jwks": {"keys": []}, "client_name#en": "Shop", "Client_Secret": "x"},
  {"client_id": "app", "token_endpoint_auth_method": "none", "application_type": "native", "redirect_uris": ["http://127.0.0.1/cb"], "scope": "openid name",
   "request_object_encryption_alg": true, "request_object_encryption_enc": "A256GCM", "software_version": null}
]`

func TestParseFile(t *testing.T) {
	list, err := ParseFile([]byte(file))
	if err != nil || len(list) != 2 {
		t.Fatal(err, len(list))
	}
	want := Metadata{
		ClientID: "shop", ClientSecret: secret, ClientName: "Shop", ClientNameJa: "店", RedirectURIs: []string{"https://shop.example/cb"},
		PurposeJa: "年齢の確認", JWKS: json.RawMessage(`{"keys": []}`), Unknown: []string{"Client_Secret"},
		Contacts: []string{"ops@shop.example"}, LogoURI: "https://shop.example/l.png", SoftwareID: "x", Localized: map[string]string{"client_name#en": "Shop"},
	}
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf("shop: %+v", list[0])
	}
	if got := list[1].Unsupported; !slices.Equal(got, []string{"request_object_encryption_alg", "request_object_encryption_enc"}) || list[1].Unknown != nil {
		t.Errorf("app: %v %v", got, list[1].Unknown)
	}
	if list, err := ParseFile([]byte("[]")); err != nil || len(list) != 0 {
		t.Error("an empty file is no mistake:", err)
	}
}

func TestParseFileNamesEachMistake(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", ``, `must be a JSON array`},
		{"null", `null`, `must be a JSON array`},
		{"an object", `{"client_id":"a"}`, `must be a JSON array`},
		{"cut off", `[{"client_id":"a"`, `not JSON at byte 17`},
		{"two arrays", `[][]`, `not JSON at byte 3`},
		{"an entry that is no object", `[{}, "a"]`, `clients[1]: must be a JSON object`},
		{"an entry that is null", `[null]`, `clients[0]: must be a JSON object`},
		{"a number for a name", `[{"client_name": 5}]`, `clients[0]: client_name: must be a string`},
		{"a number for a secret", `[{"client_secret": 5}]`, `clients[0]: client_secret: must be a string`},
		{"a string for a list", `[{}, {"redirect_uris": "https://a.example"}]`, `clients[1]: redirect_uris: must be an array of strings`},
		{"a list with a number", `[{"redirect_uris": [1]}]`, `clients[0]: redirect_uris: must be an array of strings`},
		{"one id twice", `[{"client_id":"a"},{},{"client_id":"a"}]`, `clients[2]: client_id: the same as in clients[0]`},
		{"two mistakes", `[{"scope":[]},{"client_id":1}]`, "clients[0]: scope: must be a string\nclients[1]: client_id: must be a string"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, err := ParseFile([]byte(tc.in))
			if err == nil || !strings.Contains(err.Error(), tc.want) || list != nil {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}

func FuzzParseFile(f *testing.F) {
	for _, s := range []string{file, `[]`, `[null]`, `[{"redirect_uris":["*"]}]`, `{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseFile(b)
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Error("the error shows a secret")
			}
			return
		}
		for _, m := range list {
			again, err := json.Marshal([]Metadata{m})
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParseFile(again)
			if err != nil {
				t.Fatal(err)
			}
			m.Unknown, m.Unsupported = nil, nil
			if c, problems := (Rules{}).Client(m, now); len(problems) == 0 {
				if same, _ := (Rules{}).Client(back[0], now); !reflect.DeepEqual(c, same) {
					t.Errorf("%s makes another client", again)
				}
				for _, uri := range c.RedirectURIs {
					if !MatchRedirect(c, uri) {
						t.Errorf("%q is registered and does not match", uri)
					}
				}
			}
		}
	})
}

func TestSecrets(t *testing.T) {
	one, hash, err := NewSecret(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil || len(one) != 43 || !bytes.Equal(hash, HashSecret(one)) || len(hash) != 32 {
		t.Fatal(one, err)
	}
	two, _, err := NewSecret(bytes.NewReader(bytes.Repeat([]byte{8}, 32)))
	if err != nil || one == two {
		t.Fatal("the random source makes no difference", err)
	}
	for _, tc := range []struct {
		name   string
		client storage.Client
		secret string
		want   bool
	}{
		{"the secret", storage.Client{AuthMethod: AuthBasic, SecretHashes: [][]byte{HashSecret(one)}}, one, true},
		{"the older of two", storage.Client{AuthMethod: AuthPost, SecretHashes: [][]byte{HashSecret(one), HashSecret(two)}}, one, true},
		{"the newer of two", storage.Client{AuthMethod: AuthPost, SecretHashes: [][]byte{HashSecret(one), HashSecret(two)}}, two, true},
		{"one hash twice", storage.Client{AuthMethod: AuthBasic, SecretHashes: [][]byte{HashSecret(one), HashSecret(one)}}, one, true},
		{"another secret", storage.Client{AuthMethod: AuthBasic, SecretHashes: [][]byte{HashSecret(one)}}, two, false},
		{"nothing", storage.Client{AuthMethod: AuthBasic, SecretHashes: [][]byte{HashSecret(one)}}, "", false},
		{"the hash itself", storage.Client{AuthMethod: AuthBasic, SecretHashes: [][]byte{HashSecret(one)}}, string(HashSecret(one)), false},
		{"half a hash", storage.Client{AuthMethod: AuthBasic, SecretHashes: [][]byte{HashSecret(one)[:16]}}, one, false},
		{"no hash", storage.Client{AuthMethod: AuthBasic}, "", false},
		{"a public client with a hash left over", storage.Client{AuthMethod: AuthNone, SecretHashes: [][]byte{HashSecret(one)}}, one, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := CheckSecret(tc.client, tc.secret); got != tc.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestNewSecretFailsWithItsRandomSource(t *testing.T) {
	broken := errors.New("broken")
	if s, hash, err := NewSecret(iotest.ErrReader(broken)); !errors.Is(err, broken) || s != "" || hash != nil {
		t.Error(s, hash, err)
	}
	if _, _, err := NewSecret(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("31 bytes are enough")
	}
}

func TestAllowedScopes(t *testing.T) {
	c := storage.Client{Scopes: []string{"openid", "age_over_18"}}
	granted, refused := AllowedScopes(c, []string{"age_over_18", "name", "openid", "name", "age_over_18", "OPENID", ""})
	if !slices.Equal(granted, []string{"age_over_18", "openid"}) || !slices.Equal(refused, []string{"name", "OPENID", ""}) {
		t.Errorf("%v %v", granted, refused)
	}
	if granted, _ := AllowedScopes(storage.Client{}, []string{"openid"}); granted != nil {
		t.Error("a client without scopes may ask for openid")
	}
	every := []string{"age_over_18", "age_over_20"}
	for _, item := range claims.Catalogue() {
		granted, _ := AllowedScopes(storage.Client{Scopes: []string{"openid"}}, []string{item.Scope()})
		if open := slices.Contains(every, item.Scope()); open != (len(granted) == 1) {
			t.Errorf("%s without registration: %v", item, granted)
		}
	}
}
