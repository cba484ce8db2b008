package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/crypto/ocsp"

	"tegata/authn/fail"
)

func TestCheckBelievesAFreshAnswerToItsQuestion(t *testing.T) {
	w := theWorld()
	for _, tc := range []struct {
		name  string
		spoil func(*reply)
		want  Status
	}{
		{"good from the delegate", nil, Good},
		{"good from the issuer itself", func(r *reply) { r.signer, r.named, r.certs = w.ca, w.ca.cert, nil }, Good},
		{"good from the issuer, who sends its certificate along", func(r *reply) { r.signer, r.named, r.certs = w.ca, w.ca.cert, []*x509.Certificate{w.ca.cert} }, Good},
		{"good from a delegate named by its key", func(r *reply) { r.byKey = true }, Good},
		{"good with a second certificate in the message", func(r *reply) { r.certs = append(r.certs, w.ca.cert) }, Good},
		{"good without a next update", func(r *reply) { r.nextUpdate = time.Time{} }, Good},
		{"good, as old as allowed", func(r *reply) { r.thisUpdate = now.Add(-2 * time.Minute) }, Good},
		{"good, as far ahead as a clock may be", func(r *reply) { r.thisUpdate = now.Add(time.Minute) }, Good},
		{"good until this very second", func(r *reply) { r.nextUpdate = now }, Good},
		{"good with an extension that is not critical", func(r *reply) {
			r.extensions = append(r.extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 9}, Value: []byte{5, 0}})
		}, Good},
		{"unknown", func(r *reply) { r.good, r.unknown = false, true }, Unknown},
		{"revoked without a reason", revoked(-1), Revoked},
		{"revoked: unspecified", revoked(0), Revoked},
		{"revoked: key compromise", revoked(1), Revoked},
		{"revoked: CA compromise", revoked(2), Revoked},
		{"revoked: affiliation changed", revoked(3), Revoked},
		{"revoked: superseded", revoked(4), Revoked},
		{"revoked: cessation of operation", revoked(5), Revoked},
		{"suspended: certificate hold", revoked(6), Suspended},
		{"revoked: remove from CRL makes no sense here", revoked(8), Revoked},
		{"revoked: privilege withdrawn", revoked(9), Revoked},
		{"revoked: AA compromise", revoked(10), Revoked},
		{"revoked: a reason of the future", revoked(11), Revoked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := w.serve(t, tc.spoil).Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert})
			if err != nil || got.Status != tc.want {
				t.Fatalf("got %v, %v; want %v", got.Status, err, tc.want)
			}
			if got.ThisUpdate.IsZero() {
				t.Fatal("the time of the news is lost")
			}
		})
	}
}

func revoked(reason int) func(*reply) {
	return func(r *reply) { r.good, r.revoked = false, revokedInfo(reason) }
}

func TestCheckTellsWhenTheNewsWereMade(t *testing.T) {
	w := theWorld()
	got, err := w.serve(t, func(r *reply) { r.thisUpdate = now.Add(-time.Second) }).Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert})
	want := Answer{Status: Good, ThisUpdate: now.Add(-time.Second), NextUpdate: now.Add(time.Minute)}
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
}

// wrong replaces the delegate by one that is wrong in one way.
func wrong(w *world, by *pair, spoil func(*x509.Certificate)) func(*reply) {
	template := delegateTemplate()
	if spoil != nil {
		spoil(template)
	}
	p := issue(template, by)
	return func(r *reply) { r.signer, r.named, r.certs = p, p.cert, []*x509.Certificate{p.cert} }
}

// renamed is a CA's key under another name.
func renamed(ca pair) *pair {
	cert := *ca.cert
	cert.RawSubject = must(asn1.Marshal(pkix.Name{Organization: []string{"ANOTHER"}}.ToRDNSequence()))
	return &pair{&cert, ca.key}
}

