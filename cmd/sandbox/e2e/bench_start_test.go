package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStart starts the server that is shipped: its size, the time to the first answer with a database that is not
// there yet, and with one that is, and the memory that it then holds. Bars: 40 MB, 1 s, 100 ms, 40 MiB.
func BenchmarkStart(b *testing.B) {
	o := newOutside(b)
	tegata := filepath.Join(b.TempDir(), "tegata")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", tegata, "tegata/cmd/tegata")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	file, err := os.Stat(tegata)
	must(b, err)
	var cold, warm time.Duration
	var resident int
	b.ResetTimer()
	for range b.N {
		d := o.deployment(b, tegata)
		began := time.Now()
		d.run(b, "migrate")
		d.serve(b)
		cold += time.Since(began)
		began = time.Now()
		resident += d.serve(b)
		warm += time.Since(began)
	}
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(float64(file.Size())/1e6, "binary-MB")
	b.ReportMetric(cold.Seconds()*1000/n, "cold-start-ms")
	b.ReportMetric(warm.Seconds()*1000/n, "start-ms")
	b.ReportMetric(float64(resident)/1024/n, "idle-RSS-MiB")
}

// deployment is an operator's environment without a database yet.
type deployment struct {
	program string
	base    string
	env     []string
}

func (o *outside) deployment(b *testing.B, program string) deployment {
	b.Helper()
	dir := b.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	listen := l.Addr().String()
	must(b, l.Close())
	d := deployment{program: program, base: "http://" + listen}
	d.run(b, "keys", "init", dir)
	d.env = []string{
		"TEGATA_DATABASE_URL=sqlite:" + filepath.Join(dir, "tegata.db"), "TEGATA_ISSUER=" + d.base, "TEGATA_LISTEN=" + listen,
		"TEGATA_SEAL_KEYSET_FILE=" + filepath.Join(dir, "seal.json"), "TEGATA_SUBJECT_KEY_FILE=" + filepath.Join(dir, "subject.key"),
		"TEGATA_ANCHORS_AUTH=" + filepath.Join(o.authority(), "anchors-auth.pem"), "TEGATA_ANCHORS_SIGN=" + filepath.Join(o.authority(), "anchors-sign.pem"),
		"TEGATA_TEST_ANCHORS=true", "TEGATA_OCSP_AUTH_URL=http://127.0.0.1:1/auth", "TEGATA_OCSP_SIGN_URL=http://127.0.0.1:1/sign"}
	return d
}

func (d deployment) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, args...)
	cmd.Env = append(os.Environ(), d.env...)
	return cmd
}

func (d deployment) run(b *testing.B, args ...string) {
	b.Helper()
	if out, err := d.command(args...).CombinedOutput(); err != nil {
		b.Fatalf("tegata %v: %v\n%s", args, err, out)
	}
}

// serve runs the server until it has answered once, and returns its resident memory in KiB.
func (d deployment) serve(b *testing.B) int {
	b.Helper()
	cmd := d.command("serve")
	var said bytes.Buffer
	cmd.Stderr = &said
	must(b, cmd.Start())
	var first struct{ Issuer string }
	for range 2000 {
		if getJSON(b.Context(), d.base+discoveryPath, &first) == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if ended := cmd.Wait(); ended != nil || err != nil || first.Issuer != d.base {
		b.Fatalf("%v, %v, issuer %q\n%s", ended, err, first.Issuer, said.String())
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	must(b, err)
	return kib
}
