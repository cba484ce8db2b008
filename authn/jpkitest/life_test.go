package jpkitest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
)

// sources are all back ends that ask this authority.
func (w world) sources(t *testing.T) map[string]revocation.Checker {
	t.Helper()
	anchors := w.Anchors()
	lists := &revocation.CRL{
		URLs: w.ListURLs(), HTTP: w.server.Client(), Now: w.ocsp.Now,
		Issuers: func() []*x509.Certificate { return append(anchors.Auth[:2:2], anchors.Sign...) },
	}
	return map[string]revocation.Checker{
		"OCSP": w.ocsp, "platform": &revocation.Platform{
			URL: w.PlatformURL(), Keys: []*ecdsa.PublicKey{w.PlatformKey()}, HTTP: w.server.Client(), Now: w.ocsp.Now},
		"lists": refreshed{lists},
	}
}

// refreshed fetches the lists before every question.
type refreshed struct{ *revocation.CRL }

func (r refreshed) Check(ctx context.Context, q revocation.Question) (revocation.Answer, error) {
	fresh := &revocation.CRL{URLs: r.URLs, HTTP: r.HTTP, Now: r.Now, Issuers: r.Issuers}
	if err := fresh.Refresh(ctx); err != nil {
		return revocation.Answer{}, fail.RevocationUnavailable.Because(err)
	}
	return fresh.Check(ctx, q)
}

func (w world) ask(t *testing.T, by revocation.Checker, der []byte, purpose jpki.Purpose) error {
	t.Helper()
	leaf := parse(t, der)
	issuer, err := w.Trust().Check(leaf, purpose, now)
	if err != nil {
		t.Fatal(err)
	}
	return revocation.Refuse(by.Check(t.Context(), revocation.Question{Leaf: leaf, Issuer: issuer, Purpose: purpose.String()}))
}

func (w world) happen(t *testing.T, persona string, event jpkitest.Event, address string) {
	t.Helper()
	if err := w.Happen(persona, event, address); err != nil {
		t.Fatal(err)
	}
}

// Whoever is asked, the answer is the same, from the moment on that something happened.
func TestAllServicesTellTheSameLife(t *testing.T) {
	w := open(t)
	before := w.equip(t, persona("taro"))
	at := map[string]struct {
		auth, sign []byte
	}{"before": {before.AuthCert, before.SignCert}}
	want := func(when string, card string, auth, sign error) {
		t.Helper()
		for name, by := range w.sources(t) {
			if err := w.ask(t, by, at[card].auth, jpki.Authentication); !errors.Is(err, auth) {
				t.Errorf("%s, %s: the authentication certificate of %s: %v, want %v", when, name, card, err, auth)
			}
			if err := w.ask(t, by, at[card].sign, jpki.Signature); !errors.Is(err, sign) {
				t.Errorf("%s, %s: the signature certificate of %s: %v, want %v", when, name, card, err, sign)
			}
		}
	}
	want("at first", "before", nil, nil)
	w.happen(t, "taro", jpkitest.Suspend, "")
	want("suspended", "before", fail.CertificateSuspended, fail.CertificateSuspended)
	w.happen(t, "taro", jpkitest.Lift, "")
	want("found again", "before", nil, nil)

	w.happen(t, "taro", jpkitest.Move, "SOMEWHERE ELSE 1-2")
	moved := w.equip(t, persona("taro"))
	at["moved"] = struct{ auth, sign []byte }{moved.AuthCert, moved.SignCert}
	if !bytes.Equal(moved.AuthCert, before.AuthCert) || bytes.Equal(moved.SignCert, before.SignCert) {
		t.Fatal("a move changes the signature certificate and nothing else")
	}
	attributes, err := jpki.ReadAttributes(parse(t, moved.SignCert))
	if err != nil || attributes.Address != "SOMEWHERE ELSE 1-2" || w.Resident(persona("taro")).Address != attributes.Address {
		t.Fatalf("the new address is %q: %v", attributes.Address, err)
	}
	want("moved", "before", nil, fail.CertificateRevoked)
	want("moved", "moved", nil, nil)

	w.happen(t, "taro", jpkitest.Renew, "")
	renewed := w.equip(t, persona("taro"))
	at["renewed"] = struct{ auth, sign []byte }{renewed.AuthCert, renewed.SignCert}
	if attributes, err := jpki.ReadAttributes(parse(t, renewed.SignCert)); err != nil || attributes.Address != "SOMEWHERE ELSE 1-2" {
		t.Fatalf("a renewal forgot the address: %v", err)
	}
	want("renewed", "moved", fail.CertificateRevoked, fail.CertificateRevoked)
	want("renewed", "renewed", nil, nil)

	w.happen(t, "taro", jpkitest.Die, "")
	want("dead", "renewed", fail.CertificateRevoked, fail.CertificateRevoked)
	w.happen(t, "taro", jpkitest.Lift, "")
	want("dead for good", "renewed", fail.CertificateRevoked, fail.CertificateRevoked)
	if err := w.Happen("taro", jpkitest.Renew, ""); err != jpkitest.ErrDead {
		t.Errorf("the dead renew: %v", err)
	}
}