func TestCheckDoesNotBelieve(t *testing.T) {
	w := theWorld()
	nonce := func(values ...[]byte) func(*reply) {
		return func(r *reply) {
			r.extensions = nil
			for _, v := range values {
				r.extensions = append(r.extensions, pkix.Extension{Id: oidNonce, Value: v})
			}
		}
	}
	for _, tc := range []struct {
		name  string
		spoil func(*reply)
		want  error
	}{
		{"an answer of a day ago", func(r *reply) { r.thisUpdate, r.nextUpdate = now.AddDate(0, 0, -1), now.AddDate(0, 0, 6) }, errStale},
		{"an answer a second older than allowed", func(r *reply) { r.thisUpdate = now.Add(-2*time.Minute - time.Second) }, errStale},
		{"an answer from the future", func(r *reply) { r.thisUpdate, r.nextUpdate = now.Add(61*time.Second), now.Add(time.Hour) }, errFuture},
		{"an answer whose next update has passed", func(r *reply) { r.thisUpdate, r.nextUpdate = now.Add(-10*time.Second), now.Add(-time.Second) }, errOverdue},

		{"an answer with another nonce", nonce(must(asn1.Marshal(make([]byte, 32)))), errNonce},
		{"an answer without a nonce", nonce(), errNonce},
		{"an answer with the beginning of our nonce", func(r *reply) { nonce(must(asn1.Marshal(r.extensions[0].Value[2:10])))(r) }, errNonce},
		{"a nonce without its own octet string", func(r *reply) { nonce(r.extensions[0].Value[2:])(r) }, errNonce},
		{"a nonce with something after it", func(r *reply) { nonce(append(bytes.Clone(r.extensions[0].Value), 0))(r) }, errNonce},
		{"our nonce and another one", func(r *reply) { nonce(r.extensions[0].Value, must(asn1.Marshal([]byte("x"))))(r) }, errNonce},
		{"a critical extension of the whole answer", func(r *reply) {
			r.extensions = append(r.extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 9}, Critical: true, Value: []byte{5, 0}})
		}, errExtension},
		{"a critical extension of the status", func(r *reply) { r.critical = true }, errUnreadable},

		{"a status of another certificate", func(r *reply) { r.ids[0].Serial = w.other.cert.SerialNumber }, errOtherQuestion},
		{"a status under another issuer's name", func(r *reply) { r.ids[0].IssuerNameHash = make([]byte, 32) }, errOtherQuestion},
		{"a status under another generation's key", func(r *reply) { r.ids[0].IssuerKeyHash = make([]byte, 32) }, errOtherQuestion},
		{"a status named by another hash", func(r *reply) {
			r.ids[0].HashAlgorithm.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
		}, errOtherQuestion},
		{"ours and a second status", func(r *reply) { r.ids = append(r.ids, r.ids[0]) }, errUnreadable},
		{"no status at all", func(r *reply) { r.ids = nil }, errUnreadable},
		{"good and revoked at once", func(r *reply) { r.revoked = revokedInfo(1) }, errOneAnswer},
		{"good and unknown at once", func(r *reply) { r.unknown = true }, errOneAnswer},
		{"neither good nor revoked nor unknown", func(r *reply) { r.good = false }, errOneAnswer},

		{"a stranger with a CA of the same name", func(r *reply) {
			r.signer, r.named, r.certs = w.stranger, w.stranger.cert, []*x509.Certificate{w.stranger.cert}
		}, errUnreadable},
		{"a stranger who sends the right delegate's certificate", func(r *reply) { r.signer = w.stranger }, errUnreadable},
		{"a stranger without any certificate", func(r *reply) { r.signer, r.certs = w.stranger, nil }, errUnreadable},
		{"the stranger CA itself", func(r *reply) {
			r.signer, r.named, r.certs = w.strangerCA, w.strangerCA.cert, []*x509.Certificate{w.strangerCA.cert}
		}, errUnreadable},
		{"another cardholder of the same CA", func(r *reply) { r.signer, r.named, r.certs = w.other, w.other.cert, []*x509.Certificate{w.other.cert} }, errDelegate},
		{"the cardholder herself", func(r *reply) {
			r.signer, r.named, r.certs = w.holder, w.holder.cert, []*x509.Certificate{w.holder.cert}
		}, errDelegate},
		{"a delegate for another use", wrong(w, &w.ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), errDelegate},
		{"a delegate whose key may not sign", wrong(w, &w.ca, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), errDelegate},
		{"a delegate that is a CA", wrong(w, &w.ca, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), errDelegate},
		{"a delegate with a critical extension nobody understands", wrong(w, &w.ca, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 9}, Critical: true, Value: []byte{5, 0}}}
		}), errDelegate},
		{"a delegate of the delegate", wrong(w, &w.delegate, nil), errUnreadable},
		{"a delegate whose certificate names another CA above the same key", wrong(w, renamed(w.ca), nil), errDelegate},
		{"a delegate whose certificate ended a second ago", wrong(w, &w.ca, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), errDelegateExpired},
		{"a delegate whose certificate begins in a second", wrong(w, &w.ca, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), errDelegateExpired},
		{"an answer that names somebody else as its signer", func(r *reply) { r.named = w.ca.cert }, errOtherResponder},
		{"an answer that names somebody else's key", func(r *reply) { r.byKey, r.named = true, w.ca.cert }, errOtherResponder},
		{"a SHA-1 signature", func(r *reply) { r.hash = crypto.SHA1 }, errWeakSignature},

		{"an error of the responder", func(r *reply) { r.status = 3 }, errErrorAnswer},
		{"another type of response", func(r *reply) { r.kind = asn1.ObjectIdentifier{1, 2, 3} }, errUnreadable},
		{"a byte after the answer", func(r *reply) { r.after = func(b []byte) []byte { return append(b, 0) } }, errUnreadable},
		{"half an answer", func(r *reply) { r.after = func(b []byte) []byte { return b[:len(b)/2] } }, errUnreadable},
		{"nothing", func(r *reply) { r.after = func([]byte) []byte { return nil } }, errUnreadable},
		{"garbage", func(r *reply) { r.after = func([]byte) []byte { return []byte("<html>captive portal</html>") } }, errUnreadable},
		{"more than the cap", func(r *reply) { r.after = func(b []byte) []byte { return append(b, make([]byte, maxResponse)...) } }, errTooLong},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantUnavailable(t, w.serve(t, tc.spoil), tc.want)
		})
		t.Run(tc.name+", when the right delegate is known", func(t *testing.T) {
			var known atomic.Bool
			o := w.serve(t, func(r *reply) {
				if known.Load() {
					tc.spoil(r)
				}
			})
			if _, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert}); err != nil {
				t.Fatal(err)
			}
			known.Store(true)
			wantUnavailable(t, o, tc.want)
		})
	}
}

