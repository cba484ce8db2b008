package revocation

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"runtime"
	"testing"
	"time"
)

const million = 1_000_000

// millionList is a list of a million entries, each with a reason, written by hand: crypto/x509 would take minutes.
func millionList(tb testing.TB, w *world) []byte {
	tb.Helper()
	algorithm := sequence(must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
	reason := sequence(sequence(must(asn1.Marshal(oidReasonCode)), tlv(0, asn1.TagOctetString, false, []byte{10, 1, 0})))
	this, next := must(asn1.MarshalWithParams(now, "utc")), must(asn1.MarshalWithParams(now.Add(time.Hour), "utc"))
	size := 2 + 2 + 4 + len(this) + len(reason)
	entries := make([]byte, 0, million*size)
	for i := range million {
		n := 0x10000000 + uint32(i)*1499
		reason[len(reason)-1] = byte(1 + 5*(i%2)) // key compromise or a hold
		entries = append(entries, 0x30, byte(size-2), 2, 4, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		entries = append(append(entries, this...), reason...)
	}
	tbs := sequence(must(asn1.Marshal(1)), algorithm, w.ca.cert.RawSubject, this, next, sequence(entries))
	digest := sha256.Sum256(tbs)
	signature := must(ecdsa.SignASN1(rand.Reader, w.ca.key, digest[:]))
	return sequence(tbs, algorithm, must(asn1.Marshal(asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)})))
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Acceptance 20: a list of a million entries answers within a millisecond and takes no more than 64 MiB, even while it
// is read, with its bytes.
func TestAMillionEntriesFit(t *testing.T) {
	w := theWorld()
	raw := millionList(t, w)
	issuers := []*x509.Certificate{w.ca.cert}
	before := heap()
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	l, err := parseList(raw, issuers)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&end)
	kept, took := int64(heap())-int64(before), end.TotalAlloc-start.TotalAlloc+uint64(len(raw))
	t.Logf("the list has %d MiB, reading it took %d MiB with it, what is kept has %d MiB", len(raw)>>20, took>>20, kept>>20)
	if took > 64<<20 || kept > 64<<20 {
		t.Error("more than 64 MiB")
	}
	for i, want := range map[int64]Status{0: Revoked, 1: Suspended, million - 2: Revoked, million - 1: Suspended, million: Good} {
		if got := l.status(Question{Leaf: &x509.Certificate{SerialNumber: big.NewInt(0x10000000 + i*1499)}}); got != want {
			t.Errorf("entry %d is %v", i, got)
		}
	}
	began := time.Now()
	for i := range int64(1000) {
		l.status(Question{Leaf: &x509.Certificate{SerialNumber: big.NewInt(0x10000000 + i)}})
	}
	if each := time.Since(began) / 1000; each > time.Millisecond {
		t.Errorf("a lookup takes %v", each)
	}
	runtime.KeepAlive(l)
	runtime.KeepAlive(raw)
}

func BenchmarkListLookup(b *testing.B) {
	w := theWorld()
	l := must(parseList(millionList(b, w), []*x509.Certificate{w.ca.cert}))
	c := &CRL{Now: func() time.Time { return now }, lists: map[string]*list{"": l}}
	q := w.question(leafTemplate(0x10000000 + 777*1499))
	b.ReportAllocs()
	for b.Loop() {
		if answer, err := c.Check(b.Context(), q); err != nil || answer.Status != Suspended {
			b.Fatal(answer, err)
		}
	}
}

func BenchmarkListRead(b *testing.B) {
	w := theWorld()
	raw, issuers := millionList(b, w), []*x509.Certificate{w.ca.cert}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		must(parseList(raw, issuers))
	}
}

func BenchmarkSharedAnswer(b *testing.B) {
	one, _ := twoQuestions()
	s := &Shared{Keep: time.Minute, Next: None{}}
	s.kept = map[[sha256.Size]byte]kept{sha256.Sum256(append(append([]byte{}, one.Leaf.Raw...), one.Issuer.Raw...)): {Answer{Status: Good}, time.Now().Add(time.Hour)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Check(b.Context(), one); err != nil {
			b.Fatal(err)
		}
	}
}
