package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tegata/cmd/tegata-agent/scheme"
)

func debianPackage(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(must[string](t)(packages()), "*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return found[0]
}

func TestTheDebianPackageHoldsTheProgramItsEntryAndItsPage(t *testing.T) {
	list := string(must[[]byte](t)(exec.Command("dpkg-deb", "-c", debianPackage(t)).Output()))
	var files []string
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if !strings.HasSuffix(fields[5], "/") {
			files = append(files, fields[0]+" "+fields[1]+" "+fields[5])
		}
	}
	slices.Sort(files)
	want := []string{
		"-rw-r--r-- root/root ./usr/share/applications/tegata-agent.desktop",
		"-rw-r--r-- root/root ./usr/share/doc/tegata-agent/copyright",
		"-rw-r--r-- root/root ./usr/share/man/man1/tegata-agent.1.gz",
		"-rwxr-xr-x root/root ./usr/bin/tegata-agent",
	}
	if !slices.Equal(files, want) {
		t.Errorf("it holds %q", files)
	}
	about := string(must[[]byte](t)(exec.Command("dpkg-deb", "-f", debianPackage(t)).Output()))
	for _, line := range []string{"Package: tegata-agent", "Version: 1.0.0", "Depends: libc6 (>= 2.34), libpcsclite1", "Recommends: pcscd, pinentry"} {
		if !strings.Contains(about, line) {
			t.Errorf("control lacks %q:\n%s", line, about)
		}
	}
	entry := string(must[[]byte](t)(os.ReadFile(filepath.Join("..", "packaging", "tegata-agent.desktop"))))
	if entry != scheme.Entry("/usr/bin/tegata-agent") {
		t.Error("the package's desktop entry is not the one that install writes")
	}
}

// cleanRoot installs the package with dpkg where there is nothing but the system's libraries, and runs the agent there:
// $1 the root, $2 the package, $3 the folder of pcscd's socket, $4 the provider.
const cleanRoot = `set -eu
mkdir -p "$1/usr/bin" "$1/usr/lib" "$1/usr/lib64" "$1/run/pcscd" "$1/root" "$1/tmp" "$1/dev" "$1/proc" "$1/var/lib/dpkg/updates" "$1/var/lib/dpkg/info"
: >"$1/var/lib/dpkg/status"
for d in lib lib64; do ln -s "usr/$d" "$1/$d"; done
PATH=$PATH:/usr/sbin:/sbin dpkg --root="$1" --force-depends --force-not-root --force-script-chrootless -i "$2" >/dev/null 2>&1
mount --rbind /usr/lib "$1/usr/lib"
[ ! -d /usr/lib64 ] || mount --rbind /usr/lib64 "$1/usr/lib64"
mount --rbind "$3" "$1/run/pcscd"
mount --rbind /proc "$1/proc"
: >"$1/usr/bin/pinentry-gtk-2"
mount --bind "$(command -v pinentry-gtk-2)" "$1/usr/bin/pinentry-gtk-2"
inside() { root=$1; shift; env -i HOME=/root PATH=/usr/bin:/usr/sbin LANG=C.UTF-8 DISPLAY=:0 chroot "$root" /usr/bin/tegata-agent "$@"; }
inside "$1" providers add Sandbox "$4"
inside "$1" doctor
`

func TestThePackageOnACleanRootPassesTheDoctor(t *testing.T) {
	d := sit(t)
	d.insert(0, "taro")
	d.eventually(func() (string, bool) {
		out, _ := d.try("", "card", "status")
		return out, strings.Contains(out, "my_number_card")
	})
	args := []string{"--mount", "--propagation", "private"}
	if os.Getuid() != 0 {
		args = append(args, "--map-root-user")
	}
	socket := filepath.Dir(os.Getenv("PCSCLITE_CSOCK_NAME"))
	args = append(args, "sh", "-c", cleanRoot, "sh", t.TempDir(), debianPackage(t), socket, d.sandbox.Issuer)
	out, err := exec.Command("unshare", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "problem") || !strings.Contains(string(out), "provider_not_https") {
		t.Errorf("the doctor says\n%s", out)
	}
}

func TestTheAgentBuildsForWindowsWithoutCgo(t *testing.T) {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(t.TempDir(), "tegata-agent.exe"), "tegata/cmd/tegata-agent")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if err := outputOf(cmd); err != nil {
		t.Fatal(err)
	}
}
