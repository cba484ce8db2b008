package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module is one test module of the suite, by its real name.
type module struct {
	name   string
	mirror func(*stage) // nil when there is nothing to mirror
	note   string       // why not, or in what the mirror differs
}

// plan is a certification test plan of the suite with the variants that we run.
type plan struct {
	title, name, variants string
	test                  string // the Go test that runs it
	bare                  bool   // its modules send no PKCE
	mode                  string // response mode of its requests; "" for the default
	modules               []module
}

var plans = []plan{basicOP, formPost, configOP, rpLogout, backChannel, frontChannel, fapi2, signing}

func TestBasicOP(t *testing.T)            { basicOP.run(t, 38) }
func TestFormPostOP(t *testing.T)         { formPost.run(t, 38) }
func TestConfigOP(t *testing.T)           { configOP.run(t, 1) }
func TestRPInitiatedLogout(t *testing.T)  { rpLogout.run(t, 11) }
func TestBackChannelLogout(t *testing.T)  { backChannel.run(t, 2) }
func TestFrontChannelLogout(t *testing.T) { frontChannel.run(t, 2) }
func TestFAPI2(t *testing.T)              { fapi2.run(t, 62) }
func TestFAPI2Signing(t *testing.T)       { signing.run(t, 16) }

// run gives all modules one provider, and each its own clients and browsers.
func (p plan) run(t *testing.T, want int) {
	if len(p.modules) != want {
		t.Errorf("the plan has %d modules, want %d", len(p.modules), want)
	}
	w := open(t)
	seen := map[string]bool{}
	for _, m := range p.modules {
		if seen[m.name] {
			t.Errorf("%s stands here twice", m.name)
		}
		seen[m.name] = true
		if m.mirror == nil {
			if m.note == "" {
				t.Errorf("%s: no test, and no reason why", m.name)
			}
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			outer := w.T
			defer func() { w.T = outer }()
			w.T = t
			m.mirror(&stage{T: t, w: w, bare: p.bare, mode: p.mode})
		})
	}
}

var write = flag.Bool("write", false, "write web/docs/conformance.md anew")

// TestTheTableIsTrue keeps the document in step with the tests: go test ./idp/op/conformance -run Table -write
func TestTheTableIsTrue(t *testing.T) {
	path := filepath.Join("..", "..", "..", "web", "docs", "conformance.md")
	want := document()
	if *write {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what these tests say (%v): run this test with -write", path, err)
	}
}

func document() string {
	var b strings.Builder
	b.WriteString("# What the conformance suite asks, and which test answers\n\n" +
		"The OpenID Foundation certifies providers with its [conformance suite](https://openid.net/certification/). Before a release, the suite\n" +
		"itself is run against a deployment with TLS. On every change, the tests of `idp/op/conformance` do what its modules do, against the real\n" +
		"provider over HTTP. This table is written by those tests: each row with a yes is a subtest of the module's name.\n" +
		"They run on loopback, so TLS versions and ciphers are the one thing that only the suite itself sees.\n\n" +
		"The suite's OpenID Connect plans send no PKCE, which this provider demands of everyone: their clients are registered by the operator with\n" +
		"`\"require_pkce\": false` (see [client-profiles](client-profiles.md)), here as for the suite itself. Those of FAPI 2.0 are not.\n")
	for _, p := range plans {
		mirrored := 0
		for _, m := range p.modules {
			if m.mirror != nil {
				mirrored++
			}
		}
		fmt.Fprintf(&b, "\n## %s\n\n`%s`, %s: %d modules, %d of them mirrored by `%s`.\n\n| module | mirrored | remark |\n| --- | --- | --- |\n",
			p.title, p.name, p.variants, len(p.modules), mirrored, p.test)
		for _, m := range p.modules {
			answer := "yes"
			if m.mirror == nil {
				answer = "no"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, answer, m.note)
		}
	}
	return b.String()
}
