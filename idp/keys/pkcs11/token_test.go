//go:build pkcs11

package pkcs11

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/keys"
	"tegata/storage"
)

const (
	label = "tegata-test"
	pin   = "4711"
)

// module is SoftHSM's library; .ci/packages installs it.
func module(t testing.TB) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("SoftHSM is not installed: run .ci/packages")
	return ""
}

// soft makes one SoftHSM token for the process: the library reads its configuration once.
var soft = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tegata-softhsm-")
	if err != nil {
		return "", err
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\n"), 0o600); err != nil {
		return dir, err
	}
	if err := os.Setenv("SOFTHSM2_CONF", conf); err != nil {
		return dir, err
	}
	return dir, exec.CommandContext(context.Background(), "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "4712", "--pin", pin).Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := soft(); dir != "" {
		_ = os.RemoveAll(dir) // a test's leftovers
	}
	os.Exit(code)
}

func insert(t testing.TB) keys.Hardware {
	t.Helper()
	if _, err := soft(); err != nil {
		t.Fatal(err)
	}
	h, err := Open(Config{Module: module(t), Token: label, PIN: pin})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// shelf keeps keys in memory.
type shelf map[string]storage.SigningKey

func (s shelf) SigningKeys(context.Context) ([]storage.SigningKey, error) {
	return slices.Collect(maps.Values(s)), nil
}

func (s shelf) ChangeSigningKeys(_ context.Context, gone []string, put ...storage.SigningKey) error {
	for _, id := range gone {
		delete(s, id)
	}
	for _, k := range put {
		s[k.ID] = k
	}
	return nil
}

func (shelf) Clock(context.Context) (time.Time, error) { return time.Now(), nil }

func TestARingSignsWithKeysThatNeverLeaveTheToken(t *testing.T) {
	kept := shelf{}
	ring := &keys.Ring{Store: kept, Now: time.Now, Rand: rand.Reader, Hardware: insert(t)}
	if err := ring.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	set, err := ring.JWKS()
	if err != nil || len(set.Keys) != len(keys.Algorithms) {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	tokens := map[string]string{}
	for _, alg := range keys.Algorithms {
		for range 20 { // a leading zero in one of 128 signatures would be lost
			compact, err := ring.Sign(alg, []byte(`{"a":1}`))
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			if payload, err := jws.Verify(set); err != nil || string(payload) != `{"a":1}` {
				t.Fatalf("%s: %s, %v", alg, payload, err)
			}
			tokens[alg] = compact
		}
	}
	for id, k := range kept {
		if !strings.HasPrefix(string(k.Private), "pkcs11:object=tegata-") {
			t.Errorf("%s (%s) is kept as %q", id, k.Alg, k.Private)
		}
	}
	again := &keys.Ring{Store: kept, Now: time.Now, Rand: rand.Reader, Hardware: insert(t)}
	if err := again.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	for alg, compact := range tokens {
		if _, err := again.Verify("JWT", compact); err != nil {
			t.Errorf("after a restart, %s: %v", alg, err)
		}
	}
	without := &keys.Ring{Store: kept, Now: time.Now, Rand: rand.Reader}
	if err := without.Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "PKCS #11") {
		t.Errorf("a server without the token: %v", err)
	}
}

func TestAFormerKeyMovesToTheTokenByRotation(t *testing.T) {
	kept, now := shelf{}, time.Now()
	clock := func() time.Time { return now }
	if err := (&keys.Ring{Store: kept, Now: clock, Rand: rand.Reader}).Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	ring := &keys.Ring{Store: kept, Now: clock, Rand: rand.Reader, Hardware: insert(t)}
	next, err := ring.Rotate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(keys.PublishAhead)
	compact, err := ring.Sign("ES256", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || jws.Signatures[0].Protected.KeyID != next.ID || !strings.HasPrefix(string(next.Private), "pkcs11:") {
		t.Errorf("%s signs, want %s: %v", jws.Signatures[0].Protected.KeyID, next.ID, err)
	}
}

func TestManySignAtOnce(t *testing.T) {
	_, signer, err := insert(t).Make("EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := signer.Sign(rand.Reader, []byte("message"), noHash{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestWhatATokenRefuses(t *testing.T) {
	h := insert(t)
	if _, err := h.Signer("nobody's"); err == nil {
		t.Error("found a key that nobody made")
	}
	if _, _, err := h.Make("HS256"); !errors.Is(err, keys.ErrUnsupported) {
		t.Errorf("made a secret: %v", err)
	}
	for name, c := range map[string]Config{
		"no module": {Module: "/nowhere.so", Token: label, PIN: pin}, "another token": {Module: module(t), Token: "another", PIN: pin},
	} {
		if _, err := Open(c); !errors.Is(err, ErrToken) || strings.Contains(err.Error(), pin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		_, signer, err := h.Make(alg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Sign(rand.Reader, []byte("short"), wrongHash{}); err == nil {
			t.Errorf("%s signed with another hash", alg)
		}
	}
}

type (
	noHash    struct{}
	wrongHash struct{}
)

func (noHash) HashFunc() crypto.Hash    { return 0 }
func (wrongHash) HashFunc() crypto.Hash { return crypto.SHA512 }
