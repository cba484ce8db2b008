package revocation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tegata/authn/fail"
)

// operator is a platform operator; spoil changes an answer before it is signed, send after.
func operator(t *testing.T, spoil func(map[string]any), send func(http.ResponseWriter)) *Platform {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			RequestID   string `json:"request_id"`
			Purpose     string `json:"purpose"`
			Certificate []byte `json:"certificate"`
		}
		if json.NewDecoder(r.Body).Decode(&in) != nil || r.URL.Path != "/api/v1/status" || in.Purpose != "authentication" ||
			len(in.RequestID) < 22 || r.Header.Get("Authorization") != "Bearer secret" || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		sum := sha256.Sum256(in.Certificate)
		out := map[string]any{
			"request_id": in.RequestID, "certificate_sha256": hex.EncodeToString(sum[:]), "status": "good",
			"this_update": now.Format(time.RFC3339), "next_update": now.Add(time.Minute).Format(time.RFC3339),
		}
		if spoil != nil {
			spoil(out)
		}
		maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
		body := must(json.Marshal(out))
		digest := sha256.Sum256(body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(SignatureHeader, base64.StdEncoding.EncodeToString(must(ecdsa.SignASN1(rand.Reader, key, digest[:]))))
		if send != nil {
			send(w)
		}
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	return &Platform{URL: server.URL + "/api", Keys: []*ecdsa.PublicKey{&key.PublicKey}, Token: "secret", HTTP: server.Client(), Now: func() time.Time { return now }}
}

func set(key string, value any) func(map[string]any) {
	return func(out map[string]any) { out[key] = value }
}

func TestThePlatformAnswers(t *testing.T) {
	w := theWorld()
	for word, want := range map[string]Status{"good": Good, "revoked": Revoked, "suspended": Suspended, "unknown": Unknown} {
		p := operator(t, set("status", word), nil)
		p.Keys = append([]*ecdsa.PublicKey{&w.ca.key.PublicKey}, p.Keys...) // its former key
		got, err := p.Check(t.Context(), w.question(w.holder.cert))
		if err != nil || got != (Answer{Status: want, ThisUpdate: now, NextUpdate: now.Add(time.Minute)}) {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
	}
}

func TestThePlatformIsNotBelieved(t *testing.T) {
	w := theWorld()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	header := func(key, value string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.Header().Set(key, value) }
	}
	for _, tc := range []struct {
		name  string
		spoil func(map[string]any)
		send  func(http.ResponseWriter)
		alter func(*Platform)
		want  error
	}{
		{name: "an answer of a day ago", spoil: set("this_update", at(-24*time.Hour)), want: errStale},
		{name: "an answer from the future", spoil: set("this_update", at(2*time.Minute)), want: errFuture},
		{name: "an answer whose next update has passed", spoil: set("next_update", at(-time.Second)), want: errOverdue},
		{name: "an answer to another request", spoil: set("request_id", "AAAAAAAAAAAAAAAAAAAAAA"), want: errReplayed},
		{name: "an answer to no request", spoil: set("request_id", nil), want: errReplayed},
		{name: "an answer about another certificate", spoil: set("certificate_sha256", hex.EncodeToString(make([]byte, 32))), want: errOtherQuestion},
		{name: "a word that is not in the contract", spoil: set("status", "GOOD"), want: errJSON},
		{name: "no status", spoil: set("status", nil), want: errJSON},
		{name: "no this update", spoil: set("this_update", nil), want: errJSON},
		{name: "no next update", spoil: set("next_update", nil), want: errJSON},
		{name: "a time that is none", spoil: set("this_update", "today"), want: errJSON},
		{name: "somebody else's key", alter: func(p *Platform) { p.Keys = []*ecdsa.PublicKey{&w.ca.key.PublicKey} }, want: errPlatformKey},
		{name: "no signature", send: header(SignatureHeader, ""), want: errPlatformKey},
		{name: "a signature that is none", send: header(SignatureHeader, "AAAA"), want: errPlatformKey},
		{name: "a page in place of JSON", send: header("Content-Type", "text/html"), want: errJSON},
		{name: "an HTTP error", send: func(w http.ResponseWriter) { w.WriteHeader(500) }, want: errStatusCode},
		{name: "a redirect", send: func(w http.ResponseWriter) { w.Header().Set("Location", "/api/v1/status"); w.WriteHeader(307) }, want: errStatusCode},
		{name: "an answer without end", spoil: set("more", string(make([]byte, maxResponse))), want: errTooLong},
		{name: "no operator", alter: func(p *Platform) { p.URL = "" }, want: errNoPlatform},
		{name: "no key", alter: func(p *Platform) { p.Keys = nil }, want: errNoPlatform},
		{name: "a wrong token", alter: func(p *Platform) { p.Token = "" }, want: errStatusCode},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := operator(t, tc.spoil, tc.send)
			if tc.alter != nil {
				tc.alter(p)
			}
			got, err := p.Check(t.Context(), w.question(w.holder.cert))
			if !errors.Is(err, tc.want) || !errors.Is(err, fail.RevocationUnavailable) || got != (Answer{}) {
				t.Fatalf("got %+v, %v; want %v", got, err, tc.want)
			}
		})
	}
	if _, err := new(Platform).Check(t.Context(), Question{}); !errors.Is(err, errNoCertificate) {
		t.Error(err)
	}
}

// Whatever the operator's server says, it is good only if all of it holds.
func FuzzPlatformAnswer(f *testing.F) {
	sum := sha256.Sum256([]byte("leaf"))
	f.Add([]byte(`{"request_id":"id","certificate_sha256":"` + hex.EncodeToString(sum[:]) + `","status":"good","this_update":"2026-07-01T03:00:00Z","next_update":"2026-07-01T03:01:00Z"}`))
	f.Add([]byte(`{"status":"good"}`))
	f.Add([]byte(`null`))
	p := &Platform{Now: func() time.Time { return now }}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := p.read(body, platformQuestion{RequestID: "id", Certificate: []byte("leaf")})
		var answer Answer
		if err == nil {
			answer, err = in.answer()
		}
		if err != nil && answer != (Answer{}) || err == nil && (answer.ThisUpdate.After(now.Add(maxSkew)) || answer.NextUpdate.Before(now)) {
			t.Fatalf("%+v, %v", answer, err)
		}
	})
}
