package clients

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"tegata/storage"
)

func TestWhichChangesNeedAnOperator(t *testing.T) {
	base := storage.Client{
		ID: "shop", Name: "Shop", RedirectURIs: []string{"https://a.example/1", "https://a.example/2"}, Scopes: []string{"openid", "name"},
		AuthMethod: AuthBasic, IDTokenAlg: "ES256", Sector: "a.example", Purpose: "to sell", RequirePAR: true,
		Keys: storage.ClientKeys{JWKSURI: "https://a.example/keys", RequestAlg: "ES256"},
	}
	for _, tc := range []struct {
		name   string
		change func(c *storage.Client)
		want   []string
	}{
		{"nothing", func(*storage.Client) {}, nil},
		{"a redirect URI given up", func(c *storage.Client) { c.RedirectURIs = c.RedirectURIs[:1] }, nil},
		{"the order of redirect URIs", func(c *storage.Client) { slices.Reverse(c.RedirectURIs) }, nil},
		{"one more redirect URI", func(c *storage.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://a.example/3") }, []string{"redirect_uris"}},
		{"one for another", func(c *storage.Client) { c.RedirectURIs[0] = "https://a.example/3" }, []string{"redirect_uris"}},
		{"an address after logout", func(c *storage.Client) { c.PostLogoutRedirectURIs = []string{"https://a.example/"} }, []string{"post_logout_redirect_uris"}},
		{"a scope given up", func(c *storage.Client) { c.Scopes = []string{"openid"} }, nil},
		{"one more scope", func(c *storage.Client) { c.Scopes = append(c.Scopes, "address") }, []string{"scopes"}},
		{"another name", func(c *storage.Client) { c.Name = "Bank" }, []string{"client_name"}},
		{"another purpose, and less", func(c *storage.Client) { c.Purpose, c.Scopes = "to sell more", []string{"openid"} }, []string{"purpose"}},
		{"other keys", func(c *storage.Client) { c.Keys.JWKSURI = "https://b.example/keys" }, []string{"keys"}},
		{"one algorithm where any was good", func(c *storage.Client) { c.Keys.AssertionAlg = "PS256" }, nil},
		{"any algorithm where one was good", func(c *storage.Client) { c.Keys.RequestAlg = "" }, []string{"keys"}},
		{"another algorithm of ours", func(c *storage.Client) { c.IDTokenAlg, c.Keys.ResponseAlg = "RS256", "RS256" }, nil},
		{"another secret", func(c *storage.Client) { c.SecretHashes = [][]byte{{1}} }, nil},
		{"protections turned on", func(c *storage.Client) { c.DPoPBound, c.RequireSignedRequest, c.TLS.Bound = true, true, true }, nil},
		{"a protection turned off", func(c *storage.Client) { c.RequirePAR = false }, []string{"require_pushed_authorization_requests"}},
		{"no authentication", func(c *storage.Client) { c.AuthMethod = AuthNone }, []string{"token_endpoint_auth_method"}},
		{"another sector", func(c *storage.Client) { c.Sector = "b.example" }, []string{"sector"}},
		{"what is not the client's to say", func(c *storage.Client) {
			c.UpdatedAt, c.Registration = time.Unix(1, 0), storage.Registered{By: "x"}
		}, nil},
	} {
		next := base
		next.RedirectURIs, next.Scopes = slices.Clone(base.RedirectURIs), slices.Clone(base.Scopes)
		tc.change(&next)
		if got := Widened(base, next); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// A member of tomorrow that nobody thinks of here asks for approval.
func TestEveryOtherMemberNeedsAnOperator(t *testing.T) {
	free := []string{"SecretHashes", "Registration", "Disabled", "CreatedAt", "UpdatedAt", "IDTokenAlg", "RequirePAR", "RequireSignedRequest", "DPoPBound"}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[storage.Client]()) {
		var next storage.Client
		v := reflect.ValueOf(&next).Elem().FieldByIndex(f.Index)
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		default:
			continue // structs are looked at above
		}
		if asks := len(Widened(storage.Client{}, next)) > 0; asks == slices.Contains(free, f.Name) {
			t.Errorf("%s: needs approval %v", f.Name, asks)
		}
	}
}
