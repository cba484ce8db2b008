package clients

import (
	"strings"
	"testing"

	"tegata/claims"
	"tegata/storage"
)

const publicKey = `{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`

// fapiBank is a FAPI client with nothing to complain about, counter an age-only one.
func fapiBank(m *Metadata) {
	m.Profile, m.AuthMethod, m.ClientSecret, m.JWKS = ProfileFAPI2, AuthKey, "", []byte(publicKey)
}

// daaBank is a client as it stands at the Digital Authentication App.
func daaBank(m *Metadata) {
	fapiBank(m)
	m.Profile, m.ClientID, m.Scope = ProfileDAA, "RP00000001", "openid name"
}

func counter(m *Metadata) { m.Profile, m.Scope = ProfileAgeOnly, "openid age_over_20" }

// The rules of each profile, as a table: what may be said beside it, and what may not.
func TestProfiles(t *testing.T) {
	for _, tc := range []struct {
		name    string
		profile func(*Metadata)
		change  func(*Metadata)
		field   string // of the one problem; "" for none
	}{
		{"basic by its name", func(m *Metadata) { m.Profile = ProfileBasic }, nil, ""},
		{"one that nobody knows", func(m *Metadata) { m.Profile = "fapi1" }, nil, "profile"},
		{"basic that hears a no in so many words", func(m *Metadata) { m.Policy.TellsNo = true }, nil, "policy.tells_no"},

		{"fapi2", fapiBank, nil, ""},
		{"fapi2 with a secret", fapiBank, func(m *Metadata) { m.AuthMethod, m.ClientSecret = AuthBasic, secret }, "token_endpoint_auth_method"},
		{"fapi2 with a secret in the body", fapiBank, func(m *Metadata) { m.AuthMethod, m.ClientSecret = AuthPost, secret }, "token_endpoint_auth_method"},
		{"fapi2 in public", fapiBank, func(m *Metadata) { m.AuthMethod = AuthNone }, "token_endpoint_auth_method"},
		{"fapi2 with a certificate of its own", fapiBank, func(m *Metadata) { m.AuthMethod, m.TLSBound = AuthSelfSigned, true }, ""},
		{"fapi2 with a certificate of an authority", fapiBank, func(m *Metadata) { m.AuthMethod, m.TLSSANDNS = AuthTLS, "bank.example" }, ""},
		{"fapi2 with PS256", fapiBank, func(m *Metadata) { m.IDTokenAlg, m.RequestAlg, m.ResponseAlg = "PS256", "ES256", "ES256" }, ""},
		{"fapi2 with RS256 ID tokens", fapiBank, func(m *Metadata) { m.IDTokenAlg = "RS256" }, "id_token_signed_response_alg"},
		{"fapi2 with EdDSA requests", fapiBank, func(m *Metadata) { m.RequestAlg = "EdDSA" }, "request_object_signing_alg"},
		{"fapi2 with RS256 answers", fapiBank, func(m *Metadata) { m.ResponseAlg = "RS256" }, "authorization_signed_response_alg"},
		{"fapi2 that asks for ages", fapiBank, func(m *Metadata) { m.Scope = "openid age_over_18 age_over_65" }, ""},
		{"fapi2 that asks for a name in the clear", fapiBank, func(m *Metadata) { m.Scope = "openid name" }, "userinfo_encrypted_response_alg"},
		{"fapi2 that asks for a name under seal", fapiBank, func(m *Metadata) { m.Scope, m.UserInfoEncAlg = "openid name", "ECDH-ES" }, ""},
		{"fapi2 with RS256 userinfo", fapiBank, func(m *Metadata) { m.UserInfoAlg = "RS256" }, "userinfo_signed_response_alg"},

		{"daa-compatible", daaBank, nil, ""},
		{"daa-compatible with a secret", daaBank, func(m *Metadata) { m.AuthMethod, m.ClientSecret = AuthBasic, secret }, "token_endpoint_auth_method"},
		{"daa-compatible with a dash in its id", daaBank, func(m *Metadata) { m.ClientID = "rp-1" }, "client_id"},
		{"daa-compatible with a long address", daaBank, func(m *Metadata) { m.RedirectURIs = []string{"https://shop.example/" + strings.Repeat("a", 235)} }, "redirect_uris"},
		{"daa-compatible that asks for an age", daaBank, func(m *Metadata) { m.Scope = "openid age_over_65" }, "scope"},
		{"daa-compatible with RS256", daaBank, func(m *Metadata) { m.IDTokenAlg = "RS256" }, "id_token_signed_response_alg"},
		{"daa-compatible that knows nobody", daaBank, func(m *Metadata) { m.SubjectType = SubjectTransient }, "subject_type"},
		{"daa-compatible with DPoP", daaBank, func(m *Metadata) { m.DPoPBound = true }, "dpop_bound_access_tokens"},
		{"daa-compatible with bound tokens", daaBank, func(m *Metadata) { m.TLSBound = true }, "tls_client_certificate_bound_access_tokens"},

		{"age-only", counter, nil, ""},
		{"age-only by its policy", counter, func(m *Metadata) { m.Scope, m.Policy.Items = "", about("age_over_18") }, ""},
		{"age-only in public", counter, func(m *Metadata) { m.AuthMethod, m.ClientSecret = AuthNone, "" }, ""},
		{"age-only with a rarer age", counter, func(m *Metadata) { m.Scope = "openid age_over_65" }, ""},
		{"age-only that hears a no", counter, func(m *Metadata) { m.Policy.TellsNo = true }, ""},
		{"age-only that knows people again", counter, func(m *Metadata) { m.SubjectType = SubjectPairwise }, "subject_type"},
		{"age-only that does not say which", counter, func(m *Metadata) { m.Scope = "" }, "scope"},
		{"age-only without an age", counter, func(m *Metadata) { m.Scope = "openid" }, "scope"},
		{"age-only with two ages", counter, func(m *Metadata) { m.Scope = "openid age_over_18 age_over_20" }, "scope"},
		{"age-only with a name", counter, func(m *Metadata) { m.Scope = "openid name" }, "scope"},
		{"age-only with a name beside", counter, func(m *Metadata) { m.Scope = "openid age_over_20 name" }, "scope"},
		{"age-only with a prefecture beside", counter, func(m *Metadata) { m.Scope = "openid age_over_20 address_prefecture" }, "scope"},
		{"age-only that comes back", counter, func(m *Metadata) { m.GrantTypes = []string{"authorization_code", "refresh_token"} }, "grant_types"},
		{"age-only with room for two", counter, func(m *Metadata) { m.Policy.Predicates = 2 }, "policy.predicates_per_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, problems := Rules{}.Client(shop(func(m *Metadata) {
				if tc.profile(m); tc.change != nil {
					tc.change(m)
				}
			}), now)
			if tc.field == "" {
				if len(problems) > 0 || c.ID == "" {
					t.Error(problems)
				}
				return
			}
			if len(problems) == 0 || c.ID != "" {
				t.Fatal("it is accepted")
			}
			for _, p := range problems {
				if p.Field != tc.field || !strings.HasSuffix(p.Text, ".") {
					t.Errorf("%v, want it at %s", p, tc.field)
				}
			}
		})
	}
}

