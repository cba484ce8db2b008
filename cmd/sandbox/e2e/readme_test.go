package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tegata/testdata/personas"
)

var root = filepath.Join("..", "..", "..")

func readme(t testing.TB) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// reader follows the README from top to bottom, in one folder, with the sandbox that its first steps start.
type reader struct {
	dir string
	w   *world
}

// steps are what the README's blocks are for, in their order.
var steps = []struct {
	name, kind, begins string
	follow             func(*reader, *testing.T, string)
}{
	{"two commands", "sh", "make demo", (*reader).makes},
	{"the metadata file", "json clients.json", "[{", (*reader).writesClients},
	{"the sandbox with it", "sh", "go run ./cmd/sandbox --clients clients.json", (*reader).startsSandbox},
	{"discovery", "sh", "curl -s http://127.0.0.1:9000/", (*reader).discovers},
	{"the button", "html", "<a ", (*reader).putsButton},
	{"a login in CI", "sh", "go run ./cmd/sandbox login ", (*reader).logsIn},
	{"a server", "sh", "tegata keys init", (*reader).operates},
}

// A block that this test does not know fails it: whoever adds one to the README shows here that it works.
func TestTheREADMEWorks(t *testing.T) {
	t.Parallel()
	blocks := fence.FindAllStringSubmatch(readme(t), -1)
	if len(blocks) != len(steps) {
		t.Fatalf("the README has %d blocks, this test knows %d", len(blocks), len(steps))
	}
	r := &reader{dir: t.TempDir()}
	for i, s := range steps {
		if kind, body := blocks[i][1], blocks[i][2]; kind != s.kind || !strings.HasPrefix(body, s.begins) {
			t.Fatalf("block %d of the README is not %s:\n%s", i+1, s.name, body)
		}
		s.follow(r, t, blocks[i][2])
		if t.Failed() {
			t.Fatalf("the README fails at block %d: %s", i+1, s.name)
		}
	}
}

func (r *reader) makes(t *testing.T, body string) {
	for line := range strings.Lines(body) {
		target := strings.Fields(strings.TrimPrefix(line, "make "))[0]
		if s := tryIn(t, root, nil, "make", "-n", target); s.code != 0 || s.out == "" {
			t.Errorf("make %s: exit code %d\n%s", target, s.code, s.err)
		}
	}
}

