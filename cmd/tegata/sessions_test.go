package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"tegata/storage"
	"tegata/storage/gormstore"
)

// visited gives one person sessions, in each of which the shop got tokens; the shop's server wants to hear of their end.
func visited(t *testing.T, store *gormstore.Store, sessions ...string) {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	ok(store.CreateClient(t.Context(), storage.Client{ID: "shop", Name: "Shop", Sector: "shop.example", AuthMethod: "none", CreatedAt: now, UpdatedAt: now,
		Logout: storage.ClientLogout{BackURI: "https://shop.example/out"}}))
	for i, id := range sessions {
		code := []byte("code of " + id)
		ok(store.CreateLogin(t.Context(), storage.Login{ID: id, Version: 1, State: storage.Returned, ClientID: "shop", AccountID: "account", BrowserHash: []byte("b"),
			CreatedAt: now, ExpiresAt: now.Add(time.Hour)}))
		sector := ""
		if i == 0 {
			sector = "shop.example"
		}
		ok(store.ApproveLogin(t.Context(), storage.Approval{
			Login: &storage.Login{ID: id, Version: 2, State: storage.Answered, ClientID: "shop", AccountID: "account", BrowserHash: []byte("b"),
				CreatedAt: now, ExpiresAt: now.Add(time.Hour)},
			Grant: storage.Grant{ID: id, ClientID: "shop", AccountID: "account", SessionID: id, Subject: "-somebody", SID: "sid of " + id, CodeHash: code,
				CodeExpires: now.Add(time.Minute), AuthTime: now, CreatedAt: now},
			Sector: sector,
			Session: &storage.Session{ID: id, AccountID: "account", AuthTime: now, Browser: "Firefox, Linux", CreatedAt: now.Add(time.Duration(i) * time.Second),
				SeenAt: now, ExpiresAt: now.Add(time.Hour)},
		}))
		_, err := store.RedeemCode(t.Context(), code, "shop", now, storage.Issue{Access: []byte("access of " + id), AccessExpires: now.Add(time.Minute)})
		ok(err)
	}
}

func TestAnOperatorEndsTheSessionsOfAPerson(t *testing.T) {
	d := deploy(t)
	store, err := database{URL: os.Getenv("TEGATA_DATABASE_URL"), SealKeyset: os.Getenv("TEGATA_SEAL_KEYSET")}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	visited(t, store, "first", "second", "third")
	told := func() (clients []string) {
		t.Helper()
		list, err := store.TakeDeliveries(t.Context(), time.Now(), time.Now().Add(time.Hour), 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			clients = append(clients, one.ClientID)
		}
		return clients
	}
	who := []string{"--client", "shop", "--subject", "-somebody"}
	list := d.ok(append([]string{"sessions", "list"}, who...)...)
	if strings.Count(list, "\n") != 4 || !strings.Contains(list, "second") || strings.Contains(list, "Firefox") || strings.Contains(list, "account") {
		t.Errorf("the list says %s", list)
	}
	if said := d.ok(append([]string{"sessions", "end", "--session", "second"}, who...)...); said != "sessions ended: 1\n" || len(told()) != 1 {
		t.Errorf("one: %s", said)
	}
	if _, err := store.GrantByAccess(t.Context(), []byte("access of second"), time.Now()); err == nil {
		t.Error("its token is still good")
	}
	d.fails(exitFailure, "no session", append([]string{"sessions", "end", "--session", "second"}, who...)...)
	if said := d.ok(append([]string{"sessions", "end"}, who...)...); said != "sessions ended: 2\n" || len(told()) != 2 {
		t.Errorf("all: %s", said)
	}
	if list := d.ok(append([]string{"sessions", "list"}, who...)...); strings.Count(list, "\n") != 1 {
		t.Errorf("there are sessions left: %s", list)
	}
	d.fails(exitFailure, "knows nobody", "sessions", "list", "--client", "shop", "--subject", "nobody")
	d.fails(exitFailure, "no client", "sessions", "end", "--client", "nowhere", "--subject", "-somebody")
	d.fails(exitUsage, "--subject", "sessions", "end", "--client", "shop")
}
