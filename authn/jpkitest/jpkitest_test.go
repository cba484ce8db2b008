package jpkitest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/testdata/personas"
)

// The clock of all tests: a summer morning in Tokyo.
var now = time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// founded is one authority on disk whose slow keys all tests share by copying its folder.
var founded = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jpkitest")
	if err != nil {
		return "", err
	}
	a, err := jpkitest.New(jpkitest.Options{Now: clock, Dir: dir})
	if err != nil {
		return dir, err
	}
	for _, p := range loaded() {
		if _, err := a.Equip(p); err != nil {
			return dir, err
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := founded(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func loaded() []cardtest.Persona {
	all, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		panic(err)
	}
	return all
}

func persona(name string) cardtest.Persona {
	for _, p := range loaded() {
		if p.ID == name {
			return p
		}
	}
	panic("no persona " + name)
}

// copied is a folder of its own with a founded authority that has issued every persona's card.
func copied(t *testing.T) string {
	t.Helper()
	from, err := founded()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// world is an authority behind a real server, and what a provider has to judge its cards.
type world struct {
	*jpkitest.Authority
	server *httptest.Server
	ocsp   *revocation.OCSP
}

func open(t *testing.T) world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	a, err := jpkitest.New(jpkitest.Options{Now: clock, Dir: copied(t), BaseURL: "http://" + server.Listener.Addr().String() + "/"})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = a.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return world{a, server, &revocation.OCSP{URL: a.ResponderOf, HTTP: server.Client(), Now: clock}}
}

func (w world) equip(t *testing.T, p cardtest.Persona) cardtest.Material {
	t.Helper()
	m, err := w.Equip(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// login is what a provider does with a certificate: path and profile, then revocation.
func (w world) login(t *testing.T, der []byte, purpose jpki.Purpose) error {
	t.Helper()
	leaf, err := jpki.ParseLeaf(der)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := w.Trust().Check(leaf, purpose, now)
	if err != nil {
		return err
	}
	return revocation.Refuse(w.ocsp.Check(t.Context(), revocation.Question{Leaf: leaf, Issuer: issuer}))
}

func TestEveryPersonaIsJudgedAsItsFileSays(t *testing.T) {
	w := open(t)
	want := map[cardtest.Status]error{
		cardtest.Good: nil, cardtest.Revoked: fail.CertificateRevoked,
		cardtest.Suspended: fail.CertificateSuspended, cardtest.Expired: fail.CertificateExpired,
	}
	for _, p := range loaded() {
		t.Run(p.ID, func(t *testing.T) {
			m := w.equip(t, p)
			if err := w.login(t, m.AuthCert, jpki.Authentication); !errors.Is(err, want[p.Status]) {
				t.Fatalf("authentication certificate: %v, want %v", err, want[p.Status])
			}
			if m.SignCert == nil {
				return
			}
			wanted := want[p.Status]
			if p.Moved {
				wanted = fail.CertificateRevoked
			}
			if err := w.login(t, m.SignCert, jpki.Signature); !errors.Is(err, wanted) {
				t.Fatalf("signature certificate: %v, want %v", err, wanted)
			}
			leaf := parse(t, m.SignCert)
			got, err := jpki.ReadAttributes(leaf)
			if err != nil || got.Name != p.Name || got.Address != p.Address || got.NameSubstitution != p.NameSubstitution ||
				got.AddressSubstitution != p.AddressSubstitution || got.Sex != p.Gender.Digit() || got.Birth[1:] != p.BirthDigits() {
				t.Fatalf("the certificate says something else than the persona: %v", err)
			}
		})
	}
}

func TestACertificateIsOfNoUseForTheOtherPurpose(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("taro"))
	if err := w.login(t, m.SignCert, jpki.Authentication); !errors.Is(err, jpki.Refusal{Reason: jpki.OtherPurpose}) {
		t.Errorf("a signature certificate logs in: %v", err)
	}
	if err := w.login(t, m.AuthCert, jpki.Signature); !errors.Is(err, jpki.Refusal{Reason: jpki.OtherPurpose}) {
		t.Errorf("an authentication certificate signs: %v", err)
	}
}

func TestKeysFitTheirCertificates(t *testing.T) {
	w := open(t)
	p := persona("taro")
	m := w.equip(t, p)
	digest := sha256.Sum256([]byte("statement"))
	for _, pair := range []struct {
		key  crypto.Signer
		cert []byte
	}{{m.AuthKey, m.AuthCert}, {m.SignKey, m.SignCert}} {
		signature, err := pair.key.Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPKCS1v15(parse(t, pair.cert).PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
			t.Fatal(err)
		}
	}
	if m.AuthKey.Public().(*rsa.PublicKey).Equal(m.SignKey.Public()) {
		t.Fatal("one key for both purposes")
	}
	for _, pair := range []struct{ leaf, ca []byte }{{m.AuthCert, m.AuthCA}, {m.SignCert, m.SignCA}} {
		if err := parse(t, pair.leaf).CheckSignatureFrom(parse(t, pair.ca)); err != nil {
			t.Fatalf("the CA certificate on the card is another one: %v", err)
		}
	}
}

func TestCardInfoIsCertifiedByTheAuthority(t *testing.T) {
	w := open(t)
	p := persona("hanako")
	m := w.equip(t, p)
	ctx := t.Context()
	c, err := card.Open(ctx, cardtest.New(p, m).Connect())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Verify(ctx, card.CardInfoPIN, []byte(p.CardInfoPIN)); err != nil {
		t.Fatal(err)
	}
	files, err := c.ReadCardInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := card.VerifyCardInfo(files, []*rsa.PublicKey{w.CardInfoIssuer()}); err != nil {
		t.Fatal(err)
	}
	stranger, err := jpkitest.New(jpkitest.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := card.VerifyCardInfo(files, []*rsa.PublicKey{stranger.CardInfoIssuer()}); !errors.Is(err, fail.ChainUntrusted) {
		t.Fatalf("another authority vouches for the card: %v", err)
	}
}

func TestTheSamePersonaGetsTheSameCard(t *testing.T) {
	w := open(t)
	var cards [8]cardtest.Material
	fresh := persona("taro")
	fresh.ID = "newcomer"
	var wait sync.WaitGroup
	for i := range cards {
		wait.Go(func() { cards[i], _ = w.Equip(fresh) })
	}
	wait.Wait()
	for _, m := range cards {
		if m.AuthCert == nil || !bytes.Equal(m.AuthCert, cards[0].AuthCert) || !bytes.Equal(m.SignCert, cards[0].SignCert) {
			t.Fatal("asking twice made two cards")
		}
	}
	changedPIN := fresh
	changedPIN.PIN = "9999"
	if m := w.equip(t, changedPIN); !bytes.Equal(m.AuthCert, cards[0].AuthCert) {
		t.Fatal("a PIN is not on the certificate")
	}
	if m := w.equip(t, persona("taro")); bytes.Equal(m.AuthCert, cards[0].AuthCert) {
		t.Fatal("two personas share a card")
	}
}

// Moving voids the old certificates: somebody who kept the old card is refused.
func TestAMovedPersonaGetsANewCardAndTheOldOneIsRevoked(t *testing.T) {
	w := open(t)
	moved := persona("taro")
	old := w.equip(t, moved)
	moved.Address += "X"
	moved.AddressSubstitution += "0"
	renewed := w.equip(t, moved)
	if bytes.Equal(old.SignCert, renewed.SignCert) {
		t.Fatal("the certificate still has the old address")
	}
	if err := w.login(t, old.AuthCert, jpki.Authentication); !errors.Is(err, fail.CertificateRevoked) {
		t.Errorf("the old card: %v", err)
	}
	if err := w.login(t, renewed.SignCert, jpki.Signature); err != nil {
		t.Errorf("the new card: %v", err)
	}
}

func TestEverythingSurvivesARestart(t *testing.T) {
	dir := copied(t)
	restart := func() (*jpkitest.Authority, cardtest.Material) {
		a, err := jpkitest.New(jpkitest.Options{Now: clock, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		m, err := a.Equip(persona("taro"))
		if err != nil {
			t.Fatal(err)
		}
		return a, m
	}
	a, before := restart()
	b, after := restart()
	if !bytes.Equal(before.AuthCert, after.AuthCert) || !bytes.Equal(before.SignCert, after.SignCert) || !bytes.Equal(before.CardInfoCVC, after.CardInfoCVC) {
		t.Error("the card changed")
	}
	for i, anchor := range a.Anchors().Auth {
		if !anchor.Equal(b.Anchors().Auth[i]) || !a.Anchors().Sign[i].Equal(b.Anchors().Sign[i]) {
			t.Error("the anchors changed")
		}
	}
	if !a.CardInfoIssuer().Equal(b.CardInfoIssuer()) {
		t.Error("the card-info issuer changed")
	}
}

func TestOnlyTheOwnerMayReadTheFolder(t *testing.T) {
	dir, err := founded()
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others", file.Name())
		}
	}
}

func TestABrokenFolderIsAnErrorAndIsNotOverwritten(t *testing.T) {
	for name, content := range map[string]string{
		"not JSON": "hello", "empty": "{}", "without keys": `{"CAs":[{"Purpose":1}]}`,
		"a card of no generation": "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := copied(t)
			path := filepath.Join(dir, "authority.json")
			if content == "" {
				good, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				content = strings.Replace(string(good), `"Generation":2`, `"Generation":7`, 1)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := jpkitest.New(jpkitest.Options{Now: clock, Dir: dir})
			if err == nil || !strings.Contains(err.Error(), "remove it") {
				t.Fatalf("got %v", err)
			}
			if left, _ := os.ReadFile(path); string(left) != content {
				t.Fatal("somebody's file is gone")
			}
		})
	}
	if _, err := jpkitest.New(jpkitest.Options{Now: clock, Dir: filepath.Join(copied(t), "card-info.pem")}); err == nil {
		t.Fatal("a file serves as a folder")
	}
}

func TestPersonasThatCannotHaveACard(t *testing.T) {
	w := open(t)
	for _, name := range []string{"", "../taro", "a/b", "a\nb", "\xff", strings.Repeat("x", 101)} {
		p := persona("taro")
		p.ID = name
		if _, err := w.Equip(p); !errors.Is(err, jpkitest.ErrPersonaName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := w.Equip(cardtest.Persona{ID: "handmade"}); err == nil {
		t.Error("a persona without a birthdate has a card")
	}
}

func TestAnchorsAreThoseOfATestHierarchy(t *testing.T) {
	w := open(t)
	anchors, err := jpki.NewAnchors(w.Anchors().Auth, w.Anchors().Sign)
	if err != nil || !anchors.Test() {
		t.Fatalf("%v", err)
	}
	for _, generations := range [][]*x509.Certificate{anchors.Auth, anchors.Sign} {
		if len(generations) != 2 || !bytes.Equal(generations[0].RawSubject, generations[1].RawSubject) {
			t.Fatal("two generations under one name are needed")
		}
		for _, c := range generations {
			var name pkix.RDNSequence // pkix.Name would not tell one RDN of two parts from two RDNs
			if _, err := asn1.Unmarshal(c.RawSubject, &name); err != nil {
				t.Fatal(err)
			}
			if len(c.AuthorityKeyId) != 0 || len(c.SubjectKeyId) == 0 || c.MaxPathLen != -1 || c.SignatureAlgorithm != x509.SHA256WithRSA ||
				c.PublicKey.(*rsa.PublicKey).N.BitLen() != 2048 || c.NotAfter.Format(time.TimeOnly) != "14:59:59" ||
				!strings.HasPrefix(name.String(), "OU=Japan Agency for Local Authority Information Systems,OU=JPKI for ") {
				t.Errorf("a CA unlike the real ones: %v", name)
			}
		}
	}
	expired, present := w.equip(t, persona("expired")), w.equip(t, persona("taro"))
	if !bytes.Equal(expired.AuthCA, anchors.Auth[0].Raw) || !bytes.Equal(present.AuthCA, anchors.Auth[1].Raw) {
		t.Error("the wrong generation issued")
	}
}

func TestLeavesHaveTheRealProfile(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("taro"))
	for name, der := range map[string][]byte{"authentication": m.AuthCert, "signature": m.SignCert} {
		leaf := parse(t, der)
		if len(leaf.Subject.Names) != 2 || leaf.Subject.Country[0] != "JP" || len(leaf.Subject.CommonName) != 22 {
			t.Errorf("%s: subject %v", name, leaf.Subject)
		}
		if leaf.BasicConstraintsValid || len(leaf.AuthorityKeyId) == 0 || leaf.SerialNumber.BitLen() < 25 || leaf.SerialNumber.BitLen() > 31 {
			t.Errorf("%s: not the profile", name)
		}
		for _, extension := range leaf.Extensions {
			id := extension.Id.String()
			if critical := id == "2.5.29.15" || id == "2.5.29.32"; critical != extension.Critical {
				t.Errorf("%s: extension %s critical: %v", name, id, extension.Critical)
			}
		}
	}
	if leaf := parse(t, m.AuthCert); strings.Contains(string(leaf.Raw), persona("taro").Name) {
		t.Error("an authentication certificate names its holder")
	}
}

// A child has no signature certificate; the same person has one at 15.
func TestSignatureCertificatesBeginAtFifteen(t *testing.T) {
	w := open(t)
	for birthdate, want := range map[string]bool{"2011-07-01": true, "2011-07-02": false, "2026-06-30": false} {
		p := persona("taro")
		p.ID, p.Birthdate, p.SignatureCertificate = "born-"+birthdate, birthdate, nil
		m := w.equip(t, p)
		if got := m.SignCert != nil; got != want || got != (m.SignKey != nil) || got != (m.SignCA != nil) {
			t.Errorf("born %s: %v", birthdate, got)
		}
		if err := w.login(t, m.AuthCert, jpki.Authentication); err != nil {
			t.Errorf("born %s: %v", birthdate, err)
		}
	}
	if m := w.equip(t, persona("child")); m.SignCert != nil {
		t.Error("the child has a signature certificate")
	}
}

func TestFaultsOfTheResponderEndInARefusal(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("taro"))
	for _, fault := range []jpkitest.Fault{jpkitest.FaultOffline, jpkitest.FaultStale, jpkitest.FaultUnknown, jpkitest.FaultWrongKey, jpkitest.FaultNoNonce} {
		if err := w.Misbehave(fault); err != nil {
			t.Fatal(err)
		}
		if err := w.login(t, m.AuthCert, jpki.Authentication); !errors.Is(err, fail.RevocationUnavailable) {
			t.Errorf("%s: %v", fault, err)
		}
	}
	if err := w.Misbehave(jpkitest.FaultLate); err != nil {
		t.Fatal(err)
	}
	w.ocsp.Timeout = 50 * time.Millisecond
	if err := w.login(t, m.AuthCert, jpki.Authentication); !errors.Is(err, fail.RevocationUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late: %v", err)
	}
	w.ocsp.Timeout = 0
	if err := w.Misbehave(jpkitest.FaultNone); err != nil {
		t.Fatal(err)
	}
	if err := w.login(t, m.AuthCert, jpki.Authentication); err != nil {
		t.Errorf("mended: %v", err)
	}
	if w.Misbehave("confused") == nil || w.Fault() != jpkitest.FaultNone {
		t.Error("an unknown fault is accepted")
	}
}

// Each fault is refused for its own reason, or it would prove nothing about that check.
func TestFaultsDifferInWhatIsWrong(t *testing.T) {
	w := open(t)
	leaf := parse(t, w.equip(t, persona("taro")).AuthCert)
	issuer, err := w.Trust().Check(leaf, jpki.Authentication, now)
	if err != nil {
		t.Fatal(err)
	}
	for fault, cause := range map[jpkitest.Fault]string{
		jpkitest.FaultOffline: "EOF", jpkitest.FaultStale: "too old", jpkitest.FaultWrongKey: "signature", jpkitest.FaultNoNonce: "nonce",
	} {
		w.Misbehave(fault)
		if _, err := w.ocsp.Check(t.Context(), revocation.Question{Leaf: leaf, Issuer: issuer}); err == nil || !strings.Contains(errors.Unwrap(err).Error(), cause) {
			t.Errorf("%s: %v", fault, errors.Unwrap(err))
		}
	}
}

func TestInMemoryAuthorityLeavesNothingBehind(t *testing.T) {
	t.Chdir(t.TempDir())
	a, err := jpkitest.New(jpkitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Equip(persona("child")); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir("."); len(files) != 0 {
		t.Fatal("files appeared")
	}
	if a.OCSPURL(jpki.Signature) != "/ocsp/sign" || a.ResponderOf(a.Anchors().Auth[1]) != "/ocsp/auth" || a.ResponderOf(nil) != "" {
		t.Fatal("wrong responder")
	}
}

func TestAuthorityNeedsRandomness(t *testing.T) {
	if _, err := jpkitest.New(jpkitest.Options{Rand: bytes.NewReader(nil)}); err == nil {
		t.Fatal("founded without serial numbers")
	}
}

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := jpki.ParseLeaf(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
