//go:build linux && cgo

package pcsc_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/card/pcsc/pcsctest"
	"tegata/authn/cardtest"
)

// OpenSC knows My Number Cards by itself: a witness for the virtual card that we did not write. Errors of the tools that
// are known and ours to avoid: a card that speaks T=0 makes pkcs11-tool write zeros and exit 0 (OpenSC 0.23).
type witness struct {
	t    *testing.T
	desk *pcsctest.Desk
	dir  string
}

func (w witness) run(name string, args ...string) string {
	w.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		w.t.Fatalf("this test needs OpenSC and OpenSSL: apt-get install opensc opensc-pkcs11 openssl (see .ci/packages): %v", err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = w.desk.Env(), w.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func (w witness) write(name string, data []byte) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// certificate reads one through OpenSC, as DER.
func (w witness) certificate(args ...string) []byte {
	w.t.Helper()
	block, _ := pem.Decode([]byte(w.run("pkcs15-tool", append([]string{"--read-certificate"}, args...)...)))
	if block == nil {
		w.t.Fatal("no certificate")
	}
	return block.Bytes
}

func TestOpenSCReadsAndSignsWithTheVirtualCard(t *testing.T) {
	desk := pcsctest.Start(t, 1)
	m := material(t)
	virtual := cardtest.New(taro(t), m)
	desk.Insert(0, virtual, cardtest.Faults{})
	awaitCards(t, 1)
	w := witness{t, desk, t.TempDir()}

	if name := strings.TrimSpace(w.run("opensc-tool", "-n")); !strings.HasSuffix(name, "jpki") {
		t.Errorf("OpenSC takes the card for %q", name)
	}
	dump := w.run("pkcs15-tool", "-D")
	for what, want := range map[string]int{"PIN [": 2, "Private RSA Key [": 2, "Public RSA Key [": 2, "X.509 Certificate [": 4} {
		if got := strings.Count(dump, what); got != want {
			t.Errorf("%d times %q, want %d\n%s", got, what, want, dump)
		}
	}
	for id, want := range map[string][]byte{"01": m.AuthCert, "03": m.SignCA, "04": m.AuthCA} {
		if !bytes.Equal(w.certificate(id), want) {
			t.Errorf("certificate %s differs", id)
		}
	}
	if !bytes.Equal(w.certificate("02", "--verify-pin", "--auth-id", "02", "--pin", taro(t).Password), m.SignCert) {
		t.Error("the signature certificate differs")
	}

	w.write("message", []byte("a message of the witness"))
	for _, key := range []struct {
		name, slot, id, pin string
		cert                []byte
	}{
		{"authentication", "0", "01", taro(t).PIN, m.AuthCert},
		{"signature", "1", "02", taro(t).Password, m.SignCert},
	} {
		t.Run(key.name, func(t *testing.T) {
			w := witness{t, desk, w.dir}
			w.run("pkcs11-tool", "--module", pkcs11(t), "--slot-index", key.slot, "--login", "--pin", key.pin, "--sign",
				"--mechanism", "SHA256-RSA-PKCS", "--id", key.id, "--input-file", "message", "--output-file", "signature")
			cert, err := x509.ParseCertificate(key.cert)
			if err != nil {
				t.Fatal(err)
			}
			public, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			w.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
			if said := w.run("openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "message"); !strings.Contains(said, "Verified OK") {
				t.Errorf("openssl says %q", said)
			}
		})
	}
	if virtual.Tries(card.AuthPIN) != 3 || virtual.Tries(card.SignPassword) != 5 || virtual.MyNumberTouched() {
		t.Error("OpenSC spent a try or touched the My Number")
	}
	mustLogin(t) // with the same card, which OpenSC accepts
}

// pkcs11 finds OpenSC's library where Debian and others put it.
func pkcs11(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/*/opensc-pkcs11.so", "/usr/lib/opensc-pkcs11.so", "/usr/lib64/opensc-pkcs11.so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("this test needs OpenSC's PKCS#11 library: apt-get install opensc-pkcs11 (see .ci/packages)")
	return ""
}
