package register_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

func shop() map[string]any {
	return map[string]any{
		"redirect_uris": []string{"https://shop.example/cb", "https://shop.example/cb2"}, "client_name": "Shop", "client_name#ja": "shop",
		"scope": "openid age_over_18 name", "purpose": "To sell.", "post_logout_redirect_uris": []string{"https://shop.example/"},
		"contacts": []string{"dev@shop.example"}, "logo_uri": "https://shop.example/logo.png", "policy_uri": "https://shop.example/policy",
		"tos_uri": "https://shop.example/terms", "tos_uri#ja": "https://shop.example/ja/terms", "client_name#en-GB": "The Shop", "client_uri": "https://shop.example/",
		"software_id": "till", "software_version": "4.1", "invented_by_somebody": 1, "invented#ja": "x", "client_name#": "x",
	}
}

// rp is the relying party behind a registration.
func (w town) rp(a answer) *idptest.RP {
	w.T.Helper()
	m := clients.Metadata{
		ClientID: a.text("client_id"), ClientSecret: clients.Secret(a.text("client_secret")), AuthMethod: a.text("token_endpoint_auth_method"),
		Scope: a.text("scope"), RedirectURIs: []string{"https://shop.example/cb"},
	}
	c, err := w.Site.Store.Client(w.T.Context(), m.ClientID)
	if err != nil {
		w.T.Fatal(err)
	}
	rp := w.Register(m) // makes the relying party's side, and a client of its own idea, which is undone
	if err := w.Site.Store.PutClient(w.T.Context(), c); err != nil {
		w.T.Fatal(err)
	}
	return rp
}

func TestAClientRegistersItselfAndWaitsForApproval(t *testing.T) {
	w := open(t, false)
	token := w.invite(1)
	made := w.call("POST", "/register", token, shop())
	if made.Status != http.StatusCreated || made.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	for name, want := range map[string]any{
		"client_name": "Shop", "client_name#ja": "shop", "scope": "openid name age_over_18", "purpose": "To sell.", "token_endpoint_auth_method": "client_secret_basic",
		"id_token_signed_response_alg": "ES256", "subject_type": "pairwise", "application_type": "web", "client_secret_expires_at": float64(0),
		"client_id_issued_at": float64(w.Town.Clock.Now().Unix()), "tegata_approved": false, "registration_client_uri": w.Issuer + "/register/" + made.text("client_id"),
	} {
		got := made.Members[name]
		if got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]string{"grant_types": "authorization_code", "response_types": "code", "redirect_uris": "https://shop.example/cb", "post_logout_redirect_uris": "https://shop.example/"} {
		if list, ok := made.Members[name].([]any); !ok || list[0] != want {
			t.Errorf("%s is %v", name, made.Members[name])
		}
	}
	for _, name := range []string{"client_id", "client_secret", "registration_access_token"} {
		if len(made.text(name)) < 20 {
			t.Errorf("%s is %q", name, made.text(name))
		}
	}
	about := func(a answer) {
		t.Helper()
		sent := shop()
		for _, name := range []string{"logo_uri", "policy_uri", "tos_uri", "tos_uri#ja", "client_name#en-GB", "client_uri", "software_id", "software_version"} {
			if a.Members[name] != sent[name] {
				t.Errorf("%s was %v and is %v", name, sent[name], a.Members[name])
			}
		}
		if list, ok := a.Members["contacts"].([]any); !ok || len(list) != 1 || list[0] != "dev@shop.example" {
			t.Errorf("contacts are %v", a.Members["contacts"])
		}
		for _, name := range []string{"invented_by_somebody", "invented#ja", "client_name#"} {
			if a.Members[name] != nil {
				t.Errorf("%s means nothing here, is not kept, and is echoed", name)
			}
		}
	}
	about(made)

	shop := w.rp(made)
	b, r := w.NewBrowser(), shop.Request()
	if p := b.Get(r.URL()); p.Code != "client_inactive" || p.Away != nil {
		t.Errorf("before approval: %d %s, away %v", p.Status, p.Code, p.Away)
	}
	for _, path := range []string{"/par", "/oauth/token"} {
		if got := shop.Back(path, url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}, nil); got.Error != "unauthorized_client" || !strings.Contains(got.Description, "approval") {
			t.Errorf("%s before approval: %d %s", path, got.Status, got.Body)
		}
		thief := *shop
		thief.ClientSecret = clients.Secret(strings.Repeat("x", 43))
		if got := thief.Back(path, url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}, nil); got.Error != "invalid_client" {
			t.Errorf("%s, to somebody without the secret: %d %s", path, got.Status, got.Body)
		}
	}
	w.approve(shop.ClientID)
	tokens := shop.Exchange(w.Login(b, r, "taro").Get("code"), r)
	shop.Claims(tokens, r)

	read := w.call("GET", made.text("registration_client_uri"), made.text("registration_access_token"), nil)
	if read.Status != 200 || read.text("client_name") != "Shop" || read.Members["tegata_approved"] != true || read.Members["client_secret"] != nil ||
		read.text("registration_access_token") != made.text("registration_access_token") {
		t.Errorf("reading: %d %s", read.Status, read.Body)
	}
	about(read)
	if gone := w.call("DELETE", made.text("registration_client_uri"), made.text("registration_access_token"), nil); gone.Status != http.StatusNoContent || gone.Body != "" {
		t.Errorf("deleting: %d %s", gone.Status, gone.Body)
	}
	if got := shop.UserInfo(tokens.AccessToken); got.Status != http.StatusUnauthorized {
		t.Errorf("a token outlives its client: %d", got.Status)
	}
	w.Town.Clock.Advance(time.Second)
	if p := b.Get(shop.Request().URL()); p.Code != "client_unknown" {
		t.Errorf("after its end: %s", p.Code)
	}
	if got := w.call("GET", made.text("registration_client_uri"), made.text("registration_access_token"), nil); got.Status != http.StatusUnauthorized {
		t.Errorf("reading after the end: %d", got.Status)
	}
	if log := w.Log.String(); strings.Contains(log, made.text("registration_access_token")) || strings.Contains(log, made.text("client_secret")) || strings.Contains(log, token) {
		t.Error("a secret is in the log")
	}
}

