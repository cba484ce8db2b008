package person_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/idp/person"
	"tegata/idp/session"
	"tegata/storage"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// records is a store that knows one person, or is down.
type records struct {
	storage.Store
	down  bool
	did   []string
	facts []byte
}

var errDown = errors.New("down")

func (r *records) note(what string) error {
	if r.down {
		return errDown
	}
	r.did = append(r.did, what)
	return nil
}

func (r *records) SessionLink(_ context.Context, id, _ string, _ storage.Sector, _, idleSince time.Time) (storage.Session, storage.Link, error) {
	if id != session.ID(authn.Secret{1}.Hash()) || !idleSince.Equal(now.Add(-time.Hour)) {
		return storage.Session{}, storage.Link{}, storage.ErrNotFound
	}
	return storage.Session{ID: id, AccountID: "taro"}, storage.Link{}, r.note("session")
}

func (r *records) Consents(context.Context, string) ([]storage.Consent, error) {
	return []storage.Consent{{ClientID: "shop"}, {ClientID: "gone"}}, r.note("consents")
}

func (r *records) Client(_ context.Context, id string) (storage.Client, error) {
	if id == "gone" {
		return storage.Client{}, storage.ErrNotFound
	}
	return storage.Client{ID: id, Name: "Aoba", Disabled: true}, r.note("client")
}

func (r *records) TakeBack(_ context.Context, account, client string, _ time.Time) error {
	return r.note("take back " + client + " of " + account)
}

func (r *records) Releases(context.Context, string) ([]storage.Release, error) {
	return []storage.Release{{ClientID: "shop"}, {ClientID: "gone"}, {ClientID: "shop"}}, r.note("releases")
}

func (r *records) Kept(context.Context, string) (int, error) { return 180, r.note("kept") }

func (r *records) Keep(_ context.Context, account string, _ int, _ time.Time) error {
	return r.note("keep of " + account)
}

func (r *records) DeleteAccount(_ context.Context, account string) error {
	return r.note("delete " + account)
}

// Sessions and End are the provider's.
type provider struct{ *records }

func (p provider) Sessions(_ context.Context, account string) ([]storage.Session, error) {
	return []storage.Session{{ID: "a", AccountID: account}}, p.note("sessions")
}

func (p provider) End(_ context.Context, e storage.Ending) (storage.Ended, error) {
	if e.SessionID == "theirs" {
		return storage.Ended{}, nil
	}
	return storage.Ended{Sessions: 1, Parties: []storage.Party{{SID: "s"}}}, p.note("end " + e.SessionID + " of " + e.AccountID)
}

func desk() (*person.Desk, *records) {
	r := &records{}
	return &person.Desk{Store: r, All: provider{r}, Rule: session.Default, Now: func() time.Time { return now }}, r
}

func TestASessionOpensTheDesk(t *testing.T) {
	d, r := desk()
	if own, err := d.Session(t.Context(), authn.Secret{1}); err != nil || own.AccountID != "taro" {
		t.Errorf("%+v, %v", own, err)
	}
	if _, err := d.Session(t.Context(), authn.Secret{2}); !errors.Is(err, fail.LoginRequired) {
		t.Errorf("another cookie: %v", err)
	}
	r.down = true
	if _, err := d.Session(t.Context(), authn.Secret{1}); !errors.Is(err, fail.Unavailable) {
		t.Errorf("without a database: %v", err)
	}
}

func TestOnlyOnesOwnSessionsEnd(t *testing.T) {
	d, r := desk()
	own := storage.Session{ID: "a", AccountID: "taro"}
	for id, want := range map[string]error{"b": nil, "theirs": fail.NotFound, "": fail.NotFound} {
		if knew, err := d.EndSession(t.Context(), own, id); !errors.Is(err, want) || (len(knew) > 0) != (want == nil) {
			t.Errorf("%q: %v, %v", id, knew, err)
		}
	}
	if knew, err := d.EndSessions(t.Context(), own); err != nil || len(knew) != 1 || !slices.Equal(r.did, []string{"end b of taro", "end  of taro"}) {
		t.Errorf("%q, %v", r.did, err)
	}
}

func TestWhoIsGoneStillHasAName(t *testing.T) {
	d, _ := desk()
	own := storage.Session{AccountID: "taro"}
	services, err := d.Services(t.Context(), own)
	if err != nil || len(services) != 2 || services[0].Client.Name != "Aoba" || services[1].Client.Name != "gone" {
		t.Errorf("%+v, %v", services, err)
	}
	history, err := d.History(t.Context(), own)
	if err != nil || len(history) != 3 || history[0].Name != "Aoba" || history[1].Name != "gone" || history[2].Name != "Aoba" {
		t.Errorf("%+v, %v", history, err)
	}
}

func TestAHistoryIsKeptForATimeOfTheList(t *testing.T) {
	d, r := desk()
	own := storage.Session{AccountID: "taro"}
	for _, days := range storage.KeepDays {
		if err := d.Keep(t.Context(), own, days); err != nil {
			t.Errorf("%d: %v", days, err)
		}
	}
	for _, days := range []int{-1, 0, 31, 100000} {
		if err := d.Keep(t.Context(), own, days); !errors.Is(err, fail.BadInput) {
			t.Errorf("%d: %v", days, err)
		}
	}
	if days, err := d.Kept(t.Context(), own); days != 180 || err != nil || len(r.did) != 4 {
		t.Errorf("%d, %v, %q", days, err, r.did)
	}
}

func TestAnAccountIsDeletedWithTheCardInHand(t *testing.T) {
	for _, tc := range []struct {
		name string
		used time.Time
		want error
	}{
		{"the card was used just now", now, nil},
		{"a quarter of an hour ago", now.Add(-15 * time.Minute), nil},
		{"longer ago: somebody else may sit there", now.Add(-15*time.Minute - 1), fail.LoginRequired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, r := desk()
			_, err := d.DeleteAccount(t.Context(), storage.Session{AccountID: "taro", AuthTime: tc.used})
			if !errors.Is(err, tc.want) {
				t.Fatal(err)
			}
			if deleted := slices.Equal(r.did, []string{"end  of taro", "delete taro"}); deleted != (tc.want == nil) {
				t.Errorf("%q", r.did)
			}
		})
	}
}

func TestWithoutADatabaseNothingIsClaimed(t *testing.T) {
	d, r := desk()
	r.down = true
	own := storage.Session{AccountID: "taro", AuthTime: now}
	for name, do := range map[string]func() error{
		"services": func() error { _, err := d.Services(t.Context(), own); return err },
		"history":  func() error { _, err := d.History(t.Context(), own); return err },
		"taking":   func() error { return d.TakeBack(t.Context(), own, "shop") },
		"kept":     func() error { _, err := d.Kept(t.Context(), own); return err },
		"keeping":  func() error { return d.Keep(t.Context(), own, 30) },
	} {
		if err := do(); !errors.Is(err, fail.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.DeleteAccount(t.Context(), own); err == nil {
		t.Error("deleted without a database")
	}
	r.down = false
	if err := d.TakeBack(t.Context(), own, "shop"); err != nil || r.did[0] != "take back shop of taro" {
		t.Errorf("%q, %v", r.did, err)
	}
	if all, err := d.Sessions(t.Context(), own); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}
