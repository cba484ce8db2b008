package rp_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/cmd/demorp/rp"
)

// visit is one browser in front of the shop, and the provider behind it.
type visit struct {
	t       *testing.T
	op      *provider
	shop    *httptest.Server
	browser *http.Client
	now     time.Time
	log     strings.Builder
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	v := &visit{t: t, now: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)}
	v.op = newProvider(t, v.now)
	v.shop = httptest.NewUnstartedServer(nil)
	base := "http://" + v.shop.Listener.Addr().String()
	handler, err := rp.New(t.Context(), rp.Config{
		Issuer: v.op.URL, ClientID: "shop", ClientSecret: "secret", BaseURL: base,
		Now: func() time.Time { return v.now }, Log: slog.New(slog.NewTextHandler(&v.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	v.shop.Config.Handler = handler
	v.shop.Start()
	t.Cleanup(v.shop.Close)
	v.browser = newBrowser(t)
	return v
}

func newBrowser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get fetches a page of the shop in English and returns status, body and redirect target.
func (v *visit) get(path string) (int, string, *url.URL) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.shop.URL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visit) do(req *http.Request) (int, string, *url.URL) {
	v.t.Helper()
	if req.Header.Get("Accept-Language") == "" {
		req.Header.Set("Accept-Language", "en")
	}
	res, err := v.browser.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	target, _ := res.Location()
	return res.StatusCode, string(body), target
}

func (v *visit) origin() *url.URL {
	u, err := url.Parse(v.shop.URL)
	if err != nil {
		v.t.Fatal(err)
	}
	return u
}

func (v *visit) cookies() []*http.Cookie { return v.browser.Jar.Cookies(v.origin()) }

// start presses a button and returns the callback that an honest provider would answer with.
func (v *visit) start(ask string) url.Values {
	v.t.Helper()
	status, _, target := v.get("/login?ask=" + ask)
	if status != http.StatusSeeOther || target == nil {
		v.t.Fatalf("login answered %d", status)
	}
	v.op.mu.Lock()
	defer v.op.mu.Unlock()
	v.op.asked = target.Query()
	return url.Values{"state": {v.op.asked.Get("state")}, "iss": {v.op.URL}, "code": {"good-code"}}
}

func TestCallbackIsRefusedUnlessEverythingFits(t *testing.T) {
	for _, tc := range []struct {
		name string
		bend func(v *visit, answer url.Values)
		want string // code on the error page; "" means the customer is in
	}{
		{name: "the honest answer is taken", bend: func(*visit, url.Values) {}},
		{name: "a state that nobody made", bend: func(_ *visit, a url.Values) { a.Set("state", "made-up") }, want: "attempt_unknown"},
		{name: "no state", bend: func(_ *visit, a url.Values) { a.Del("state") }, want: "attempt_unknown"},
		{name: "a browser without cookies", bend: func(v *visit, _ url.Values) { v.browser = newBrowser(v.t) }, want: "cookie_missing"},
		{name: "another browser that started a login of its own", bend: func(v *visit, _ url.Values) {
			asked := v.op.asked
			v.browser = newBrowser(v.t)
			v.start("login")
			v.op.asked = asked
		}, want: "attempt_unknown"},
		{name: "an answer after ten minutes", bend: func(v *visit, _ url.Values) { v.now = v.now.Add(10 * time.Minute) }, want: "attempt_unknown"},
		{name: "an answer that was used before", bend: func(v *visit, a url.Values) { v.get("/callback?" + a.Encode()) }, want: "attempt_unknown"},
		{name: "another issuer", bend: func(_ *visit, a url.Values) { a.Set("iss", "https://evil.example") }, want: "issuer_mismatch"},
		{name: "no issuer", bend: func(_ *visit, a url.Values) { a.Del("iss") }, want: "issuer_mismatch"},
		{name: "an error from another issuer", bend: func(_ *visit, a url.Values) { a.Set("iss", "https://evil.example"); a.Set("error", "access_denied") }, want: "issuer_mismatch"},
		{name: "the person said no", bend: func(_ *visit, a url.Values) { a.Del("code"); a.Set("error", "access_denied") }, want: "access_denied"},
		{name: "the provider is busy", bend: func(_ *visit, a url.Values) { a.Set("error", "temporarily_unavailable") }, want: "temporarily_unavailable"},
		{name: "an error code without a sentence", bend: func(_ *visit, a url.Values) { a.Set("error", "<b>pay here</b>") }, want: "provider_error"},
		{name: "an error code that is the shop's own", bend: func(_ *visit, a url.Values) { a.Set("error", "token_invalid") }, want: "provider_error"},
		{name: "a code that the provider did not issue", bend: func(_ *visit, a url.Values) { a.Set("code", "stolen") }, want: "exchange_failed"},
		{name: "a token without the nonce", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"nonce": nil} }, want: "nonce_mismatch"},
		{name: "a token of another login", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"nonce": "other"} }, want: "nonce_mismatch"},
		{name: "a token for another client", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"aud": "other"} }, want: "token_invalid"},
		{name: "a token for us and another client", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"aud": []string{"shop", "other"}} }, want: "token_invalid"},
		{name: "a token of another issuer", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"iss": "https://evil.example"} }, want: "token_invalid"},
		{name: "a token about nobody", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"sub": nil} }, want: "token_invalid"},
		{name: "a token with the hash of another access token", bend: func(v *visit, _ url.Values) { v.op.claims = map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"} }, want: "token_invalid"},
		{name: "an expired token, by the shop's own clock", bend: func(v *visit, _ url.Values) { v.now = v.now.Add(2 * time.Minute) }, want: "token_invalid"},
		{name: "a good signature by an algorithm we did not agree on", bend: func(v *visit, _ url.Values) { v.op.alg = jose.RS256 }, want: "token_invalid"},
		{name: "userinfo about somebody else", bend: func(v *visit, _ url.Values) { v.op.info = map[string]any{"sub": "neighbour"} }, want: "subject_mismatch"},
		{name: "userinfo about nobody", bend: func(v *visit, _ url.Values) { v.op.info = map[string]any{"sub": nil} }, want: "subject_mismatch"},
		{name: "userinfo that does not answer", bend: func(v *visit, _ url.Values) { v.op.noInfo = true }, want: "userinfo_failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVisit(t)
			answer := v.start("age_over_18")
			tc.bend(v, answer)
			status, body, target := v.get("/callback?" + answer.Encode())
			if tc.want == "" {
				if status != http.StatusSeeOther || target.Path != "/result" {
					t.Fatalf("answered %d %s", status, body)
				}
				return
			}
			if status < 400 || !strings.Contains(body, `data-code="`+tc.want+`"`) {
				t.Fatalf("answered %d, want the page of %q: %s", status, tc.want, body)
			}
			if status, _, _ := v.get("/result"); tc.name != "an answer that was used before" && status != http.StatusSeeOther {
				t.Fatalf("a refused customer sees a result: %d", status)
			}
		})
	}
}