func TestWhoMayRegister(t *testing.T) {
	w := open(t, true)
	spent, late, good := w.invite(1), w.invite(1), w.invite(50)
	if made := w.call("POST", "/register", spent, shop()); made.Status != http.StatusCreated || made.Members["tegata_approved"] != true {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	for name, token := range map[string]string{"no token": "", "no token of ours": strings.Repeat("A", 43), "nonsense": "x", "a spent one": spent} {
		got := w.call("POST", "/register", token, shop())
		challenge := got.Header.Get("WWW-Authenticate")
		if got.Status != http.StatusUnauthorized || !strings.HasPrefix(challenge, "Bearer ") {
			t.Errorf("%s: %d %s %s", name, got.Status, challenge, got.Body)
		}
	}
	if got := w.call("POST", "/register?access_token="+good, "", shop()); got.Status != http.StatusUnauthorized {
		t.Errorf("a token in the query: %d", got.Status)
	}
	w.Town.Clock.Advance(time.Hour)
	if got := w.call("POST", "/register", late, shop()); got.Error != "invalid_token" {
		t.Errorf("a token past its time: %d %s", got.Status, got.Body)
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
		if got := w.call(method, "/register", good, nil); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, got.Status, got.Header)
		}
	}
}

func TestRacingRegistrationsHaveNoMoreThanTheUses(t *testing.T) {
	w := open(t, true)
	token := w.invite(3)
	made := make(chan int, 10)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { made <- w.call("POST", "/register", token, shop()).Status })
	}
	all.Wait()
	close(made)
	count := map[int]int{}
	for status := range made {
		count[status]++
	}
	if count[http.StatusCreated] != 3 || count[http.StatusUnauthorized] != 7 {
		t.Errorf("%v", count)
	}
}

