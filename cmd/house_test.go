package cmd_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// house is the module's name.
const house = "tegata"

// TestTheWallsStand asks the go command for every package, as each system that we build for sees it:
// a wall broken in a file for Windows is broken.
func TestTheWallsStand(t *testing.T) {
	for _, system := range []string{"linux", "windows", "darwin"} {
		t.Run(system, func(t *testing.T) {
			rooms := list(t, system)
			if len(rooms) == 0 {
				t.Fatal("the go command lists no package")
			}
			for _, why := range broken(rooms) {
				t.Error(why)
			}
		})
	}
}

func list(t *testing.T, system string) []room {
	t.Helper()
	// -e: a foreign module that only the other system needs may be absent here; our own imports are still listed.
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags", "pkcs11", "-json=ImportPath,Name,Doc,Imports,Deps,GoFiles,CgoFiles", house+"/...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=1", "GOFLAGS=-mod=readonly -buildvcs=false")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var rooms []room
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Name, Doc  string
			Imports, Deps, GoFiles []string
			CgoFiles               []string
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return rooms
		}
		if err != nil {
			t.Fatal(err)
		}
		path, own := strings.CutPrefix(p.ImportPath, house+"/")
		if own && len(p.GoFiles)+len(p.CgoFiles) > 0 { // folders with tests alone ship nothing
			rooms = append(rooms, room{Path: path, Name: p.Name, Doc: p.Doc, Imports: short(p.Imports), Deps: short(p.Deps)})
		}
	}
}

func short(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = strings.TrimPrefix(p, house+"/")
	}
	return out
}

