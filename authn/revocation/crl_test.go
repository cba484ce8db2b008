package revocation

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/authn/fail"
)

var (
	oidReasonCode        = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
)

// point is a DistributionPointName with a directory name that has one common name.
func point(name string) []byte {
	rdn := must(asn1.Marshal(pkix.Name{CommonName: name}.ToRDNSequence()))
	return explicit(0, explicit(0, explicit(4, rdn)))
}

func scope(parts ...[]byte) pkix.Extension {
	return pkix.Extension{Id: oidDistributionPoint, Critical: true, Value: sequence(parts...)}
}

// standsOn issues a holder's certificate that names its lists.
func (w *world) standsOn(serial int64, points ...[]byte) *x509.Certificate {
	template := leafTemplate(serial)
	template.ExtraExtensions = []pkix.Extension{{Id: oidDistribution, Value: sequence(points...)}}
	return issue(template, &w.ca).cert
}

func fullList() *x509.RevocationList {
	return &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}
}

func entry(serial int64, reason int) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: now.AddDate(0, -1, 0), ReasonCode: reason}
}

func (w *world) sign(template *x509.RevocationList, by pair) []byte {
	issuer := *by.cert
	issuer.PublicKey = by.key.Public()
	return must(x509.CreateRevocationList(rand.Reader, template, &issuer, by.key))
}

// publish serves lists and fetches them.
func (w *world) publish(t *testing.T, lists ...[]byte) (*CRL, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var i int
		fmt.Sscanf(r.URL.Path, "/%d", &i)
		rw.Write(lists[i])
	}))
	t.Cleanup(server.Close)
	c := &CRL{HTTP: server.Client(), Now: func() time.Time { return now }, Issuers: func() []*x509.Certificate { return []*x509.Certificate{w.strangerCA.cert, w.ca.cert}[1:] }}
	for i := range lists {
		c.URLs = append(c.URLs, fmt.Sprintf("%s/%d", server.URL, i))
	}
	return c, c.Refresh(t.Context())
}

func (w *world) question(leaf *x509.Certificate) Question {
	return Question{Leaf: leaf, Issuer: w.ca.cert, Purpose: "authentication"}
}

func TestAListAnswers(t *testing.T) {
	w := theWorld()
	north, south := w.standsOn(301, sequence(point("north"))), w.standsOn(302, sequence(point("south")))
	both := w.standsOn(303, sequence(point("north")), sequence(point("south")))
	list := func(name string, entries ...x509.RevocationListEntry) []byte {
		l := fullList()
		l.RevokedCertificateEntries = entries
		if name != "" {
			l.ExtraExtensions = []pkix.Extension{scope(point(name))}
		}
		return w.sign(l, w.ca)
	}
	for _, tc := range []struct {
		name  string
		leaf  *x509.Certificate
		lists [][]byte
		want  Status // Unknown: there is no answer
	}{
		{"an empty list", w.holder.cert, [][]byte{list("")}, Good},
		{"a list of others", w.holder.cert, [][]byte{list("", entry(100, 0), entry(102, 6))}, Good},
		{"revoked without a reason", w.holder.cert, [][]byte{list("", entry(101, 0))}, Revoked},
		{"revoked with a reason", w.holder.cert, [][]byte{list("", entry(101, 1))}, Revoked},
		{"suspended", w.holder.cert, [][]byte{list("", entry(101, 6))}, Suspended},
		{"no list at all", w.holder.cert, nil, Unknown},
		{"the list of another partition", north, [][]byte{list("south")}, Unknown},
		{"the list of its partition", north, [][]byte{list("south"), list("north", entry(301, 0))}, Revoked},
		{"the same number in another partition means nothing", south, [][]byte{list("south"), list("north", entry(302, 0))}, Good},
		{"on two lists, the worse news count", both, [][]byte{list("south"), list("north", entry(303, 6))}, Suspended},
		{"on two lists, gone beats held", both, [][]byte{list("south", entry(303, 6)), list("north", entry(303, 0))}, Revoked},
		{"a list of everybody serves all partitions", north, [][]byte{list("")}, Good},
		{"a certificate of no partition needs the list of everybody", w.holder.cert, [][]byte{list("north")}, Unknown},
		{"a point for some reasons only", w.standsOn(304, sequence(point("north"), tlv(asn1.ClassContextSpecific, 1, false, []byte{7, 0x80}))), [][]byte{list("north")}, Unknown},
		{"points that are none", &x509.Certificate{SerialNumber: big.NewInt(305), Extensions: []pkix.Extension{{Id: oidDistribution, Value: sequence([]byte{5, 0})}}}, [][]byte{list("north")}, Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := w.publish(t, tc.lists...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Check(t.Context(), w.question(tc.leaf))
			if got.Status != tc.want || (err != nil) != (tc.want == Unknown) || err != nil && !errors.Is(err, fail.RevocationUnavailable) {
				t.Fatalf("got %v, %v; want %v", got.Status, err, tc.want)
			}
			if tc.want != Unknown && (!got.ThisUpdate.Equal(now.Add(-time.Minute)) || !got.NextUpdate.Equal(now.Add(time.Hour))) {
				t.Errorf("the times are lost: %+v", got)
			}
		})
	}
}

