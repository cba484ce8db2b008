package scheme

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// registrar is the tool by which Launch Services learns of an application at once.
const registrar = "/System/Library/Frameworks/CoreServices.framework/Frameworks/LaunchServices.framework/Support/lsregister"

func bundleDir() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, "Applications"), err
}

// Install makes the application in ~/Applications: the applet, our files around it, a local signature over both, and an
// entry with Launch Services. A bundle that is there is replaced.
func Install(ctx context.Context, program, version string) (string, error) {
	dir, err := bundleDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(dir, Bundle)
	if err := errors.Join(os.RemoveAll(root), os.MkdirAll(dir, 0o755)); err != nil {
		return "", err
	}
	compile := exec.CommandContext(ctx, "/usr/bin/osacompile", "-o", root, "-")
	compile.Stdin = strings.NewReader(opener)
	if err := compile.Run(); err != nil {
		return "", err
	}
	if _, err := WriteBundle(dir, program, version); err != nil {
		return "", err
	}
	if err := exec.CommandContext(ctx, "/usr/bin/codesign", "--force", "--deep", "--sign", "-", root).Run(); err != nil {
		return "", err
	}
	return root, exec.CommandContext(ctx, registrar, "-f", root).Run()
}

// Uninstall removes the application.
func Uninstall(ctx context.Context) error {
	dir, err := bundleDir()
	if err != nil {
		return err
	}
	root := filepath.Join(dir, Bundle)
	_ = exec.CommandContext(ctx, registrar, "-u", root).Run() // what is not registered need not be forgotten
	return os.RemoveAll(root)
}

// Lookup tells whether our bundle is there; whom Launch Services would ask it does not tell without cgo.
func Lookup() (State, error) {
	dir, err := bundleDir()
	if err != nil {
		return State{}, err
	}
	root := filepath.Join(dir, Bundle)
	info, err := os.ReadFile(filepath.Join(root, "Contents", "Info.plist"))
	if err != nil || !strings.Contains(string(info), "<string>"+Scheme+"</string>") {
		return State{}, nil
	}
	return State{Handler: root, Program: filepath.Join(root, "Contents", "MacOS", "tegata-agent")}, nil
}
