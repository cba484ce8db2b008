package revocation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC)

// pair is a certificate and its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// world is one CA with its responder and a cardholder, and a stranger of the same names.
type world struct {
	ca, delegate, holder, other pair
	strangerCA, stranger        pair
}

var theWorld = sync.OnceValue(func() *world {
	ca := issue(caTemplate(), nil)
	strangerCA := issue(caTemplate(), nil)
	return &world{
		ca: ca, delegate: issue(delegateTemplate(), &ca), holder: issue(leafTemplate(101), &ca), other: issue(leafTemplate(202), &ca),
		strangerCA: strangerCA, stranger: issue(delegateTemplate(), &strangerCA),
	}
})

func caTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"JPKI-TEST"}}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
}

func delegateTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "OCSP"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 0, 1),
	}
}

func leafTemplate(serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "OPAQUE"}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
}

// issue makes a key and its certificate; without an issuer it signs itself.
func issue(template *x509.Certificate, by *pair) pair {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	issuer := pair{template, key}
	if by != nil {
		issuer = *by
	}
	der := must(x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key))
	return pair{must(x509.ParseCertificate(der)), key}
}

// reply is an OCSP response in parts. A test spoils one of them before it is signed.
type reply struct {
	status     int // RFC 6960 4.2.1 OCSPResponseStatus
	kind       asn1.ObjectIdentifier
	ids        []certID
	good       bool
	unknown    bool
	revoked    []byte // content of RevokedInfo, nil if not revoked
	thisUpdate time.Time
	nextUpdate time.Time
	extensions []pkix.Extension
	critical   bool // a critical extension of the single response
	byKey      bool // responder ID by key hash and not by name
	named      *x509.Certificate
	signer     pair
	hash       crypto.Hash
	certs      []*x509.Certificate
	data       []byte              // signed in place of what the other parts say
	after      func([]byte) []byte // spoils the encoded response
}

// answer is what the responder of the world says to the question in request.
func (w *world) answer(request []byte) *reply {
	var q struct {
		TBS struct {
			Requests   []struct{ CertID certID }
			Extensions []pkix.Extension `asn1:"optional,explicit,tag:2"`
		}
	}
	if rest, err := asn1.Unmarshal(request, &q); err != nil || len(rest) > 0 {
		panic("the request is not readable")
	}
	return &reply{
		kind: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, ids: []certID{q.TBS.Requests[0].CertID}, good: true,
		thisUpdate: now, nextUpdate: now.Add(time.Minute), extensions: q.TBS.Extensions, named: w.delegate.cert, signer: w.delegate,
		hash: crypto.SHA256, certs: []*x509.Certificate{w.delegate.cert},
	}
}

func tlv(class, tag int, compound bool, content ...[]byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: compound, Bytes: bytes.Join(content, nil)}))
}

func explicit(tag int, content ...[]byte) []byte {
	return tlv(asn1.ClassContextSpecific, tag, true, content...)
}

func sequence(content ...[]byte) []byte {
	return tlv(asn1.ClassUniversal, asn1.TagSequence, true, content...)
}

func generalized(t time.Time) []byte {
	return must(asn1.MarshalWithParams(t.UTC().Truncate(time.Second), "generalized"))
}

func (r *reply) single(id certID) []byte {
	parts := [][]byte{must(asn1.Marshal(id))}
	if r.good {
		parts = append(parts, tlv(asn1.ClassContextSpecific, 0, false))
	}
	if r.revoked != nil {
		parts = append(parts, explicit(1, r.revoked))
	}
	if r.unknown {
		parts = append(parts, tlv(asn1.ClassContextSpecific, 2, false))
	}
	parts = append(parts, generalized(r.thisUpdate))
	if !r.nextUpdate.IsZero() {
		parts = append(parts, explicit(0, generalized(r.nextUpdate)))
	}
	if r.critical {
		parts = append(parts, explicit(1, must(asn1.Marshal([]pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 9}, Critical: true, Value: []byte{5, 0}}}))))
	}
	return sequence(parts...)
}

func (r *reply) responder() []byte {
	if r.byKey {
		hash := sha1.Sum(must(r.named.PublicKey.(*ecdsa.PublicKey).Bytes()))
		return explicit(2, must(asn1.Marshal(hash[:])))
	}
	return explicit(1, r.named.RawSubject)
}

func (r *reply) encode() []byte {
	if r.status != 0 {
		return sequence(must(asn1.Marshal(asn1.Enumerated(r.status))))
	}
	var singles [][]byte
	for _, id := range r.ids {
		singles = append(singles, r.single(id))
	}
	data := [][]byte{r.responder(), generalized(r.thisUpdate), sequence(singles...)}
	if r.extensions != nil {
		data = append(data, explicit(1, must(asn1.Marshal(r.extensions))))
	}
	tbs := sequence(data...)
	if r.data != nil {
		tbs = r.data
	}
	digest := r.hash.New()
	digest.Write(tbs)
	signature := must(r.signer.key.Sign(rand.Reader, digest.Sum(nil), r.hash))
	algorithm := asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	if r.hash == crypto.SHA1 {
		algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	}
	basic := [][]byte{tbs, must(asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: algorithm})), must(asn1.Marshal(asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}))}
	var certs [][]byte
	for _, c := range r.certs {
		certs = append(certs, c.Raw)
	}
	if certs != nil {
		basic = append(basic, explicit(0, sequence(certs...)))
	}
	der := sequence(must(asn1.Marshal(asn1.Enumerated(0))), explicit(0, sequence(must(asn1.Marshal(r.kind)), must(asn1.Marshal(sequence(basic...))))))
	if r.after != nil {
		return r.after(der)
	}
	return der
}

// revokedInfo is RevokedInfo's content; a negative reason leaves it out.
func revokedInfo(reason int) []byte {
	info := generalized(now.AddDate(0, -1, 0))
	if reason >= 0 {
		info = append(info, explicit(0, must(asn1.Marshal(asn1.Enumerated(reason))))...)
	}
	return info
}

// serve answers every request with the world's reply after spoil.
func (w *world) serve(t *testing.T, spoil func(*reply)) *OCSP {
	return w.handle(t, func(rw http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r := w.answer(body)
		if spoil != nil {
			spoil(r)
		}
		rw.Header().Set("Content-Type", "application/ocsp-response")
		rw.Write(r.encode())
	})
}

func (w *world) handle(t *testing.T, h http.HandlerFunc) *OCSP {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &OCSP{
		URL: func(issuer *x509.Certificate) string {
			if !issuer.Equal(w.ca.cert) {
				return ""
			}
			return server.URL + "/ocsp"
		},
		HTTP: server.Client(), Now: func() time.Time { return now }, Rand: rand.Reader,
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