func TestAListIsNotBelieved(t *testing.T) {
	w := theWorld()
	alter := func(edit func(*x509.RevocationList)) []byte {
		l := fullList()
		edit(l)
		return w.sign(l, w.ca)
	}
	good := alter(func(*x509.RevocationList) {})
	turned := append([]byte{}, good...)
	turned[len(turned)-9] ^= 1
	mayNot := *w.ca.cert
	mayNot.KeyUsage = x509.KeyUsageCertSign
	named := func(e pkix.Extension) []byte {
		return alter(func(l *x509.RevocationList) { l.ExtraExtensions = []pkix.Extension{e} })
	}
	for _, tc := range []struct {
		name    string
		list    []byte
		issuers []*x509.Certificate
		want    error
	}{
		{"a stranger of the same name", w.sign(fullList(), w.strangerCA), nil, errListSigner},
		{"a cardholder", w.sign(fullList(), pair{withKeyID(w.holder.cert), w.holder.key}), nil, errListSigner},
		{"an authority whose key may not sign lists", good, []*x509.Certificate{&mayNot}, errListSigner},
		{"no authority configured", good, []*x509.Certificate{}, errListSigner},
		{"a signature with one bit turned", turned, nil, errListSigner},
		{"another name over the right signature", w.sign(fullList(), pair{withKeyID(renamed(w.ca).cert), w.ca.key}), nil, errListSigner},
		{"a next update that has passed", alter(func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = now.Add(-time.Hour), now.Add(-time.Second) }), nil, errOverdue},
		{"a list from the future", alter(func(l *x509.RevocationList) { l.ThisUpdate = now.Add(2 * time.Minute) }), nil, errFuture},
		{"a delta list", named(pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: must(asn1.Marshal(1))}), nil, errListExtension},
		{"an indirect list", named(scope(tlv(asn1.ClassContextSpecific, 4, false, []byte{0xFF}))), nil, errListScope},
		{"a list of authorities only", named(scope(tlv(asn1.ClassContextSpecific, 2, false, []byte{0xFF}))), nil, errListScope},
		{"a list of some reasons only", named(scope(tlv(asn1.ClassContextSpecific, 3, false, []byte{7, 0x80}))), nil, errListScope},
		{"a scope that is none", named(pkix.Extension{Id: oidDistributionPoint, Critical: true, Value: []byte{5, 0}}), nil, errListForm},
		{"an entry of somebody else", alter(func(l *x509.RevocationList) {
			e := entry(1, 0)
			e.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: sequence()}}
			l.RevokedCertificateEntries = []x509.RevocationListEntry{e}
		}), nil, errListExtension},
		{"a certificate in its place", w.holder.cert.Raw, nil, errListVersion},
		{"something after the list", append(append([]byte{}, good...), 0), nil, errListForm},
		{"a list cut short", good[:len(good)-1], nil, errListForm},
		{"nothing", nil, nil, errListForm},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := w.publish(t, tc.list)
			if tc.issuers != nil {
				c.Issuers = func() []*x509.Certificate { return tc.issuers }
			}
			c.lists, c.due = nil, nil
			if err := c.Refresh(t.Context()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if _, err := c.Check(t.Context(), w.question(w.holder.cert)); !errors.Is(err, fail.RevocationUnavailable) {
				t.Errorf("it answers: %v", err)
			}
		})
	}
}