func TestWhatCannotBeRegistered(t *testing.T) {
	w := open(t, true)
	token := w.invite(1)
	with := func(name string, value any) map[string]any {
		m := shop()
		m[name] = value
		return m
	}
	const header, payload = "eyJhbGciOiJFUzI1NiJ9", "eyJpc3MiOiJ4In0"
	for _, tc := range []struct {
		name string
		body any
		word string
		says []string
	}{
		{"a plain http redirect", with("redirect_uris", []string{"http://shop.example/cb"}), "invalid_redirect_uri", []string{"redirect_uris[0]", "https"}},
		{"two bad redirects, both named", with("redirect_uris", []string{"https://*.example/cb", "https://shop.example/cb#x"}), "invalid_redirect_uri", []string{"redirect_uris[0]", "redirect_uris[1]"}},
		{"no redirect", map[string]any{"client_name": "x"}, "invalid_redirect_uri", []string{"redirect_uris"}},
		{"all that is wrong at once", map[string]any{"redirect_uris": []string{"x"}, "scope": "everything", "subject_type": "public"}, "invalid_client_metadata", []string{"redirect_uris[0]", "scope", "subject_type"}},
		{"PKCE left out", with("require_pkce", false), "invalid_client_metadata", []string{"require_pkce"}},
		{"a client_id of its own", with("client_id", "mine"), "invalid_client_metadata", []string{"client_id"}},
		{"a secret of its own", with("client_secret", strings.Repeat("s", 40)), "invalid_client_metadata", []string{"client_secret"}},
		{"a member that is ours", with("registration_access_token", "x"), "invalid_request", []string{"registration_access_token"}},
		{"another type", with("client_name", 7), "invalid_client_metadata", []string{"client_name: must be a string"}},
		{"keys without keys", with("token_endpoint_auth_method", "private_key_jwt"), "invalid_client_metadata", []string{"jwks"}},
		{"several hosts", with("redirect_uris", []string{"https://a.example/cb", "https://b.example/cb"}), "invalid_client_metadata", []string{"sector_identifier_uri"}},
		{"a sector on this machine", with("sector_identifier_uri", "https://127.0.0.1:1/x"), "invalid_client_metadata", []string{"sector_identifier_uri"}},
		{"a software statement", with("software_statement", header+"."+payload+".c2ln"), "unapproved_software_statement", []string{"leave software_statement out"}},
		{"an unsigned software statement", with("software_statement", header+"."+payload+"."), "invalid_software_statement", []string{"signed"}},
		{"a software statement that is none", with("software_statement", 1), "invalid_software_statement", []string{"signed"}},
		{"a software statement of nonsense", with("software_statement", "a.b.c"), "invalid_software_statement", []string{"signed"}},
		{"a list", []string{"x"}, "invalid_client_metadata", []string{"one JSON object"}},
		{"null", "null", "invalid_client_metadata", []string{"one JSON object"}},
		{"half an object", `{"client_name":`, "invalid_client_metadata", []string{"one JSON object"}},
		{"a member twice", `{"client_name":"a","client_name":"b"}`, "invalid_client_metadata", []string{"twice"}},
		{"too much", with("client_name", strings.Repeat("x", 200<<10)), "invalid_client_metadata", []string{"128 KiB"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := w.call("POST", "/register", token, tc.body)
			if got.Status != http.StatusBadRequest || got.Error != tc.word {
				t.Errorf("%d %s", got.Status, got.Body)
			}
			for _, part := range tc.says {
				if !strings.Contains(got.Description, part) {
					t.Errorf("%q does not say %q", got.Description, part)
				}
			}
			if strings.ContainsAny(got.Description, `"\`) {
				t.Errorf("%q has characters that RFC 6749 does not allow", got.Description)
			}
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+"/register", strings.NewReader(`redirect_uris=x`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := idptest.Do(t, r); got.Error != "invalid_client_metadata" || !strings.Contains(got.Description, "application/json") {
		t.Errorf("a form: %d %s", got.Status, got.Body)
	}
	if got := w.call("POST", "/register", token, shop()); got.Status != http.StatusCreated {
		t.Errorf("what was refused has used the token up: %d %s", got.Status, got.Body)
	}
}

func TestARegistrationIsChangedByItsToken(t *testing.T) {
	w := open(t, false)
	made := w.call("POST", "/register", w.invite(1), shop())
	id, at, first := made.text("client_id"), made.text("registration_client_uri"), made.text("registration_access_token")
	w.approve(id)
	change := func(token string, changes map[string]any) answer {
		m := shop()
		m["client_id"] = id
		for name, value := range changes {
			m[name] = value
		}
		return w.call("PUT", at, token, m)
	}
	other := w.call("POST", "/register", w.invite(1), shop())
	for name, token := range map[string]string{"nobody's": strings.Repeat("A", 43), "none": "", "another client's": other.text("registration_access_token")} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if got := w.call(method, at, token, nil); got.Status != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s with the token %s: %d %s", method, name, got.Status, got.Body)
			}
		}
	}
	if got := w.call("GET", "/register/nobody", first, nil); got.Status != http.StatusUnauthorized {
		t.Errorf("a client that is not there: %d", got.Status)
	}
	for name, bad := range map[string]map[string]any{
		"another's id": {"client_id": "x"}, "another secret": {"client_secret": strings.Repeat("s", 40)}, "our own members": {"client_id_issued_at": 1},
		"bad metadata": {"scope": "everything"},
	} {
		if got := change(first, bad); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	less := change(first, map[string]any{"redirect_uris": []string{"https://shop.example/cb"}, "scope": "openid age_over_18", "client_secret": made.text("client_secret")})
	if less.Status != 200 || less.Members["tegata_approved"] != true || less.text("scope") != "openid age_over_18" || less.Members["client_secret"] != nil {
		t.Fatalf("less than before: %d %s", less.Status, less.Body)
	}
	second := less.text("registration_access_token")
	if got := w.call("GET", at, first, nil); got.Status != http.StatusUnauthorized || second == first {
		t.Errorf("the token before the change: %d", got.Status)
	}
	if p := w.NewBrowser().Get(w.rp(made).Request("scope=openid").URL()); p.Code != "" {
		t.Errorf("the approved client after a change to less: %s", p.Code)
	}
	more := change(second, nil) // the second redirect URI and the name again
	if more.Status != 200 || more.Members["tegata_approved"] != false {
		t.Fatalf("more than was approved: %d %s", more.Status, more.Body)
	}
	w.Town.Clock.Advance(time.Second)
	if p := w.NewBrowser().Get(w.rp(made).Request().URL()); p.Code != "client_inactive" {
		t.Errorf("after a change to more: %s", p.Code)
	}
	public := change(more.text("registration_access_token"), map[string]any{"token_endpoint_auth_method": "none"})
	if public.Status != 200 || public.Members["client_secret_expires_at"] != nil {
		t.Errorf("without a secret: %d %s", public.Status, public.Body)
	}
	again := change(public.text("registration_access_token"), nil)
	if again.Status != 200 || len(again.text("client_secret")) < 40 || again.text("client_secret") == made.text("client_secret") {
		t.Errorf("with a secret again: %d %s", again.Status, again.Body)
	}
	if err := w.Site.Store.DisableClient(t.Context(), id, true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := change(again.text("registration_access_token"), nil); got.Status != http.StatusForbidden {
		t.Errorf("a disabled client: %d %s", got.Status, got.Body)
	}
}

func TestKeysThatTheOperatorReplacedAreToldAsTheyAre(t *testing.T) {
	w := open(t, true)
	_, mine := w.NewKey("mine")
	_, new := w.NewKey("new")
	m := shop()
	m["token_endpoint_auth_method"], m["jwks"] = "private_key_jwt", mine
	made := w.call("POST", "/register", w.invite(1), m)
	if made.Status != http.StatusCreated || !strings.Contains(made.Body, `"mine"`) || made.Members["client_secret"] != nil {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	c, err := w.Site.Store.Client(t.Context(), made.text("client_id"))
	if err != nil {
		t.Fatal(err)
	}
	next, problems := clients.ReplaceKeys(c, new, w.Town.Clock.Now())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if err := w.Site.Store.PutClient(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	read := w.call("GET", made.text("registration_client_uri"), made.text("registration_access_token"), nil)
	if read.Status != 200 || !strings.Contains(read.Body, `"new"`) || strings.Contains(read.Body, `"mine"`) {
		t.Errorf("%d %s", read.Status, read.Body)
	}
}
