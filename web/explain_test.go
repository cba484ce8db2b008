package web_test

import (
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tegata/idp/clients"
	"tegata/idp/developer"
	"tegata/idp/idptest"
	"tegata/storage"
)

// devLink is the link that the operator's command prints for a client.
func devLink(t *testing.T, w *idptest.World, client string) string {
	t.Helper()
	key, err := developer.KeyFrom([]byte(strings.Repeat("k", 32))) // the world's subject key
	if err != nil {
		t.Fatal(err)
	}
	return "/developer/" + key.Sign(developer.Link, client, w.Town.Clock.Now().Add(developer.LinkLife))
}

// misfit is a request that its client's registration does not allow.
type misfit struct {
	name     string
	client   clients.Metadata
	changes  []string
	code     string
	field    string // what was sent
	got      string
	member   string // what says what would have fitted
	fits     []string
	stored   func(*storage.Client) // what no registration of today lets in
	together func(*idptest.RP, idptest.Request) idptest.Request
}

func misfits() []misfit {
	spoiled := func(name, value string) func(*idptest.RP, idptest.Request) idptest.Request {
		return func(rp *idptest.RP, r idptest.Request) idptest.Request {
			if name == "kid" {
				rp.KeyID = value
			}
			r = rp.Object(r, func(claims map[string]any) {
				if name != "kid" && name != "" {
					claims[name] = value
				}
			})
			r.Params.Set("redirect_uri", rp.RedirectURIs[0]) // so that the error has an address
			return r
		}
	}
	unpushed := func(c *storage.Client) { c.RequirePAR = false } // which would be the first thing that is wrong
	signed := clients.Metadata{AuthMethod: clients.AuthKey}
	policy := storage.ClientPolicy{Items: map[string]storage.ItemPolicy{"name": {}, "birthdate": {}, "age_over_18": {}, "age_over_20": {}}, Predicates: 1}
	wide, agreed := "openid name birthdate address age_over_18 age_over_20", "openid name birthdate age_over_18 age_over_20"
	return []misfit{
		{name: "a scope that is not registered", changes: []string{"scope=openid name gender"}, code: "scope_invalid",
			field: "scope", got: "name gender", member: "scope", fits: []string{"openid", "age_over_18"}},
		{name: "no openid", changes: []string{"scope=age_over_18"}, code: "scope_invalid", field: "scope", got: "age_over_18", member: "scope", fits: []string{"openid"}},
		{name: "a claim that is not registered", changes: []string{`claims={"userinfo":{"birthdate":null}}`}, code: "scope_invalid",
			field: "claims", got: "claims.userinfo.birthdate", member: "scope", fits: []string{"openid"}},
		{name: "an item beyond the policy", client: clients.Metadata{Scope: wide}, stored: func(c *storage.Client) { c.Policy = policy }, changes: []string{"scope=openid address"}, code: "beyond_policy",
			field: "scope", got: "address", member: "policy.items", fits: []string{"age_over_18", "age_over_20", "birthdate", "name"}},
		{name: "an age beside the birthdate", client: clients.Metadata{Scope: agreed, Policy: policy}, changes: []string{"scope=openid birthdate age_over_18"}, code: "beyond_policy",
			field: "scope", got: "birthdate age_over_18", member: "policy.items", fits: []string{"birthdate", "age_over_18"}},
		{name: "two ages", client: clients.Metadata{Scope: agreed, Policy: policy}, changes: []string{"scope=openid age_over_18 age_over_20"}, code: "beyond_policy",
			field: "scope", got: "age_over_18 age_over_20", member: "policy.predicates_per_request", fits: []string{"1"}},
		{name: "no age, of who may ask for nothing else", client: clients.Metadata{Profile: clients.ProfileAgeOnly, SubjectType: clients.SubjectTransient}, stored: unpushed, changes: []string{"scope=openid"},
			code: "beyond_policy", field: "scope", got: "openid", member: "scope", fits: []string{"openid", "age_over_18"}},
		{name: "claims, of who may ask for one age", client: clients.Metadata{Profile: clients.ProfileAgeOnly, SubjectType: clients.SubjectTransient},
			stored: unpushed, changes: []string{`claims={"userinfo":{"age_over_18":null}}`}, code: "beyond_policy", field: "claims", got: `{"userinfo":{"age_over_18":null}}`, member: "profile", fits: []string{"age-only"}},
		{name: "personal data in an ID token that is not encrypted", client: clients.Metadata{Scope: wide}, stored: func(c *storage.Client) { c.Profile = clients.ProfileFAPI2 },
			changes: []string{`claims={"id_token":{"birthdate":null}}`}, code: "beyond_policy", field: "claims", got: "claims.id_token.birthdate",
			member: "id_token_encrypted_response_alg", fits: []string{"ECDH-ES", "RSA-OAEP-256"}},
		{name: "another response_type", changes: []string{"response_type=id_token"}, code: "response_type_unsupported",
			field: "response_type", got: "id_token", member: "response_types", fits: []string{"code"}},
		{name: "no PKCE", changes: []string{"code_challenge"}, code: "pkce_required", field: "code_challenge", member: "code_challenge_methods_supported", fits: []string{"S256"}},
		{name: "plain PKCE", changes: []string{"code_challenge_method=plain"}, code: "pkce_required",
			field: "code_challenge_method", got: "plain", member: "code_challenge_methods_supported", fits: []string{"S256"}},
		{name: "no PAR", client: clients.Metadata{RequirePAR: true}, code: "par_required", field: "request_uri", member: "require_pushed_authorization_requests", fits: []string{"true"}},
		{name: "a response_mode that nobody has", changes: []string{"response_mode=web_message"}, code: "request_invalid",
			field: "response_mode", got: "web_message", member: "response_modes_supported", fits: []string{"query", "form_post.jwt"}},
		{name: "a form for an app", client: clients.Metadata{ApplicationType: "native", RedirectURIs: []string{"com.example.app:/cb"}},
			changes: []string{"response_mode=form_post", "redirect_uri=com.example.app:/cb"}, code: "request_invalid",
			field: "response_mode", got: "form_post", member: "redirect_uris", fits: []string{"com.example.app:/cb"}},
		{name: "a prompt that nobody has", changes: []string{"prompt=create"}, code: "request_invalid", field: "prompt", got: "create", member: "prompt_values_supported", fits: []string{"login"}},
		{name: "an acr that no login here is worth", changes: []string{`claims={"id_token":{"acr":{"essential":true,"value":"loa4"}}}`}, code: "acr_not_met",
			field: "claims.id_token.acr", got: "loa4", member: "acr_values_supported", fits: []string{"aal3"}},
		{name: "a request object of another algorithm", client: clients.Metadata{AuthMethod: clients.AuthKey, RequestAlg: "PS256"}, together: spoiled("", ""), code: "request_object_invalid",
			field: "request.alg", got: "ES256", member: "request_object_signing_alg", fits: []string{"PS256"}},
		{name: "a request object of an unknown key", client: signed, together: spoiled("kid", "old"), code: "request_object_invalid",
			field: "request.kid", got: "old", member: "jwks", fits: []string{"k"}},
		{name: "a request object of another client", client: signed, together: spoiled("iss", "bank"), code: "request_object_invalid",
			field: "request.iss", got: "bank", member: "client_id"},
		{name: "a request object for somebody else", client: signed, together: spoiled("aud", "https://id.example"), code: "request_object_invalid",
			field: "request.aud", got: "https://id.example", member: "issuer"},
		{name: "no request object", client: clients.Metadata{AuthMethod: clients.AuthKey, RequireSignedRequest: true}, code: "request_invalid",
			field: "request", member: "require_signed_request_object", fits: []string{"true"}},
		{name: "nothing to encrypt to", client: clients.Metadata{AuthMethod: clients.AuthKey}, code: "encryption_key_missing",
			stored: func(c *storage.Client) {
				c.Keys.IDTokenSeal = storage.Encryption{Alg: "RSA-OAEP-256", Enc: "A256GCM"}
			},
			field: "jwks", got: "k ES256", member: "id_token_encrypted_response_alg", fits: []string{"RSA-OAEP-256"}},
	}
}