// wantUnavailable asks about the holder and wants no answer because of cause.
func wantUnavailable(t *testing.T, o *OCSP, cause error) {
	t.Helper()
	w := theWorld()
	got, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert})
	switch {
	case got != Answer{}:
		t.Fatalf("an answer that is not believed says %v", got.Status)
	case !errors.Is(err, fail.RevocationUnavailable):
		t.Fatalf("got %v, want revocation_unavailable", err)
	case cause != nil && !errors.Is(err, cause):
		t.Fatalf("got %v, want %v", errors.Unwrap(err), cause)
	case !errors.Is(Refuse(got, err), fail.RevocationUnavailable):
		t.Fatal("not refused")
	}
}

// To be remembered is no way to live longer, nor to speak for another issuer.
func TestADelegateIsKnownAsLongAsItIsValid(t *testing.T) {
	w := theWorld()
	var known delegates
	for _, step := range []struct {
		at     time.Time
		issuer *x509.Certificate
		want   error
	}{
		{now, w.strangerCA.cert, errUnreadable},
		{now, w.ca.cert, nil},
		{now, w.ca.cert, nil},
		{now, w.strangerCA.cert, errUnreadable},
		{w.delegate.cert.NotAfter.Add(time.Second), w.ca.cert, errDelegateExpired},
		{w.delegate.cert.NotBefore.Add(-time.Second), w.ca.cert, errDelegateExpired},
		{now, w.ca.cert, nil},
	} {
		if err := known.check(w.delegate.cert, step.issuer, step.at); !errors.Is(err, step.want) {
			t.Fatalf("at %v: %v, want %v", step.at, err, step.want)
		}
	}
}

// Yesterday's good answer must not hide today's revocation.
func TestAReplayedAnswerIsRefused(t *testing.T) {
	w := theWorld()
	var recorded []byte
	o := w.handle(t, func(rw http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if recorded == nil {
			recorded = w.answer(body).encode()
		}
		rw.Header().Set("Content-Type", "application/ocsp-response")
		rw.Write(recorded)
	})
	if got, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert}); err != nil || got.Status != Good {
		t.Fatalf("the first answer is genuine: %v", err)
	}
	wantUnavailable(t, o, errNonce)
}