func TestWhatAProfileLeavesNoChoiceAbout(t *testing.T) {
	made := func(change func(*Metadata)) storage.Client {
		c, problems := Rules{}.Client(shop(change), now)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return c
	}
	if c := made(func(*Metadata) {}); c.RequirePAR || c.DPoPBound || c.Profile != "" || Transient(c) || OnlyYes(c) || StrictAudience(c) || StartedObjects(c) {
		t.Errorf("basic: %+v", c)
	}
	if c := made(fapiBank); !c.RequirePAR || !c.DPoPBound || c.TLS.Bound || c.IDTokenAlg != "ES256" || Transient(c) || !StrictAudience(c) || !StartedObjects(c) {
		t.Errorf("fapi2: %+v", c)
	}
	if c := made(func(m *Metadata) { fapiBank(m); m.TLSBound = true }); c.DPoPBound || !c.TLS.Bound {
		t.Errorf("fapi2 by certificate: %+v", c)
	}
	c := made(counter)
	if !c.RequirePAR || !Transient(c) || !OnlyYes(c) {
		t.Errorf("age-only: %+v", c)
	}
	if granted, refused := AllowedScopes(c, []string{"openid", "age_over_20", "age_over_18"}); len(granted) != 2 || len(refused) != 1 {
		t.Errorf("an age-only client may ask %v", granted)
	}
	for _, asked := range [][]claims.Item{nil, {"age_over_18"}, {"age_over_20", "age_over_18"}, {"name"}, {"age_over_20", "name"}} {
		if CheckRequest(c, asked) == nil {
			t.Errorf("an age-only client asks %v", asked)
		}
	}
	if err := CheckRequest(c, []claims.Item{"age_over_20"}); err != nil {
		t.Error(err)
	}
}

// Personal data stands in no ID token of a FAPI client in the clear, whatever key it has for userinfo.
func TestWhatMayStandInAnIDToken(t *testing.T) {
	made := func(change func(*Metadata)) storage.Client {
		c, problems := Rules{}.Client(shop(change), now)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return c
	}
	clear := made(func(m *Metadata) { fapiBank(m); m.Scope, m.UserInfoEncAlg = "openid name", "ECDH-ES" })
	sealed := made(func(m *Metadata) {
		fapiBank(m)
		m.Scope, m.UserInfoEncAlg, m.IDTokenEncAlg = "openid name", "ECDH-ES", "ECDH-ES"
	})
	plain := made(func(m *Metadata) { m.Scope = "openid name" })
	for _, item := range claims.Catalogue() {
		if InIDToken(clear, item) != item.Predicate() || !InIDToken(sealed, item) || !InIDToken(plain, item) {
			t.Errorf("%s: fapi2 %v, with a key %v, basic %v", item, InIDToken(clear, item), InIDToken(sealed, item), InIDToken(plain, item))
		}
	}
}

func TestAlgorithmsOfAClient(t *testing.T) {
	for _, tc := range []struct {
		profile, registered, alg string
		want                     bool
	}{
		{"", "", "RS256", true}, {"", "ES256", "ES256", true}, {"", "ES256", "RS256", false}, {ProfileFAPI2, "", "RS256", false},
		{ProfileFAPI2, "", "EdDSA", false}, {ProfileFAPI2, "", "ES256", true}, {ProfileFAPI2, "", "PS256", true}, {ProfileFAPI2, "PS256", "ES256", false},
	} {
		if got := AcceptsAlg(storage.Client{Profile: tc.profile}, tc.registered, tc.alg); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}
