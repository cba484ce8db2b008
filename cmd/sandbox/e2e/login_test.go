package e2e_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answer reads the redirect that `sandbox login` printed.
func (s said) answer(t testing.TB) url.Values {
	t.Helper()
	if s.code != 0 || s.err != "" || strings.Count(s.out, "\n") != 1 {
		t.Fatalf("exit code %d, stdout %q, stderr %q", s.code, s.out, s.err)
	}
	u, err := url.Parse(strings.TrimSpace(s.out))
	if err != nil {
		t.Fatal(err)
	}
	if u.RawQuery == "" {
		u.RawQuery = u.EscapedFragment()
	}
	return u.Query()
}

// walk logs taro in unless the flags say otherwise, and returns the code.
func (w *world) walk(t testing.TB, address string, flags ...string) string {
	t.Helper()
	q := w.login(t, append(flags, address)...).answer(t)
	if q.Get("code") == "" || q.Get("state") != "s1" || q.Get("iss") != w.Issuer {
		t.Fatalf("the answer is %v", q)
	}
	return q.Get("code")
}

func TestTheLoginCommand(t *testing.T) {
	t.Parallel()
	w := start(t, "--clients", shops(t))

	t.Run("prints where the browser would go", func(t *testing.T) {
		s := w.login(t, w.authorize("bank", nil))
		if s.answer(t).Get("code") == "" || !strings.HasPrefix(s.out, "http://127.0.0.1:8000/bank?") {
			t.Errorf("it prints %q", s.out)
		}
	})
	t.Run("a refusal is an answer too", func(t *testing.T) {
		q := w.login(t, "--deny", w.authorize("poster", nil)).answer(t)
		if q.Get("error") != "access_denied" || q.Get("code") != "" || q.Get("iss") != w.Issuer || q.Get("state") != "s1" {
			t.Errorf("the answer is %v", q)
		}
	})
	t.Run("the answer may come in a fragment", func(t *testing.T) {
		s := w.login(t, w.authorize("bank", url.Values{"response_mode": {"fragment"}}))
		if !strings.Contains(s.out, "/bank#") || s.answer(t).Get("code") == "" {
			t.Errorf("it prints %q", s.out)
		}
	})
	t.Run("or in a form, which --json prints", func(t *testing.T) {
		s := w.login(t, "--json", w.authorize("bank", url.Values{"response_mode": {"form_post"}}))
		var out struct {
			URL  string
			Form map[string]string
		}
		if err := json.Unmarshal([]byte(s.out), &out); err != nil || s.code != 0 {
			t.Fatalf("%q, exit code %d: %v", s.out, s.code, err)
		}
		if out.URL != "http://127.0.0.1:8000/bank" || out.Form["code"] == "" || out.Form["state"] != "s1" || out.Form["iss"] != w.Issuer {
			t.Errorf("it prints %+v", out)
		}
	})
	t.Run("--json prints a redirect as well", func(t *testing.T) {
		s := w.login(t, "--json", w.authorize("bank", nil))
		var out map[string]any
		if err := json.Unmarshal([]byte(s.out), &out); err != nil || len(out) != 1 || !strings.Contains(out["url"].(string), "code=") {
			t.Errorf("it prints %q, %v", s.out, err)
		}
	})
	t.Run("a cookie file is one browser over several logins", func(t *testing.T) {
		jar := filepath.Join(t.TempDir(), "cookies.txt")
		silent := w.authorize("bank", url.Values{"prompt": {"none"}})
		if q := w.login(t, "--cookie-jar", jar, silent).answer(t); q.Get("error") != "login_required" {
			t.Errorf("without a session the answer is %v", q)
		}
		w.walk(t, w.authorize("bank", nil), "--cookie-jar", jar)
		info, err := os.Stat(jar)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the cookie file has mode %v, %v", info.Mode(), err)
		}
		// A wrong PIN shows that no card is asked for.
		w.walk(t, silent, "--cookie-jar", jar, "--pin", "0000")
		w.walk(t, w.authorize("bank", nil), "--cookie-jar", jar, "--pin", "0000")
		if q := w.login(t, silent).answer(t); q.Get("error") != "login_required" {
			t.Errorf("another browser gets %v", q)
		}
	})
	for _, tc := range []struct {
		name, url, want string
		flags           []string
	}{
		{name: "a client that nobody knows", url: w.authorize("nobody", nil), want: "client_unknown"},
		{name: "an address that is not registered", url: w.authorize("bank", url.Values{"redirect_uri": {"http://127.0.0.1:8000/bank/"}}), want: "redirect_uri_mismatch"},
		{name: "a wrong PIN", url: w.authorize("bank", nil), flags: []string{"--persona", "overseas", "--pin", "9999"}, want: "pin_wrong"},
		{name: "a PIN that is none", url: w.authorize("bank", nil), flags: []string{"--pin", "12"}, want: "pin_format"},
		{name: "a wrong password", url: w.authorize("bank", nil), flags: []string{"--persona", "leap", "--password", "WRONG1"}, want: "pin_wrong"},
		{name: "a locked PIN", url: w.authorize("bank", nil), flags: []string{"--persona", "locked"}, want: "pin_locked"},
		{name: "a revoked card", url: w.authorize("bank", nil), flags: []string{"--persona", "revoked"}, want: "certificate_revoked"},
		{name: "a suspended card", url: w.authorize("bank", nil), flags: []string{"--persona", "suspended"}, want: "certificate_suspended"},
		{name: "an expired card", url: w.authorize("bank", nil), flags: []string{"--persona", "expired"}, want: "certificate_expired"},
	} {
		t.Run(tc.name+" is its code alone", func(t *testing.T) {
			s := w.login(t, append(tc.flags, tc.url)...)
			if s.code != 1 || s.out != "" || s.err != tc.want+"\n" {
				t.Errorf("exit code %d, stdout %q, stderr %q, want %s", s.code, s.out, s.err, tc.want)
			}
		})
	}
	t.Run("a persona who does not exist is named", func(t *testing.T) {
		s := w.login(t, "--persona", "nobody", w.authorize("bank", nil))
		if s.code != 1 || s.out != "" || !strings.HasPrefix(s.err, "sandbox: ") || !strings.Contains(s.err, `"nobody"`) {
			t.Errorf("exit code %d, stdout %q, stderr %q", s.code, s.out, s.err)
		}
	})
	t.Run("an address that is no authorize URL is refused", func(t *testing.T) {
		for _, address := range []string{"/authorize", w.Issuer + "/userinfo", "http://127.0.0.1:1/authorize"} {
			if s := w.login(t, address); s.code != 1 || s.out != "" || !strings.HasPrefix(s.err, "sandbox: ") {
				t.Errorf("%s: exit code %d, stdout %q, stderr %q", address, s.code, s.out, s.err)
			}
		}
	})
	t.Run("a request without PKCE goes back to the client", func(t *testing.T) {
		q := w.login(t, w.authorize("bank", url.Values{"code_challenge": nil, "code_challenge_method": nil})).answer(t)
		if q.Get("error") != "invalid_request" || !strings.Contains(q.Get("error_description"), "pkce_required") {
			t.Errorf("the answer is %v", q)
		}
	})
	t.Run("every persona of the README can be asked, and only the failing ones fail", func(t *testing.T) {
		for _, persona := range []string{"taro", "hanako", "jiro17", "child", "foreign", "henkan", "former", "overseas", "unknown_day", "leap"} {
			w.walk(t, w.authorize("poster", nil), "--persona", persona)
		}
	})
	if logs := w.stderr.String(); strings.Contains(logs, "1234") || strings.Contains(logs, "ABC123") {
		t.Errorf("the log holds a PIN:\n%s", logs)
	}
}
