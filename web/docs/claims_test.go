package docs_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"tegata/claims"
)

var update = flag.Bool("update", false, "write the generated part of claims.md anew")

const (
	page        = "claims.md"
	begin, stop = "<!-- generated from the code: go test ./web/docs -update -->\n", "<!-- end of the generated part -->\n"
)

// The table of what can be asked is the catalogue itself, so it cannot promise what the provider does not do.
func TestTheTableOfClaimsIsTheCatalogue(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, stop)
	if !found || !ended {
		t.Fatalf("%s has lost its marks", page)
	}
	want := before + begin + tables() + stop + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code does: go test ./web/docs -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tables are the items in the catalogue's order: what they tell, then what the yes-or-no questions are for.
func tables() string {
	var b strings.Builder
	b.WriteString("\n| scope | members | ID token | userinfo | who may ask | made from |\n|---|---|---|---|---|---|\n")
	for _, i := range claims.Catalogue() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | yes | %s | %s |\n", i.Scope(), members(i), yes(i.InIDToken()), who(i), i.Needs())
	}
	b.WriteString("\n| question | true from the age of | usual purpose | 主な用途 |\n|---|---|---|---|\n")
	for _, i := range claims.Catalogue() {
		if i.Predicate() {
			fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", i, i.Years(), i.Law("en"), i.Law("ja"))
		}
	}
	b.WriteString("\n")
	return b.String()
}

func members(i claims.Item) string {
	return "`" + strings.Join(i.Claims(), "`, `") + "`"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func who(i claims.Item) string {
	if i.Open() {
		return "every client"
	}
	return "clients registered for it"
}