func TestARefusedAnswerNeverReachesTheTokenEndpoint(t *testing.T) {
	v := newVisit(t)
	answer := v.start("login")
	answer.Set("iss", "https://evil.example")
	v.get("/callback?" + answer.Encode())
	if v.op.redeemed != 0 {
		t.Fatal("the code went to the provider although its issuer is wrong")
	}
}

func TestTheAuthorizationRequestAsksForTheLeast(t *testing.T) {
	for _, tc := range []struct{ ask, scope string }{
		{"age_over_18", "openid age_over_18"},
		{"age_over_20", "openid age_over_20"},
		{"login", "openid"},
		{"profile", "openid name address birthdate gender"},
	} {
		t.Run(tc.ask, func(t *testing.T) {
			v := newVisit(t)
			v.start(tc.ask)
			for key, want := range map[string]string{
				"scope": tc.scope, "response_type": "code", "client_id": "shop", "redirect_uri": v.shop.URL + "/callback",
				"code_challenge_method": "S256", "ui_locales": "en",
			} {
				if got := v.op.asked.Get(key); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			for _, key := range []string{"state", "nonce", "code_challenge"} {
				if got := v.op.asked.Get(key); len(got) != 43 {
					t.Errorf("%s has %d characters, want the 43 of 256 bits", key, len(got))
				}
			}
		})
	}
}

func TestTwoTabsOfOneBrowserBothFinish(t *testing.T) {
	v := newVisit(t)
	first := v.start("age_over_18")
	asked := v.op.asked
	v.start("login")
	v.op.asked = asked
	if status, body, _ := v.get("/callback?" + first.Encode()); status != http.StatusSeeOther {
		t.Fatalf("the first tab was refused: %s", body)
	}
}

func TestResultShowsWhatCameAndWhatDidNot(t *testing.T) {
	address := map[string]any{"formatted": "1-2 Example Town", "region": "Example"}
	for _, tc := range []struct {
		name, ask    string
		claims, info map[string]any
		want, absent []string
	}{
		{
			name: "an adult's age comes from the ID token", ask: "age_over_18",
			want:   []string{`data-verdict="result.age_over_18.yes"`, `data-claim="age_over_18"`, `class="from token"`, "My Number Card", "person-at-shop", `id="never"`},
			absent: []string{`id="missing"`},
		},
		{
			name: "a minor is sent home kindly", ask: "age_over_18", claims: map[string]any{"age_over_18": false},
			want: []string{`data-verdict="result.age_over_18.no"`},
		},
		{
			name: "no answer is not a yes", ask: "age_over_20", claims: map[string]any{"age_over_18": nil},
			want: []string{`data-verdict="result.age_unknown"`, `id="missing"`, "Nothing about you arrived"},
		},
		{
			name: "a yes in quotes is not a yes", ask: "age_over_18", claims: map[string]any{"age_over_18": "true"},
			want: []string{`data-verdict="result.age_unknown"`},
		},
		{
			name: "a yes without a signature is not a yes", ask: "age_over_18", claims: map[string]any{"age_over_18": nil}, info: map[string]any{"age_over_18": true},
			want: []string{`data-verdict="result.age_unknown"`},
		},
		{
			name: "an address comes from userinfo", ask: "profile", claims: map[string]any{"age_over_18": nil}, info: map[string]any{"address": address, "gender": "female", "name#ja-Kana-JP": "TEST"},
			want: []string{`data-verdict="result.profile.partial"`, `<td class="value">1-2 Example Town</td>`, `<td class="value">female</td>`, "Name (kana)", `class="from info"`, `id="missing"`},
		},
		{
			name: "a full label needs every item", ask: "profile", info: map[string]any{"name": "Test", "address": address, "birthdate": "1990-04-01", "gender": "male"},
			want: []string{`data-verdict="result.profile"`, "1990-04-01"}, absent: []string{`id="missing"`},
		},
		{
			name: "a claim that nobody asked for is shown too", ask: "login", claims: map[string]any{"age_over_18": nil}, info: map[string]any{"shoe_size": 26},
			want: []string{`data-verdict="result.login"`, `data-claim="shoe_size"`, `<td class="value">26</td>`},
		},
		{
			name: "a value is text, never markup", ask: "profile", info: map[string]any{"name": "<script>alert(1)</script>"},
			want: []string{"&lt;script&gt;"}, absent: []string{"<script>"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVisit(t)
			v.op.claims, v.op.info = tc.claims, tc.info
			v.get("/callback?" + v.start(tc.ask).Encode())
			status, body, _ := v.get("/result")
			if status != http.StatusOK {
				t.Fatalf("result answered %d", status)
			}
			for _, want := range tc.want {
				if !strings.Contains(body, want) {
					t.Errorf("the page lacks %s", want)
				}
			}
			for _, absent := range tc.absent {
				if strings.Contains(body, absent) {
					t.Errorf("the page has %s", absent)
				}
			}
		})
	}
}

func TestNothingAboutThePersonIsLogged(t *testing.T) {
	v := newVisit(t)
	v.op.info = map[string]any{"name": "Canary Name"}
	answer := v.start("profile")
	v.get("/callback?" + answer.Encode())
	v.get("/result")
	answer = v.start("profile")
	v.op.info["sub"] = "neighbour"
	v.get("/callback?" + answer.Encode())
	if !strings.Contains(v.log.String(), "subject_mismatch") {
		t.Fatalf("the refusal is not in the log: %s", v.log.String())
	}
	for _, secret := range []string{"Canary", "person-at-shop", "neighbour", "good-code", "access", answer.Get("state")} {
		if strings.Contains(v.log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, v.log.String())
		}
	}
}

