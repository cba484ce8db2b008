package jpki

import (
	"crypto/x509"
	"strings"
	"testing"
)

func TestOfficialRootsAreKnownByFingerprint(t *testing.T) {
	seen := map[[32]byte]bool{}
	for _, r := range Roots() {
		sum, ok := ParseFingerprint(r.sum)
		if !ok || seen[sum] {
			t.Fatalf("%s: not a fingerprint of its own", r.Name)
		}
		seen[sum] = true
		got, ok := Known(sum)
		if !ok || got != r || !strings.HasPrefix(r.Name, map[Purpose]string{Authentication: "auth", Signature: "sign"}[r.Purpose]) {
			t.Errorf("%s is found as %+v", r.Name, got)
		}
		sum[31]++
		if _, ok := Known(sum); ok {
			t.Errorf("something next to %s is known", r.Name)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d roots", len(seen))
	}
	if _, ok := Known(Fingerprint(theKit().auth1.cert)); ok {
		t.Error("a test root is official")
	}
}

func TestFingerprintsAreReadAsPeopleCopyThem(t *testing.T) {
	sum := Fingerprint(&x509.Certificate{Raw: []byte("x")})
	text := hexOf(sum[:])
	var pairs []string
	for i := 0; i < len(text); i += 2 {
		pairs = append(pairs, text[i:i+2])
	}
	for _, good := range []string{text, strings.ToUpper(text), strings.Join(pairs, ":"), strings.ToUpper(strings.Join(pairs, " ")), strings.Join(pairs, "-")} {
		if got, ok := ParseFingerprint(good); !ok || got != sum {
			t.Errorf("%q is not read", good)
		}
	}
	for _, bad := range []string{"", text[:62], text + "00", text[1:], "g" + text[1:], "sha256:" + text} {
		if _, ok := ParseFingerprint(bad); ok {
			t.Errorf("%q is read", bad)
		}
	}
}
