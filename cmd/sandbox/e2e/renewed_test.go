package e2e_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// happen makes something happen to a persona at the J-LIS stand-in.
func (w *world) happen(t testing.TB, persona, event string, more url.Values) {
	t.Helper()
	form := url.Values{"event": {event}}
	for name, values := range more {
		form[name] = values
	}
	a, err := http.PostForm(w.JPKI+"/life/"+persona, form)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if body, _ := io.ReadAll(a.Body); a.StatusCode != http.StatusOK {
		t.Fatalf("%s of %s: %s", event, persona, body)
	}
}

// TestARenewedCard: with the tick its holder stays who she was at every site, without it she is somebody new, and for good.
func TestARenewedCard(t *testing.T) {
	t.Parallel()
	w := start(t, "--clients", shops(t))
	sub := func(id string, flags ...string) string {
		return w.tokens(t, id, w.walk(t, w.authorize(id, url.Values{"scope": {"openid"}}), flags...)).Subject
	}
	taro, hanako, atBank := sub("poster", "--persona", "taro"), sub("poster", "--persona", "hanako"), sub("bank", "--persona", "hanako")
	for _, persona := range []string{"taro", "hanako"} {
		w.happen(t, persona, "renew", nil)
	}
	if got := sub("poster", "--persona", "hanako", "--renewed"); got != hanako {
		t.Error("with the tick she is somebody else")
	}
	if got := sub("bank", "--persona", "hanako"); got != atBank {
		t.Error("at the next site she is somebody else")
	}
	if got := sub("poster", "--persona", "taro"); got == taro {
		t.Error("without the tick he is known, though nobody was to ask")
	}
	for _, tc := range []struct{ name, persona, err string }{
		{"somebody whose account is known already", "taro", "bad_input"},
		{"somebody who is here for the first time", "foreign", "renewal_unknown"},
	} {
		at := w.authorize("poster", url.Values{"scope": {"openid"}, "prompt": {"consent"}})
		if s := w.login(t, at, "--persona", tc.persona, "--renewed"); s.code != 1 || strings.TrimSpace(s.err) != tc.err {
			t.Errorf("%s ticks it: %d %q %q", tc.name, s.code, s.err, s.out)
		}
	}
}