func TestLogoutEndsBothSessions(t *testing.T) {
	v := newVisit(t)
	v.get("/callback?" + v.start("login").Encode())
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.shop.URL+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	before := v.cookies()
	status, _, target := v.do(post)
	q := target.Query()
	if status != http.StatusSeeOther || target.Path != "/end" || q.Get("post_logout_redirect_uri") != v.shop.URL+"/" || q.Get("id_token_hint") == "" {
		t.Fatalf("logout answered %d to %s", status, target.Path)
	}
	if status, _, _ := v.get("/result"); status != http.StatusSeeOther {
		t.Fatalf("still logged in: %d", status)
	}
	v.browser = newBrowser(t)
	v.browser.Jar.SetCookies(v.origin(), before)
	if status, _, _ := v.get("/result"); status != http.StatusSeeOther {
		t.Fatalf("a copy of the cookie is still logged in: %d", status)
	}
	if _, body, _ := v.get("/?state=" + q.Get("state")); !strings.Contains(body, "You are logged out") {
		t.Error("the shop does not say goodbye")
	}
	if _, body, _ := v.get("/?state=" + q.Get("state")); strings.Contains(body, "You are logged out") {
		t.Error("the state of a logout works twice")
	}
}

func TestAnotherSiteCannotLogTheCustomerOut(t *testing.T) {
	v := newVisit(t)
	v.get("/callback?" + v.start("login").Encode())
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.shop.URL+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _, _ := v.do(post); status != http.StatusForbidden {
		t.Fatalf("a cross-site logout answered %d", status)
	}
	if status, _, _ := v.get("/result"); status != http.StatusOK {
		t.Fatalf("the customer was logged out: %d", status)
	}
}