func TestHTTPFaultsAreNoAnswer(t *testing.T) {
	w := theWorld()
	good := func(rw http.ResponseWriter, req *http.Request, media string, code int) {
		body, _ := io.ReadAll(req.Body)
		rw.Header().Set("Content-Type", media)
		rw.WriteHeader(code)
		rw.Write(w.answer(body).encode())
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    error
	}{
		{"a good answer with status 500", func(rw http.ResponseWriter, req *http.Request) { good(rw, req, "application/ocsp-response", 500) }, errStatusCode},
		{"a good answer with status 203 from a proxy", func(rw http.ResponseWriter, req *http.Request) { good(rw, req, "application/ocsp-response", 203) }, errStatusCode},
		{"a good answer as text", func(rw http.ResponseWriter, req *http.Request) { good(rw, req, "text/html", 200) }, errMediaType},
		{"a good answer as nothing", func(rw http.ResponseWriter, req *http.Request) { good(rw, req, "", 200) }, errMediaType},
		{"a good answer that announces more than it sends", func(rw http.ResponseWriter, req *http.Request) {
			rw.Header().Set("Content-Length", "9999")
			good(rw, req, "application/ocsp-response", 200)
		}, io.ErrUnexpectedEOF},
		{"an endless answer", func(rw http.ResponseWriter, req *http.Request) {
			rw.Header().Set("Content-Type", "application/ocsp-response")
			for block := make([]byte, 32<<10); req.Context().Err() == nil; {
				if _, err := rw.Write(block); err != nil {
					return
				}
			}
		}, errTooLong},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) { wantUnavailable(t, w.handle(t, tc.handler), tc.want) })
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	w := theWorld()
	elsewhere := w.serve(t, nil)
	o := w.handle(t, func(rw http.ResponseWriter, req *http.Request) {
		http.Redirect(rw, req, elsewhere.URL(w.ca.cert), http.StatusTemporaryRedirect)
	})
	wantUnavailable(t, o, errStatusCode)
}

func TestASlowResponderIsGivenUp(t *testing.T) {
	w := theWorld()
	stuck := func(rw http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}
	t.Run("after the timeout", func(t *testing.T) {
		o := w.handle(t, stuck)
		o.Timeout = 20 * time.Millisecond
		wantUnavailable(t, o, context.DeadlineExceeded)
	})
	t.Run("when the login is given up", func(t *testing.T) {
		o := w.handle(t, stuck)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := o.Check(ctx, Question{Leaf: w.holder.cert, Issuer: w.ca.cert}); !errors.Is(err, context.Canceled) || !errors.Is(err, fail.RevocationUnavailable) {
			t.Fatalf("got %v", err)
		}
	})
	if defaultTimeout >= 4*time.Second {
		t.Fatal("the person has to hear of an outage within 4 s")
	}
}

func TestMaxAgeIsTheOperatorsChoice(t *testing.T) {
	w := theWorld()
	o := w.serve(t, func(r *reply) { r.thisUpdate = now.Add(-10 * time.Minute) })
	o.MaxAge = 10 * time.Minute
	if got, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert}); err != nil || got.Status != Good {
		t.Fatalf("got %v, %v", got.Status, err)
	}
	o.MaxAge--
	wantUnavailable(t, o, errStale)
}

func TestWithoutSomebodyToAskThereIsNoAnswer(t *testing.T) {
	w := theWorld()
	wantUnavailable(t, &OCSP{}, errNoResponder)
	wantUnavailable(t, &OCSP{URL: func(*x509.Certificate) string { return "" }}, errNoResponder)
	wantUnavailable(t, &OCSP{URL: func(*x509.Certificate) string { return "\x7f" }}, nil)
	o := w.serve(t, nil)
	o.Rand = iotest.ErrReader(errors.New("no randomness"))
	wantUnavailable(t, o, nil)
	broken := *w.ca.cert
	broken.RawSubjectPublicKeyInfo = []byte{0}
	for _, ask := range []struct{ leaf, issuer *x509.Certificate }{{nil, w.ca.cert}, {w.holder.cert, nil}, {&x509.Certificate{}, w.ca.cert}} {
		if _, err := o.Check(t.Context(), Question{Leaf: ask.leaf, Issuer: ask.issuer}); !errors.Is(err, errNoCertificate) {
			t.Errorf("got %v", err)
		}
	}
	o.URL = func(*x509.Certificate) string { return "http://127.0.0.1:1" }
	if _, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: &broken}); !errors.Is(err, errBadIssuer) {
		t.Errorf("got %v", err)
	}
}

