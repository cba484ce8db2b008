package person_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

var laptop, phone, lost = authn.Secret{7}, authn.Secret{8}, authn.Secret{9}

func remembered(t *testing.T) []byte {
	t.Helper()
	p, err := claims.FromCardInfo(claims.CardInfoFields{Name: "手形　太郎", Birth: "19900401", Sex: "1"}, true)
	if err != nil {
		t.Fatal(err)
	}
	return p.Encode()
}

func (r *records) Memory(_ context.Context, account string, _ time.Time) (storage.Memory, error) {
	if account != "taro" {
		return storage.Memory{}, errors.Join(storage.ErrNotFound, r.note("memory"))
	}
	return storage.Memory{AccountID: account, Facts: r.facts, Until: now}, r.note("memory")
}

func (r *records) Hinted(_ context.Context, hint []byte, _ time.Time) (storage.Memory, error) {
	switch {
	case bytes.Equal(hint, laptop.Hash()):
		return storage.Memory{AccountID: "taro"}, nil
	case bytes.Equal(hint, phone.Hash()):
		return storage.Memory{AccountID: "hanako"}, nil
	case bytes.Equal(hint, lost.Hash()):
		return storage.Memory{}, errDown
	}
	return storage.Memory{}, storage.ErrNotFound
}

func (r *records) Forget(_ context.Context, account string) error { return r.note("forget " + account) }

func (r *records) ForgetHint(_ context.Context, hint []byte) error {
	return r.note("forget hint " + string(hint))
}

func TestAPersonSeesWhatKindsOfFactsAreRemembered(t *testing.T) {
	d, r := desk()
	r.facts = remembered(t)
	own := storage.Session{AccountID: "taro"}
	for hint, here := range map[*authn.Secret]bool{nil: false, &laptop: true, &phone: false, {}: false} {
		m, err := d.Memory(t.Context(), own, hint)
		if err != nil || m.Here != here || m.Source != claims.CardInfo || !m.Until.Equal(now) ||
			!slices.Equal(m.Items, []claims.Item{claims.ItemName, claims.ItemBirthdate, claims.ItemGender}) {
			t.Errorf("%+v, %v", m, err)
		}
	}
	if m, err := d.Memory(t.Context(), storage.Session{AccountID: "hanako"}, nil); m != nil || err != nil {
		t.Errorf("nothing is remembered: %+v, %v", m, err)
	}
	if _, err := d.Memory(t.Context(), own, &lost); !errors.Is(err, fail.Unavailable) {
		t.Errorf("a hint without a database: %v", err)
	}
	r.facts = []byte("garbage")
	if _, err := d.Memory(t.Context(), own, nil); !errors.Is(err, fail.Internal) {
		t.Errorf("garbage: %v", err)
	}
}

func TestAPersonForgetsAllOrOneBrowser(t *testing.T) {
	d, r := desk()
	own := storage.Session{AccountID: "taro"}
	if err := errors.Join(d.Forget(t.Context(), own), d.ForgetHere(t.Context(), laptop)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.did, []string{"forget taro", "forget hint " + string(laptop.Hash())}) {
		t.Errorf("%q", r.did)
	}
	r.down = true
	_, seen := d.Memory(t.Context(), own, nil)
	for name, err := range map[string]error{"memory": seen, "all": d.Forget(t.Context(), own), "here": d.ForgetHere(t.Context(), laptop)} {
		if !errors.Is(err, fail.Unavailable) {
			t.Errorf("%s without a database: %v", name, err)
		}
	}
}
