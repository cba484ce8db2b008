package docs_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tegata/claims"
	"tegata/claims/ask"
	"tegata/web/docs"
)

// blocks gives the indented examples of a page, each without its line breaks.
func blocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := docs.FS.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	before := ""
	for _, line := range strings.Split(string(text), "\n") {
		if code, indented := strings.CutPrefix(line, "    "); indented {
			if before == "" {
				out = append(out, "")
			}
			out[len(out)-1] += code
		}
		before = strings.TrimSpace(line)
	}
	return out
}

func TestTheExamplesOfAskingAreTrue(t *testing.T) {
	all := blocks(t, "asking.md")
	if len(all) != 4 {
		t.Fatalf("%d examples", len(all))
	}
	if r, err := ask.Parse(all[0]); err != nil || len(r.IDToken.Claims) != 1 || len(r.UserInfo.Claims) != 2 {
		t.Errorf("the first asks for %+v, %v", r, err)
	}
	if r, err := ask.Parse(all[1]); err != nil || len(r.Rules.IDToken) != 1 || len(r.Rules.UserInfo) != 1 {
		t.Errorf("the second has the rules %+v, %v", r.Rules, err)
	}
	r, err := ask.Parse(all[2])
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(all[3]), &want); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	person, err := claims.FromCertificate(claims.CertificateFields{Name: "手形　太郎", Sex: "1", Birth: "319650401", Address: "東京都千代田区手形町一丁目２番３号"})
	if err != nil {
		t.Fatal(err)
	}
	done := ask.Done{Time: noon, All: claims.CardVerification("https://id.example/trust_framework/jpki", "ial2", "2026-11-21T00:00:00Z", claims.SignatureCertificate)}
	wants := r.Wants(nil, nil, done, noon)
	var got map[string]any
	if err := json.Unmarshal(wants.Release(claims.Evaluate(person, wants.Items(), noon), wants.Items()).UserInfo.Encode(), &got); err != nil {
		t.Fatal(err)
	}
	if a, b := text(t, got), text(t, want); a != b {
		t.Errorf("it is answered\n%s\nnot\n%s", a, b)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
