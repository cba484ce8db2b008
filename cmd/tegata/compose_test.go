package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// These tests hold docker-compose.yml, the Dockerfile and .ci/secrets to one another and to this program, as far as that can
// be done without a container engine.

func repository(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// all are the first groups of what a pattern finds.
func all(t *testing.T, pattern, text string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile(`(?m)`+pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Fatalf("nothing reads as %s: this test does not understand the file any more", pattern)
	}
	return found
}

// variables are all that a command reads.
func variables(t *testing.T, command string) []string {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Name("tegata"), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, node := range parser.Model.Children {
		if node.Name == command {
			for _, flag := range node.Flags {
				names = append(names, flag.Envs...)
			}
		}
	}
	if len(names) == 0 {
		t.Fatalf("there is no command %q that reads variables", command)
	}
	return names
}

func TestComposeSaysOnlyWhatThisProgramReads(t *testing.T) {
	compose := repository(t, "docker-compose.yml")
	known := variables(t, "serve")
	for _, name := range all(t, `^    (TEGATA_[A-Z_]+):`, compose) {
		if !slices.Contains(known, strings.TrimSuffix(name, "_FILE")) {
			t.Errorf("%s is read by nobody", name)
		}
	}
	for _, command := range append(all(t, `command: \["([a-z]+)"`, compose), all(t, `^CMD \["([a-z]+)"\]`, repository(t, "cmd/tegata/Dockerfile"))...) {
		variables(t, command)
	}
	variables(t, all(t, `CMD \["/tegata", "([a-z]+)"\]`, repository(t, "cmd/tegata/Dockerfile"))[0])
}

func TestComposeFindsWhatItNames(t *testing.T) {
	compose, makes := repository(t, "docker-compose.yml"), repository(t, ".ci/secrets")
	repository(t, all(t, `dockerfile: (\S+)$`, compose)[0])
	secrets := all(t, `^  ([a-z_]+): \{ file: \.secrets/`, compose)
	configs := all(t, `^  ([a-z_]+): \{ file: "\$`, compose)
	for _, list := range all(t, `secrets: \[([a-z_, ]+)\]`, compose) {
		for _, name := range strings.Split(list, ", ") {
			if !slices.Contains(secrets, name) {
				t.Errorf("the secret %s is not declared", name)
			}
		}
	}
	for _, name := range all(t, `source: (\S+)$`, compose) {
		if !slices.Contains(configs, name) {
			t.Errorf("the config %s is not declared", name)
		}
	}
	for _, name := range all(t, `_FILE: /run/secrets/(\S+)$`, compose) {
		if !slices.Contains(secrets, name) {
			t.Errorf("/run/secrets/%s is nobody's", name)
		}
	}
	targets := all(t, `target: (\S+)$`, compose)
	for _, path := range all(t, `: (/etc/tegata/\S+)$`, compose) {
		if !slices.Contains(targets, path) {
			t.Errorf("%s is nobody's", path)
		}
	}
	for _, file := range all(t, `\.secrets/([a-z._]+)`, compose) {
		if !strings.Contains(makes, file) && file != "seal.json" && file != "subject.key" { // those are 'keys init'
			t.Errorf("make secrets makes no %s", file)
		}
	}
	if d := empty(t); d.ok("keys", "init", d.dir) == "" || !strings.Contains(makes, "keys init") {
		t.Error("make secrets has no keys made")
	}
}

func TestTheImageIsBuiltFromWhatIsThere(t *testing.T) {
	file, compose := repository(t, "cmd/tegata/Dockerfile"), repository(t, "docker-compose.yml")
	for _, sources := range all(t, `^COPY ([^-].*) \S+$`, file) {
		for _, source := range strings.Fields(sources) {
			if _, err := os.Stat(filepath.Join("..", "..", source)); err != nil {
				t.Errorf("COPY %s: %v", source, err)
			}
		}
	}
	if got, want := all(t, `^FROM golang:([0-9.]+)-`, file)[0], all(t, `^go ([0-9]+\.[0-9]+)`, repository(t, "go.mod"))[0]; got != want {
		t.Errorf("the image is built with Go %s, go.mod wants %s", got, want)
	}
	if got := all(t, `go build .* (\S+)$`, file)[0]; got != "./cmd/tegata" {
		t.Errorf("the image is of %s", got)
	}
	port := all(t, `^EXPOSE ([0-9]+)$`, file)[0]
	if all(t, `TEGATA_LISTEN: 0\.0\.0\.0:([0-9]+)$`, compose)[0] != port || all(t, `ports: \["127\.0\.0\.1:[0-9]+:([0-9]+)"\]`, compose)[0] != port {
		t.Errorf("the image opens %s, and compose another port", port)
	}
	ignored := all(t, `^([^#\s]\S*)$`, repository(t, "cmd/tegata/Dockerfile.dockerignore"))
	for _, needed := range []string{"cmd", "idp", "authn", "claims", "storage", "web", "migrations", "go.mod", "go.sum"} {
		if slices.Contains(ignored, needed) {
			t.Errorf("the build does not see %s", needed)
		}
	}
}

// TestAServerStartsWithWhatComposeGivesIt: the same variables, with the container's paths where this machine has the files.
func TestAServerStartsWithWhatComposeGivesIt(t *testing.T) {
	d := deploy(t)
	before := os.Environ()
	given := map[string]string{"TEGATA_ISSUER": "https://login.example.jp", "TEGATA_OCSP_AUTH_URL": "http://127.0.0.1:1/auth", "TEGATA_OCSP_SIGN_URL": "http://127.0.0.1:1/sign",
		"TEGATA_TEST_ANCHORS": "true"}
	database := filepath.Join(d.dir, "database_url")
	if err := os.WriteFile(database, []byte(os.Getenv("TEGATA_DATABASE_URL")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{
		"/run/secrets/database_url": database, "/run/secrets/seal_keyset": os.Getenv("TEGATA_SEAL_KEYSET_FILE"), "/run/secrets/subject_key": os.Getenv("TEGATA_SUBJECT_KEY_FILE"),
		"/etc/tegata/anchors-auth.pem": os.Getenv("TEGATA_ANCHORS_AUTH"), "/etc/tegata/anchors-sign.pem": os.Getenv("TEGATA_ANCHORS_SIGN"),
	}
	for _, line := range before {
		if name, _, _ := strings.Cut(line, "="); strings.HasPrefix(name, "TEGATA_") {
			unset(t, name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^    (TEGATA_[A-Z_]+):[ ]*([^#\n]*)`).FindAllStringSubmatch(repository(t, "docker-compose.yml"), -1) {
		name, value := m[1], strings.TrimSpace(m[2])
		switch {
		case paths[value] != "":
			value = paths[value]
		case strings.HasPrefix(value, "${"), value == "":
			value = given[name]
		case strings.HasPrefix(value, "/"):
			t.Fatalf("nobody here has %s", value)
		}
		if name == "TEGATA_LISTEN" {
			value = "127.0.0.1:0"
		}
		if value != "" {
			d.set(name, value)
		}
	}
	d.ok("migrate")
	if _, log, stop := d.serve(); stop() != exitOK {
		t.Errorf("it does not start: %s", log)
	}
}