func (r *reader) writesClients(t *testing.T, body string) {
	if err := os.WriteFile(filepath.Join(r.dir, "clients.json"), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *reader) startsSandbox(t *testing.T, body string) {
	flags := strings.Fields(strings.TrimPrefix(body, "go run ./cmd/sandbox "))
	for i, f := range flags {
		if f == "clients.json" {
			flags[i] = filepath.Join(r.dir, f)
		}
	}
	r.w = start(t, flags...)
	if said := r.w.stderr.String(); said != "" {
		t.Errorf("the sandbox grumbles about the README's client: %s", said)
	}
	if c := r.w.Clients; len(c) != 2 || c[1].ID != "my-shop" || c[1].Secret != "a-secret-of-at-least-32-characters-00" {
		t.Errorf("the sandbox knows the clients %v", c)
	}
}

// here puts this sandbox's address in place of the default one.
func (r *reader) here(text string) string {
	return strings.ReplaceAll(text, "http://127.0.0.1:9000", r.w.Issuer)
}

func (r *reader) discovers(t *testing.T, body string) {
	resp, err := http.Get(strings.Fields(r.here(body))[2])
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var metadata struct {
		Issuer  string
		Scopes  []string `json:"scopes_supported"`
		Methods []string `json:"code_challenge_methods_supported"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&metadata); err != nil {
		t.Fatal(err)
	}
	if metadata.Issuer != r.w.Issuer || strings.Join(metadata.Methods, " ") != "S256" {
		t.Errorf("discovery says %+v", metadata)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(readme(t), -1) {
		for _, scope := range quoted.FindAllStringSubmatch(row[1], -1) {
			name := scope[1]
			if strings.HasPrefix(name, "_") { // the table says `age_over_13`, `_15`
				name = "age_over" + name
			}
			if !slices.Contains(metadata.Scopes, name) {
				t.Errorf("the README's table has the scope %s, discovery has %v", name, metadata.Scopes)
			}
		}
	}
}

func (r *reader) putsButton(t *testing.T, body string) {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && n.FirstChild != nil && strings.TrimSpace(n.FirstChild.Data) != "" {
			links++
		}
	}
	if links != 1 {
		t.Errorf("the block holds %d links with a text", links)
	}
}

func (r *reader) logsIn(t *testing.T, body string) {
	line := strings.Replace(r.here(body), "go run ./cmd/sandbox login", `"$SANDBOX" login --card "$CARDS"`, 1)
	env := []string{"SANDBOX=" + program(t, "sandbox"), "CARDS=" + strings.TrimPrefix(r.w.Cards, "http://")}
	s := tryIn(t, r.dir, env, "sh", "-euc", line)
	tok := r.w.tokens(t, "my-shop", s.answer(t).Get("code"))
	if tok.claims["age_over_18"] != true {
		t.Errorf("the token says %v", tok.claims)
	}
}

func (r *reader) operates(t *testing.T, body string) {
	tegata := program(t, "tegata")
	env := []string{"PATH=" + filepath.Dir(tegata) + ":" + os.Getenv("PATH")}
	s := tryIn(t, r.dir, env, "sh", "-euc", body)
	if s.code != 0 || strings.Count(s.out, "My Shop") < 1 || !strings.Contains(s.out, "ES256") {
		t.Errorf("exit code %d\n%s\n%s", s.code, s.out, s.err)
	}
	for _, secret := range []string{"secrets/seal.json", "secrets/subject.key"} {
		if info, err := os.Stat(filepath.Join(r.dir, secret)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", secret, info, err)
		}
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

// What the text says in passing counts too: its flags exist, its personas have cards, its links lead somewhere.
func TestTheREADMENamesOnlyWhatExists(t *testing.T) {
	t.Parallel()
	text := fence.ReplaceAllString(readme(t), "")
	help := ""
	for _, args := range [][]string{{"sandbox", "--help"}, {"sandbox", "login", "--help"}, {"tegata", "--help"}, {"tegata", "serve", "--help"}, {"tegata", "client", "create", "--help"}, {"tegata", "trust", "add", "--help"}, {"tegata", "sessions", "end", "--help"},
		{"tegata-agent", "--help"}, {"tegata-agent", "login", "--help"}, {"tegata-agent", "providers", "add", "--help"}} {
		s := tryIn(t, t.TempDir(), nil, program(t, args[0]), args[1:]...)
		if s.code != 0 {
			t.Errorf("%v: exit code %d", args, s.code)
		}
		help += s.out
	}
	for _, q := range quoted.FindAllStringSubmatch(text, -1) {
		for _, word := range strings.Fields(q[1]) {
			if strings.HasPrefix(word, "--") && !regexp.MustCompile(regexp.QuoteMeta(word)+`\b`).MatchString(help) {
				t.Errorf("no program has the flag %s", word)
			}
			if strings.HasPrefix(word, "TEGATA_") && !strings.Contains(help, "$"+word) {
				t.Errorf("no program reads %s", word)
			}
		}
	}
	_, list, found := strings.Cut(text, "`--persona` chooses the card")
	list, _, _ = strings.Cut(list, "`--pin`")
	for _, q := range quoted.FindAllStringSubmatch(list, -1) {
		if _, err := personas.FS.Open(q[1] + ".json"); err != nil {
			t.Errorf("there is no persona %s", q[1])
		}
	}
	if !found || len(quoted.FindAllString(list, -1)) < 11 {
		t.Error("the README no longer lists the personas")
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, link[1])); err != nil && !strings.HasPrefix(link[1], "http") {
			t.Errorf("a link leads to %s, which is not there", link[1])
		}
	}
}
