//go:build !windows && !darwin

package scheme

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// place is where the person's desktop keeps its files (freedesktop.org's Base Directory Specification).
type place struct{ data, config string }

func here() (place, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return place{}, err
	}
	return place{
		data:   cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share")),
		config: cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")),
	}, nil
}

func (p place) entry() string    { return filepath.Join(p.data, "applications", DesktopFile) }
func (p place) defaults() string { return filepath.Join(p.config, "mimeapps.list") }

// Install writes the desktop entry and makes it the scheme's default. It returns the file that now answers.
func Install(ctx context.Context, program, _ string) (string, error) {
	p, err := here()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(p.entry()), 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(p.entry(), []byte(Entry(program)), 0o644); err != nil {
		return "", err
	}
	if err := p.edit(func(list string) string { return withDefault(list, DesktopFile) }); err != nil {
		return "", err
	}
	tellDesktop(ctx, p, []string{"xdg-mime", "default", DesktopFile, MIME})
	return p.entry(), nil
}

// Uninstall takes both away again, and another program's entry not. It is no error if there was nothing.
func Uninstall(ctx context.Context) error {
	p, err := here()
	if err != nil {
		return err
	}
	if err := os.Remove(p.entry()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := p.edit(func(list string) string { return withoutDefault(list, DesktopFile) }); err != nil {
		return err
	}
	tellDesktop(ctx, p, nil)
	return nil
}

// edit replaces the list of defaults at once; one that would stay as it is is left alone.
func (p place) edit(change func(string) string) error {
	before, err := os.ReadFile(p.defaults())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after := change(string(before))
	if after == string(before) {
		return nil
	}
	if err := os.MkdirAll(p.config, 0o700); err != nil {
		return err
	}
	tmp := p.defaults() + ".tegata"
	if err := os.WriteFile(tmp, []byte(after), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, p.defaults())
}

// tellDesktop lets the desktop's own tools, where there are any, refresh what they remember. What counts is written already.
func tellDesktop(ctx context.Context, p place, setDefault []string) {
	for _, command := range [][]string{{"update-desktop-database", "-q", filepath.Dir(p.entry())}, setDefault} {
		if len(command) == 0 {
			continue
		}
		if path, err := exec.LookPath(command[0]); err == nil {
			_ = exec.CommandContext(ctx, path, command[1:]...).Run()
		}
	}
}

// Lookup tells who answers to the scheme: the person's default first, then the system's, as desktops look.
func Lookup() (State, error) {
	p, err := here()
	if err != nil {
		return State{}, err
	}
	dirs := append([]string{p.data}, strings.Split(cmp.Or(os.Getenv("XDG_DATA_DIRS"), "/usr/local/share:/usr/share"), ":")...)
	name := p.chosen(dirs)
	for _, dir := range dirs {
		path := filepath.Join(dir, "applications", cmp.Or(name, DesktopFile))
		body, err := os.ReadFile(path)
		if err == nil && (name != "" || strings.Contains(string(body), MIME)) {
			return State{Handler: path, Program: programOf(string(body))}, nil
		}
	}
	return State{Handler: name}, nil
}

// chosen is the desktop file that a list of defaults names.
func (p place) chosen(dirs []string) string {
	lists := []string{p.defaults(), filepath.Join("/etc/xdg", "mimeapps.list")}
	for _, dir := range dirs {
		lists = append(lists, filepath.Join(dir, "applications", "mimeapps.list"))
	}
	for _, path := range lists {
		body, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if name := defaultIn(string(body)); name != "" {
			return name
		}
	}
	return ""
}
