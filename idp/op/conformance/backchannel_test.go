package conformance_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"tegata/idp/clients"
)

var backChannel = plan{
	title: "Back-Channel Logout OP", name: "oidcc-backchannel-rp-initiated-logout-certification-test-plan", test: "TestBackChannelLogout", bare: true,
	variants: "discovery, client_secret_basic",
	modules: []module{
		{"oidcc-backchannel-logout-discovery-endpoint-verification", backDiscovery, ""},
		{"oidcc-backchannel-rp-initiated-logout", backLogout, "the outbox is told when to send; the suite waits for it"},
	},
}

func backDiscovery(s *stage) {
	said := s.discovery()
	same(s, "backchannel_logout_supported", said["backchannel_logout_supported"], any(true))
	same(s, "backchannel_logout_session_supported", said["backchannel_logout_session_supported"], any(true))
	logoutDiscovery(s)
}

// call is a request at the backchannel_logout_uri.
type call struct {
	method, kind string
	form         url.Values
}

// backLogout logs in, logs out at the end session endpoint, and looks at what the server of the relying party is sent.
func backLogout(s *stage) {
	calls := make(chan call, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // a body that is no form leaves the form empty
		calls <- call{r.Method, r.Header.Get("Content-Type"), r.PostForm}
		w.Header().Set("Cache-Control", "no-store")
	}))
	defer server.Close()
	rp := s.client(clients.Metadata{BackLogoutURI: server.URL + "/backchannel_logout", BackLogoutSID: true,
		PostLogoutRedirectURIs: []string{"https://rp.example/test/a/x/post_logout_redirect"}})
	out := s.happy(rp)
	p := out.b.Get("/end_session?" + url.Values{"id_token_hint": {out.tokens.IDToken}, "post_logout_redirect_uri": rp.PostLogoutRedirectURIs, "state": {"leaving"}}.Encode())
	if p.Away == nil || p.Away.String() != rp.PostLogoutRedirectURIs[0]+"?state=leaving" {
		s.Fatalf("sent to %v: %d %s", p.Away, p.Status, p.Code)
	}
	if sent, err := s.w.Site.Deliver(s.Context()); sent != 1 || err != nil {
		s.Fatalf("%d calls, %v", sent, err)
	}
	got := <-calls
	same(s, "method", got.method, http.MethodPost)
	same(s, "Content-Type", got.kind, "application/x-www-form-urlencoded")
	if len(got.form) != 1 || len(got.form["logout_token"]) != 1 {
		s.Fatalf("the form holds %d members", len(got.form))
	}
	s.logoutToken(rp.ClientID, got.form.Get("logout_token"), out)
	if !s.gone(rp, out.b) {
		s.Error("the session lives")
	}
	if sent, err := s.w.Site.Deliver(s.Context()); sent != 0 || err != nil {
		s.Errorf("%d calls more, %v", sent, err)
	}
}

// logoutToken checks what OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6 ask. go-oidc verifies signature,
// alg, iss, aud, and that there are events and no nonce.
func (s *stage) logoutToken(clientID, raw string, out result) {
	s.Helper()
	provider, err := oidc.NewProvider(s.Context(), s.w.Issuer)
	if err != nil {
		s.Fatal(err)
	}
	alg, _ := out.head["alg"].(string)
	config := &oidc.Config{ClientID: clientID, Now: s.w.Town.Clock.Now, SupportedSigningAlgs: []string{alg}}
	token, err := provider.Verifier(config).VerifyLogout(s.Context(), raw)
	if err != nil {
		s.Fatal(err)
	}
	parts := strings.Split(raw, ".")
	same(s, "typ", s.object(decodedPart(s, parts[0]))["typ"], any("logout+jwt"))
	claims := s.object(decodedPart(s, parts[1]))
	for _, name := range []string{"iss", "aud", "iat", "exp", "jti", "events"} {
		if claims[name] == nil {
			s.Errorf("%s is missing", name)
		}
	}
	events, _ := claims["events"].(map[string]any)
	if event, isObject := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !isObject || len(event) > 0 || len(events) != 1 {
		s.Errorf("the events are %v", claims["events"])
	}
	if claims["nonce"] != nil {
		s.Error("there is a nonce")
	}
	now := s.w.Town.Clock.Now()
	if token.IssuedAt.After(now) || !token.Expiry.After(now) || token.TokenID == "" {
		s.Errorf("issued at %v until %v, jti %q", token.IssuedAt, token.Expiry, token.TokenID)
	}
	if token.SessionID == "" || token.SessionID != out.id["sid"] || token.Subject != out.id["sub"] {
		s.Errorf("it speaks of %q and %q, the ID token of %v and %v", token.Subject, token.SessionID, out.id["sub"], out.id["sid"])
	}
}
