package scheme

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// key is the person's own part of the registry; HKEY_CLASSES_ROOT shows it before the machine's.
const key = `Software\Classes\` + Scheme

// Install writes the scheme's keys. %1 is what the link says: one argument, in quotes, after "--", so that whatever a
// link smuggles past its quotes is one argument too many, never a flag.
func Install(_ context.Context, program, _ string) (string, error) {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, key, registry.SET_VALUE)
	if err != nil {
		return "", err
	}
	defer k.Close()
	if err := errors.Join(k.SetStringValue("", "URL:Tegata login"), k.SetStringValue("URL Protocol", "")); err != nil {
		return "", err
	}
	open, _, err := registry.CreateKey(registry.CURRENT_USER, key+`\shell\open\command`, registry.SET_VALUE)
	if err != nil {
		return "", err
	}
	defer open.Close()
	return `HKEY_CURRENT_USER\` + key, open.SetStringValue("", command(program))
}

// Uninstall deletes the keys, deepest first; what is not there is no error.
func Uninstall(context.Context) error {
	for _, path := range []string{key + `\shell\open\command`, key + `\shell\open`, key + `\shell`, key} {
		if err := registry.DeleteKey(registry.CURRENT_USER, path); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Lookup reads the command that the scheme starts.
func Lookup() (State, error) {
	k, err := registry.OpenKey(registry.CLASSES_ROOT, Scheme+`\shell\open\command`, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	defer k.Close()
	line, _, err := k.GetStringValue("")
	if err != nil {
		return State{}, err
	}
	return State{Handler: line, Program: programIn(line)}, nil
}

func command(program string) string {
	return `"` + program + `" ` + strings.Join(Arguments, " ") + ` "%1"`
}

func programIn(line string) string {
	program, found := strings.CutSuffix(line, `" `+strings.Join(Arguments, " ")+` "%1"`)
	if !found {
		return ""
	}
	return strings.TrimPrefix(program, `"`)
}