func TestEventsThatCannotHappen(t *testing.T) {
	w := open(t)
	w.equip(t, persona("hanako"))
	for _, tc := range []struct {
		name, persona, address string
		event                  jpkitest.Event
		want                   error
	}{
		{"an event that does not exist", "hanako", "", "marry", jpkitest.ErrEvent},
		{"a renewal of no card", "nobody", "", jpkitest.Renew, jpkitest.ErrNoCard},
		{"a move to nowhere", "hanako", "", jpkitest.Move, jpkitest.ErrAddress},
		{"a move to a very long address", "hanako", strings.Repeat("x", 201), jpkitest.Move, jpkitest.ErrAddress},
		{"a name that is none", "a/b", "", jpkitest.Revoke, jpkitest.ErrPersonaName},
	} {
		if err := w.Happen(tc.persona, tc.event, tc.address); err != tc.want {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if code, body := w.post(t, "/life/hanako", jsonType, `{"event":"move","address":"ELSEWHERE"}`); code != 200 || !strings.Contains(body, `"move"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, body := w.post(t, "/life/hanako", form, "event=marry"); code != 400 || !strings.Contains(body, "renew") {
		t.Errorf("%d %s", code, body)
	}
}

func TestFaultsReachAllServices(t *testing.T) {
	w := open(t)
	m := w.equip(t, persona("taro"))
	for _, fault := range []jpkitest.Fault{
		jpkitest.FaultOffline, jpkitest.FaultStale, jpkitest.FaultUnknown, jpkitest.FaultWrongKey, jpkitest.FaultSkew, jpkitest.FaultNoNonce,
	} {
		if err := w.Misbehave(fault); err != nil {
			t.Fatal(err)
		}
		for name, by := range w.sources(t) {
			if name == "lists" && fault == jpkitest.FaultNoNonce {
				continue // a list has none
			}
			if err := w.ask(t, by, m.AuthCert, jpki.Authentication); !errors.Is(err, fail.RevocationUnavailable) {
				t.Errorf("%s, %s: %v", fault, name, err)
			}
		}
	}
}

// call asks the platform API as an RP engineer would.
func (w world) call(t *testing.T, path string, body map[string]any) (int, map[string]any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.server.Client().Post(w.PlatformURL()+"/v1/"+path, "application/json", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK && resp.Header.Get(revocation.SignatureHeader) == "" {
		t.Error("an unsigned answer")
	}
	out := map[string]any{}
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	return resp.StatusCode, out
}

func TestLinkingFollowsThePersonAndNobodyElse(t *testing.T) {
	w := open(t)
	var serials []string
	card := w.equip(t, persona("taro"))
	w.equip(t, persona("hanako"))
	for range 2 {
		serials = append([]string{parse(t, card.AuthCert).SerialNumber.Text(16)}, serials...)
		w.happen(t, "taro", jpkitest.Renew, "")
		card = w.equip(t, persona("taro"))
	}
	changed := persona("taro")
	changed.Name = "ANOTHER NAME"
	changed.NameSubstitution = strings.Repeat("0", len(changed.Name))
	serials = append([]string{parse(t, card.AuthCert).SerialNumber.Text(16)}, serials...)
	card = w.equip(t, changed) // a new card
	ask := func(path string, der []byte, consent string) (int, map[string]any) {
		return w.call(t, path, map[string]any{"request_id": "r", "certificate": base64.StdEncoding.EncodeToString(der), "consent": consent})
	}
	code, said := ask("link", card.AuthCert, "2026-11 v1")
	var got []string
	for _, s := range said["previous_serials"].([]any) {
		got = append(got, s.(string))
	}
	if code != 200 || strings.Join(got, " ") != strings.Join(serials, " ") || said["request_id"] != "r" {
		t.Errorf("%d %v, want %v", code, said, serials)
	}
	code, said = ask("correspondence", card.SignCert, "2026-11 v1")
	if code != 200 || said["authentication_serial"] != parse(t, card.AuthCert).SerialNumber.Text(16) {
		t.Errorf("%d %v", code, said)
	}
	for _, tc := range []struct {
		name, path, consent, want string
		der                       []byte
	}{
		{"linking without consent", "link", "", "consent_required", card.AuthCert},
		{"correspondence without consent", "correspondence", "", "consent_required", card.SignCert},
		{"linking of a signature certificate", "link", "v1", "certificate_unknown", card.SignCert},
		{"a certificate that is none", "link", "v1", "request_invalid", []byte("x")},
	} {
		if code, said := ask(tc.path, tc.der, tc.consent); code != 400 || said["error"] != tc.want {
			t.Errorf("%s: %d %v", tc.name, code, said)
		}
	}
	if code, said := w.call(t, "status", map[string]any{"request_id": "r", "purpose": "marriage", "certificate": base64.StdEncoding.EncodeToString(card.AuthCert)}); code != 400 || said["error"] != "request_invalid" {
		t.Errorf("%d %v", code, said)
	}
}

func TestWhatHappenedSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	options := jpkitest.Options{Dir: dir, Personas: []cardtest.Persona{persona("hanako")}}
	a, err := jpkitest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Equip(persona("hanako")); err != nil {
		t.Fatal(err)
	}
	if err := a.Happen("hanako", jpkitest.Move, "ELSEWHERE"); err != nil {
		t.Fatal(err)
	}
	moved, err := a.Equip(persona("hanako"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := jpkitest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	m, err := again.Equip(persona("hanako"))
	if err != nil || !bytes.Equal(m.SignCert, moved.SignCert) || again.Resident(persona("hanako")).Address != "ELSEWHERE" {
		t.Errorf("the move is forgotten: %v", err)
	}
	if !again.PlatformKey().Equal(a.PlatformKey()) {
		t.Error("the platform has another key")
	}
}