// Everything but URL has a default: the real clock, real randomness, a client of its own.
func TestDefaultsAreEnough(t *testing.T) {
	w := theWorld()
	today := time.Now()
	delegated := wrong(w, &w.ca, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = today.Add(-time.Hour), today.Add(time.Hour) })
	configured := w.serve(t, func(r *reply) {
		delegated(r)
		r.thisUpdate, r.nextUpdate = today, today.Add(time.Minute)
	})
	o := &OCSP{URL: configured.URL}
	if got, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert}); err != nil || got.Status != Good {
		t.Fatalf("got %v, %v", got.Status, err)
	}
}

func TestTheRequestIsWhatRespondersExpect(t *testing.T) {
	w := theWorld()
	seen := make(chan *http.Request, 2)
	bodies := make(chan []byte, 2)
	o := w.handle(t, func(rw http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		seen <- req
		bodies <- body
		rw.Header().Set("Content-Type", "application/ocsp-response")
		rw.Write(w.answer(body).encode())
	})
	for range 2 {
		if _, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert}); err != nil {
			t.Fatal(err)
		}
	}
	req, first, second := <-seen, <-bodies, <-bodies
	if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/ocsp-request" || req.URL.Path != "/ocsp" || req.URL.RawQuery != "" {
		t.Fatalf("%s %s as %s", req.Method, req.URL, req.Header.Get("Content-Type"))
	}
	a, b := w.answer(first).extensions, w.answer(second).extensions
	if len(a) != 1 || !a[0].Id.Equal(oidNonce) || a[0].Critical || len(a[0].Value) != 2+nonceSize {
		t.Fatal("the nonce is not that of RFC 8954")
	}
	if bytes.Equal(a[0].Value, b[0].Value) {
		t.Fatal("two questions share a nonce")
	}
}

func TestRefuseFailsClosed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer Answer
		err    error
		want   error
	}{
		{"the zero answer", Answer{}, nil, fail.RevocationUnavailable},
		{"unknown", Answer{Status: Unknown, ThisUpdate: now}, nil, fail.RevocationUnavailable},
		{"revoked", Answer{Status: Revoked}, nil, fail.CertificateRevoked},
		{"suspended", Answer{Status: Suspended}, nil, fail.CertificateSuspended},
		{"a status of a later version", Answer{Status: Suspended + 1}, nil, fail.RevocationUnavailable},
		{"good with an error is not good", Answer{Status: Good}, io.EOF, fail.RevocationUnavailable},
		{"good", Answer{Status: Good}, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Refuse(tc.answer, tc.err); !errors.Is(got, tc.want) {
				t.Fatalf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestNothingOfTheCertificateIsQuoted(t *testing.T) {
	w := theWorld()
	serial := w.holder.cert.SerialNumber.String()
	for _, o := range []*OCSP{
		w.serve(t, func(r *reply) { r.ids[0].Serial = big.NewInt(1) }),
		{URL: func(*x509.Certificate) string { return "http://127.0.0.1:1/ocsp" }},
	} {
		_, err := o.Check(t.Context(), Question{Leaf: w.holder.cert, Issuer: w.ca.cert})
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), serial) {
				t.Fatalf("the serial number is quoted by %T", e)
			}
		}
	}
	for s, word := range map[Status]string{Unknown: "unknown", Good: "good", Revoked: "revoked", Suspended: "suspended"} {
		if s.String() != word {
			t.Errorf("%d reads %q", s, s)
		}
	}
}

// Whatever comes back, only the very bytes that the responder signed can say anything.
func FuzzRead(f *testing.F) {
	w := theWorld()
	q := must(ask(w.holder.cert.SerialNumber, w.ca.cert, rand.Reader))
	r := w.answer(q.der)
	good := r.encode()
	r.good, r.revoked = false, revokedInfo(6)
	held := r.encode()
	for _, fromGood := range []bool{true, false} {
		f.Add(fromGood, uint16(0), uint16(0), []byte{})
		f.Add(fromGood, uint16(90), uint16(1), []byte{0})
		f.Add(fromGood, uint16(len(good)), uint16(0), []byte{0})
		f.Add(fromGood, uint16(0), uint16(len(good)), []byte{0x30, 0x03, 0x0A, 0x01, 0x03})
	}
	f.Fuzz(func(t *testing.T, fromGood bool, at, cut uint16, with []byte) {
		genuine, says := held, Suspended
		if fromGood {
			genuine, says = good, Good
		}
		from := min(int(at), len(genuine))
		to := min(from+int(cut), len(genuine))
		body := bytes.Join([][]byte{genuine[:from], with, genuine[to:]}, nil)
		got, err := q.read(body, w.ca.cert, new(delegates), now, time.Minute)
		switch {
		case err != nil && got != Answer{}:
			t.Fatal("an error with an answer")
		case err == nil && got.Status != says:
			t.Fatalf("%v was turned into %v", says, got.Status)
		case err == nil && !bytes.Contains(body, signedPart(genuine)):
			t.Fatal("an answer nobody signed is believed")
		case err == nil && !alike(got, body):
			t.Fatal("x/crypto/ocsp reads it otherwise")
		}
	})
}

