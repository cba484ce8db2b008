package jpkitest_test

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/jpkitest"
)

func (w world) post(t *testing.T, path, media, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(w.server.URL+path, media, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func (w world) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get(w.server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) (int, string) {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

const (
	form     = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	ocspType = "application/ocsp-request"
)

func TestSwitchesWorkFromTheNextLoginOn(t *testing.T) {
	w := open(t)
	taro, hanako := w.equip(t, persona("taro")), w.equip(t, persona("hanako"))
	for _, tc := range []struct {
		name, media, body string
		want              error
	}{
		{"revoked by form", form, "status=revoked", fail.CertificateRevoked},
		{"suspended by JSON", jsonType, `{"status":"suspended"}`, fail.CertificateSuspended},
		{"released", jsonType + "; charset=utf-8", `{"status":"good"}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if code, body := w.post(t, "/switch/taro", tc.media, tc.body); code != 200 || !strings.Contains(body, `"persona":"taro"`) {
				t.Fatalf("%d %s", code, body)
			}
			for _, leaf := range []struct {
				der     []byte
				purpose jpki.Purpose
			}{{taro.AuthCert, jpki.Authentication}, {taro.SignCert, jpki.Signature}} {
				if err := w.login(t, leaf.der, leaf.purpose); !errors.Is(err, tc.want) {
					t.Errorf("%v: got %v, want %v", leaf.purpose, err, tc.want)
				}
			}
			if err := w.login(t, hanako.AuthCert, jpki.Authentication); err != nil {
				t.Errorf("somebody else is refused: %v", err)
			}
		})
	}
}

func TestASwitchOverrulesThePersonasFile(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("revoked"))
	if err := w.Switch("revoked", cardtest.Good); err != nil {
		t.Fatal(err)
	}
	if err := w.login(t, m.AuthCert, jpki.Authentication); err != nil {
		t.Fatal(err)
	}
}

// The switch may come before the card: a test sets its stage first.
func TestASwitchWorksBeforeTheCardIsIssued(t *testing.T) {
	w := open(t)
	if code, body := w.post(t, "/switch/newcomer", form, "status=revoked"); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	p := persona("child")
	p.ID = "newcomer"
	if err := w.login(t, w.equip(t, p).AuthCert, jpki.Authentication); !errors.Is(err, fail.CertificateRevoked) {
		t.Fatalf("got %v", err)
	}
}

func TestTheFaultIsASwitchToo(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("taro"))
	if code, body := w.post(t, "/switch/responder", form, "fault=stale"); code != 200 || body != `{"fault":"stale"}`+"\n" {
		t.Fatalf("%d %s", code, body)
	}
	if err := w.login(t, m.AuthCert, jpki.Authentication); !errors.Is(err, fail.RevocationUnavailable) {
		t.Fatalf("got %v", err)
	}
	if code, body := w.get(t, "/"); code != 200 || !strings.Contains(body, "at present: stale") {
		t.Fatalf("%d %s", code, body)
	}
	w.post(t, "/switch/responder", jsonType, `{"fault":"none"}`)
	if err := w.login(t, m.AuthCert, jpki.Authentication); err != nil {
		t.Fatalf("got %v", err)
	}
}

func TestWhatTheSwitchesRefuse(t *testing.T) {
	w := open(t)
	for _, tc := range []struct {
		name, path, media, body string
		want                    error
	}{
		{"a status that does not exist", "/switch/taro", form, "status=dead", jpkitest.ErrStatus},
		{"no status", "/switch/taro", form, "", jpkitest.ErrStatus},
		{"a status in the URL", "/switch/taro?status=revoked", form, "", jpkitest.ErrStatus},
		{"a status that no switch can make", "/switch/taro", form, "status=expired", jpkitest.ErrStatus},
		{"a name that is none", "/switch/ta%0Aro", form, "status=revoked", jpkitest.ErrPersonaName},
		{"a fault that does not exist", "/switch/responder", form, "fault=confused", jpkitest.ErrFault},
		{"JSON that is none", "/switch/taro", jsonType, "status=revoked", errors.New("expected a JSON object")},
		{"JSON without the key", "/switch/taro", jsonType, `{"state":"revoked"}`, jpkitest.ErrStatus},
		{"a body without end", "/switch/taro", form, "status=revoked&x=" + strings.Repeat("x", 20000), jpkitest.ErrStatus},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, body := w.post(t, tc.path, tc.media, tc.body)
			if code != http.StatusBadRequest || !strings.Contains(body, tc.want.Error()) {
				t.Fatalf("%d %s", code, body)
			}
		})
	}
	if err := w.login(t, w.equip(t, persona("taro")).AuthCert, jpki.Authentication); err != nil {
		t.Fatalf("a refused switch had an effect: %v", err)
	}
}

func TestThePageNamesEveryAddress(t *testing.T) {
	w := open(t)
	_, body := w.get(t, "/")
	for _, address := range []string{w.OCSPURL(jpki.Authentication), w.OCSPURL(jpki.Signature), w.server.URL + "/switch/responder", w.server.URL + "/certs/", w.server.URL + "/ca/auth"} {
		if !strings.Contains(body, address) {
			t.Errorf("%s is missing", address)
		}
	}
	if code, _ := w.get(t, "/nowhere"); code != 404 {
		t.Error("everything is the page")
	}
}

func TestCertificatesCanBeFetched(t *testing.T) {
	w := open(t)
	for path, want := range map[string][][]byte{
		"/certs/taro":  {w.equip(t, persona("taro")).AuthCert, w.equip(t, persona("taro")).SignCert},
		"/certs/child": {w.equip(t, persona("child")).AuthCert},
		"/ca/auth":     {w.Anchors().Auth[0].Raw, w.Anchors().Auth[1].Raw},
		"/ca/sign":     {w.Anchors().Sign[0].Raw, w.Anchors().Sign[1].Raw},
	} {
		_, body := w.get(t, path)
		var got [][]byte
		for block, rest := pem.Decode([]byte(body)); block != nil; block, rest = pem.Decode(rest) {
			got = append(got, block.Bytes)
		}
		if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
			t.Errorf("%s: %d certificates", path, len(got))
		}
	}
	if code, _ := w.get(t, "/certs/nobody"); code != 404 {
		t.Errorf("a card of nobody: %d", code)
	}
}

func TestKnownPersonasGetTheirCardWhenItIsAskedFor(t *testing.T) {
	known, hopeless := persona("child"), persona("child")
	known.ID, hopeless.ID = "known", strings.Repeat("x", 101)
	a, err := jpkitest.New(jpkitest.Options{Now: clock, Dir: copied(t), Personas: []cardtest.Persona{known, hopeless}})
	if err != nil {
		t.Fatal(err)
	}
	w := world{Authority: a, server: httptest.NewServer(a.Handler())}
	defer w.server.Close()
	code, first := w.get(t, "/certs/known")
	if block, _ := pem.Decode([]byte(first)); code != 200 || !bytes.Equal(block.Bytes, w.equip(t, known).AuthCert) {
		t.Fatalf("%d %s", code, first)
	}
	if code, _ := w.get(t, "/certs/"+hopeless.ID); code != 500 {
		t.Errorf("a card that cannot be issued: %d", code)
	}
}

func TestTheResponderAnswersOthersToo(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("suspended"))
	leaf, issuer := parse(t, m.AuthCert), parse(t, m.AuthCA)
	older := w.Anchors().Auth[0]
	ask := func(hash crypto.Hash, issuer int) string {
		ca := w.Anchors().Auth[issuer]
		request, err := ocsp.CreateRequest(leaf, ca, &ocsp.RequestOptions{Hash: hash})
		if err != nil {
			t.Fatal(err)
		}
		return string(request)
	}
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		_, body := w.post(t, "/ocsp/auth", ocspType, ask(hash, 1))
		resp, err := ocsp.ParseResponseForCert([]byte(body), leaf, issuer)
		if err != nil || resp.Status != ocsp.Revoked || resp.RevocationReason != ocsp.CertificateHold || !resp.ThisUpdate.Equal(now) {
			t.Fatalf("%v: %+v, %v", hash, resp, err)
		}
	}
	_, body := w.post(t, "/ocsp/auth", ocspType, ask(crypto.SHA256, 0))
	if resp, err := ocsp.ParseResponseForCert([]byte(body), leaf, older); err != nil || resp.Status != ocsp.Unknown {
		t.Errorf("the older generation knows the newer one's certificate: %v", err)
	}
	var refused ocsp.ResponseError
	if _, body := w.post(t, "/ocsp/sign", ocspType, ask(crypto.SHA256, 1)); !errorAnswer(body, &refused) || refused.Status != ocsp.Unauthorized {
		t.Errorf("the signature responder answers for the authentication CA: %v", refused)
	}
	for _, garbage := range []string{"", "garbage", ask(crypto.SHA256, 1) + "x"} {
		if _, body := w.post(t, "/ocsp/auth", ocspType, garbage); !errorAnswer(body, &refused) || refused.Status != ocsp.Malformed {
			t.Errorf("garbage: %v", refused)
		}
	}
	if code, _ := w.post(t, "/ocsp/auth", form, ask(crypto.SHA256, 1)); code != 400 {
		t.Errorf("a form is no OCSP request: %d", code)
	}
	if code, _ := w.post(t, "/ocsp/auth", ocspType, strings.Repeat("x", 20000)); code != 400 {
		t.Errorf("an endless request: %d", code)
	}
	if code, _ := w.get(t, "/ocsp/auth"); code != 405 {
		t.Errorf("GET: %d", code)
	}
}

func errorAnswer(body string, refused *ocsp.ResponseError) bool {
	_, err := ocsp.ParseResponse([]byte(body), nil)
	return errors.As(err, refused)
}

// The responder reads requests of anybody: it never crashes and never calls a stranger's certificate good.
func FuzzOCSPRequest(f *testing.F) {
	a, err := jpkitest.New(jpkitest.Options{Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	m, err := a.Equip(persona("revoked"))
	if err != nil {
		f.Fatal(err)
	}
	leaf, err := jpki.ParseLeaf(m.AuthCert)
	if err != nil {
		f.Fatal(err)
	}
	issuer := a.Anchors().Auth[1]
	genuine, err := ocsp.CreateRequest(leaf, issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), uint16(0), []byte{})
	f.Add(uint16(len(genuine)-3), uint16(3), []byte{1, 2, 3})
	f.Add(uint16(0), uint16(len(genuine)), []byte{0x30, 0x80})
	handler := a.Handler()
	f.Fuzz(func(t *testing.T, at, cut uint16, with []byte) {
		from := min(int(at), len(genuine))
		to := min(from+int(cut), len(genuine))
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/ocsp/auth", bytes.NewReader(bytes.Join([][]byte{genuine[:from], with, genuine[to:]}, nil)))
		request.Header.Set("Content-Type", ocspType)
		recorder := &answer{}
		handler.ServeHTTP(recorder, request)
		resp, err := ocsp.ParseResponse(recorder.Bytes(), issuer)
		if err == nil && resp.Status == ocsp.Good {
			t.Fatal("the only certificate there is is revoked")
		}
	})
}

// answer keeps a response's body.
type answer struct{ bytes.Buffer }

func (*answer) Header() http.Header { return http.Header{} }
func (*answer) WriteHeader(int)     {}
