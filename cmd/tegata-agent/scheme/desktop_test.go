package scheme

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAnEntryStartsTheProgramWithTheLinkAsItsLastArgument(t *testing.T) {
	for path, exec := range map[string]string{
		"/usr/bin/tegata-agent":  "/usr/bin/tegata-agent login -- %u",
		"/home/a b/tegata-agent": `"/home/a b/tegata-agent" login -- %u`,
		"/opt/100%/tegata-agent": `"/opt/100%%/tegata-agent" login -- %u`,
		`/opt/$x"y\z/agent`:      `"/opt/\\$x\\"y\\\\z/agent" login -- %u`,
		"/home/太郎/tegata-agent":  `"/home/太郎/tegata-agent" login -- %u`,
	} {
		if entry := Entry(path); !strings.Contains(entry, "\nExec="+exec+"\n") {
			t.Errorf("%s:\n%s", path, entry)
		}
	}
}

func TestTheProgramIsReadBackOutOfAnEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := "/" + rapid.StringMatching("[a-zA-Z0-9 %$`\"\\\\'あ/._;-]{0,40}").Draw(t, "path")
		if got := programOf(Entry(path)); got != path {
			t.Fatalf("%q became %q in\n%s", path, got, Entry(path))
		}
	})
	for _, other := range []string{"", "[Desktop Entry]\nName=x\n", "Exec=firefox %u\n", "Exec=tegata-agent login %u\n"} {
		if got := programOf(other); got != "" {
			t.Errorf("%q starts %q", other, got)
		}
	}
}

const elsewhere = "[Default Applications]\ntext/html=firefox.desktop\n\n[Added Associations]\nx-scheme-handler/tegata=keep.desktop;\n"

func TestTheDefaultIsSetAndTakenBack(t *testing.T) {
	for name, before := range map[string]string{
		"an empty list":              "",
		"other defaults":             elsewhere,
		"no last line feed":          "[Default Applications]\ntext/html=firefox.desktop",
		"another program's":          "[Default Applications]\nx-scheme-handler/tegata=other.desktop\n",
		"ours already, and twice":    "[Default Applications]\nx-scheme-handler/tegata=tegata-agent.desktop;\nx-scheme-handler/tegata=tegata-agent.desktop\n",
		"no defaults, other groups":  "[Removed Associations]\na=b\n",
		"spaces around what is read": "[Default Applications]\n x-scheme-handler/tegata = old.desktop ; \n",
	} {
		set := withDefault(before, DesktopFile)
		if got := defaultIn(set); got != DesktopFile {
			t.Errorf("%s: %q is the default in\n%s", name, got, set)
		}
		if withDefault(set, DesktopFile) != set {
			t.Errorf("%s: set twice is another list", name)
		}
		back := withoutDefault(set, DesktopFile)
		if defaultIn(back) != "" || strings.Contains(before, "firefox") != strings.Contains(back, "firefox") {
			t.Errorf("%s: afterwards\n%s", name, back)
		}
	}
	if back := withoutDefault(withDefault(elsewhere, DesktopFile), DesktopFile); back != elsewhere {
		t.Errorf("not as before:\n%s", back)
	}
	if other := "[Default Applications]\nx-scheme-handler/tegata=other.desktop\n"; withoutDefault(other, DesktopFile) != other {
		t.Error("another program's default was taken")
	}
}

func TestABundleClaimsTheScheme(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "agent")
	if err := os.WriteFile(program, []byte("binary"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := WriteBundle(dir, program, "1.2<3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := WriteBundle(dir, program, "1.2<3"); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	info, err := os.ReadFile(filepath.Join(root, "Contents", "Info.plist"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<string>tegata</string>", "<string>applet</string>", "CFBundleURLTypes", "1.2&lt;3"} {
		if !strings.Contains(string(info), want) {
			t.Errorf("Info.plist lacks %s", want)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(string(info))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	agent := filepath.Join(root, "Contents", "MacOS", "tegata-agent")
	if body, err := os.ReadFile(agent); err != nil || string(body) != "binary" {
		t.Error(err)
	}
	if mode, err := os.Stat(agent); err != nil || mode.Mode().Perm()&0o111 == 0 {
		t.Error("the agent in the bundle cannot be run")
	}
	if script, err := os.ReadFile(filepath.Join(root, "Contents", "Resources", "opener.applescript")); err != nil || !strings.Contains(string(script), "quoted form of link") {
		t.Error("the opener", err)
	}
}
