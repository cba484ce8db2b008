package provider_test

import (
	"encoding/json"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tegata/cmd/provider"
	"tegata/idp/keys"
	"tegata/storage/storagetest"
)

// TestReplicasRotateTheirKeysTogether: two replicas on one database, one of them with a clock that is an hour fast, look
// for old keys at the same moment, again and again. One of them makes the next keys, both publish them two hours ahead,
// and both begin to sign with them at the same time.
func TestReplicasRotateTheirKeysTogether(t *testing.T) {
	const month = 30 * 24 * time.Hour
	var options provider.Options
	w := open(t, storagetest.Postgres(t), func(o *provider.Options) {
		o.RotateKeys, o.KeyClock = month, o.Now
		options = *o
	})
	options.Now = func() time.Time { return w.Town.Clock.Now().Add(time.Hour) }
	other, err := provider.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	both := []*provider.Provider{w.Provider, other}
	for _, p := range both {
		if len(published(t, p)) != len(keys.Algorithms) { // makes the first ones
			t.Fatal("not all algorithms have a key")
		}
	}
	w.Town.Clock.Advance(month - keys.PublishAhead - time.Hour)
	look(t, both)
	if got := len(published(t, other)); got != len(keys.Algorithms) {
		t.Fatalf("%d keys before it is time", got)
	}
	first := signer(t, other)
	w.Town.Clock.Advance(time.Hour)
	look(t, both)
	for _, p := range both {
		if got := len(published(t, p)); got != 2*len(keys.Algorithms) {
			t.Errorf("%d keys are published, want the present and the next one of each algorithm", got)
		}
		if signer(t, p) != first {
			t.Error("the next key signs before its time")
		}
	}
	w.Town.Clock.Advance(keys.PublishAhead)
	look(t, both)
	if one, two := signer(t, w.Provider), signer(t, other); one != two || one == first {
		t.Errorf("%s and %s sign, after %s", one, two, first)
	}
	if list := w.Provider.IDP.Keys.List(); len(list) != 2*len(keys.Algorithms) {
		t.Errorf("%d keys are stored", len(list))
	}
}

// TestSigningKeysFollowTheDatabase: what a replica's own clock says makes no key sign.
func TestSigningKeysFollowTheDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, w *town) {
		next, err := w.Provider.IDP.Keys.Rotate(t.Context(), "ES256")
		if err != nil {
			t.Fatal(err)
		}
		w.Town.Clock.Advance(24 * time.Hour)
		if err := w.Provider.IDP.Keys.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if signer(t, w.Provider) == next.ID {
			t.Error("the next key signs by the replica's clock")
		}
	})
}

// look is what Run does all the time, by all replicas at once.
func look(t *testing.T, replicas []*provider.Provider) {
	t.Helper()
	var all sync.WaitGroup
	for _, p := range replicas {
		all.Go(func() {
			if err := p.IDP.Keys.Load(t.Context()); err != nil {
				t.Error(err)
			}
			if err := p.RotateKeys(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, p := range replicas {
		if err := p.IDP.Keys.Load(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func published(t *testing.T, p *provider.Provider) []string {
	t.Helper()
	w := httptest.NewRecorder()
	p.Handler.ServeHTTP(w, httptest.NewRequest("GET", "/oauth/jwks", nil))
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil {
		t.Fatal(w.Code, err)
	}
	var ids []string
	for _, k := range set.Keys {
		ids = append(ids, k.ID)
	}
	return ids
}

func signer(t *testing.T, p *provider.Provider) string {
	t.Helper()
	compact, err := p.IDP.Keys.Sign("ES256", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range p.IDP.Keys.List() {
		if k.Alg == "ES256" && p.IDP.Keys.State(k) == keys.Active {
			if _, err := p.IDP.Keys.Verify("JWT", compact); err != nil {
				t.Error(err)
			}
			return k.ID
		}
	}
	t.Fatal("nothing signs")
	return ""
}