// Of an answer with any one byte changed or missing, signed all the same, nothing is believed that another library does not
// read in the same way.
func TestASignedAnswerIsReadInOneWay(t *testing.T) {
	w := theWorld()
	q := must(ask(w.holder.cert.SerialNumber, w.ca.cert, rand.Reader))
	for _, spoil := range []func(*reply){func(*reply) {}, revoked(6), func(r *reply) { r.critical = true }} {
		r := w.answer(q.der)
		spoil(r)
		genuine := signedPart(r.encode())
		for i := range genuine {
			for _, data := range [][]byte{slices.Delete(bytes.Clone(genuine), i, i+1), slices.Replace(bytes.Clone(genuine), i, i+1, genuine[i]^1)} {
				r.data = data
				body := r.encode()
				if got, err := q.read(body, w.ca.cert, new(delegates), now, time.Minute); err == nil && !alike(got, body) {
					t.Fatalf("byte %d changed, x/crypto/ocsp reads it otherwise", i)
				}
			}
		}
		outer := w.answer(q.der).encode()
		for i := range len(outer) - len(w.delegate.cert.Raw) {
			body := slices.Delete(bytes.Clone(outer), i, i+1)
			if got, err := q.read(body, w.ca.cert, new(delegates), now, time.Minute); err == nil && !alike(got, body) {
				t.Fatalf("byte %d of the message is missing, x/crypto/ocsp reads it otherwise", i)
			}
		}
	}
}

// A responder that signs anything at all: what is believed of it, another library reads in the same way.
func FuzzSignedNews(f *testing.F) {
	w := theWorld()
	q := must(ask(w.holder.cert.SerialNumber, w.ca.cert, rand.Reader))
	spoilt := []func(*reply){nil, func(r *reply) { r.unknown = true }, func(r *reply) { r.ids = append(r.ids, r.ids[0]) }, func(r *reply) { r.critical = true },
		func(r *reply) { r.byKey = true }, func(r *reply) { r.nextUpdate = time.Time{} }}
	for reason := -1; reason < 12; reason++ {
		spoilt = append(spoilt, revoked(reason))
	}
	for _, spoil := range spoilt {
		r := w.answer(q.der)
		if spoil != nil {
			spoil(r)
		}
		f.Add(signedPart(r.encode()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := w.answer(q.der)
		r.data = data
		body := r.encode()
		if got, err := q.read(body, w.ca.cert, new(delegates), now, time.Minute); err == nil && !alike(got, body) {
			t.Fatal("x/crypto/ocsp reads it otherwise")
		}
	})
}

// alike says whether x/crypto/ocsp reads the same out of an answer.
func alike(a Answer, body []byte) bool {
	theirs, err := ocsp.ParseResponse(body, nil)
	if err != nil {
		return false
	}
	status := map[int]Status{ocsp.Good: Good, ocsp.Revoked: Revoked, ocsp.Unknown: Unknown}[theirs.Status]
	if status == Revoked && theirs.RevocationReason == ocsp.CertificateHold {
		status = Suspended
	}
	return a.Status == status && a.ThisUpdate.Equal(theirs.ThisUpdate) && a.NextUpdate.Equal(theirs.NextUpdate)
}

// signedPart cuts ResponseData out of an encoded response.
func signedPart(der []byte) []byte {
	var outer struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0"`
	}
	must(asn1.Unmarshal(der, &outer))
	var basic struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	must(asn1.Unmarshal(outer.Bytes.Basic, &basic))
	return basic.TBS.FullBytes
}
