package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestTheNumbersPrintedOnACard opens four attributes with verification number B, where the PIN of the card-info application
// is locked.
func TestTheNumbersPrintedOnACard(t *testing.T) {
	t.Parallel()
	w := start(t)
	at := func() string { return w.authorize("demo", url.Values{"scope": {"openid birthdate"}}) }
	for _, tc := range []struct {
		name, number, err string
	}{
		{"locked, and no numbers", "", "pin_locked"},
		{"another birthday", "13110420352285", "pin_wrong"},
		{"no such month", "13130320352285", "pin_format"},
		{"twelve digits, as a My Number has", "131103" + "203522", "pin_format"},
	} {
		args := []string{at(), "--persona", "printed"}
		if tc.number != "" {
			args = append(args, "--number-b", tc.number)
		}
		if s := w.login(t, args...); s.code != 1 || strings.TrimSpace(s.err) != tc.err {
			t.Errorf("%s: %d %q", tc.name, s.code, s.err)
		}
	}
	w.walk(t, at(), "--persona", "printed", "--number-b", "13110320352285")
	w.walk(t, at(), "--persona", "taro", "--number-b", "13110320352285") // the signature certificate comes first
	if logs := w.stderr.String(); strings.Contains(logs, "131103") {
		t.Errorf("the log holds the number:\n%s", logs)
	}
}
