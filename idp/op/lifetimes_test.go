package op_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tegata/idp"
	"tegata/idp/clients/fetch"
	"tegata/idp/jwe"
	"tegata/idp/keys"
	"tegata/idp/par"
)

// TestTheDocumentTellsTheLifetimes: what web/docs/keys.md publishes is what the code does.
func TestTheDocumentTellsTheLifetimes(t *testing.T) {
	raw, err := os.ReadFile("../../web/docs/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	for _, row := range []string{
		fmt.Sprintf("| request_uri (PAR) | %d seconds |", par.Life/time.Second),
		fmt.Sprintf("| authorization code | %d seconds, one use |", idp.CodeLife/time.Second),
		fmt.Sprintf("| signed authorization response (JARM) | %d minutes |", idp.ResponseLife/time.Minute),
		fmt.Sprintf("| access token | %d minutes |", idp.AccessLife/time.Minute),
		fmt.Sprintf("| ID token | %d minutes |", idp.IDLife/time.Minute),
		fmt.Sprintf("| refresh token | %d days unused, %d days in all |", idp.RefreshIdle/day, idp.RefreshLife/day),
		fmt.Sprintf("| copy of our JWKS and discovery (`max-age`) | %d hour |", keys.MaxAge/time.Hour),
		fmt.Sprintf("| a new signing key before it signs | %d hours in the JWKS |", keys.PublishAhead/time.Hour),
		fmt.Sprintf("| a retired signing key | %d hour more in the JWKS |", keys.Linger/time.Hour),
		fmt.Sprintf("| copy of your `jwks_uri` | %d minutes |", fetch.MaxAge/time.Minute),
	} {
		if !strings.Contains(string(raw), row) {
			t.Errorf("the document lacks %s", row)
		}
	}
	for _, name := range append(append(append([]string{}, keys.Algorithms...), jwe.Algs...), jwe.Encs...) {
		if !strings.Contains(string(raw), "`"+name+"`") {
			t.Errorf("the document lacks %s", name)
		}
	}
}