// TestAWallThatIsBrokenIsSeen shows the wall keeper rooms that are not there.
func TestAWallThatIsBrokenIsSeen(t *testing.T) {
	for _, tc := range []struct {
		name       string
		room, path string
		want       string // part of the sentence; "" means the import is fine
	}{
		{name: "the edge may speak zitadel", room: "idp/op", path: "github.com/zitadel/oidc/v3/pkg/op"},
		{name: "the core may not", room: "idp", path: "github.com/zitadel/oidc/v3/pkg/oidc", want: "only idp/op may"},
		{name: "pages may not", room: "web", path: "github.com/zitadel/oidc/v3/pkg/op", want: "only idp/op may"},
		{name: "the store may use gorm", room: "storage/gormstore", path: "gorm.io/gorm"},
		{name: "the server may not", room: "cmd/tegata", path: "gorm.io/gorm", want: "only storage/gormstore"},
		{name: "nor a driver", room: "idp", path: "github.com/jackc/pgx/v5", want: "only storage/gormstore"},
		{name: "nor another driver", room: "cmd/sandbox", path: "github.com/ncruces/go-sqlite3/gormlite", want: "only storage/gormstore"},
		{name: "records know no database", room: "storage", path: "gorm.io/gorm", want: "only storage/gormstore"},
		{name: "records know no foreign module at all", room: "storage", path: "golang.org/x/text/language", want: "closed"},
		{name: "records know no error codes", room: "storage", path: "authn/fail", want: "closed"},
		{name: "pages may use gin", room: "web/login", path: "github.com/gin-gonic/gin/binding"},
		{name: "the provider may not", room: "idp/op", path: "github.com/gin-gonic/gin", want: "only web"},
		{name: "the reader's room may use scard", room: "authn/card/pcsc", path: "github.com/ebfe/scard"},
		{name: "the card layer may not", room: "authn/card", path: "github.com/ebfe/scard", want: "only authn/card/pcsc"},
		{name: "the card layer may fail", room: "authn/card", path: "authn/fail"},
		{name: "the card layer knows no statements", room: "authn/card", path: "authn/statement", want: "closed"},
		{name: "claims may use the standard library", room: "claims", path: "encoding/json"},
		{name: "claims may use their own rooms", room: "claims", path: "claims/words"},
		{name: "claims know no foreign module", room: "claims/words", path: "golang.org/x/text/unicode/norm", want: "closed"},
		{name: "claims know nothing of ours", room: "claims", path: "storage", want: "closed"},
		{name: "pages may call the provider", room: "web/login", path: "idp"},
		{name: "the provider knows no pages", room: "idp", path: "web/ui", want: "against the arrows"},
		{name: "the edge knows no pages", room: "idp/op", path: "web", want: "against the arrows"},
		{name: "a login attempt knows no provider", room: "authn", path: "idp", want: "against the arrows"},
		{name: "a login attempt knows no pages", room: "authn/agent", path: "web/agentapi", want: "against the arrows"},
		{name: "pages know the records only", room: "web", path: "storage/gormstore", want: "against the arrows"},
		{name: "the provider knows the records only", room: "idp", path: "storage/gormstore", want: "against the arrows"},
		{name: "the store knows no provider", room: "storage/gormstore", path: "idp", want: "against the arrows"},
		{name: "the store reads the migrations", room: "storage/gormstore", path: "migrations"},
		{name: "migrations know nothing", room: "migrations", path: "storage", want: "closed"},
		{name: "no room imports a command", room: "web", path: "cmd/demorp/rp", want: "against the arrows"},
		{name: "the demo shop is free of us", room: "cmd/demorp/rp", path: "claims", want: "closed"},
		{name: "its command too", room: "cmd/demorp", path: "authn/fail", want: "closed"},
		{name: "its command starts the shop", room: "cmd/demorp", path: "cmd/demorp/rp"},
		{name: "the sandbox may use stand-ins", room: "cmd/sandbox", path: "authn/cardtest"},
		{name: "stand-ins may use each other", room: "idp/idptest", path: "authn/jpkitest"},
		{name: "stand-ins may read personas", room: "authn/cardtest", path: "testdata"},
		{name: "stand-ins keep to the arrows", room: "authn/cardtest", path: "idp", want: "against the arrows"},
		{name: "a room next door may not use a stand-in", room: "authn/jpki", path: "authn/jpkitest", want: "stand-ins"},
		{name: "the server may not", room: "cmd/tegata", path: "idp/idptest", want: "stand-ins"},
		{name: "a name that only begins alike is another room", room: "cmd/sandboxed", path: "authn/cardtest", want: "stand-ins"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := broken([]room{{Path: tc.room, Name: "main", Doc: "Command x.", Imports: []string{tc.path}}})
			if tc.want == "" && got != nil || tc.want != "" && (len(got) != 1 || !strings.Contains(got[0], tc.want)) {
				t.Fatalf("said %q, want %q", got, tc.want)
			}
		})
	}
}

func TestProductsLinkNoStandInEvenIndirectly(t *testing.T) {
	got := broken([]room{{Path: "cmd/tegata", Name: "main", Doc: "Command tegata serves.", Imports: []string{"web"}, Deps: []string{"web", "authn/cardtest", "fmt"}}})
	if len(got) != 1 || !strings.Contains(got[0], "links authn/cardtest") {
		t.Fatalf("said %q", got)
	}
}

func TestEveryRoomSaysWhatItOwns(t *testing.T) {
	for _, tc := range []struct {
		name string
		room room
		want string
	}{
		{name: "a package with its comment is fine", room: room{Path: "idp/par", Name: "par", Doc: "Package par owns pushed requests."}},
		{name: "a command may begin as it likes", room: room{Path: "cmd/tegata", Name: "main", Doc: "Tegata serves."}},
		{name: "no comment", room: room{Path: "idp/par", Name: "par"}, want: "no package comment"},
		{name: "a comment about another package", room: room{Path: "idp/par", Name: "par", Doc: "Package dpop owns proofs."}, want: "does not begin"},
		{name: "a room that is in no part of the house", room: room{Path: "internal/misc", Name: "misc", Doc: "Package misc owns all sorts."}, want: "no such part"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := strings.Join(broken([]room{tc.room}), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Fatalf("said %q, want %q", got, tc.want)
			}
		})
	}
}
