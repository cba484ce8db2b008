package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// scratch holds the programs under test.
var scratch string

func TestMain(m *testing.M) { os.Exit(inScratch(m.Run)) }

func inScratch(run func() int) int {
	dir, err := os.MkdirTemp("", "tegata-agent-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	scratch = dir
	return run()
}

// sandbox is built without cgo, as `make demo` does it.
var sandbox = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "sandbox")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "tegata/cmd/sandbox")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return path, outputOf(cmd)
})

// packages are built as `make agent` does it: the program and its Debian package.
var packages = sync.OnceValues(func() (string, error) {
	return scratch, outputOf(exec.Command(filepath.Join("..", "packaging", "build.sh"), scratch, "linux", "deb"))
})

func outputOf(cmd *exec.Cmd) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out.Bytes())
	}
	return nil
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