func TestTheProviderMayStartLaterThanTheShop(t *testing.T) {
	v := newVisit(t)
	v.op.down = true
	if status, body, _ := v.get("/"); status != http.StatusOK {
		t.Fatalf("the shop front needs the provider: %s", body)
	}
	status, body, _ := v.get("/login?ask=login")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `data-code="provider_unreachable"`) {
		t.Fatalf("answered %d %s", status, body)
	}
	v.op.mu.Lock()
	v.op.down = false
	v.op.mu.Unlock()
	v.start("login")
}

func TestLanguageFollowsChoiceThenBrowser(t *testing.T) {
	for _, tc := range []struct{ name, path, accept, want string }{
		{name: "an English browser gets English", path: "/", accept: "en-GB,en;q=0.9", want: `<html lang="en">`},
		{name: "a Japanese browser gets Japanese", path: "/", accept: "ja", want: `<html lang="ja">`},
		{name: "whoever speaks neither gets Japanese", path: "/", accept: "fi", want: `<html lang="ja">`},
		{name: "the choice wins over the browser", path: "/?lang=en", accept: "ja", want: `<html lang="en">`},
		{name: "nonsense as choice leaves it to the browser", path: "/?lang=%00%ff", accept: "en", want: `<html lang="en">`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVisit(t)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.shop.URL+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Language", tc.accept)
			if _, body, _ := v.do(req); !strings.Contains(body, tc.want) {
				t.Errorf("page lacks %s", tc.want)
			}
		})
	}
}

func TestBadConfigurationIsNamedAtOnce(t *testing.T) {
	_, err := rp.New(context.Background(), rp.Config{Issuer: "op.example", BaseURL: "https://shop.example/path"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"issuer", "client id", "public URL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name the %s", err, want)
		}
	}
}

func TestEveryLoginGetsAKeyOfItsOwn(t *testing.T) {
	v := newVisit(t)
	seen := map[string]bool{}
	for range 3 {
		v.get("/callback?" + v.start("login").Encode())
		for _, c := range v.cookies() {
			if c.Name == "shop_customer" {
				seen[c.Value] = len(c.Value) == 43 // 256 bits
			}
		}
	}
	for key, long := range seen {
		if len(seen) != 3 || !long {
			t.Fatalf("%d keys for three logins, one of %d characters", len(seen), len(key))
		}
	}
}
