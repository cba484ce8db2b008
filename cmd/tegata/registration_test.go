package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// post sends JSON with a bearer token and reads the JSON that comes back.
func post(t *testing.T, address, token, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var members map[string]any
	_ = json.NewDecoder(answer.Body).Decode(&members) // what is not JSON has no members
	return answer.StatusCode, members
}

func TestTheOperatorInvitesAndApproves(t *testing.T) {
	d := deploy(t)
	var made struct {
		Token string `json:"initial_access_token"`
	}
	if err := json.Unmarshal([]byte(d.ok("client", "tokens", "create", "partners", "--uses", "2")), &made); err != nil || len(made.Token) != 43 {
		t.Fatalf("%q, %v", made.Token, err)
	}
	d.fails(exitFailure, "exists already", "client", "tokens", "create", "partners")
	d.fails(exitUsage, "at least one use", "client", "tokens", "create", "none", "--uses", "0")
	const metadata = `{"redirect_uris": ["https://shop.example/cb"]}`
	base, _, stop := d.serve()
	if status, _ := post(t, base+"/register", made.Token, metadata); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		t.Errorf("registration is on by default: %d", status)
	}
	stop()

	d.set("TEGATA_REGISTRATION", "true")
	base, _, stop = d.serve()
	defer stop()
	code, client := post(t, base+"/register", made.Token, metadata)
	id, _ := client["client_id"].(string)
	if code != http.StatusCreated || id == "" {
		t.Fatalf("%d %v", code, client)
	}
	if list := d.ok("client", "tokens", "list"); strings.Contains(list, made.Token) || strings.Count(list, "\n") != 2 || !strings.Contains(list, "partners  1 ") {
		t.Errorf("tokens:\n%s", list)
	}
	if list := d.ok("client", "list"); !strings.Contains(list, "pending approval") {
		t.Errorf("clients:\n%s", list)
	}
	if shown := d.ok("client", "show", id); strings.Contains(shown, "token_hash") || !strings.Contains(shown, `"by": "partners"`) {
		t.Errorf("shown: %s", shown)
	}
	if out := d.ok("client", "approve", id); out != id+" is approved\n" {
		t.Error(out)
	}
	if out := d.ok("client", "approve", id); !strings.Contains(out, "already") {
		t.Error(out)
	}
	if list := d.ok("client", "list"); !strings.Contains(list, "enabled") {
		t.Errorf("clients:\n%s", list)
	}
	d.fails(exitFailure, "no client", "client", "approve", "nobody")
	if link := d.ok("client", "debug", id); !strings.HasPrefix(link, "https://login.example/developer/") {
		t.Error(link)
	} else if got := status(t, base+strings.TrimPrefix(strings.TrimSpace(link), "https://login.example")); got != http.StatusOK {
		t.Errorf("the developer's link: %d", got)
	}
	d.fails(exitFailure, "no client", "client", "debug", "nobody")
	d.ok("client", "tokens", "revoke", "partners")
	d.fails(exitFailure, "no token", "client", "tokens", "revoke", "partners")
	if status, _ := post(t, base+"/register", made.Token, metadata); status != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", status)
	}
}