// TestWhatARegistrationForbidsIsExplainedToItsDeveloperAlone: the answer of everybody else is the same to the byte,
// whoever of them asks; and the developer can hand it on.
func TestWhatARegistrationForbidsIsExplainedToItsDeveloperAlone(t *testing.T) {
	w := open(t)
	w.Register(clients.Metadata{ClientID: "bank"})
	other, person := w.NewBrowser(), w.NewBrowser()
	other.Get(devLink(t, w, "bank"))
	for i, tc := range misfits() {
		t.Run(tc.name, func(t *testing.T) {
			tc.client.ClientID = "shop" + string(rune('a'+i))
			shop := w.Register(tc.client)
			if tc.stored != nil {
				store(t, w, shop.ClientID, tc.stored)
			}
			dev := w.NewBrowser()
			dev.Get(devLink(t, w, shop.ClientID))
			r := shop.Request(tc.changes...)
			if tc.together != nil {
				r = tc.together(shop, r)
			}
			others := person.Get(r.URL())
			if others.Away == nil || others.Away.Query().Get("error") == "" {
				t.Fatalf("a person gets %d %s, and goes to %v", others.Status, others.Code, others.Away)
			}
			if away := other.Get(r.URL()).Away; away == nil || away.String() != others.Away.String() {
				t.Errorf("another client's developer goes to %v", away)
			}
			p := dev.Get(r.URL())
			if p.Away != nil || p.Code != tc.code {
				t.Fatalf("its developer sees %d %q, and goes to %v", p.Status, p.Code, p.Away)
			}
			explained(t, p, tc)
			if onward := html.UnescapeString(between(p.Body, `id="onward" href="`, `"`)); onward != others.Away.String() {
				t.Errorf("the developer hands on %q, everybody else %q", onward, others.Away)
			}
			r.Params.Set("prompt", "none") // in a hidden frame nobody clicks
			if silent := dev.Get(r.URL()); tc.together == nil && tc.field != "prompt" && silent.Away == nil {
				t.Errorf("a request without a page gets one: %s", silent.Code)
			}
		})
	}
}

