// Package cmd_test keeps the walls of the house: which room may import what.
// It knows packages and imports. It does not know what the rooms do.
//
// The same walls stand in .golangci.yml for editors; this test is the one that decides.
package cmd_test

import (
	"fmt"
	"slices"
	"strings"
)

// room is one package of ours as the wall keeper sees it. Paths have no "tegata/" in front.
type room struct {
	Path    string
	Name    string
	Doc     string   // first sentence of the package comment
	Imports []string // direct imports of the non-test files
	Deps    []string // everything linked
}

// rule lets the rooms of a pattern import what the patterns of may cover.
// A pattern is one path, or "path/..." for it and everything below.
type rule struct {
	rooms string
	may   []string
}

// guests are foreign packages that one room alone talks to: replacing one is then work in one room.
var guests = []struct {
	pkg   string
	hosts []string
}{
	{"github.com/zitadel/oidc/...", []string{"idp/op"}},
	{"gorm.io/...", []string{"storage/gormstore/..."}},
	{"github.com/jackc/pgx/...", []string{"storage/gormstore/...", "storage/storagetest"}}, // the latter makes test databases
	{"github.com/ncruces/go-sqlite3/...", []string{"storage/gormstore/..."}},
	{"github.com/pressly/goose/...", []string{"storage/gormstore/..."}},
	{"github.com/gin-gonic/gin/...", []string{"web/..."}},
	{"github.com/ebfe/scard/...", []string{"authn/card/pcsc"}},
	{"github.com/miekg/pkcs11/...", []string{"idp/keys/pkcs11"}},
	{"github.com/tink-crypto/tink-go/...", []string{"storage/seal"}},
}

// closed rooms import the standard library and what is listed, nothing else. The first match counts.
var closed = []rule{
	{"authn/fail", nil},
	{"authn/card", []string{"authn/fail"}},
	{"claims/...", []string{"claims/..."}},
	{"storage", nil},
	{"migrations", nil},
	{"testdata/...", []string{"testdata/..."}},
	{"cmd/demorp", []string{"cmd/demorp/rp"}},
	{"cmd/demorp/rp", []string{"github.com/coreos/go-oidc/...", "golang.org/x/oauth2/...", "golang.org/x/text/language"}},
}

// arrows say what a part of the house may import besides its own rooms: right and down only.
var arrows = map[string][]string{
	"cmd":        {"web/...", "idp/...", "authn/...", "claims/...", "storage/...", "migrations/...", "testdata/..."},
	"web":        {"idp/...", "authn/...", "claims/...", "storage"},
	"idp":        {"authn/...", "claims/...", "storage"},
	"authn":      {"claims/...", "storage"},
	"claims":     nil,
	"storage":    {"migrations"},
	"migrations": nil,
	"testdata":   nil,
}

// standIns play the outside world for tests and the sandbox; stages may import them; products never link them.
var (
	standIns = []string{"authn/card/pcsc/pcsctest", "authn/cardtest/...", "authn/jpkitest/...", "cmd/provider/providertest", "idp/idptest/...", "storage/storagetest/...", "testdata/..."}
	stages   = append([]string{"cmd/sandbox/...", "cmd/jpkisim/..."}, standIns...)
	products = []string{"cmd/tegata", "cmd/tegata-agent"}
)

// broken lists every wall that the rooms break, as sentences; nil when the house stands.
func broken(rooms []room) []string {
	var bad []string
	for _, r := range rooms {
		if why := brokenDoc(r); why != "" {
			bad = append(bad, r.Path+": "+why)
		}
		for _, path := range r.Imports {
			if why := brokenImport(r.Path, path); why != "" {
				bad = append(bad, fmt.Sprintf("%s imports %s: %s", r.Path, path, why))
			}
		}
		for _, path := range r.Deps {
			if slices.Contains(products, r.Path) && under(path, standIns) {
				bad = append(bad, fmt.Sprintf("%s links %s: no stand-in goes into a product", r.Path, path))
			}
		}
	}
	return bad
}

// brokenImport says why room may not import path; "" when it may.
func brokenImport(room, path string) string {
	for _, g := range guests {
		if within(path, g.pkg) && !under(room, g.hosts) {
			return "only " + strings.Join(g.hosts, ", ") + " may"
		}
	}
	if i := slices.IndexFunc(closed, func(r rule) bool { return within(room, r.rooms) }); i >= 0 {
		if !standard(path) && !under(path, closed[i].may) {
			return "this room is closed to it"
		}
	}
	switch standIn := under(path, standIns); {
	case !ours(path), part(path) == part(room) && !standIn:
		return ""
	case standIn && !under(room, stages):
		return "stand-ins are for tests and the sandbox"
	case !standIn && !under(path, arrows[part(room)]):
		return "against the arrows"
	}
	return ""
}

// brokenDoc: a package opens by saying what it owns.
func brokenDoc(r room) string {
	switch {
	case r.Doc == "":
		return "no package comment"
	case r.Name != "main" && !strings.HasPrefix(r.Doc, "Package "+r.Name+" "):
		return fmt.Sprintf("the package comment does not begin with %q", "Package "+r.Name)
	case !ours(r.Path):
		return "no such part in the house"
	}
	return ""
}

// part is the top-level folder that a path lies in.
func part(path string) string {
	top, _, _ := strings.Cut(path, "/")
	return top
}

func ours(path string) bool {
	_, ok := arrows[part(path)]
	return ok
}

// standard: every path outside the standard library starts with somebody's domain.
func standard(path string) bool {
	return !ours(path) && !strings.Contains(part(path), ".")
}

func within(path, pattern string) bool {
	tree, ok := strings.CutSuffix(pattern, "/...")
	return path == tree || ok && strings.HasPrefix(path, tree+"/")
}

func under(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return within(path, p) })
}
