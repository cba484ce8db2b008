package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// reader is a virtual reader with one card in it.
type reader struct{ net.Conn }

// insert runs jpkisim card and is the reader that it goes into. stop ends it as a signal would; ended has its exit code, after which
// out is complete.
func insert(t *testing.T, args ...string) (r reader, out *bytes.Buffer, stop context.CancelFunc, ended <-chan int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	out = new(bytes.Buffer)
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"card", "--vpcd", listener.Addr().String()}, args...), terminal{out, out})
		listener.Close()
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatalf("no card: %s", out)
	}
	t.Cleanup(func() { conn.Close() })
	t.Cleanup(cancel)
	return reader{conn}, out, cancel, code
}

func (r reader) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if _, err := r.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(command))), command...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	response := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, response)
	return response, err
}

func signs(t *testing.T, r reader) (cert *x509.Certificate, err error) {
	t.Helper()
	c, err := card.Open(t.Context(), r)
	if err != nil {
		return nil, err
	}
	der, err := c.AuthCertificate(t.Context())
	if err != nil {
		return nil, err
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(t.Context(), card.AuthPIN, []byte("1234")); err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte("x"))
	signature, err := c.AuthSigner(t.Context(), cert).Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return cert, rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature)
}

// The card belongs to the authority of the folder, and is the same one each time.
func TestCardIsTheOneThatTheServerAnswersFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	r, out, stop, ended := insert(t, "--persona", "taro", "--dir", dir)
	cert, err := signs(t, r)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if code := <-ended; code != 0 || !strings.Contains(out.String(), "the card of taro goes into 127.0.0.1:") {
		t.Errorf("exit %d, %s", code, out)
	}
	base, end := start(t, "--dir", dir)
	defer end()
	_, chain := get(t, base+"/certs/taro")
	if !strings.Contains(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))) {
		t.Error("the server knows another card")
	}
}

func TestCardFaultsReachTheReader(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state") // keys are slow: one card for all
	for _, tc := range []struct {
		name string
		args []string
		want error
		says string
	}{
		{"older protocol", []string{"--t0"}, nil, ""},
		{"slow", []string{"--slow", "1ms"}, nil, ""},
		{"other keys", []string{"--wrong-signature"}, fail.SignatureInvalid, ""},
		{"pulled", []string{"--pull-after", "2"}, fail.CardRemoved, "pulled out"},
		{"pulled at once", []string{"--pull-after", "0"}, fail.CardRemoved, "pulled out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, out, stop, ended := insert(t, append(tc.args, "--persona", "hanako", "--dir", dir)...)
			_, err := signs(t, r)
			if tc.want == nil && err != nil || tc.want != nil && (err == nil || err.Error() != tc.want.Error()) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if tc.says == "" { // else it ends by itself
				stop()
			}
			if code := <-ended; code != 0 || !strings.Contains(out.String(), tc.says) {
				t.Errorf("exit %d, %s", code, out)
			}
		})
	}
}

func TestCardSaysThatTheReaderHasGone(t *testing.T) {
	r, out, _, ended := insert(t, "--persona", "taro")
	r.Close()
	if code := <-ended; code != 1 || !strings.Contains(out.String(), "the virtual reader has gone") {
		t.Errorf("exit %d, %s", code, out)
	}
}
