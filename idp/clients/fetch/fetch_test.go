package fetch

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/storage"
)

func TestOnlyTheInternetIsPublic(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1", "fe80::1%eth0",
		"fc00::1", "fd00:ec2::254", "0.0.0.0", "0.1.2.3", "::", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.9",
		"224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "100::1",
		"::7f00:1", "fec0::1",
	} {
		if Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is public", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "172.32.0.1", "100.128.0.1", "::ffff:1.1.1.1"} {
		if !Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is not public", a)
		}
	}
}

func TestAddressesThatWeDoNotGoTo(t *testing.T) {
	asked := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, address := range []string{
		server.URL, "https://localhost" + port, "https://[::ffff:127.0.0.1]" + port, "https://2130706433" + port, "https://0x7f000001" + port,
		"http://example.com/", "file:///etc/passwd", "gopher://example.com/", "https://", "https://user@example.com/", "//example.com", "", "::",
	} {
		if _, err := (Outside{}).Get(t.Context(), address); err == nil || asked {
			t.Errorf("%s was asked: %v", address, err)
		}
	}
	if _, err := (Outside{}).Get(t.Context(), server.URL); !errors.Is(err, ErrAddress) {
		t.Errorf("this machine: %v", err)
	}
	if _, err := (Outside{Loopback: true}).Get(t.Context(), "http://10.255.255.1:1/"); !errors.Is(err, ErrAddress) {
		t.Errorf("a neighbour: %v", err)
	}
}

func TestAnswersThatAreNoDocument(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, MaxSize+1)) })
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, MaxSize)) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, want := range map[string]error{"/good": nil, "/full": nil, "/moved": ErrAnswer, "/huge": ErrAnswer, "/none": ErrAnswer} {
		if _, err := (Outside{Loopback: true}).Get(t.Context(), server.URL+path); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	gone, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (Outside{Loopback: true}).Get(gone, server.URL+"/slow"); !errors.Is(err, ErrAnswer) {
		t.Errorf("a slow server: %v", err)
	}
}

// shelf is a client's server.
type shelf struct {
	asked atomic.Int64
	mu    sync.Mutex
	body  []byte
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body == nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
	_, _ = w.Write(s.body)
}

func (s *shelf) put(t *testing.T, kids ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body = nil; kids != nil {
		s.body = setOf(t, kids...)
	}
}

func setOf(t *testing.T, kids ...string) []byte {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, kid := range kids {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: kid})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestKeysAreFetchedSeldom(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	s := &shelf{}
	server := httptest.NewServer(s)
	defer server.Close()
	k := &Keys{Outside: Outside{Loopback: true}, Now: func() time.Time { return now }}
	bank := storage.Client{ID: "bank", Keys: storage.ClientKeys{JWKSURI: server.URL}}
	after := func(d time.Duration, kid string, wantKeys int, wantAsked int64) {
		t.Helper()
		now = now.Add(d)
		keys, err := k.Of(t.Context(), bank, kid)
		if len(keys) != wantKeys || (err == nil) != (wantKeys > 0) || s.asked.Load() != wantAsked {
			t.Fatalf("%d keys (%v) after asking %d times, want %d after %d", len(keys), err, s.asked.Load(), wantKeys, wantAsked)
		}
	}
	after(0, "a", 0, 1) // the client's server is down
	after(time.Second, "a", 0, 1)
	s.put(t, "a")
	after(MinAge, "a", 1, 2)
	after(MaxAge-time.Second, "a", 1, 2)
	after(time.Second, "a", 1, 3) // old enough
	s.put(t, "a", "b")
	after(time.Second, "b", 1, 3) // unknown, and asked a moment ago
	after(MinAge, "b", 2, 4)
	after(MinAge, "c", 2, 5)
	after(time.Second, "d", 2, 5)
	s.put(t)
	after(MaxAge, "a", 2, 6) // down again: the last keys serve
	after(Stale-MaxAge-2*time.Second, "a", 2, 7)
	after(time.Second, "a", 2, 7) // an hour after the last success at most
	after(MinAge+2*MaxAge, "a", 0, 8)
	s.put(t, "a")
	bank.Keys.JWKSURI = server.URL + "/new" // the registration changed: nothing of the old address counts
	after(0, "a", 1, 9)
}

func TestInlineKeysNeedNoNetwork(t *testing.T) {
	k := &Keys{Now: time.Now}
	c := storage.Client{ID: "bank", Keys: storage.ClientKeys{JWKS: string(setOf(t, "a", "b"))}}
	for range 2 {
		if keys, err := k.Of(t.Context(), c, "c"); err != nil || len(keys) != 2 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
	}
	c.Keys.JWKS = string(setOf(t, "d")) // rotated
	if keys, err := k.Of(t.Context(), c, ""); err != nil || len(keys) != 1 || keys[0].KeyID != "d" {
		t.Errorf("%v, %v", keys, err)
	}
	if _, err := k.Of(t.Context(), storage.Client{ID: "shop"}, ""); !errors.Is(err, ErrNoKeys) {
		t.Errorf("a client without keys: %v", err)
	}
}

func TestManyAskersMakeOneFetch(t *testing.T) {
	s := &shelf{}
	s.put(t, "a")
	server := httptest.NewServer(s)
	defer server.Close()
	k := &Keys{Outside: Outside{Loopback: true}, Now: time.Now}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, err := k.Of(t.Context(), storage.Client{ID: "bank", Keys: storage.ClientKeys{JWKSURI: server.URL}}, "a"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestPost(t *testing.T) {
	var heard string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /good", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard = r.Header.Get("Content-Type") + " " + string(body)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/good", http.StatusPermanentRedirect)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	here := Outside{Loopback: true}
	if status, err := here.Post(t.Context(), server.URL+"/moved", "text/plain", []byte("x")); err != nil || status != 308 || heard != "" {
		t.Errorf("a redirect: %d %v, heard %q", status, err, heard)
	}
	if status, err := here.Post(t.Context(), server.URL+"/good", "text/plain", []byte("x")); err != nil || status != 204 || heard != "text/plain x" {
		t.Errorf("%d %v, heard %q", status, err, heard)
	}
	heard = ""
	for _, address := range []string{server.URL + "/good", "http://example.com/", "::"} {
		if _, err := (Outside{}).Post(t.Context(), address, "text/plain", nil); !errors.Is(err, ErrAddress) || heard != "" {
			t.Errorf("%s: %v", address, err)
		}
	}
	server.Close()
	if _, err := here.Post(t.Context(), server.URL+"/good", "text/plain", nil); !errors.Is(err, ErrAnswer) {
		t.Errorf("nobody at home: %v", err)
	}
}
