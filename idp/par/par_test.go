package par

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"tegata/authn/fail"
	"tegata/storage"
)

// shelf keeps what a store would; spent and down are its other answers.
type shelf struct {
	kept  []storage.Pushed
	spent bool
	down  bool
}

func (s *shelf) PushRequest(_ context.Context, p storage.Pushed) error {
	if s.down {
		return errors.New("down")
	}
	s.kept = append(s.kept, p)
	return nil
}

func (s *shelf) PushedRequest(_ context.Context, hash []byte, now time.Time) (storage.Pushed, error) {
	for _, p := range s.kept {
		switch {
		case s.down:
			return storage.Pushed{}, errors.New("down")
		case s.spent:
			return storage.Pushed{}, storage.ErrSpent
		case bytes.Equal(p.Hash, hash) && now.Before(p.ExpiresAt):
			return p, nil
		}
	}
	return storage.Pushed{}, storage.ErrNotFound
}

func TestWhatIsPushedComesBack(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	s := &shelf{}
	d := &Desk{Store: s, Now: func() time.Time { return now }, Rand: rand.Reader}
	want := url.Values{"scope": {"openid a&b"}, "state": {"=;%"}, "client_id": {"shop"}}
	uri, err := d.Push(t.Context(), "shop", want)
	if err != nil || !strings.HasPrefix(uri, Prefix) || len(uri) != len(Prefix)+43 {
		t.Fatal(uri, err)
	}
	if bytes.Contains(s.kept[0].Hash, []byte(uri[len(Prefix):])) || strings.Contains(string(s.kept[0].Params), uri) {
		t.Error("the handle itself is kept")
	}
	for range 2 {
		got, hash, err := d.Open(t.Context(), "shop", uri)
		if err != nil || !reflect.DeepEqual(got, want) || !bytes.Equal(hash, s.kept[0].Hash) {
			t.Errorf("%v %v", got, err)
		}
	}
	open := func(client, uri string, want error) {
		t.Helper()
		if _, _, err := d.Open(t.Context(), client, uri); !errors.Is(err, want) {
			t.Errorf("%s for %s: %v, want %v", uri, client, err, want)
		}
	}
	open("bank", uri, fail.RequestURIInvalid)
	open("shop", uri+"x", fail.RequestURIInvalid)
	open("shop", strings.ToUpper(uri), fail.RequestURINotSupp)
	open("shop", "https://shop.example/r", fail.RequestURINotSupp)
	open("shop", "", fail.RequestURINotSupp)
	now = now.Add(Life - time.Microsecond)
	open("shop", uri, nil)
	now = now.Add(time.Microsecond)
	open("shop", uri, fail.RequestURIInvalid)
	s.spent = true
	open("shop", uri, fail.AlreadyUsed)
	s.down = true
	open("shop", uri, fail.Unavailable)
	if _, err := d.Push(t.Context(), "shop", want); !errors.Is(err, fail.Unavailable) {
		t.Errorf("a store that is down: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(Prefix + strings.Repeat("A", 43))
	f.Add("https://shop.example/")
	d := &Desk{Store: &shelf{}, Now: time.Now, Rand: rand.Reader}
	f.Fuzz(func(t *testing.T, uri string) {
		if _, _, err := d.Open(t.Context(), "shop", uri); err == nil {
			t.Errorf("%q opens something", uri)
		}
	})
}
