package pcsctest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tegata/authn/cardtest"
)

// Desk is one pcscd and its readers.
type Desk struct {
	// Readers are the names by which the service knows the readers.
	Readers []string

	t      testing.TB
	dir    string
	ports  []int
	mu     sync.Mutex
	daemon *exec.Cmd
	log    *bytes.Buffer
	left   map[int]time.Time // when a card last left a reader
}

// remedy is for a machine without the packages. A test that is left out shows nothing, so it fails instead.
const remedy = "this test needs Debian's smart card service with virtual readers: apt-get install pcscd vsmartcard-vpcd (see .ci/packages)"

const (
	driver    = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
	patience  = 10 * time.Second
	perDevice = 2 // the driver has two slots, on a port and the next one
)

// home is where this process looks for the service: the library remembers it from its first call on.
func home() string { return filepath.Join(os.TempDir(), fmt.Sprintf("pcsctest-%d", os.Getpid())) }

func socket() string { return filepath.Join(home(), "pcscd", "pcscd.comm") }

// Start runs a service with n empty readers, none to 16, until the test ends.
func Start(t testing.TB, n int) *Desk {
	t.Helper()
	if _, err := exec.LookPath("pcscd"); err != nil {
		t.Fatal(remedy)
	}
	if _, err := os.Stat(driver); err != nil {
		t.Fatal(remedy)
	}
	d := &Desk{t: t, dir: home(), left: map[int]time.Time{}}
	if err := os.RemoveAll(d.dir); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(d.dir, "config")
	if err := os.MkdirAll(config, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PCSCLITE_CSOCK_NAME", socket())
	t.Cleanup(func() {
		d.Kill()
		if err := os.RemoveAll(d.dir); err != nil {
			t.Error(err)
		}
	})
	for len(d.Readers) < n {
		d.addDevice(config)
	}
	d.Readers = d.Readers[:n]
	d.Restart()
	return d
}

// addDevice writes the configuration of one driver: two readers. The file's name decides about the order in the service.
func (d *Desk) addDevice(config string) {
	d.t.Helper()
	port, err := freePorts()
	if err != nil {
		d.t.Fatal(err)
	}
	// Readers are named by their makers in any script, and so are these.
	name := fmt.Sprintf("Virtual Désk %c", 'A'+len(d.Readers)/perDevice)
	text := fmt.Sprintf("FRIENDLYNAME \"%s\"\nDEVICENAME /dev/null:0x%X\nLIBPATH %s\nCHANNELID 0x%X\n", name, port, d.copyDriver(), port)
	if err := os.WriteFile(filepath.Join(config, fmt.Sprintf("reader%02d", len(d.Readers))), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	for slot := range perDevice {
		d.Readers = append(d.Readers, fmt.Sprintf("%s 00 %02d", name, slot))
		d.ports = append(d.ports, port+slot)
	}
}

// copyDriver gives each device a library of its own: the driver keeps its slots in static variables, which two devices with one
// library share, so that a card in one shows up in the other.
func (d *Desk) copyDriver() string {
	d.t.Helper()
	library, err := os.ReadFile(driver)
	path := filepath.Join(d.dir, fmt.Sprintf("driver%02d.so", len(d.Readers)))
	if err == nil {
		err = os.WriteFile(path, library, 0o600)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return path
}

// freePorts finds two ports in a row; the system picks the first.
func freePorts() (int, error) {
	for range 50 {
		first, err := net.Listen("tcp", ":0")
		if err != nil {
			return 0, err
		}
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.Listen("tcp", fmt.Sprintf(":%d", port+1))
		first.Close()
		if err == nil {
			second.Close()
			return port, nil
		}
	}
	return 0, errors.New("pcsctest: no two free ports in a row")
}

// Restart starts the service, after Kill or Stop, and waits until it answers.
func (d *Desk) Restart() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	// A pid file of a process that nobody has waited for yet would keep the service from starting.
	if err := os.RemoveAll(filepath.Join(d.dir, "pcscd")); err != nil {
		d.t.Fatal(err)
	}
	args := []string{"--mount", "--propagation", "private"}
	if os.Getuid() != 0 {
		args = append(args, "--map-root-user")
	}
	args = append(args, "sh", "-c", `mount --bind "$1" /run && shift && exec "$@"`, "sh", d.dir)
	args = append(args, "pcscd", "--foreground", "--info", "--config", filepath.Join(d.dir, "config"))
	if helpHas("--disable-polkit") { // there is no session bus to ask
		args = append(args, "--disable-polkit")
	}
	d.log = new(bytes.Buffer)
	d.daemon = exec.Command("unshare", args...)
	d.daemon.Stdout, d.daemon.Stderr = d.log, d.log
	d.daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.daemon.Start(); err != nil {
		d.t.Fatalf("%v: %s", err, remedy)
	}
	d.awaitSocket()
	for _, port := range d.ports {
		d.awaitPort(port)
	}
}

// helpHas asks this version of pcscd: an unknown option would end it.
func helpHas(option string) bool {
	help, _ := exec.Command("pcscd", "--help").CombinedOutput() // no answer is no option
	return strings.Contains(string(help), option)
}

func (d *Desk) awaitSocket() {
	d.await("the service", func() error {
		conn, err := net.Dial("unix", socket())
		if err == nil {
			conn.Close()
		}
		return err
	})
}

// awaitPort finds out from the system's table who listens: connecting would insert a card.
func (d *Desk) awaitPort(port int) {
	needle := fmt.Sprintf(":%04X 00000000:0000 0A ", port)
	d.await("a reader", func() error {
		table, err := os.ReadFile("/proc/net/tcp")
		if err == nil && !bytes.Contains(table, []byte(needle)) {
			err = fmt.Errorf("nobody listens on port %d", port)
		}
		return err
	})
}

func (d *Desk) await(what string, ready func() error) {
	d.t.Helper()
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if err = ready(); err == nil {
			return
		}
	}
	_ = d.daemon.Process.Kill()
	_ = d.daemon.Wait()
	d.t.Fatalf("%s does not start: %v\n%s", what, err, d.log)
}

// Stop ends the service as an administrator would.
func (d *Desk) Stop() { d.end(syscall.SIGTERM) }

// Kill ends it as a crash would: its files stay behind.
func (d *Desk) Kill() { d.end(syscall.SIGKILL) }

// Freeze and Thaw stop the service in its tracks, and let it go on.
func (d *Desk) Freeze() { d.signal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (d *Desk) Thaw() { d.signal(syscall.SIGCONT) }

func (d *Desk) signal(s syscall.Signal) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.daemon.Process.Signal(s); err != nil {
		d.t.Error(err)
	}
}

func (d *Desk) end(s syscall.Signal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.daemon == nil {
		return
	}
	_ = d.daemon.Process.Signal(s)
	_ = d.daemon.Wait() // its exit code is the signal's
	d.daemon = nil
}

// Env is the environment of a program that shall meet this service.
func (d *Desk) Env() []string { return os.Environ() }

// Addr is where a card connects to be in a reader.
func (d *Desk) Addr(reader int) string { return fmt.Sprintf("127.0.0.1:%d", d.ports[reader]) }

// Inserted is a card in a reader.
type Inserted struct {
	pull context.CancelFunc
	done chan struct{}
}

// Insert puts a card into a reader, until the test ends or Pull. The service notices within half a second.
func (d *Desk) Insert(reader int, c cardtest.Inserted, faults cardtest.Faults) *Inserted {
	d.t.Helper()
	d.mu.Lock()
	wait := time.Until(d.left[reader].Add(cardtest.HandTime))
	d.mu.Unlock()
	time.Sleep(wait)
	ctx, cancel := context.WithCancel(context.Background())
	in := &Inserted{pull: cancel, done: make(chan struct{})}
	go func() {
		defer close(in.done)
		_ = cardtest.PlugVPCD(ctx, d.Addr(reader), c, faults) // it ends when the test wants it to
		d.mu.Lock()
		defer d.mu.Unlock()
		d.left[reader] = time.Now()
	}()
	d.t.Cleanup(in.Pull)
	return in
}

// Pull takes the card out.
func (i *Inserted) Pull() {
	i.pull()
	<-i.done
}

// Gone is closed when the card is out: by Pull, by a fault, or because the service has ended.
func (i *Inserted) Gone() <-chan struct{} { return i.done }