func store(t *testing.T, w *idptest.World, id string, change func(*storage.Client)) {
	t.Helper()
	c, err := w.Site.Store.Client(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	change(&c)
	if err := w.Site.Store.PutClient(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func explained(t *testing.T, p idptest.Page, tc misfit) {
	t.Helper()
	section := html.UnescapeString(between(p.Body, `id="explain"`, `</section>`))
	var fits []string
	for rest := section; strings.Contains(rest, `class="explain-fits">`); {
		_, rest, _ = strings.Cut(rest, `class="explain-fits">`)
		one, _, _ := strings.Cut(rest, "<")
		fits = append(fits, one)
	}
	for _, want := range tc.fits {
		if !slices.Contains(fits, want) {
			t.Errorf("it does not say that %s goes: %q", want, fits)
		}
	}
	if got := between(section, `id="explain-got">`, `<`); got != tc.got {
		t.Errorf("sent: %q, want %q", got, tc.got)
	}
	for _, code := range []string{tc.field, tc.member} {
		if !strings.Contains(section, `<p class="name"><code>`+code+"</code></p>") {
			t.Errorf("it does not name %s", code)
		}
	}
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// TestAnErrorThatTravelsInAFormWaitsToo: handing it on posts what everybody else's browser posts.
func TestAnErrorThatTravelsInAFormWaitsToo(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	dev := w.NewBrowser()
	dev.Get(devLink(t, w, "shop"))
	r := shop.Request("response_mode=form_post", "scope=openid gender")
	want := w.NewBrowser().Get(r.URL()).Form("/cb")
	p := dev.Get(r.URL())
	got := p.Form("/cb")
	if want.Action == "" || got.Action != want.Action || !slices.Equal(got.Fields, want.Fields) {
		t.Errorf("the developer posts %v to %q, everybody else %v to %q", got.Fields, got.Action, want.Fields, want.Action)
	}
	if policy := p.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://shop.example") {
		t.Errorf("the form may not be sent: %s", policy)
	}
}

// TestWhatIsToldWithoutAPage: at the back channel there is nobody to look, so who has proved to be the client is told.
func TestWhatIsToldWithoutAPage(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", AuthMethod: clients.AuthBasic, ClientSecret: clients.Secret(strings.Repeat("s", 40))})
	pub := w.Register(clients.Metadata{ClientID: "pub", AuthMethod: clients.AuthNone})
	push := func(rp *idptest.RP, change func(form url.Values, basic *[2]string), changes ...string) string {
		a := rp.PushWith(rp.Request(changes...), change)
		return a.Body
	}
	other := func(secret string) func(form url.Values, basic *[2]string) {
		return func(form url.Values, basic *[2]string) {
			*basic = [2]string{}
			form.Set("client_id", "shop")
			form.Set("client_secret", secret)
		}
	}
	same := func(url.Values, *[2]string) {}
	for name, tc := range map[string]struct {
		body  string
		tells string
		hides string
	}{
		"its own secret in another way": {push(shop, other(strings.Repeat("s", 40))), "token_endpoint_auth_method is client_secret_basic, and client_secret_post was used", ""},
		"a wrong secret in another way": {push(shop, other(strings.Repeat("t", 40))), `"invalid_client"`, "client_secret_basic"},
		"a scope beyond":                {push(shop, same, "scope=openid gender"), "scope_invalid: scope; sent: gender; scope: openid age_over_18", ""},
		"another redirect URI":          {push(shop, same, "redirect_uri=https://shop.example/x"), "sent: https://shop.example/x; redirect_uris: https://shop.example/", ""},
		"of a public client":            {push(pub, same, "scope=openid gender"), "scope_invalid: scope", "sent"},
	} {
		if !strings.Contains(tc.body, tc.tells) || tc.hides != "" && strings.Contains(tc.body, tc.hides) {
			t.Errorf("%s: %s", name, tc.body)
		}
	}
}