func withKeyID(c *x509.Certificate) *x509.Certificate {
	with := *c
	with.SubjectKeyId, with.KeyUsage = []byte{1}, x509.KeyUsageCRLSign
	return &with
}

// The signature and the outline are ours; version and end are what crypto/x509 will not write.
func TestListsOfOldFormsAreRefused(t *testing.T) {
	l := &list{issuer: theWorld().ca.cert}
	algorithm := sequence(must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
	this, version := must(asn1.MarshalWithParams(now, "utc")), must(asn1.Marshal(1))
	for _, tc := range []struct {
		name string
		tbs  [][]byte
		want error
	}{
		{"version 1", [][]byte{algorithm, l.issuer.RawSubject, this, this}, errListVersion},
		{"no next update", [][]byte{version, algorithm, l.issuer.RawSubject, this}, errListOpenEnd},
		{"another algorithm inside than outside", [][]byte{version, sequence(), l.issuer.RawSubject, this, this}, errListForm},
		{"something after the end", [][]byte{version, algorithm, l.issuer.RawSubject, this, this, {5, 0}}, errListForm},
		{"an entry that is none", [][]byte{version, algorithm, l.issuer.RawSubject, this, this, sequence(sequence(this))}, errListForm},
		{"a negative serial number", [][]byte{version, algorithm, l.issuer.RawSubject, this, this, sequence(sequence([]byte{2, 1, 0x80}, this))}, errListForm},
		{"a serial number of zero", [][]byte{version, algorithm, l.issuer.RawSubject, this, this, sequence(sequence([]byte{2, 1, 0}, this))}, errListForm},
		{"a reason that is none", [][]byte{version, algorithm, l.issuer.RawSubject, this, this, sequence(sequence([]byte{2, 1, 1}, this,
			sequence(sequence(must(asn1.Marshal(oidReasonCode)), tlv(0, asn1.TagOctetString, false, []byte{5, 0})))))}, errListForm},
		{"a padded serial number", [][]byte{version, algorithm, l.issuer.RawSubject, this, this, sequence(sequence([]byte{2, 2, 0, 1}, this))}, errListForm},
	} {
		var tbs []byte
		for _, part := range tc.tbs {
			tbs = append(tbs, part...)
		}
		if err := l.read(tbs, algorithm); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestListsAreRenewedInTheBackground(t *testing.T) {
	w := theWorld()
	at := now
	var served atomic.Pointer[[]byte]
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if body := served.Load(); body != nil {
			rw.Write(*body)
			return
		}
		rw.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	c := &CRL{URLs: []string{server.URL}, HTTP: server.Client(), Now: func() time.Time { return at }, Issuers: func() []*x509.Certificate { return []*x509.Certificate{w.ca.cert} }}
	serve := func(from time.Time, life time.Duration, entries ...x509.RevocationListEntry) {
		body := w.sign(&x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: from.Add(life), RevokedCertificateEntries: entries}, w.ca)
		served.Store(&body)
	}
	status := func() Status {
		answer, _ := c.Check(t.Context(), w.question(w.holder.cert))
		return answer.Status
	}
	if err := c.Refresh(t.Context()); !errors.Is(err, errStatusCode) || status() != Unknown {
		t.Fatalf("without a list: %v", err)
	}
	serve(now, time.Hour)
	if err := c.Refresh(t.Context()); err != nil || status() != Good {
		t.Fatal(err)
	}
	before := asked.Load()
	at = now.Add(29 * time.Minute)
	if err := c.Refresh(t.Context()); err != nil || asked.Load() != before {
		t.Fatal("it asks before half of the time is over")
	}
	at = now.Add(31 * time.Minute)
	serve(now.Add(-time.Minute), 2*time.Hour, entry(101, 0))
	if err := c.Refresh(t.Context()); !errors.Is(err, errOlderList) || status() != Good {
		t.Fatalf("an older list takes over: %v", err)
	}
	serve(now.Add(30*time.Minute), time.Hour, entry(101, 0))
	if err := c.Refresh(t.Context()); err != nil || status() != Revoked {
		t.Fatalf("a newer list does not: %v", err)
	}
	served.Store(nil)
	at = now.Add(90 * time.Minute)
	if err := c.Refresh(t.Context()); err == nil || status() != Revoked {
		t.Fatal("a list must serve to its end while no newer one can be had")
	}
	at = now.Add(90*time.Minute + time.Second)
	if status() != Unknown {
		t.Fatal("a list serves after its end")
	}
}

func TestALongListIsNotRead(t *testing.T) {
	w := theWorld()
	c, _ := w.publish(t, make([]byte, maxList+1))
	if err := c.Refresh(t.Context()); !errors.Is(err, errTooLong) {
		t.Fatalf("got %v", err)
	}
}

func TestMaxAgeIsShorterThanTheListSays(t *testing.T) {
	w := theWorld()
	c, err := w.publish(t, w.sign(fullList(), w.ca))
	if err != nil {
		t.Fatal(err)
	}
	c.MaxAge = time.Minute
	if _, err := c.Check(t.Context(), w.question(w.holder.cert)); err != nil {
		t.Fatal(err)
	}
	c.MaxAge = time.Minute - time.Second
	if _, err := c.Check(t.Context(), w.question(w.holder.cert)); !errors.Is(err, errStale) {
		t.Fatalf("got %v", err)
	}
}

// A set of serial numbers is a set, for every length that a certificate may have.
func TestSerialsAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []*big.Int {
			var all []*big.Int
			for _, b := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, maxSerial), 0, 30).Draw(t, name) {
				if n := new(big.Int).SetBytes(b); n.Sign() > 0 {
					all = append(all, n)
				}
			}
			return all
		}
		in, others := draw("in"), draw("others")
		var s serials
		member := map[string]bool{}
		for _, n := range in {
			s.add(n.Bytes())
			member[n.String()] = true
		}
		s.settle()
		for _, n := range append(in, others...) {
			if s.has(n) != member[n.String()] {
				t.Fatalf("%v: %v", n, s.has(n))
			}
		}
		if s.has(new(big.Int)) || s.has(big.NewInt(-1)) || s.has(new(big.Int).Lsh(big.NewInt(1), 160)) {
			t.Fatal("a number that no certificate has is in it")
		}
	})
}

