package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tegata/cmd/provider"
	"tegata/cmd/provider/providertest"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/idptest"
	"tegata/idp/op"
	"tegata/storage/storagetest"
)

// open is a world around the provider that cmd/tegata would run, on SQLite.
func open(t *testing.T) *idptest.World {
	t.Helper()
	return providertest.Open(t, storagetest.SQLite(t), func(o *provider.Options) {
		o.Edge = op.Options{Outside: fetch.Outside{Loopback: true}}
	}).World
}

// stage is what a module has to play on.
type stage struct {
	*testing.T
	w    *idptest.World
	bare bool   // the suite sends no PKCE here
	mode string // response mode of every request; "" for the default
	n    int    // clients so far
}

// client registers one for this module alone; the suite would be configured with it.
func (s *stage) client(m clients.Metadata) *idptest.RP {
	s.Helper()
	s.n++
	name := s.Name()[strings.LastIndexByte(s.Name(), '/')+1:]
	m.ClientID = fmt.Sprintf("c%d-%s", s.n, strings.ToLower(strings.ReplaceAll(name, "_", "-")))
	if m.RedirectURIs == nil {
		m.RedirectURIs = []string{fmt.Sprintf("https://rp%d.example/test/a/%s/callback", s.n, name)}
	}
	if s.bare {
		m.RequirePKCE = new(bool)
	}
	rp := s.w.Register(m)
	if s.mode != "" {
		rp.Always = []string{"response_mode=" + s.mode}
	}
	return rp
}

// result is what a happy login has brought.
type result struct {
	b      *idptest.Browser
	r      idptest.Request
	code   string
	tokens idptest.Answer
	head   map[string]any // of the ID token
	id     map[string]any // claims of the ID token
	info   map[string]any // userinfo
}

// happy logs in with a card in a new browser, and checks all that the suite checks in every module.
func (s *stage) happy(rp *idptest.RP, changes ...string) result {
	s.Helper()
	b, r := s.w.NewBrowser(), rp.Request(changes...)
	return s.finish(rp, b, r, s.w.Login(b, r, "taro"))
}

// silent is a second request in the browser of an earlier login, which must not show any page.
func (s *stage) silent(rp *idptest.RP, before result, changes ...string) result {
	s.Helper()
	r := rp.Request(changes...)
	p := before.b.Get(r.URL())
	if p.Form("/start").Action != "" || p.Form("/consent").Action != "" {
		s.Fatalf("the person is asked again: %d %s", p.Status, p.URL.Path)
	}
	return s.finish(rp, before.b, r, s.w.Answered(p, r))
}

// again is a second request in the same browser which must show the login page.
func (s *stage) again(rp *idptest.RP, before result, changes ...string) result {
	s.Helper()
	r := rp.Request(changes...)
	if p := before.b.Get(r.URL()); p.Away != nil || p.Form("/start").Action == "" {
		s.Fatalf("no second login page: %d %s, away %v", p.Status, p.Code, p.Away)
	}
	return s.finish(rp, before.b, r, s.w.Login(before.b, r, "taro"))
}

// finish takes the answer of the front channel to tokens and userinfo.
func (s *stage) finish(rp *idptest.RP, b *idptest.Browser, r idptest.Request, answer url.Values) result {
	s.Helper()
	out := result{b: b, r: r, code: s.code(r, answer)}
	out.tokens = s.granted(rp.Exchange(out.code, r), "Bearer")
	s.identity(rp, &out)
	out.info = s.userinfo(rp.UserInfo(out.tokens.AccessToken), out)
	return out
}

// code checks an answer of the authorization endpoint (RFC 6749 4.1.2 and 10.10, RFC 9207).
func (s *stage) code(r idptest.Request, answer url.Values) string {
	s.Helper()
	code := answer.Get("code")
	if len(code) < 43 || len(slices.Compact(slices.Sorted(slices.Values([]byte(code))))) < 16 {
		s.Fatalf("the code %q holds less than 256 random bits: %v", code, answer)
	}
	if answer.Get("iss") != s.w.Issuer || answer.Get("state") != r.State || answer.Has("state") != (r.State != "") {
		s.Fatalf("the answer says %v", answer)
	}
	for name := range answer {
		if !slices.Contains([]string{"code", "state", "iss", "session_state"}, name) {
			s.Errorf("the answer holds %s", name)
		}
	}
	return code
}

