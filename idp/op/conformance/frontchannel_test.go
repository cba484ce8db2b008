package conformance_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tegata/idp/clients"
)

var frontChannel = plan{
	title: "Front-Channel Logout OP", name: "oidcc-frontchannel-rp-initiated-logout-certification-test-plan", test: "TestFrontChannelLogout", bare: true,
	variants: "discovery, client_secret_basic",
	modules: []module{
		{"oidcc-frontchannel-logout-discovery-endpoint-verification", frontDiscovery, ""},
		{"oidcc-frontchannel-rp-initiated-logout", frontLogout, "the page is read; its frame and the way on from it are not followed, as a browser of the suite does"},
	},
}

func frontDiscovery(s *stage) {
	said := s.discovery()
	same(s, "frontchannel_logout_supported", said["frontchannel_logout_supported"], any(true))
	same(s, "frontchannel_logout_session_supported", said["frontchannel_logout_session_supported"], any(true))
	logoutDiscovery(s)
}

var (
	framed = regexp.MustCompile(`<iframe src="([^"]+)"`)
	onward = regexp.MustCompile(`http-equiv="refresh" content="[0-9]+;url=([^"]+)"`)
)

// frontLogout logs in, logs out at the end session endpoint, and looks at the page that the browser gets: it loads the
// relying party's with iss and sid, and goes on to where the relying party asked (Front-Channel Logout 1.0 sections 2 and 3).
func frontLogout(s *stage) {
	const at, home = "https://rp.example/test/a/x/frontchannel_logout", "https://rp.example/test/a/x/post_logout_redirect"
	rp := s.client(clients.Metadata{FrontLogoutURI: at, FrontLogoutSID: true, PostLogoutRedirectURIs: []string{home}, RedirectURIs: []string{"https://rp.example/test/a/x/callback"}})
	out := s.happy(rp)
	p := out.b.Get("/end_session?" + url.Values{"id_token_hint": {out.tokens.IDToken}, "post_logout_redirect_uri": {home}, "state": {"leaving"}}.Encode())
	same(s, "status", p.Status, http.StatusOK)
	frames, next := framed.FindAllStringSubmatch(p.Body, -1), onward.FindStringSubmatch(p.Body)
	if len(frames) != 1 || next == nil {
		s.Fatalf("%d frames, on to %q: %s", len(frames), next, p.Code)
	}
	told, err := url.Parse(html.UnescapeString(frames[0][1]))
	if err != nil || !strings.HasPrefix(told.String(), at+"?") {
		s.Fatalf("the page loads %v, %v", told, err)
	}
	sid, _ := out.id["sid"].(string)
	if q := told.Query(); len(q) != 2 || q.Get("iss") != s.w.Issuer || q.Get("sid") != sid || sid == "" {
		s.Errorf("it says %v of the session %q", q, sid)
	}
	same(s, "on to", html.UnescapeString(next[1]), home+"?state=leaving")
	if policy := p.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src https://rp.example") {
		s.Errorf("a browser would not load the frame: %s", policy)
	}
	if !s.gone(rp, out.b) {
		s.Error("the session lives")
	}
}