// Whatever comes, a list is believed only if its authority signed these very bytes.
func FuzzParseList(f *testing.F) {
	w := theWorld()
	l := fullList()
	l.RevokedCertificateEntries = []x509.RevocationListEntry{entry(101, 0), entry(102, 6)}
	l.ExtraExtensions = []pkix.Extension{scope(point("north"))}
	good := w.sign(l, w.ca)
	f.Add(uint16(0), uint16(0), []byte{})
	f.Add(uint16(40), uint16(1), []byte{6})
	f.Fuzz(func(t *testing.T, at, cut uint16, with []byte) {
		from := min(int(at), len(good))
		to := min(from+int(cut), len(good))
		raw := append(append(append([]byte{}, good[:from]...), with...), good[to:]...)
		l, err := parseList(raw, []*x509.Certificate{w.ca.cert})
		if err == nil && (!l.gone.has(big.NewInt(101)) || !l.held.has(big.NewInt(102)) || len(l.scope) != 1) {
			t.Fatal("a list that nobody signed is believed")
		}
	})
}

// The reader of the signed part must survive anything too: an authority can be wrong.
func FuzzReadList(f *testing.F) {
	w := theWorld()
	algorithm := sequence(must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})))
	this := must(asn1.MarshalWithParams(now, "utc"))
	head := append(append(append(append(must(asn1.Marshal(1)), algorithm...), w.ca.cert.RawSubject...), this...), this...)
	f.Add(sequence(sequence([]byte{2, 1, 5}, this)))
	f.Add(explicit(0, sequence(must(asn1.Marshal(scope(point("north")))))))
	f.Fuzz(func(t *testing.T, rest []byte) {
		l := &list{issuer: w.ca.cert}
		_ = l.read(append(append([]byte{}, head...), rest...), algorithm)
	})
}
