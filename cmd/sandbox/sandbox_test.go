package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tegata/idp/clients"
)

func TestTheClockStandsUntilTheSandboxIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := clockFrom("2026-04-14T23:59:59+09:00")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 4, 14, 14, 59, 59, 0, time.UTC)
		time.Sleep(time.Minute)
		if got := c.now(); !got.Equal(start) {
			t.Errorf("before: %v", got)
		}
		c.run()
		time.Sleep(time.Second)
		if got := c.now(); !got.Equal(start.Add(time.Second)) {
			t.Errorf("a second later: %v", got)
		}
		usual, err := clockFrom("")
		if err != nil || !usual.now().Equal(time.Now()) {
			t.Errorf("without a start: %v, %v", usual.now(), err)
		}
	})
}

func TestTimesThatAreNone(t *testing.T) {
	for _, bad := range []string{"now", "2026-04-15", "2026-04-15T00:00:00", "1776178800", "2026-02-30T00:00:00Z"} {
		if _, err := clockFrom(bad); err == nil || !strings.Contains(err.Error(), "--now") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestASiteIsNamedByTheHostThatWasAskedForAndThePortThatWasOpened(t *testing.T) {
	for _, tc := range []struct{ asked, want string }{
		{"127.0.0.1:0", "http://127.0.0.1:"},
		{"localhost:0", "http://localhost:"},
		{":0", "http://127.0.0.1:"},
		{"0.0.0.0:0", "http://127.0.0.1:"},
		{"[::]:0", "http://127.0.0.1:"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got := (site{addr: tc.asked, listener: l}).url(); got != tc.want+port {
			t.Errorf("%s: %s", tc.asked, got)
		}
		_ = l.Close()
	}
}

func TestScopesThatNobodyKnowsAreLeftOut(t *testing.T) {
	for _, tc := range []struct {
		name, list, known string
		foreign           []string
	}{
		{name: "what is known stays in order", list: "openid age_over_18 name", known: "openid age_over_18 name"},
		{name: "what is not is named", list: "email openid phone", known: "openid", foreign: []string{"email", "phone"}},
		{name: "without a list everything is allowed", list: "", known: func() string { all, _ := knownScopes(""); return all }()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			known, foreign := knownScopes(tc.list)
			if known != tc.known || strings.Join(foreign, " ") != strings.Join(tc.foreign, " ") {
				t.Errorf("known %q, foreign %q", known, foreign)
			}
		})
	}
	if all, _ := knownScopes(""); !strings.Contains(all, "openid") || !strings.Contains(all, "age_over_18") {
		t.Errorf("everything is %q", all)
	}
}

func TestSecretsOfADeploymentAreMadeOnceAndStay(t *testing.T) {
	dir := t.TempDir()
	first, err := loadSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := loadSecrets(dir)
	if err != nil || !bytes.Equal(first.subject, second.subject) || len(first.subject) != 32 {
		t.Errorf("the subject key changes: %v", err)
	}
	for _, name := range []string{"seal.json", "subject.key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "subject.key"), []byte("not base64!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadSecrets(dir); err == nil || strings.Contains(err.Error(), "base64!") {
		t.Errorf("a damaged key: %v", err)
	}
}

// The whole program in this process, where the race detector sees it: two logins at once, then a clean end.
func TestTheSandboxServesUntilItIsToldToStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	var errs lockedBuffer
	ended := make(chan int, 1)
	go func() {
		defer in.Close()
		ended <- run(ctx, []string{"--listen", "127.0.0.1:0", "--rp", "127.0.0.1:0", "--cards", "127.0.0.1:0", "--jpki", "127.0.0.1:0", "--json"}, terminal{in, &errs})
	}()
	var line struct {
		Issuer, RP, Cards string
		Clients           []clients.Metadata
	}
	text, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(text, &line) != nil {
		t.Fatalf("it said %q, %v, %s", text, err, errs.String())
	}
	request := line.Issuer + "/authorize?client_id=demo&response_type=code&scope=openid+age_over_18&state=s&nonce=n&redirect_uri=" + line.RP +
		"/callback&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	logins := make(chan string)
	for _, persona := range []string{"taro", "foreign"} {
		go func() {
			var answer, trouble lockedBuffer
			code := run(ctx, []string{"login", "--card", line.Cards, "--persona", persona, request}, terminal{&answer, &trouble})
			if code != 0 {
				logins <- trouble.String()
				return
			}
			logins <- answer.String()
		}()
	}
	for range 2 {
		if got := <-logins; !strings.HasPrefix(got, line.RP+"/callback?code=") {
			t.Errorf("a login ends with %q", got)
		}
	}
	stop()
	if code := <-ended; code != 0 || errs.String() != "" {
		t.Errorf("it ends with %d and %q", code, errs.String())
	}
}

func TestTheSandboxLooksAtSectorLists(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `["https://a.example/cb"]`)
	}))
	defer server.Close()
	for _, tc := range []struct {
		name, uri string
		uris      []string
		refused   bool
		warned    bool
	}{
		{"one on this machine", server.URL, []string{"https://a.example/cb"}, false, false},
		{"one that leaves an address out", server.URL, []string{"https://a.example/cb", "https://b.example/cb"}, true, false},
		{"one that nobody answers for", "https://list.invalid/", []string{"https://a.example/cb"}, false, true},
	} {
		var warn strings.Builder
		wrong := (&world{}).sector(t.Context(), clients.Metadata{ClientID: "a", SectorIdentifierURI: tc.uri, RedirectURIs: tc.uris}, &warn)
		if (len(wrong) > 0) != tc.refused || (warn.Len() > 0) != tc.warned {
			t.Errorf("%s: %v, %q", tc.name, wrong, warn.String())
		}
	}
}
