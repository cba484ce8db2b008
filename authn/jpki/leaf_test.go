package jpki

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseLeafReadsOneCertificateAndNothingElse(t *testing.T) {
	k := theKit()
	good := k.auth2.issue(k.template(Authentication))
	twice := k.auth2.reissue(good, func(p *tbs) { p.Extensions = append(p.Extensions, p.Extensions[0]) })
	negative := k.auth2.reissue(good, func(p *tbs) { p.Serial = big.NewInt(-5) })
	for _, tc := range []struct {
		name string
		der  []byte
		want Reason
	}{
		{"nothing", nil, NoCertificate},
		{"the filler of a blank file", bytes.Repeat([]byte{0xFF}, 1600), Malformed},
		{"a certificate and one byte of filler", append(bytes.Clone(good.Raw), 0), Malformed},
		{"two certificates", append(bytes.Clone(good.Raw), good.Raw...), Malformed},
		{"a certificate cut short", good.Raw[:len(good.Raw)-1], Malformed},
		{"a certificate in PEM", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.Raw}), Malformed},
		{"an indefinite length", append([]byte{0x30, 0x80}, good.Raw[4:]...), Malformed},
		{"an extension given twice", twice, Malformed},
		{"a negative serial number", negative, Malformed},
		{"more than the cap", append(bytes.Clone(good.Raw), make([]byte, MaxLeafSize)...), TooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseLeaf(tc.der)
			wantRefusal(t, err, tc.want)
		})
	}
	leaf, err := ParseLeaf(good.Raw)
	if err != nil || !leaf.Equal(good) {
		t.Fatalf("a good certificate is refused: %v", err)
	}
}

// Whatever a stranger writes over a certificate or instead of one, it is refused, or the signed part is unchanged.
// Every fuzzing process has keys of its own, so the corpus holds changes and not certificates.
func FuzzCheck(f *testing.F) {
	ca := newAuthority(caName("JPKI for user authentication"), ecKey(elliptic.P256()), now, now.AddDate(1, 0, 0))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(5), NotBefore: now, NotAfter: now.AddDate(1, 0, 0), KeyUsage: digital,
		Policies: []x509.OID{authProduction}, PublicKey: ca.key.Public(),
	}
	good := ca.issue(template)
	trust := &Trust{Anchors: Anchors{Auth: []*x509.Certificate{ca.cert}}}
	f.Add(uint16(0), uint16(0), []byte{})
	f.Add(uint16(20), uint16(1), []byte{6})
	f.Add(uint16(0), uint16(len(good.Raw)), ca.cert.Raw)
	f.Add(uint16(len(good.Raw)), uint16(0), []byte{0xFF})
	f.Fuzz(func(t *testing.T, at, cut uint16, with []byte) {
		from := min(int(at), len(good.Raw))
		to := min(from+int(cut), len(good.Raw))
		der := slices.Concat(good.Raw[:from], with, good.Raw[to:])
		leaf, err := ParseLeaf(der)
		if err != nil {
			return
		}
		if !bytes.Equal(leaf.Raw, der) {
			t.Fatal("bytes were left over")
		}
		_, err = trust.Check(leaf, Authentication, now)
		if same := bytes.Equal(leaf.RawTBSCertificate, good.RawTBSCertificate); err == nil && !same {
			t.Fatal("a certificate nobody issued is trusted")
		}
		if bytes.Equal(der, good.Raw) && err != nil {
			t.Fatalf("the unchanged certificate is refused: %v", err)
		}
	})
}

func TestIndexNamesOneCertificateUnderOneKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawKey := rapid.SliceOfN(rapid.Byte(), 16, 64)
		a, b := drawKey.Draw(t, "key"), drawKey.Draw(t, "another key")
		serial := rapid.Uint32Range(1, 1<<31).Draw(t, "serial")
		next := rapid.Uint32Range(1, 1<<31).Draw(t, "another serial")
		of := func(n uint32) *x509.Certificate { return &x509.Certificate{SerialNumber: big.NewInt(int64(n))} }
		index := Index(a, Authentication, of(serial))
		if len(index) != 32 || !bytes.Equal(index, Index(a, Authentication, of(serial))) {
			t.Fatal("the index is not stable")
		}
		if bytes.Equal(index, Index(a, Signature, of(serial))) {
			t.Fatal("the purposes share an index")
		}
		if !bytes.Equal(a, b) && bytes.Equal(index, Index(b, Authentication, of(serial))) {
			t.Fatal("the key does not matter")
		}
		if serial != next && bytes.Equal(index, Index(a, Authentication, of(next))) {
			t.Fatal("the serial number does not matter")
		}
	})
}

// Generations share one counter, so a serial number names one certificate whoever of them signed it.
func TestIndexIsTheSameInEveryGeneration(t *testing.T) {
	k := theKit()
	secret := bytes.Repeat([]byte{7}, 32)
	older, newer := k.auth1.issue(k.template(Authentication)), k.auth2.issue(k.template(Authentication))
	if !bytes.Equal(Index(secret, Authentication, older), Index(secret, Authentication, newer)) {
		t.Fatal("the issuer's generation changed the index")
	}
}

// A stored index must be found again by every later version of this program.
func TestIndexIsPinned(t *testing.T) {
	got := Index([]byte("0123456789abcdef"), Authentication, &x509.Certificate{SerialNumber: big.NewInt(0x00BFCD)})
	const want = "56566922329111016b852cbac17d22d01b1f28f3d3af6537a52d4557d9b8e1e4"
	if hexOf(got) != want {
		t.Fatalf("got %s, want %s", hexOf(got), want)
	}
}

func TestIndexRefusesAGuessableKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a short key was used")
		}
	}()
	Index(make([]byte, 15), Authentication, &x509.Certificate{SerialNumber: big.NewInt(1)})
}

// The end of a validity belongs to its holder: for every instant inside it Check says yes, outside it no.
func TestValidityIsAHalfOpenIntervalOfInstants(t *testing.T) {
	k := theKit()
	trust, template := k.trust(), k.template(Authentication)
	template.NotBefore, template.NotAfter = now.AddDate(0, -1, 0), now.AddDate(0, 1, 0)
	leaf := k.auth2.issue(template)
	end := template.NotAfter.Add(time.Second)
	rapid.Check(t, func(t *rapid.T) {
		shift := time.Duration(rapid.Int64Range(-int64(90*24*time.Hour), int64(90*24*time.Hour)).Draw(t, "shift"))
		zone := time.FixedZone("anywhere", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
		at := now.Add(shift).In(zone)
		_, err := trust.Check(leaf, Authentication, at)
		if inside := !at.Before(template.NotBefore) && at.Before(end); inside != (err == nil) {
			t.Fatalf("inside %v, but the answer is %v", inside, err)
		}
	})
}