// granted checks an answer of the token endpoint (RFC 6749 5.1).
func (s *stage) granted(a idptest.Answer, kind string) idptest.Answer {
	s.Helper()
	if a.Status != http.StatusOK || a.TokenType != kind || a.ExpiresIn <= 0 || len(a.AccessToken) < 43 || a.IDToken == "" {
		s.Fatalf("no tokens: %d %s %s", a.Status, a.Error, a.Description)
	}
	if a.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		s.Errorf("tokens come with Cache-Control %q, Content-Type %q", a.Header.Get("Cache-Control"), a.Header.Get("Content-Type"))
	}
	return a
}

// identity checks an ID token (OIDC Core 2 and 3.1.3.7). go-oidc verifies signature, iss, aud and exp; nonce and at_hash
// are compared in RP.Claims.
func (s *stage) identity(rp *idptest.RP, out *result) {
	s.Helper()
	out.id = rp.Claims(out.tokens, out.r)
	head, _, _ := strings.Cut(out.tokens.IDToken, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		s.Fatal(err)
	}
	out.head = s.object(string(raw))
	if sub, _ := out.id["sub"].(string); sub == "" || len(sub) > 255 {
		s.Errorf("sub is %v", out.id["sub"])
	}
	if _, says := out.id["nonce"]; says != (out.r.Nonce != "") {
		s.Errorf("the nonce is %v, asked %q", out.id["nonce"], out.r.Nonce)
	}
	iat, _ := out.id["iat"].(float64)
	if now := float64(s.w.Town.Clock.Now().Unix()); iat > now || iat < now-300 {
		s.Errorf("iat is %v at %v", iat, now)
	}
	for _, more := range []string{"name", "address", "birthdate", "gender", "email", "phone_number"} {
		if out.id[more] != nil && !strings.Contains(out.r.Param("claims"), "id_token") {
			s.Errorf("the ID token also tells the %s", more)
		}
	}
}

// userinfo checks an answer of the userinfo endpoint (OIDC Core 5.3.2).
func (s *stage) userinfo(a idptest.Answer, out result) map[string]any {
	s.Helper()
	if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		s.Fatalf("userinfo: %d %s", a.Status, a.Header.Get("Content-Type"))
	}
	info := s.object(a.Body)
	if info["sub"] != out.id["sub"] {
		s.Errorf("userinfo speaks of %v, the ID token of %v", info["sub"], out.id["sub"])
	}
	return info
}

func (s *stage) object(body string) map[string]any {
	s.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		s.Fatalf("no JSON object: %v", err)
	}
	return m
}

// get reads an address at the provider without cookies.
func (s *stage) get(address string) idptest.Answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, address, nil)
	if err != nil {
		s.Fatal(err)
	}
	return idptest.Do(s.T, r)
}

func (s *stage) discovery() map[string]any {
	s.Helper()
	return s.object(s.get(s.w.Issuer + "/.well-known/openid-configuration").Body)
}

// listed says whether a list in discovery has a value.
func (s *stage) listed(member, value string) bool {
	s.Helper()
	all, _ := s.discovery()[member].([]any)
	return slices.Contains(all, any(value))
}

// refused checks an error at the redirect URI: one of words, with state and iss, and no code (RFC 6749 4.1.2.1).
func (s *stage) refused(answer url.Values, r idptest.Request, words ...string) {
	s.Helper()
	if !slices.Contains(words, answer.Get("error")) || answer.Get("state") != r.State || answer.Get("iss") != s.w.Issuer || answer.Has("code") {
		s.Errorf("the answer is %v, want %v", answer, words)
	}
	for name := range answer {
		if !slices.Contains([]string{"error", "error_description", "error_uri", "state", "iss"}, name) {
			s.Errorf("the answer holds %s", name)
		}
	}
}

// denied checks an error of the back channel (RFC 6749 5.2).
func (s *stage) denied(a idptest.Answer, words ...string) {
	s.Helper()
	if a.Status != http.StatusBadRequest && (a.Status != http.StatusUnauthorized || a.Error != "invalid_client") ||
		!slices.Contains(words, a.Error) || a.AccessToken != "" {
		s.Errorf("%d %s %q, want %v", a.Status, a.Error, a.Description, words)
	}
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") || strings.ContainsAny(a.Description, "\r\n\t") {
		s.Errorf("the error is told as %s: %q", a.Header.Get("Content-Type"), a.Description)
	}
}

// page checks that the person sees an error page, and that nothing goes to the relying party.
func (s *stage) page(p idptest.Page, codes ...string) {
	s.Helper()
	if p.Away != nil || p.Status < 400 || !slices.Contains(codes, p.Code) {
		s.Errorf("%d %s, away %v; want the page %v", p.Status, p.Code, p.Away, codes)
	}
}

func same[T comparable](s *stage, what string, got, want T) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %v, want %v", what, got, want)
	}
}
